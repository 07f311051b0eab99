// Servers of gorilla/websocket and gobwas/ws, which agree to sip, on a port of 127.0.0.1: for
// handshake-peer.py.
//
//	server gorilla|gobwas PORT|--version
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"github.com/gobwas/ws"
	"github.com/gorilla/websocket"
	"sipws.invalid/peers/peer"
)

func gorilla(l net.Listener) error {
	upgrader := websocket.Upgrader{Subprotocols: []string{"sip"}, CheckOrigin: func(*http.Request) bool { return true }}
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := upgrader.Upgrade(w, r, nil); err == nil {
			for err == nil {
				_, _, err = c.NextReader()
			}
			c.Close()
		}
	}))
}

func gobwas(l net.Listener) error {
	upgrader := ws.Upgrader{Protocol: func(p []byte) bool { return string(p) == "sip" }}
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			if _, err := upgrader.Upgrade(c); err == nil {
				io.Copy(io.Discard, c)
			}
			c.Close()
		}()
	}
}

func main() {
	servers := map[string]func(net.Listener) error{"gorilla": gorilla, "gobwas": gobwas}
	modules := map[string]string{"gorilla": "github.com/gorilla/websocket", "gobwas": "github.com/gobwas/ws"}
	if os.Args[2] == "--version" {
		fmt.Println(peer.Version(modules[os.Args[1]]))
		return
	}
	l, err := net.Listen("tcp", "127.0.0.1:"+os.Args[2])
	if err == nil {
		err = servers[os.Args[1]](l)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// gorilla/websocket as a peer: an upgraded server's connection over a pipe in memory.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
	"sipws.invalid/peers/peer"
)

// A connection that gives a stream and keeps what is written. It is its own http.ResponseWriter.
type memory struct {
	io.Reader
	wrote bytes.Buffer
}

func (m *memory) Write(p []byte) (int, error)      { return m.wrote.Write(p) }
func (m *memory) Close() error                     { return nil }
func (m *memory) LocalAddr() net.Addr              { return nil }
func (m *memory) RemoteAddr() net.Addr             { return nil }
func (m *memory) SetDeadline(time.Time) error      { return nil }
func (m *memory) SetReadDeadline(time.Time) error  { return nil }
func (m *memory) SetWriteDeadline(time.Time) error { return nil }
func (m *memory) Header() http.Header              { return http.Header{} }
func (m *memory) WriteHeader(int)                  {}
func (m *memory) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return m, bufio.NewReadWriter(bufio.NewReader(m), bufio.NewWriter(m)), nil
}

var request = &http.Request{Method: "GET", Host: "example.org", Header: http.Header{
	"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"},
	"Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="}}}

func read(stream []byte) (peer.A, error) {
	events := []any{}
	m := &memory{Reader: bytes.NewReader(nil)}
	conn, err := (&websocket.Upgrader{}).Upgrade(m, request, nil)
	if err != nil {
		panic(err)
	}
	m.Reader = bytes.NewReader(stream)
	m.wrote.Reset()
	conn.SetReadLimit(1 << 20)
	closed := false
	control := func(kind string) func(string) error {
		return func(data string) error {
			events = append(events, peer.A{"event": kind, "data": peer.Octets(data)})
			return nil
		}
	}
	conn.SetPingHandler(control("ping"))
	conn.SetPongHandler(control("pong"))
	conn.SetCloseHandler(func(code int, text string) error {
		event := peer.A{"event": "close", "code": code, "reason": peer.Octets(text)}
		if code == websocket.CloseNoStatusReceived {
			event["code"] = nil
		}
		events = append(events, event)
		closed = true
		return nil
	})
	for {
		kind, data, err := conn.ReadMessage()
		var late *websocket.CloseError
		switch {
		case closed || err == io.EOF || (errors.As(err, &late) && late.Code == websocket.CloseAbnormalClosure):
			return peer.A{"events": events, "close": nil}, nil
		case err != nil:
			o := peer.A{"events": events, "close": nil}
			if b := m.wrote.Bytes(); len(b) >= 4 && b[0] == 0x88 {
				o["close"] = binary.BigEndian.Uint16(b[2:])
			}
			return o, err
		}
		name := "text"
		if kind == websocket.BinaryMessage {
			name = "binary"
		}
		events = append(events, peer.A{"event": name, "data": peer.Octets(string(data))})
	}
}

func main() {
	peer.Serve("gorilla", "github.com/gorilla/websocket", read)
}

// gobwas/ws as a peer: wsutil's reader in the role of a server, with its checks of the protocol and
// of UTF-8 switched on. Control frames it hands to the caller; a close frame's payload is judged by
// the library's own check, as its control handler does.
package main

import (
	"bytes"
	"errors"
	"io"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"sipws.invalid/peers/peer"
)

func read(stream []byte) (peer.A, error) {
	events := []any{}
	done := func(err error) (peer.A, error) {
		o := peer.A{"events": events, "close": nil}
		if err == io.EOF || err == io.ErrUnexpectedEOF || errors.As(err, &wsutil.ClosedError{}) {
			return o, nil // the stream goes on, or has ended
		}
		// It leaves the code of its failure to the caller.
		delete(o, "close")
		return o, err
	}
	control := func(h ws.Header, r io.Reader) error {
		data, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		switch h.OpCode {
		case ws.OpPing:
			events = append(events, peer.A{"event": "ping", "data": peer.Octets(string(data))})
		case ws.OpPong:
			events = append(events, peer.A{"event": "pong", "data": peer.Octets(string(data))})
		case ws.OpClose:
			code, reason := ws.ParseCloseFrameData(data)
			if len(data) > 0 {
				if err := ws.CheckCloseFrameData(code, reason); err != nil {
					return err
				}
			}
			event := peer.A{"event": "close", "code": nil, "reason": peer.Octets(reason)}
			if len(data) > 0 {
				event["code"] = code
			}
			events = append(events, event)
			return wsutil.ClosedError{Code: code, Reason: reason} // as its control handler does
		}
		return nil
	}
	r := wsutil.Reader{Source: bytes.NewReader(stream), State: ws.StateServerSide, CheckUTF8: true,
		MaxFrameSize: 1 << 20, OnIntermediate: control}
	for {
		h, err := r.NextFrame()
		if err != nil {
			return done(err)
		}
		if h.OpCode.IsControl() {
			if err := control(h, &r); err != nil {
				return done(err)
			}
			continue
		}
		data, err := io.ReadAll(&r)
		if err != nil {
			return done(err)
		}
		kind := "text"
		if h.OpCode == ws.OpBinary {
			kind = "binary"
		}
		events = append(events, peer.A{"event": kind, "data": peer.Octets(string(data))})
	}
}

func main() {
	peer.Serve("gobwas", "github.com/gobwas/ws", read)
}

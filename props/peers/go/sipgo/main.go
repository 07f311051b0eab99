// sipgo as a peer: ParseSIP, as its WebSocket transport calls it for every message.
package main

import (
	"github.com/emiago/sipgo/sip"
	"sipws.invalid/peers/peer"
)

func uri(u *sip.Uri) any {
	o := peer.A{"text": peer.Octets(u.String()), "scheme": peer.Octets(u.Scheme)}
	if u.Raw() == "" {
		o["user"] = peer.Maybe(u.User, u.User != "")
		o["password"] = peer.Maybe(u.Password, u.Password != "")
		o["host"] = peer.Octets(u.Host)
		o["port"] = peer.Port(u.Port)
	}
	return o
}

func address(display string, u *sip.Uri, params sip.HeaderParams) any {
	if u.Wildcard {
		return "*"
	}
	tag, there := params.Get("tag")
	return peer.A{"display": peer.Maybe(display, display != ""), "uri": uri(u), "tag": peer.Maybe(tag, there)}
}

func read(message []byte) (peer.A, error) {
	m, err := parser.ParseSIP(message)
	if err != nil {
		return nil, err
	}
	o := peer.A{"from": nil, "to": nil, "call-id": nil, "cseq": nil, "content-length": nil, "body": peer.Octets(string(m.Body()))}
	fields, vias, contacts, routes, records := []any{}, []any{}, []any{}, []any{}, []any{}
	var all []sip.Header
	switch m := m.(type) {
	case *sip.Request:
		o["request"] = peer.A{"method": peer.Octets(string(m.Method)), "uri": uri(&m.Recipient)}
		all = m.Headers()
	case *sip.Response:
		o["response"] = peer.A{"status": m.StatusCode}
		all = m.Headers()
	}
	for _, h := range all {
		field := peer.A{"name": peer.Octets(h.Name())}
		switch h := h.(type) {
		case *sip.ViaHeader:
			branch, there := h.Params.Get("branch")
			vias = append(vias, peer.A{"transport": peer.Octets(h.Transport), "host": peer.Octets(h.Host),
				"port": peer.Port(h.Port), "branch": peer.Maybe(branch, there)})
		case *sip.ContactHeader:
			contacts = append(contacts, address(h.DisplayName, &h.Address, h.Params))
		case *sip.RouteHeader:
			routes = append(routes, address("", &h.Address, nil))
		case *sip.RecordRouteHeader:
			records = append(records, address("", &h.Address, nil))
		default:
			field["raw"] = peer.Octets(h.Value())
		}
		fields = append(fields, field)
	}
	o["fields"], o["via"], o["contact"], o["route"], o["record-route"] = fields, vias, contacts, routes, records
	if h := m.From(); h != nil {
		o["from"] = address(h.DisplayName, &h.Address, h.Params)
	}
	if h := m.To(); h != nil {
		o["to"] = address(h.DisplayName, &h.Address, h.Params)
	}
	if h := m.CallID(); h != nil {
		o["call-id"] = peer.Octets(h.Value())
	}
	if h := m.CSeq(); h != nil {
		o["cseq"] = peer.A{"number": h.SeqNo, "method": peer.Octets(string(h.MethodName))}
	}
	if h := m.ContentLength(); h != nil {
		o["content-length"] = int64(*h)
	}
	return o, nil
}

var parser = sip.NewParser()

func main() {
	peer.Serve("sipgo", "github.com/emiago/sipgo", read)
}

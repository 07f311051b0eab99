sipws-story 1
# Field failure 1. RFC 7118 4.1: the client names sip among its subprotocols, and without an
# agreement on it there is no SIP on this connection. A browser tells its user only 1006, so the
# server says why.
title The client does not offer the subprotocol sip
engine server
handshake
  GET /sip HTTP/1.1
  Host: ws.example.org
  Upgrade: websocket
  Connection: Upgrade
  Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==
  Sec-WebSocket-Version: 13

expect failed http-no-sip
expect sent HTTP/1.1 400

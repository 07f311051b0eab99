sipws-story 1
# Field failure 1. RFC 7118 4.1: a server that did not name sip in its 101 did not agree to it, so the
# client must not send SIP.
title The server switches protocols without naming sip
engine client
handshake
  HTTP/1.1 101 Switching Protocols
  Upgrade: websocket
  Connection: Upgrade
  Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=
expect sent GET / HTTP/1.1
expect failed http-no-sip

sipws-story 1
# Twin of the one before. RFC 6455 11.3.4: the header field may come several times in a request, and
# then means one list.
title sip is the last of several offers
engine server
handshake
  GET /sip HTTP/1.1
  Host: ws.example.org
  Upgrade: websocket
  Connection: Upgrade
  Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==
  Sec-WebSocket-Version: 13
  Sec-WebSocket-Protocol: gossip, sips
  Sec-WebSocket-Protocol: SIP, sip
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols

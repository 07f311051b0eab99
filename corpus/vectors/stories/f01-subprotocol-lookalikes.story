sipws-story 1
# Field failure 1, class W15. RFC 7118 4.1 and RFC 6455 4.1: a subprotocol is a token that is compared
# whole and with its case; neither SIP, nor sips, nor a name with sip in it is sip.
title The client offers names that only look like sip
engine server
handshake
  GET /sip HTTP/1.1
  Host: ws.example.org
  Upgrade: websocket
  Connection: Upgrade
  Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==
  Sec-WebSocket-Version: 13
  Sec-WebSocket-Protocol: gossip, sips, SIP
expect failed http-no-sip
expect sent HTTP/1.1 400

sipws-story 1
# Class X2. RFC 7118 5: the WebSocket message ends the SIP message, so Content-Length may be missing.
title A request with a body and no Content-Length
engine server
handshake good
sip as-is
  MESSAGE sip:bob@example.org SIP/2.0
  Via: SIP/2.0/WS q4m8x2.invalid;branch=z9hG4bK-m1
  Max-Forwards: 70
  From: <sip:alice@example.org>;tag=t4
  To: <sip:bob@example.org>
  Call-ID: m1@q4m8x2.invalid
  CSeq: 1 MESSAGE
  Content-Type: text/plain

  no length is told\
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect message MESSAGE sip:bob@example.org SIP/2.0

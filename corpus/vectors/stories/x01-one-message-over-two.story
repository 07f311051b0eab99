sipws-story 1
# Class X1. RFC 7118 5: a SIP message is not split over WebSocket messages (fragments are another thing).
# Either half is refused, and the connection goes on.
title One request in two WebSocket messages
engine server
handshake good
text "OPTIONS sip:example.org SIP/2.0\r\nVia: SIP/2.0/WS q4m8x2.invalid;branch=z9hG4bK-h1\r\n"
text "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
sip
  REGISTER sip:example.org SIP/2.0
  Via: SIP/2.0/WS q4m8x2.invalid;branch=z9hG4bK-r1
  Max-Forwards: 70
  From: <sip:alice@example.org>;tag=t1
  To: <sip:alice@example.org>
  Call-ID: c1@q4m8x2.invalid
  CSeq: 1 REGISTER
  Contact: <sip:alice@q4m8x2.invalid;transport=ws>
  Expires: 600
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect refused
expect refused
expect message REGISTER

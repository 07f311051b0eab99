sipws-story 1
# Class W10. RFC 6455 5.5.3: a pong may come unasked, and then asks for nothing.
title An unsolicited pong comes first
engine server
handshake good
pong "early"
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
expect pong "early"
expect message REGISTER sip:example.org SIP/2.0

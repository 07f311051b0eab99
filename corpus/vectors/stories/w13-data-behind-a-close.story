sipws-story 1
# Class W13. RFC 6455 5.5.1: nothing follows a close frame, and what does is not looked at: no message comes
# of it.
title A REGISTER behind a close frame
engine server
handshake good
close 1000
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
expect closed 1000
expect sent close 1000

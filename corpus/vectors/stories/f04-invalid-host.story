sipws-story 1
# Field failure 4, class X5. RFC 7118 8.1 and 5.3: a client that does not know its address puts
# a name under .invalid into Via and Contact. It is a name like any other for the one who reads it,
# without a port or a received parameter; nothing may be made dependent on resolving it.
title Via and Contact have a host under .invalid
engine server
handshake good
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
expect message REGISTER sip:example.org SIP/2.0

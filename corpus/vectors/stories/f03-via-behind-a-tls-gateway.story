sipws-story 1
# Twin of the two before. RFC 7118 5.1, set aside by choice: the leniency for a server behind a gateway that ends TLS.
title Via says WSS behind a gateway that ends TLS
engine server
allow via-transport
handshake good
sip
  REGISTER sip:example.org SIP/2.0
  Via: SIP/2.0/WSS q4m8x2.invalid;branch=z9hG4bK-r1
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

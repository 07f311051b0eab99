sipws-story 1
# Twin of the one before. RFC 7118 9.2: a sips URI over TLS is right; so is a sip URI over TLS.
title sips and sip over a connection with TLS
engine server tls
handshake good
sip
  REGISTER sips:example.org SIP/2.0
  Via: SIP/2.0/WSS q4m8x2.invalid;branch=z9hG4bK-r1
  Max-Forwards: 70
  From: <sips:alice@example.org>;tag=t1
  To: <sips:alice@example.org>
  Call-ID: c1@q4m8x2.invalid
  CSeq: 1 REGISTER
  Contact: <sips:alice@q4m8x2.invalid;transport=ws>
  Expires: 600
sip
  REGISTER sip:example.org SIP/2.0
  Via: SIP/2.0/WSS q4m8x2.invalid;branch=z9hG4bK-r2
  Max-Forwards: 70
  From: <sip:alice@example.org>;tag=t1
  To: <sip:alice@example.org>
  Call-ID: c2@q4m8x2.invalid
  CSeq: 2 REGISTER
  Contact: <sip:alice@q4m8x2.invalid;transport=ws>
  Expires: 600
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect message REGISTER sips:example.org SIP/2.0
expect message REGISTER sip:example.org SIP/2.0

sipws-story 1
# Field failure 11, class P3. RFC 5630 3.1.3, RFC 7118 9.2: a sips URI asks for TLS on every hop, so a
# request to one does not travel over a connection without TLS.
title A request to a sips URI over a connection without TLS
engine server
handshake good
sip
  REGISTER sips:example.org SIP/2.0
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
expect refused sips-plain

sipws-story 1
# Field failure 2. RFC 7118 5.2: the URI parameter is transport=ws for plain and for TLS connections
# alike (there is no transport=wss); it is Via that tells them apart.
title Contact has transport=ws on a connection over TLS
engine server tls
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

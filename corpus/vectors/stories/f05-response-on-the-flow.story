sipws-story 1
# Field failure 5, class X5. RFC 7118 5.3: the response to a request of this connection comes back on it,
# whatever the sent-by of Via says; a received parameter is not needed for that.
title The response comes back on the same connection
engine client
handshake good
sip
  SIP/2.0 200 OK
  Via: SIP/2.0/WS q4m8x2.invalid;branch=z9hG4bK-r1
  From: <sip:alice@example.org>;tag=t1
  To: <sip:alice@example.org>;tag=t2
  Call-ID: c1@q4m8x2.invalid
  CSeq: 1 REGISTER
  Contact: <sip:alice@q4m8x2.invalid;transport=ws>;expires=600
sip
  SIP/2.0 200 OK
  Via: SIP/2.0/WS q4m8x2.invalid;branch=z9hG4bK-r2;received=192.0.2.7;rport=50123
  From: <sip:alice@example.org>;tag=t1
  To: <sip:alice@example.org>;tag=t2
  Call-ID: c1@q4m8x2.invalid
  CSeq: 2 REGISTER
expect sent GET / HTTP/1.1
expect open
expect message SIP/2.0 200 OK
expect message SIP/2.0 200 OK

sipws-story 1
# Class W4 for a client. RFC 6455 4.2.2: the connection is open for the server once its 101 is out, and it
# may send at once: its first frame comes in one read with its 101.
title A frame behind the server's answer in one read
engine client
handshake good
sip
  OPTIONS sip:alice@q4m8x2.invalid;transport=ws SIP/2.0
  Via: SIP/2.0/WS proxy.example.org;branch=z9hG4bK-o1
  Max-Forwards: 70
  From: <sip:proxy.example.org>;tag=p1
  To: <sip:alice@example.org>
  Call-ID: o1@proxy.example.org
  CSeq: 1 OPTIONS
expect sent GET / HTTP/1.1
expect open
expect message OPTIONS

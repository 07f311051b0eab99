sipws-story 1
# Field failure 13. RFC 7118 5.3 and 8.2: the registrar's requests to a client come on the client's own connection;
# the client takes an OPTIONS to the contact that it registered, between two responses.
title OPTIONS reaches a registered client on its connection
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
expect message OPTIONS sip:alice@q4m8x2.invalid;transport=ws SIP/2.0

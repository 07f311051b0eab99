sipws-story 1
# Field failure 10, class W3. RFC 6455 5.2 and 5.4: TCP keeps no boundaries, so where reads end means
# nothing; here, for all of a connection.
title A whole connection, one octet a read
engine server
pieces 1
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
ping "p"
text "\r\n\r\n"
close 1000 "bye"
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect message REGISTER sip:example.org SIP/2.0
expect ping "p"
expect sent pong "p"
expect keepalive
expect sent text "\r\n"
expect closed 1000 "bye"
expect sent close 1000

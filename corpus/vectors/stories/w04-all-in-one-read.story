sipws-story 1
# Class W4. RFC 6455 5.4 and 4.2.2: a client that was answered may send at once, and many frames fit in a
# read; also behind the handshake itself, with the close frame at their end. None is lost.
title Handshake, messages and close in one read
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
sip
  REGISTER sip:example.org SIP/2.0
  Via: SIP/2.0/WS q4m8x2.invalid;branch=z9hG4bK-r2
  Max-Forwards: 70
  From: <sip:alice@example.org>;tag=t1
  To: <sip:alice@example.org>
  Call-ID: c2@q4m8x2.invalid
  CSeq: 2 REGISTER
  Contact: <sip:alice@q4m8x2.invalid;transport=ws>
  Expires: 600
ping "1"
ping "2"
close 1000
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect message REGISTER
expect message REGISTER
expect ping "1"
expect sent pong "1"
expect ping "2"
expect sent pong "2"
expect closed 1000
expect sent close 1000

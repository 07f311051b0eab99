sipws-story 1
# Class X1. RFC 7118 4.2: text and binary messages are both SIP, and are read alike: what is refused in one
# is refused in the other.
title The same flaw in a text and in a binary message
engine server
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
sip binary
  REGISTER sip:example.org SIP/2.0
  Via: SIP/2.0/WSS q4m8x2.invalid;branch=z9hG4bK-r1
  Max-Forwards: 70
  From: <sip:alice@example.org>;tag=t1
  To: <sip:alice@example.org>
  Call-ID: c1@q4m8x2.invalid
  CSeq: 1 REGISTER
  Contact: <sip:alice@q4m8x2.invalid;transport=ws>
  Expires: 600
sip binary
  REGISTER sip:example.org SIP/2.0
  Via: SIP/2.0/WS q4m8x2.invalid;branch=z9hG4bK-r2
  Max-Forwards: 70
  From: <sip:alice@example.org>;tag=t1
  To: <sip:alice@example.org>
  Call-ID: c2@q4m8x2.invalid
  CSeq: 2 REGISTER
  Contact: <sip:alice@q4m8x2.invalid;transport=ws>
  Expires: 600
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect refused via-transport at 47
expect refused binary via-transport at 47
expect message binary REGISTER sip:example.org SIP/2.0

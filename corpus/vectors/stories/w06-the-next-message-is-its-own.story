sipws-story 1
# Class W6. RFC 6455 5.4: nothing of a fragmented message stays for the next one. The first message is
# binary and no SIP, the second is text and whole.
title A message behind a fragmented one
engine server
handshake good
binary more xFF00
continuation xFE
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
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect refused binary
expect message REGISTER

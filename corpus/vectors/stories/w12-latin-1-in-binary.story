sipws-story 1
# Class W12. RFC 7118 4.2: a message that is not UTF-8 as a whole travels in a binary one. A body may hold
# any octets.
title A body that is not UTF-8, in a binary message
engine server
handshake good
sip binary
  MESSAGE sip:bob@example.org SIP/2.0
  Via: SIP/2.0/WS q4m8x2.invalid;branch=z9hG4bK-l1
  Max-Forwards: 70
  From: <sip:alice@example.org>;tag=t6
  To: <sip:bob@example.org>
  Call-ID: l1@q4m8x2.invalid
  CSeq: 1 MESSAGE
  Content-Type: text/plain;charset=iso-8859-1

  na\xEFve
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect message binary MESSAGE sip:bob@example.org SIP/2.0

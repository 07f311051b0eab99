sipws-story 1
# Field failure 6, class X3. RFC 7118 5: a WebSocket message is one SIP message, which starts with its
# start line; RFC 5626 3.5.1 knows two and four octets only. Nothing else made of line ends is a
# keep-alive, and nothing is hidden behind one. The connection goes on, for the frames are sound.
title Line ends that are no keep-alive
engine server
handshake good
text "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"
text "\n\n"
sip
  \r\n\r\n\
  REGISTER sip:example.org SIP/2.0
  Via: SIP/2.0/WS q4m8x2.invalid;branch=z9hG4bK-r1
  Max-Forwards: 70
  From: <sip:alice@example.org>;tag=t1
  To: <sip:alice@example.org>
  Call-ID: c1@q4m8x2.invalid
  CSeq: 1 REGISTER
  Contact: <sip:alice@q4m8x2.invalid;transport=ws>
  Expires: 600
text "\r\n\r\n"
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
# No sentence says by which error, so none is asked for.
expect refused
expect refused
expect refused leading-crlf at 0
expect keepalive
expect sent text "\r\n"

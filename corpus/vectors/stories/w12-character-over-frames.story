sipws-story 1
# Class W12. RFC 6455 5.6 and 8.1: the text of a message is UTF-8 as a whole; a fragment may end within a
# character.
title A character that is split over two fragments
engine server
handshake good
text more "MESSAGE sip:bob@example.org SIP/2.0\r\nVia: SIP/2.0/WS q4m8x2.invalid;branch=z9hG4bK-u1\r\nMax-Forwards: 70\r\nFrom: <sip:alice@example.org>;tag=t5\r\nTo: <sip:bob@example.org>\r\nCall-ID: u1@q4m8x2.invalid\r\nCSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\n\r\nna" xC3
continuation more
continuation xAF "ve"
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect message MESSAGE sip:bob@example.org SIP/2.0

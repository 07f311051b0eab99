sipws-story 1
# Class W9. RFC 6455 5.5.2 and 5.5.3: what a ping carries means nothing but that it comes back in the pong;
# RFC 7118 4.2: SIP comes in text and binary messages.
title A ping and a pong that carry a REGISTER
engine server
handshake good
ping "REGISTER sip:example.org SIP/2.0\r\nContent-Length: 0\r\n\r\n"
pong "REGISTER sip:example.org SIP/2.0\r\nContent-Length: 0\r\n\r\n"
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect ping "REGISTER sip:example.org SIP/2.0\r\nContent-Length: 0\r\n\r\n"
expect sent pong "REGISTER sip:example.org SIP/2.0\r\nContent-Length: 0\r\n\r\n"
expect pong "REGISTER sip:example.org SIP/2.0\r\nContent-Length: 0\r\n\r\n"

sipws-story 1
# Class W12. RFC 6455 8.1 and RFC 3629 3: C0 starts no character; 1007 says what was wrong.
title A NUL in two octets
engine server
handshake good
text "a" xC080
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect failed ws-utf8
expect sent close 1007

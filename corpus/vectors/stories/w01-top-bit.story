sipws-story 1
# Class W1. RFC 6455 5.2: the most significant bit of a length of 64 bits is 0.
title A length of 2^64 - 4
engine server
handshake good
binary length=18446744073709551612
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect failed ws-length-top
expect sent close 1002

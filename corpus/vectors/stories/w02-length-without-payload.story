sipws-story 1
# Class W2. RFC 6455 10.4: what is announced is not yet there; the limit judges the length before anything
# is waited for or set aside.
title A length of 2^62, and no payload
engine server
handshake good
text length=4611686018427387904
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect failed limit-message
expect sent close 1009

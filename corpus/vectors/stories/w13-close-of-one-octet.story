sipws-story 1
# Class W13. RFC 6455 5.5.1: a close frame has no payload, or one that begins with a code of two octets.
title A close frame with one octet of payload
engine server
handshake good
close "x"
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect failed ws-close-short
expect sent close 1002

sipws-story 1
# Class W6. RFC 6455 5.4: a continuation frame continues a message; there is none.
title A continuation frame comes first
engine server
handshake good
continuation "a"
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect failed ws-continuation
expect sent close 1002

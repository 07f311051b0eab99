sipws-story 1
# Class W8. RFC 6455 5.5: a control frame is not fragmented.
title A ping without FIN
engine server
handshake good
ping more "a"
continuation "b"
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect failed ws-control-cut
expect sent close 1002

sipws-story 1
# Class W8. RFC 6455 5.5: a control frame has at most 125 octets of payload.
title A ping of 125 octets, then one of 126
engine server
handshake good
ping 125*"a"
ping 126*"a"
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect ping
expect sent pong
expect failed ws-control-long
expect sent close 1002

sipws-story 1
# Class W11. RFC 6455 5.1: a client masks every frame, control frames included; a server closes on one that
# is not masked.
title A client's text is not masked
engine server
handshake good
text mask=no "\r\n"
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect failed ws-unmasked
expect sent close 1002

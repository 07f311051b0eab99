sipws-story 1
# Class W6. RFC 6455 5.4: FIN ends the message, also where the last fragment is empty; what continues behind
# it continues nothing. The message itself was whole, and is told.
title An empty continuation behind the last fragment
engine server
handshake good
text more "\r\n"
continuation
continuation
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect keepalive "\r\n"
expect failed ws-continuation
expect sent close 1002

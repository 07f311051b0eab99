sipws-story 1
# Twin of the one before. RFC 6455 7.1.5: without a code it is 1005 that is told, and the answer has none.
title A close frame without a code
engine server
handshake good
close
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect closed 1005
expect sent close

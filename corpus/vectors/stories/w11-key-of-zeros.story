sipws-story 1
# Twin of the unmasked frames. RFC 6455 5.3: a key is drawn at random, and four zeros may be drawn.
title A client masks with a key of zeros
engine server
handshake good
text mask=00000000 "\r\n\r\n"
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect keepalive "\r\n\r\n"
expect sent text "\r\n"

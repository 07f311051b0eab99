sipws-story 1
# Twin of the one before with one octet more. RFC 6455 7.4.1: 1009 tells that the message was too big; it
# is told as soon as the length is known, before a single octet of the payload came.
title A WebSocket message of one octet above the limit
engine server
limit message 8192
handshake good
text more 8000*"a"
continuation length=193
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect failed limit-message
expect sent close 1009

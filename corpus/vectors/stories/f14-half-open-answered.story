sipws-story 1
# Twin of the one before. RFC 6455 5.5.3: the pong comes at the last moment.
title The peer answers the ping
engine server
handshake good
wait 30000
wait 9999
pong
wait 29999
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect sent ping
expect pong

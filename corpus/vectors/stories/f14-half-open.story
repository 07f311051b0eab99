sipws-story 1
# Field failure 14. RFC 6455 5.5.2: a ping may serve to see whether the peer is still there. After 30 s of
# silence one goes out; 10 s later the connection has failed.
title The peer is silent and stays so
engine server
handshake good
wait 29999
ping "late"
wait 29999
wait 1
wait 9999
wait 1
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect ping "late"
expect sent pong "late"
expect sent ping
expect failed timeout
expect sent close 1001

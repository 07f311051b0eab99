sipws-story 1
# Field failure 14. RFC 6455 leaves the time to the implementation; without one, an unfinished head holds a
# connection for ever. Here it is 10 s from the start, however often an octet comes.
title A handshake that comes too slowly
engine server
raw "GET /sip HTTP/1.1\r\n"
wait 6000
raw "Host: ws.example.org\r\n"
wait 4000
expect failed timeout
expect sent HTTP/1.1 408

sipws-story 1
# Field failure 10, class W3. RFC 6455 5.2 knows nothing of reads: a header of 2 to 14 octets may come in
# as many pieces. Here the header of each frame comes octet by octet, the longest is 14 octets.
title Each frame header comes octet by octet
engine server
limit message 70000
handshake good cut=1,2,3,30
ping cut=1,2,3,4,5,6 "a"
ping cut=1,2,3,4,5
pong cut=1,2,3,4,5,6,7,130 125*"p"
text cut=1,2,3,4,5,6,7,8 126*"a"
text cut=1,2,3,4,5,6,7,8,9,10,11,12,13,14 65536*"a"
ping cut=1 "z"
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect ping "a"
expect sent pong "a"
expect ping
expect sent pong
expect pong
expect refused
expect refused
expect ping "z"
expect sent pong "z"

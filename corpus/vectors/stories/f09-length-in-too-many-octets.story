sipws-story 1
# Field failure 9, class W5. RFC 6455 5.2: the length is written in the fewest octets that hold it.
title The server writes a length of 5 in three octets
engine client
handshake good
text form=16 "hello"
expect sent GET / HTTP/1.1
expect open
expect failed ws-length-long
expect sent close 1002

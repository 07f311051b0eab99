sipws-story 1
# Field failure 9: what a browser calls an invalid frame header. RFC 6455 5.1: a server masks nothing, and
# a client that gets a masked frame closes with 1002.
title The server masks its frames
engine client
handshake good
ping mask=01020304 "a"
expect sent GET / HTTP/1.1
expect open
expect failed ws-masked
expect sent close 1002

sipws-story 1
# Class W13. RFC 6455 7.4.1: 1005 stands for a code that was not there, and is never sent.
title A close frame with code 1005
engine server
handshake good
close 1005
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect failed ws-close-code
expect sent close 1002

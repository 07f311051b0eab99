sipws-story 1
# Field failure 7, class X4. RFC 6455 10.4: an implementation may have limits on frames and messages, and
# 7.4.1 has a close code for what is above. A WebRTC offer is several KiB; the usual limit here is 64 KiB.
title A WebSocket message of exactly the limit
engine server
limit message 8192
handshake good
text more 8000*"a"
continuation 192*"b"
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect refused

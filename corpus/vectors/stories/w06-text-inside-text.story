sipws-story 1
# Class W6. RFC 6455 5.4: the fragments of one message are not mixed with those of another unless an
# extension says how; only control frames come between.
title A text frame inside an unfinished text message
engine server
handshake good
text more "REGISTER "
text "sip:example.org SIP/2.0"
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect failed ws-interleaved
expect sent close 1002

sipws-story 1
# Field failure 9. RFC 6455 5.2: a reserved bit is 0 unless an extension was agreed to that gives it a
# meaning; RSV1 is what permessage-deflate sets.
title The server compresses although nobody agreed to it
engine client
handshake good
text rsv=4 xCA0405
expect sent GET / HTTP/1.1
expect open
expect failed ws-rsv
expect sent close 1002

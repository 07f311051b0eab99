sipws-story 1
# Field failure 12. RFC 6455 7.1.5: a stream that ends without a close frame is 1006, which says nothing of
# the reason; here at least the octet is told at which it ended.
title The stream ends without a close frame
engine client
handshake good
ping
end
expect sent GET / HTTP/1.1
expect open
expect ping
expect sent pong
expect failed ws-lost

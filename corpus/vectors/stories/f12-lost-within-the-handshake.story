sipws-story 1
# Field failure 12. RFC 6455 4.1: what a browser sees when TLS or a proxy gives up: no answer at all.
title The stream ends before the answer
engine client
raw "HTTP/1.1 101 Swit"
end
expect sent GET / HTTP/1.1
expect failed http-cut at 17

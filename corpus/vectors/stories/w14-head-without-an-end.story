sipws-story 1
# Class W14. RFC 6455 10.4: a head may be limited; RFC 6585 5 has the status for it.
title A request with a Cookie that does not end
engine server
limit head 1000
raw "GET /sip HTTP/1.1\r\nHost: ws.example.org\r\nCookie: a=" 2000*"a"
expect failed limit-head at 1000
expect sent HTTP/1.1 431

sipws-story 1
# Class W3. RFC 6455 5.2: an extended length of eight octets is complete with the tenth octet of the header,
# and a server's client adds four of mask. The stream stops behind eight octets: nothing is known of the
# length yet, so nothing is said until the stream ends.
title A frame header of which eight octets come
engine server
handshake good
raw x82FF000000000001
wait 1000
end
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect failed ws-cut

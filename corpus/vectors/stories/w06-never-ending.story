sipws-story 1
# Classes W6 and W7. RFC 6455 10.4: fragments without end are stopped by their count, as empty ones never
# reach a limit of octets. Four are allowed here, the fifth is refused at its first octet.
title Fragments without an end
engine server
limit fragments 4
handshake good
text more
continuation more
continuation more
continuation more
continuation more
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect failed limit-fragments
expect sent close 1008

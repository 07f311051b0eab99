sipws-story 1
# Class W1. RFC 6455 5.2 and 10.4: each length is one that may stand, their sum has no 63 bits any more. It
# is above every limit, and the limit is what answers.
title A fragment of 3 octets, then one of 2^63 - 2
engine server
handshake good
binary more "abc"
continuation length=9223372036854775806
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect failed limit-message
expect sent close 1009

sipws-story 1
# Class W11. RFC 6455 5.2: opcodes 3 to 7 and 11 to 15 are kept for later, and fail the connection.
title A frame with opcode 11
engine server
handshake good
opcode 11
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect failed ws-opcode
expect sent close 1002

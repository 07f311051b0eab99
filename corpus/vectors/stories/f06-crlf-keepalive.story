sipws-story 1
# Field failure 6, class X3. RFC 7118 6 with RFC 5626 3.5.1: CRLF CRLF is a ping, answered by CRLF; it is
# a WebSocket message of its own. CRLF is the answer to a ping, and is not answered.
title CRLF keep-alives in text, in binary, in pieces
engine server
handshake good
text "\r\n\r\n"
binary "\r\n\r\n"
text more "\r"
ping "still here"
continuation more "\n\r"
continuation "\n"
text "\r\n"
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect keepalive "\r\n\r\n"
expect sent text "\r\n"
expect keepalive binary "\r\n\r\n"
expect sent binary "\r\n"
expect ping "still here"
expect sent pong "still here"
expect keepalive "\r\n\r\n"
expect sent text "\r\n"
expect keepalive "\r\n"

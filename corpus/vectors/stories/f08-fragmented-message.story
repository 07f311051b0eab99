sipws-story 1
# Field failure 8. RFC 6455 5.4: a message may come in any number of fragments, some of them empty, with
# control frames in between, and fragments mean nothing: a REGISTER in four frames is one SIP message.
title A SIP message in fragments, with a ping between
engine server
handshake good
text more "OPTIONS sip:example.org SIP/2.0\r\nVia: SIP/2.0/WS q4m8x2.inv"
continuation more
ping "between"
continuation more mask=01020304 "alid;branch=z9hG4bK-f1\r\nMax-Forwards: 70\r\nFrom: <sip:alice@example.org>;tag=t1\r"
continuation "\nTo: <sip:example.org>\r\nCall-ID: f1@q4m8x2.invalid\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect ping "between"
expect sent pong "between"
expect message OPTIONS sip:example.org SIP/2.0

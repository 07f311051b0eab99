sipws-story 1
# Field failure 15. RFC 7118 8: a day in the life of a connection, as it should never bring anybody down:
# registration, a call with a body in UTF-8, keep-alives, a closing handshake.
title An ordinary connection from its handshake to its close
engine server tls
handshake good
cut
sip
  REGISTER sip:example.org SIP/2.0
  Via: SIP/2.0/WSS q4m8x2.invalid;branch=z9hG4bK-r1
  Max-Forwards: 70
  From: <sip:alice@example.org>;tag=t1
  To: <sip:alice@example.org>
  Call-ID: c1@q4m8x2.invalid
  CSeq: 1 REGISTER
  Contact: <sip:alice@q4m8x2.invalid;transport=ws>
  Expires: 600
cut
wait 25000
text "\r\n\r\n"
wait 3000
sip cut=7,9
  INVITE sip:bob@example.org SIP/2.0
  Via: SIP/2.0/WSS q4m8x2.invalid;branch=z9hG4bK-i1
  Max-Forwards: 70
  From: "Zo\xC3\xAB" <sip:alice@example.org>;tag=t3
  To: <sip:bob@example.org>
  Call-ID: i1@q4m8x2.invalid
  CSeq: 1 INVITE
  Contact: <sip:alice@q4m8x2.invalid;transport=ws;ob>
  Content-Type: application/sdp

  v=0
  o=- 1 1 IN IP4 0.0.0.0
  s=-
  t=0 0
  m=audio 9 UDP/TLS/RTP/SAVPF 111
  c=IN IP4 0.0.0.0
  a=rtpmap:111 opus/48000/2
sip binary
  ACK sip:bob@192.0.2.9;transport=tcp SIP/2.0
  Via: SIP/2.0/WSS q4m8x2.invalid;branch=z9hG4bK-a1
  Max-Forwards: 70
  From: <sip:alice@example.org>;tag=t3
  To: <sip:bob@example.org>;tag=b1
  Call-ID: i1@q4m8x2.invalid
  CSeq: 1 ACK
ping "alive?"
sip
  BYE sip:bob@192.0.2.9;transport=tcp SIP/2.0
  Via: SIP/2.0/WSS q4m8x2.invalid;branch=z9hG4bK-b1
  Max-Forwards: 70
  From: <sip:alice@example.org>;tag=t3
  To: <sip:bob@example.org>;tag=b1
  Call-ID: i1@q4m8x2.invalid
  CSeq: 2 BYE
close 1001 "page left"
end
expect request /sip
expect sent HTTP/1.1 101 Switching Protocols
expect message REGISTER sip:example.org SIP/2.0
expect keepalive "\r\n\r\n"
expect sent text "\r\n"
expect message INVITE sip:bob@example.org SIP/2.0
expect message binary ACK
expect ping "alive?"
expect sent pong "alive?"
expect message BYE
expect closed 1001 "page left"
expect sent close 1001

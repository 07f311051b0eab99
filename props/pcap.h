/* Captures of what goes over a wire, for Wireshark and tcpdump: the pcap format (version 2.4, raw
 * IPv4) with one TCP connection in it, written from nothing but the octets.
 */
#ifndef PCAP_H
#define PCAP_H

#include "out.h"

/* Prints a capture in which one side of a connection sends `wire`. What begins as a handshake goes
 * over port 80, with the other side of the handshake made up, so that Wireshark follows it into
 * WebSocket and SIP; what begins with a letter goes over port 5060 as SIP over TCP; frames alone go
 * over port 80. */
void pcap_print(struct sipws_out *o, struct sipws_str wire);

#endif

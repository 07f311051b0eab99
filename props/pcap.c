#include "pcap.h"

#include "http.h"

enum { SEGMENT = 1400, IP = 20, TCP = 20, FIN = 1, SYN = 2, PSH = 8, ACK = 16 };

/* One of the two ends. */
struct end {
    uint32_t address, sequence;
    uint16_t port;
};

struct flow {
    struct sipws_out *o;
    struct end client, server;
    uint32_t packets;
};

static void put_16(struct sipws_out *o, unsigned value)
{
    sipws_put_char(o, (char)(value >> 8 & 255));
    sipws_put_char(o, (char)(value & 255));
}

static void put_32(struct sipws_out *o, uint32_t value)
{
    put_16(o, value >> 16);
    put_16(o, value & 0xFFFF);
}

/* The sum of RFC 1071, carries folded, over octets in pairs. */
static uint32_t add_up(uint32_t sum, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t octet = (unsigned char)p[i];
        sum += i % 2 ? octet : octet << 8;
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    return sum;
}

static void put_sum(char *at, uint32_t sum)
{
    at[0] = (char)(~sum >> 8 & 255);
    at[1] = (char)(~sum & 255);
}

/* One packet, a millisecond behind the one before. Any time does; this one is the same each run. */
static void packet(struct flow *f, bool to_server, unsigned flags, struct sipws_str payload)
{
    struct end *from = to_server ? &f->client : &f->server;
    struct end *to = to_server ? &f->server : &f->client;
    char head[IP + TCP], pseudo[12];
    size_t n = IP + TCP + payload.n;
    struct sipws_out o = sipws_out(head, sizeof head);
    put_16(&o, 0x4500); /* version 4, five words, no service */
    put_16(&o, (unsigned)n);
    put_16(&o, f->packets & 0xFFFF); /* identification */
    put_16(&o, 0x4000);              /* not to be fragmented */
    put_16(&o, 64 << 8 | 6);         /* hops, TCP */
    put_16(&o, 0);                   /* the checksum's place */
    put_32(&o, from->address);
    put_32(&o, to->address);
    put_sum(head + 10, add_up(0, head, IP));

    put_16(&o, from->port);
    put_16(&o, to->port);
    put_32(&o, from->sequence);
    put_32(&o, flags & ACK ? to->sequence : 0);
    put_16(&o, 5 << 12 | flags);
    put_16(&o, 65535); /* window */
    put_16(&o, 0);     /* the checksum's place */
    put_16(&o, 0);
    struct sipws_out p = sipws_out(pseudo, sizeof pseudo);
    put_32(&p, from->address);
    put_32(&p, to->address);
    put_16(&p, 6);
    put_16(&p, (unsigned)(TCP + payload.n));
    uint32_t sum = add_up(add_up(0, pseudo, sizeof pseudo), head + IP, TCP);
    put_sum(head + IP + 16, add_up(sum, payload.p, payload.n));

    put_32(f->o, 1700000000 + f->packets / 1000);
    put_32(f->o, f->packets % 1000 * 1000);
    put_32(f->o, (uint32_t)n);
    put_32(f->o, (uint32_t)n);
    sipws_put(f->o, sipws_out_str(&o));
    sipws_put(f->o, payload);
    f->packets++;
    from->sequence += (uint32_t)payload.n + ((flags & (SYN | FIN)) ? 1 : 0);
}

static const struct sipws_str nothing = {NULL, 0};

static void send_all(struct flow *f, bool to_server, struct sipws_str data)
{
    while (data.n > 0) {
        struct sipws_str piece = {data.p, data.n < SEGMENT ? data.n : SEGMENT};
        packet(f, to_server, PSH | ACK, piece);
        packet(f, !to_server, ACK, nothing);
        data = sipws_slice(data.p + piece.n, data.p + data.n);
    }
}

static bool begins(struct sipws_str s, struct sipws_str with)
{
    return s.n >= with.n && memcmp(s.p, with.p, with.n) == 0;
}

/* Up to and with the empty line; all of it where there is none. */
static struct sipws_str head_of(struct sipws_str s)
{
    for (size_t i = 4; i <= s.n; i++)
        if (memcmp(s.p + i - 4, "\r\n\r\n", 4) == 0)
            return (struct sipws_str){s.p, i};
    return s;
}

void pcap_print(struct sipws_out *o, struct sipws_str wire)
{
    static const struct sipws_http_ask ask = {
        {"/", 1}, {"ws.example.org", 14}, {NULL, 0}, {NULL, 0}};
    static const struct sipws_str key = {"AAAAAAAAAAAAAAAAAAAAAA==", 24};
    bool request = begins(wire, SIPWS_STR("GET ")), response = begins(wire, SIPWS_STR("HTTP/"));
    bool letter = wire.n > 0 && ((wire.p[0] | 0x20) >= 'a' && (wire.p[0] | 0x20) <= 'z');
    struct flow f = {.o = o,
                     .client = {0x0A000001, 1000, 50000},
                     .server = {0x0A000002, 2000, letter && !request && !response ? 5060 : 80}};
    char other[1024];
    struct sipws_out made = sipws_out(other, sizeof other);
    put_32(o, 0xA1B2C3D4); /* microseconds follow, the most significant octet first */
    put_16(o, 2);
    put_16(o, 4);
    put_32(o, 0);
    put_32(o, 0);
    put_32(o, 65535);
    put_32(o, 101); /* raw IP */
    packet(&f, true, SYN, nothing);
    packet(&f, false, SYN | ACK, nothing);
    packet(&f, true, ACK, nothing);
    struct sipws_str head = request ? head_of(wire) : nothing;
    struct sipws_http http;
    if (response && sipws_http_put_request(&made, &ask, key))
        send_all(&f, true, sipws_out_str(&made));
    send_all(&f, !response, head);
    if (request && sipws_http_request(head, &http, NULL) && sipws_http_put_accept(&made, http.key))
        send_all(&f, false, sipws_out_str(&made));
    if (wire.n > head.n)
        send_all(&f, !response, sipws_slice(wire.p + head.n, wire.p + wire.n));
    packet(&f, !response, FIN | ACK, nothing);
    packet(&f, response, FIN | ACK, nothing);
    packet(&f, !response, ACK, nothing);
}

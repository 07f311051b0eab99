/* A TCP connection to a server, one at a time, by libuv: sends, waits, and never blocks for longer
 * than it was told. */
#ifndef SIPWS_LINK_H
#define SIPWS_LINK_H

#include "str.h"

#include <sys/socket.h>

struct link;

/* NULL: out of memory or of file descriptors. */
struct link *link_new(void);
void link_free(struct link *l);

/* The addresses of a host, loopback ones only unless `remote`. NULL, or why it cannot be used. */
const char *link_resolve(struct link *l, const char *host, const char *port, bool remote);

/* A fresh connection; the old one is ended. False: nobody listens, or not within `ms`. */
bool link_open(struct link *l, unsigned ms);

/* Hands octets over to the system. False: the connection has ended. */
bool link_send(struct link *l, struct sipws_str octets, unsigned ms);

/* Ends our side of the stream. */
void link_end(struct link *l);

enum link_got { LINK_OCTETS, LINK_ENDED, LINK_SILENT };

/* What comes within `ms`: octets, which live until the next call, or the end of the stream. */
enum link_got link_wait(struct link *l, unsigned ms, struct sipws_str *octets);

/* Milliseconds of a monotonic clock. */
uint64_t link_now(void);

#endif

/* A socket, TLS where it is wanted, and a connection of the library: what serve and connect share.
 *
 * A struct net goes from net_new to the event NET_GONE, in which its owner forgets it. In between,
 * every event of the connection is told to the owner, who may answer at once through `io`, or later
 * with net_send and net_close.
 */
#ifndef SIPWS_CLI_NET_H
#define SIPWS_CLI_NET_H

#include "cli.h"
#include "tls.h"

#include <uv.h>

struct net_url {
    bool tls;
    char host[256]; /* without brackets */
    unsigned port;
    char path[1024];     /* with its query */
    char authority[300]; /* host[:port] as Host has it: the port where it is not that of the scheme
                          */
};

/* ws://host[:port][/path] or wss://…  False: told. */
bool net_url(const struct cli_args *a, const char *text, struct net_url *out);

/* Resolves the host to an address. Other than loopback ones are taken only with `anywhere`. False:
 * told. */
bool net_address(const struct cli_args *a, uv_loop_t *loop, const struct net_url *url,
                 bool anywhere, struct sockaddr_storage *out);

enum { NET_MESSAGE = 65536, NET_FIELDS = 256, NET_TX = NET_MESSAGE + 4096 };

struct net;

/* Told once for each event of the connection but SIPWS_EV_MORE and SIPWS_EV_FULL. */
typedef void net_event(struct net *n, struct sipws_io *io, const struct sipws_event *ev);

/* Told last. `why` is what went wrong below the connection, or NULL. */
typedef void net_gone(struct net *n, const char *why);

struct net {
    uv_tcp_t tcp;
    struct sipws_conn conn;
    struct sipws_tls *tls; /* or NULL; the net's */
    net_event *event;
    net_gone *gone;
    void *owner;

    /* The rest belongs to cli_net.c. */
    uv_timer_t timer;
    uv_shutdown_t shutdown;
    const struct sipws_http_ask *ask; /* of a client that waits for TLS */
    unsigned handles;                 /* that are not closed yet */
    bool ended;                       /* nothing more goes in or out */
    char why[160];
    char buf[NET_MESSAGE];
    struct sipws_field fields[NET_FIELDS];
    char tx[NET_TX];
};

/* From malloc, freed behind `gone`. `config` needs a role, tls and times; what it lacks is added.
 */
struct net *net_new(uv_loop_t *loop, const struct sipws_conn_config *config, struct sipws_tls *tls,
                    net_event *event, net_gone *gone, void *owner);

/* The socket n->tcp is connected: reads it from now on. A client asks `ask`, which must stay until
 * SIPWS_EV_OPEN; a server passes NULL. */
void net_start(struct net *n, const struct sipws_http_ask *ask);

/* Outside of an event. False: not sent, diag->err says why. */
bool net_send(struct net *n, struct sipws_str text, struct sipws_diag *diag);
void net_close(struct net *n, unsigned code, const char *reason);

/* Gives up, without a closing handshake. */
void net_drop(struct net *n, const char *why);

#endif

/* Drives a connection of ref over the octets of a peer, cut in any way, and writes down all that
 * happens: one line an event, and what the engine sent. Two runs are alike when their transcripts
 * are the same octets.
 */
#ifndef SIPWS_DRIVE_H
#define SIPWS_DRIVE_H

#include "conn.h"

enum { DRIVE_MESSAGE = 1 << 17, DRIVE_FIELDS = 128, DRIVE_SENT = 1 << 18 };

/* The key of a client whose random octets are all zero, and the answer to it. */
#define DRIVE_KEY    "AAAAAAAAAAAAAAAAAAAAAA=="
#define DRIVE_ACCEPT "ICX+Yqv66kxgM0FcWaLWlFLwTAI="

/* After so many octets of the stream a read ends, and then `ms` milliseconds pass. */
struct drive_stop {
    size_t at;
    uint32_t ms;
};

struct drive {
    enum sipws_role role; /* of the engine */
    bool tls;
    bool refuse; /* server: answers the handshake with 403 */
    uint32_t allow;
    struct sipws_limits limits; /* of which `message` is at most DRIVE_MESSAGE */

    /* How the octets are cut: the sizes of the first pieces, a piece an octet of `cuts` (0 stands
     * for 256), then all the rest. */
    struct sipws_str cuts;

    /* The same by place, in ascending order, and with time. */
    const struct drive_stop *stops;
    size_t stops_n;

    bool stays; /* the stream does not end behind its last octet */

    size_t room; /* octets that are free for answers at a time, from SIPWS_CONN_ROOM; 0: all */

    struct sipws_str sent; /* out: the octets that the engine sent; its own memory */

    /* If not NULL: called for each event, and with NULL where the engine may have sent something
     * without one; d->sent is up to date. */
    void (*watch)(struct drive *d, const struct sipws_event *ev);
    void *ctx; /* of watch */

    /* Memory of the engine. */
    struct sipws_conn conn;
    struct sipws_field fields[DRIVE_FIELDS];
    char buf[DRIVE_MESSAGE];
    char tx[DRIVE_SENT];
};

/* Runs from the start to the end of the stream. Reads every octet of every slice that an event
 * has. The transcript is cut off when it does not fit. */
void drive_run(struct drive *d, struct sipws_str stream, struct sipws_out *transcript);

/* If not NULL: called behind whatever a connection is asked, by drive_run and by the properties
 * that join two connections. For fuzz targets, to whom the states of a connection are coverage. */
extern void (*drive_spy)(const struct sipws_conn *c, const struct sipws_event *ev);

/* Calls it. `ev` is NULL where no event was asked for. */
void drive_see(const struct sipws_conn *c, const struct sipws_event *ev);

/* "message", "closed", … */
const char *drive_event_name(enum sipws_event_kind kind);

/* Prints a slice as a C string would have it. */
void drive_put_octets(struct sipws_out *o, struct sipws_str s);

#endif

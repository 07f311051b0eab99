/* Peers: other SIP stacks, and what they understand of a message.
 *
 * An adapter is one file peer_NAME.c under 100 lines: a function that hands octets to the stack and
 * says, row by row, what the stack read. What it does not say, it has no opinion on. Whoever runs a
 * peer does so in a child process of its own (peer_run), so that a crash or a hang is a result like
 * any other.
 */
#ifndef SIPWS_PEER_H
#define SIPWS_PEER_H

#include <stdbool.h>
#include <stddef.h>

/* What there is to read, in the order of the grid. R(NAME, text, what it is) */
#define PEER_ROWS(R)                                                                               \
    R(METHOD, "method", "of a request")                                                            \
    R(REQUEST_URI, "request-uri", "as text")                                                       \
    R(STATUS, "status", "of a response")                                                           \
    R(VIAS, "vias", "number of Via elements")                                                      \
    R(VIA_TRANSPORT, "via transport", "of the top Via")                                            \
    R(VIA_HOST, "via host", "an IPv6 address with its brackets")                                   \
    R(VIA_PORT, "via port", "empty when absent")                                                   \
    R(VIA_BRANCH, "via branch", "empty when absent")                                               \
    R(FROM_URI, "from uri", "as text, without brackets")                                           \
    R(FROM_TAG, "from tag", "empty when absent")                                                   \
    R(TO_URI, "to uri", "as text, without brackets")                                               \
    R(TO_TAG, "to tag", "empty when absent")                                                       \
    R(CALL_ID, "call-id", "")                                                                      \
    R(CSEQ_NUMBER, "cseq number", "without leading zeros")                                         \
    R(CSEQ_METHOD, "cseq method", "")                                                              \
    R(CONTACTS, "contacts", "number of Contact elements")                                          \
    R(ROUTES, "routes", "number of Route elements")                                                \
    R(RECORD_ROUTES, "record-routes", "number of Record-Route elements")                           \
    R(BODY_LENGTH, "body length", "octets of the body")

enum peer_row {
#define R(NAME, text, what) PEER_##NAME,
    PEER_ROWS(R)
#undef R
        PEER_ROW_COUNT,
    PEER_WHY = PEER_ROW_COUNT /* why it was refused, in the peer's words; not compared */
};

struct peer_saying;

/* Says what the peer read in a row: n octets at p. p == NULL says nothing. */
void peer_say(struct peer_saying *s, enum peer_row row, const char *p, size_t n);
void peer_say_text(struct peer_saying *s, enum peer_row row, const char *text);
void peer_say_number(struct peer_saying *s, enum peer_row row, unsigned long long number);

struct peer {
    const char *name;
    const char *version; /* of the library that runs */
    const char *absent;  /* why it cannot be asked here; NULL: it can */

    /* Reads the n octets at p. False: refused. May crash, hang, leak, print and exit: it runs in a
     * child process. */
    bool (*ask)(struct peer_saying *s, const char *p, size_t n);
};

/* All of them, absent ones included; NULL at the end. ref is the first. */
extern const struct peer *const peers[];

enum peer_end {
    PEER_ACCEPTS,
    PEER_REFUSES,
    PEER_CRASHES, /* or exits, or breaks off */
    PEER_HANGS,
    PEER_ABSENT
};

struct peer_text {
    char *p; /* NULL: no opinion. The octet behind the last is NUL */
    size_t n;
};

struct peer_reading {
    enum peer_end end;
    int signal; /* of PEER_CRASHES; 0: it exited */
    struct peer_text rows[PEER_ROW_COUNT + 1];
};

/* Asks a peer in a child process; after `seconds` it hangs. False: there is no child or memory to
 * be had (errno). The reading is to be freed. */
bool peer_run(const struct peer *peer, const char *p, size_t n, double seconds,
              struct peer_reading *out);
void peer_reading_free(struct peer_reading *r);

const char *peer_row_name(enum peer_row row);

#endif

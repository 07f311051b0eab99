/* What ci/bench measures: parsers of SIP messages and readers of WebSocket frames, each behind one
 * function, so that one loop times all of them over the same octets.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>

struct bench_subject {
    const char *name;
    const char *version;
    const char *includes; /* what a figure has in it: copies, allocations, how deep it reads */
    /* Reads n octets and gives back what it took. False: refused. The octets are not changed. */
    bool (*run)(const char *p, size_t n);
};

/* ref, at its depths. */
extern const struct bench_subject bench_index;      /* sipws_msg_parse */
extern const struct bench_subject bench_check;      /* and sipws_msg_check */
extern const struct bench_subject bench_connection; /* a masked frame, to the same */
extern const struct bench_subject bench_frame;      /* a masked frame, to its text */
extern const struct bench_subject bench_memcpy;     /* what no reader can beat */

/* Other stacks, where they were there when this was built. */
extern const struct bench_subject bench_osip, bench_sofia, bench_re, bench_belle, bench_pjsip,
    bench_wslay;

#endif

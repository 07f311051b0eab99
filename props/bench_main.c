/* sipws-bench: times what bench.h names. ci/bench runs it, and judges what it prints: JSON, a line
 * a fact.
 *
 *     sipws-bench about                   the subjects: versions, and what their figures include
 *     sipws-bench sip FILE ROUNDS         FILE: messages, each behind its length in 4 octets
 *     sipws-bench frames OCTETS ROUNDS    one masked text message of so many octets
 *     sipws-bench once index|check FILE   every message of FILE once, each within bench_case, whose
 *                                         calls a profiler can tell apart
 */
#include "bench.h"

#include "ws.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct bench_subject *const parsers[] = {
    &bench_check,      &bench_index,
#ifdef SIPWS_PEER_SOFIA
    &bench_sofia,
#endif
#ifdef SIPWS_PEER_OSIP
    &bench_osip,
#endif
#ifdef SIPWS_PEER_RE
    &bench_re,
#endif
#ifdef SIPWS_PEER_BELLE
    &bench_belle,
#endif
#ifdef SIPWS_PEER_PJSIP
    &bench_pjsip,
#endif
    &bench_connection,
};
static const struct bench_subject *const readers[] = {
    &bench_frame,
    &bench_memcpy,
#ifdef SIPWS_PEER_WSLAY
    &bench_wslay,
#endif
};
enum {
    PARSERS = sizeof parsers / sizeof *parsers,
    READERS = sizeof readers / sizeof *readers,
    SUBJECTS = PARSERS > READERS ? PARSERS : READERS
};

/* Octets to be read again and again. */
struct inputs {
    struct sipws_str *p;
    size_t n;
};

static void *need(void *p)
{
    if (!p) {
        perror("sipws-bench");
        exit(2);
    }
    return p;
}

static void add(struct inputs *in, struct sipws_str s)
{
    if ((in->n & (in->n - 1)) == 0)
        in->p = need(realloc(in->p, (in->n ? in->n * 2 : 1) * sizeof *in->p));
    in->p[in->n++] = s;
}

/* Each message in an allocation of its own, so that none stands where another's end is read. */
static struct inputs load(const char *name)
{
    struct inputs in = {NULL, 0};
    unsigned char len[4];
    FILE *f = need(fopen(name, "rb"));
    while (fread(len, 1, 4, f) == 4) {
        size_t n =
            (size_t)len[0] | (size_t)len[1] << 8 | (size_t)len[2] << 16 | (size_t)len[3] << 24;
        char *p = need(malloc(n + 1));
        if (fread(p, 1, n, f) != n) {
            fprintf(stderr, "sipws-bench: %s ends within a message\n", name);
            exit(2);
        }
        p[n] = '\0'; /* some peers want one behind the end */
        add(&in, (struct sipws_str){p, n});
    }
    fclose(f);
    return in;
}

static struct sipws_str frame_of(struct sipws_str text)
{
    static const unsigned char key[4] = {0x37, 0xFA, 0x21, 0x3D};
    struct sipws_out o = sipws_out(need(malloc(text.n + 14)), text.n + 14);
    sipws_ws_put(&o, true, SIPWS_TEXT, key, text);
    return sipws_out_str(&o);
}

/* CPU time, to a microsecond. */
static double cpu_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* Nanoseconds of CPU time that one input takes, over all of them `passes` times. */
static double pass(const struct bench_subject *s, const struct inputs *in, size_t passes,
                   size_t *refused)
{
    *refused = 0;
    double start = cpu_seconds();
    for (size_t k = 0; k < passes; k++)
        for (size_t i = 0; i < in->n; i++)
            *refused += !s->run(in->p[i].p, in->p[i].n);
    return (cpu_seconds() - start) * 1e9 / (double)(passes * in->n);
}

/* Rounds, in each of which every subject has its turn over the same inputs, each time beginning
 * with another one. A turn takes 2 ms or one pass. Who needs more than half a second for a pass
 * takes part in the first three rounds only. */
static void rounds(const struct bench_subject *const *subjects, size_t n,
                   const struct inputs *inputs, size_t count)
{
    size_t passes[SUBJECTS], last[SUBJECTS], refused;
    for (size_t i = 0; i < n; i++) {
        double seconds = pass(subjects[i], &inputs[i], 1, &refused) * (double)inputs[i].n * 1e-9;
        if (seconds < 0.5) /* the first pass met cold caches */
            seconds = pass(subjects[i], &inputs[i], 1, &refused) * (double)inputs[i].n * 1e-9;
        passes[i] = seconds < 0.002 ? (size_t)(0.002 / (seconds + 1e-9)) + 1 : 1;
        last[i] = seconds > 0.5 && count > 3 ? 3 : count;
        printf("{\"subject\": \"%s\", \"inputs\": %zu, \"refused\": %zu}\n", subjects[i]->name,
               inputs[i].n, refused);
    }
    for (size_t round = 0; round < count; round++)
        for (size_t k = 0; k < n; k++) {
            size_t i = (round + k) % n;
            if (round < last[i])
                printf("{\"round\": %zu, \"subject\": \"%s\", \"ns\": %.2f}\n", round,
                       subjects[i]->name, pass(subjects[i], &inputs[i], passes[i], &refused));
        }
}

static int sip(const char *file, size_t count)
{
    struct inputs messages = load(file), frames = {NULL, 0}, of[PARSERS];
    for (size_t i = 0; i < messages.n; i++)
        add(&frames, frame_of(messages.p[i]));
    for (size_t i = 0; i < PARSERS; i++)
        of[i] = parsers[i] == &bench_connection ? frames : messages;
    rounds(parsers, PARSERS, of, count);
    return 0;
}

/* Text of every printable octet and line ends, which no branch predictor has to learn. */
static int frames(size_t octets, size_t count)
{
    struct inputs of[READERS];
    char *text = need(malloc(octets + 1));
    for (size_t i = 0; i < octets; i++)
        text[i] = i % 60 == 58 ? '\r' : i % 60 == 59 ? '\n' : (char)(0x20 + i * 7 % 95);
    struct inputs plain = {NULL, 0}, framed = {NULL, 0};
    add(&plain, (struct sipws_str){text, octets});
    add(&framed, frame_of(plain.p[0]));
    for (size_t i = 0; i < READERS; i++)
        of[i] = readers[i] == &bench_memcpy ? plain : framed;
    rounds(readers, READERS, of, count);
    return 0;
}

/* A function of its own, so that a profiler can start and stop at it. */
__attribute__((noinline)) bool bench_case(const struct bench_subject *s, struct sipws_str text);
__attribute__((noinline)) bool bench_case(const struct bench_subject *s, struct sipws_str text)
{
    bool ok = s->run(text.p, text.n);
    __asm__ volatile("" : : : "memory"); /* not a tail call */
    return ok;
}

static int once(const char *tier, const char *file)
{
    struct inputs in = load(file);
    const struct bench_subject *s = strcmp(tier, "index") == 0 ? &bench_index : &bench_check;
    for (size_t i = 0; i < in.n; i++)
        printf("{\"case\": %zu, \"octets\": %zu, \"accepted\": %s}\n", i, in.p[i].n,
               bench_case(s, in.p[i]) ? "true" : "false");
    return 0;
}

static void tell(const struct bench_subject *s)
{
    printf("{\"subject\": \"%s\", \"version\": \"%s\", \"includes\": \"%s\"}\n", s->name,
           s->version, s->includes);
}

static int about(void)
{
    for (size_t i = 0; i < PARSERS; i++)
        tell(parsers[i]);
    for (size_t i = 0; i < READERS; i++)
        tell(readers[i]);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "about") == 0 && argc == 2)
        return about();
    if (strcmp(what, "sip") == 0 && argc == 4)
        return sip(argv[2], strtoul(argv[3], NULL, 10));
    if (strcmp(what, "frames") == 0 && argc == 4)
        return frames(strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
    if (strcmp(what, "once") == 0 && argc == 4)
        return once(argv[2], argv[3]);
    fprintf(stderr, "usage: sipws-bench about | sip FILE ROUNDS | frames OCTETS ROUNDS | "
                    "once index|check FILE\n");
    return 2;
}

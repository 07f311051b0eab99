/* Cases before everybody. */
#define _POSIX_C_SOURCE 200809L
#include "court.h"

#include "oracle.h"
#include "oracle_http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void *need(void *p)
{
    if (!p) {
        fputs("sipws-diff: out of memory\n", stderr);
        exit(2);
    }
    return p;
}

double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The grammar's verdict on the lines and values of a message. */
static void ask_grammar(const struct court *k, struct result *r)
{
    const struct octets_case *c = r->input;
    struct oracle_answer a;
    if (c->layer != PEER_SIP || c->n > ORACLE_MESSAGE || k->no_grammar)
        return;
    struct oracle_start start = oracle_message();
    oracle_ask(&start, (struct sipws_str){c->p, c->n}, &a);
    if (a.grammar == ABNF_UNDECIDED)
        return;
    bool takes = a.grammar == ABNF_ACCEPTED;
    r->ours = takes ? !a.ref && a.permitted < 0 : a.ref;
    if (!takes)
        snprintf(r->grammar, sizeof r->grammar, "refuses at %zu", a.far);
    else if (a.ref || a.permitted < 0)
        snprintf(r->grammar, sizeof r->grammar, "takes the lines and values%s",
                 r->ours ? ", which ref refuses" : "");
    else
        snprintf(r->grammar, sizeof r->grammar, "takes it; but: %s",
                 oracle_why((unsigned)a.permitted));
}

/* The same of a handshake's request. */
static void ask_http_grammar(const struct court *k, struct result *r)
{
    const struct octets_case *c = r->input;
    struct oracle_http_answer a;
    if (c->layer != PEER_HTTP || c->n > ORACLE_HEAD || k->no_grammar)
        return;
    oracle_http_ask((struct sipws_str){c->p, c->n}, false, &a);
    if (a.grammar == ABNF_UNDECIDED)
        return;
    r->ours = a.wrong != NULL;
    if (a.grammar == ABNF_REFUSED)
        snprintf(r->grammar, sizeof r->grammar, "refuses at %zu", a.far);
    else if (a.sentence >= 0)
        snprintf(r->grammar, sizeof r->grammar, "takes it; but: %s",
                 oracle_http_why((unsigned)a.sentence));
    else
        snprintf(r->grammar, sizeof r->grammar, "takes the head%s",
                 r->ours ? ", which ref refuses" : "");
}

static void take_all(struct court *k, size_t i, size_t n, struct result *r)
{
    for (size_t c = 0; c < n; c++) {
        struct said *s = &r[c].said[i];
        s->peer = k->peers[i];
        worker_take(k->workers[i], k->seconds, &s->answer);
        if (s->answer.reading)
            s->rows = rows_of(s->answer.reading, r[c].input->p, r[c].input->n);
    }
}

void judge(struct court *k, const struct octets_case *c, size_t n, struct result *r)
{
    memset(r, 0, n * sizeof *r);
    for (size_t i = 0; i < k->n; i++)
        for (size_t j = 0; j < n; j++)
            worker_send(k->workers[i], c[j].p, c[j].n);
    for (size_t j = 0; j < n; j++) {
        r[j].input = &c[j];
        ask_grammar(k, &r[j]);
        ask_http_grammar(k, &r[j]);
    }
    for (size_t i = 0; i < k->n; i++)
        take_all(k, i, n, r);
    for (size_t j = 0; j < n; j++)
        r[j].findings = findings_of(r[j].said, k->n, *r[j].grammar ? r[j].grammar : NULL);
}

void forget(struct court *k, struct result *r)
{
    for (size_t i = 0; i < k->n; i++) {
        answer_free(&r->said[i].answer);
        json_decref(r->said[i].rows);
    }
    json_decref(r->findings);
}

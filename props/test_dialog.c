/* The conversations of gen_dialog.c against the rules of RFC 3261 that they claim to keep, and each
 * bend against a reader. What is not coherent here would make conn/dialog hold for the wrong
 * reason. */
#include "gen_dialog.h"
#include "msg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { TAPES = 3000, TAPE = 400, FIELDS = 32 };

static unsigned char octets[TAPE];

static void fill(uint32_t *seed)
{
    for (size_t i = 0; i < TAPE; i++) {
        *seed = *seed * 1664525 + 1013904223;
        octets[i] = (unsigned char)(*seed >> 24);
    }
}

/* Calls `judge` for the conversations of many tapes. */
static void for_each(void (*judge)(const struct gen_dialog *d))
{
    struct prop_trial *r = prop_trial_new(); /* for its arena */
    uint32_t seed = 7;
    for (int i = 0; i < TAPES; i++) {
        fill(&seed);
        prop_draw(prop_find(SIPWS_STR("selftest/sum")), octets, 0, r); /* clears the arena */
        struct tape t = tape(octets, TAPE, NULL, 0);
        const struct gen_dialog *d = gen_dialog(&t, &r->arena);
        assert_non_null(d);
        judge(d);
    }
    prop_trial_free(r);
}

static bool is(const struct gen_dialog_step *s, const char *method)
{
    return strcmp(s->method, method) == 0;
}

static bool same_transaction(const struct gen_dialog_step *a, const struct gen_dialog_step *b)
{
    return a->what == GEN_DIALOG_SIP && b->what == GEN_DIALOG_SIP &&
           sipws_str_eq(a->branch, b->branch) && strcmp(a->method, b->method) == 0;
}

/* ---- transactions (RFC 3261 17) -------------------------------------------------------------- */

static void judge_response(const struct gen_dialog *d, size_t i)
{
    const struct gen_dialog_step *s = &d->steps[i];
    size_t requests = 0, finals = 0;
    for (size_t k = 0; k < i; k++) {
        const struct gen_dialog_step *of = &d->steps[k];
        if (!same_transaction(of, s))
            continue;
        requests += of->status == 0;
        finals += of->status >= 200;
        assert_int_equal(of->cseq, s->cseq);
        assert_true(sipws_str_eq(of->call_id, s->call_id));
        assert_true(sipws_str_eq(of->from_tag, s->from_tag));
        assert_int_equal(of->from == s->from, of->status != 0);
        if (of->status > 100) /* one end, one tag */
            assert_true(sipws_str_eq(of->to_tag, s->to_tag));
    }
    assert_int_equal(requests, 1);
    assert_int_equal(finals, 0);
}

static void judge_request(const struct gen_dialog *d, size_t i)
{
    const struct gen_dialog_step *s = &d->steps[i];
    size_t finals = 0, invites = 0;
    bool ack = is(s, "ACK"), cancel = is(s, "CANCEL");
    for (size_t k = 0; k < d->n; k++) {
        const struct gen_dialog_step *o = &d->steps[k];
        if (o->what != GEN_DIALOG_SIP || k == i)
            continue;
        finals += k > i && same_transaction(o, s) && o->status >= 200;
        if (k < i && o->status == 0 && o->from == s->from && sipws_str_eq(o->call_id, s->call_id)) {
            bool mine = is(o, "INVITE") && o->cseq == s->cseq;
            invites += mine;
            if (!ack && !cancel) /* 12.2.1.1: a number more than before */
                assert_true(s->cseq > o->cseq || is(o, "ACK") || is(o, "CANCEL"));
            if (cancel && mine) /* 9.1 */
                assert_true(sipws_str_eq(o->branch, s->branch) &&
                            sipws_str_eq(o->to_tag, s->to_tag));
        }
        if (ack && k < i && o->status >= 200 && is(o, "INVITE") && o->cseq == s->cseq &&
            sipws_str_eq(o->call_id, s->call_id)) { /* 13.2.2.4, 17.1.1.3 */
            assert_true(sipws_str_eq(o->to_tag, s->to_tag));
            assert_int_equal(sipws_str_eq(o->branch, s->branch), o->status >= 300);
        }
    }
    assert_int_equal(finals, ack ? 0 : 1);
    assert_int_equal(invites, ack || cancel ? 1 : 0);
}

static void judge_transactions(const struct gen_dialog *d)
{
    for (size_t i = 0; i < d->n; i++) {
        if (d->steps[i].what != GEN_DIALOG_SIP)
            continue;
        assert_true(d->steps[i].from_tag.n > 0);
        if (d->steps[i].status)
            judge_response(d, i);
        else
            judge_request(d, i);
    }
}

static void transactions_are_coherent(void **state)
{
    (void)state;
    for_each(judge_transactions);
}

/* ---- bends ----------------------------------------------------------------------------------- */

static size_t bends[GEN_DIALOG_BENDS];

static void judge_parts(const struct gen_dialog *d)
{
    bends[d->bend]++;
    for (size_t i = 0; i < d->n; i++)
        for (size_t k = 0; k < d->steps[i].n; k++) {
            const struct gen_dialog_part *p = &d->steps[i].parts[k];
            struct sipws_field fields[FIELDS];
            struct sipws_diag diag = {0};
            struct sipws_report r = sipws_report(&diag, 1);
            struct sipws_msg m;
            if (p->want == GEN_DIALOG_KEEPALIVE)
                continue;
            bool lines = sipws_msg_parse(p->text, 0, fields, FIELDS, &m, &r);
            bool ok = lines &&
                      sipws_msg_check(&m, d->tls ? SIPWS_TRANSPORT_WSS : SIPWS_TRANSPORT_WS, 0, &r);
            assert_int_equal(lines, !p->unreadable);
            assert_int_equal(ok, p->want == GEN_DIALOG_MESSAGE);
            if (!ok) {
                assert_true(d->bend != GEN_DIALOG_SOUND && i == d->bent);
                assert_string_equal(sipws_err_info(diag.err)->id, sipws_err_info(p->err)->id);
                assert_int_equal(diag.off, p->off);
            }
        }
}

static void each_bend_earns_its_error(void **state)
{
    (void)state;
    memset(bends, 0, sizeof bends);
    for_each(judge_parts);
    for (int b = 0; b < GEN_DIALOG_BENDS; b++)
        if (bends[b] < TAPES / 100)
            fail_msg("only %zu conversations have the bend \"%s\"", bends[b],
                     gen_dialog_bend_name((enum gen_dialog_bend)b));
}

/* The tape of zeros is the simplest case, and sound. */
static void no_tape_is_a_registration(void **state)
{
    (void)state;
    struct prop_trial *r = prop_trial_new();
    prop_draw(prop_find(SIPWS_STR("selftest/sum")), octets, 0, r);
    struct tape t = tape(NULL, 0, NULL, 0);
    const struct gen_dialog *d = gen_dialog(&t, &r->arena);
    static const unsigned want[] = {0, 401, 0, 200};
    assert_non_null(d);
    assert_int_equal(d->bend, GEN_DIALOG_SOUND);
    assert_int_equal(d->n, 4);
    for (size_t i = 0; i < d->n; i++) {
        assert_string_equal(d->steps[i].method, "REGISTER");
        assert_int_equal(d->steps[i].status, want[i]);
        assert_int_equal(d->steps[i].cseq, 1 + i / 2);
    }
    prop_trial_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transactions_are_coherent),
        cmocka_unit_test(each_bend_earns_its_error),
        cmocka_unit_test(no_tape_is_a_registration),
    };
    return cmocka_run_group_tests_name("dialog", tests, NULL, NULL);
}

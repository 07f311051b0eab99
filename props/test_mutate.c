/* The mutator of fuzz/: what it promises, on the seeds of its targets and on any octets. */
#define _POSIX_C_SOURCE 200809L
#include "mutate.h"

#include "field.h"
#include "http.h"
#include "msg.h"
#include "ws.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { SEEDS = 256, SEED_MAX = 8192, ROOM = 16384 };

struct seed {
    char name[64];
    size_t n;
    uint8_t octets[SEED_MAX];
};

static const char *const names[] = {
#define M(name, libfuzzer, afl) #name,
#include "mutate.def"
#undef M
};

static struct seed seeds[SEEDS];

/* The seeds of a target; how many. */
static size_t load(enum mutate_target target)
{
    char path[512];
    struct dirent *entry;
    size_t n = 0;
    snprintf(path, sizeof path, SIPWS_ROOT "/corpus/seeds/%s", names[target]);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    while ((entry = readdir(dir)) && n < SEEDS) {
        if (entry->d_name[0] == '.' || strlen(entry->d_name) >= sizeof seeds[n].name)
            continue;
        snprintf(path, sizeof path, SIPWS_ROOT "/corpus/seeds/%s/%s", names[target], entry->d_name);
        FILE *f = fopen(path, "rb");
        assert_non_null(f);
        strcpy(seeds[n].name, entry->d_name);
        seeds[n].n = fread(seeds[n].octets, 1, SEED_MAX, f);
        fclose(f);
        n++;
    }
    closedir(dir);
    assert_true(n > 5);
    return n;
}

/* A copy in memory of just `max` octets, which AddressSanitizer watches. */
static uint8_t *room(const struct seed *s, size_t max)
{
    uint8_t *p = malloc(max ? max : 1);
    assert_non_null(p);
    memcpy(p, s->octets, s->n < max ? s->n : max);
    return p;
}

/* ---- is it well-formed? ---------------------------------------------------------------------- */

static bool good_msg(struct sipws_str text)
{
    static struct sipws_field fields[256];
    struct sipws_msg m;
    struct sipws_report r = sipws_report(NULL, 0);
    return sipws_msg_parse(text, 0, fields, 256, &m, &r) &&
           sipws_msg_check(&m, SIPWS_TRANSPORT_ANY, 0, &r);
}

static bool good_uri(struct sipws_str text)
{
    struct sipws_cur c = sipws_cur(text, NULL);
    struct sipws_uri uri;
    return sipws_uri(&c, SIPWS_URI_WHOLE, &uri) && c.p == c.end;
}

static bool good_field(enum sipws_field_id id, struct sipws_str text)
{
    struct sipws_diag diag;
    struct sipws_cur c = sipws_cur(text, &diag);
    struct sipws_value v;
    bool more = sipws_value_first(&c, id, &v);
    while (more)
        more = sipws_value_next(&c, id, &v);
    return diag.err == SIPWS_OK;
}

static bool good_head(enum sipws_role role, struct sipws_str head)
{
    static struct sipws_http h;
    return role == SIPWS_SERVER
               ? sipws_http_request(head, &h, NULL)
               : sipws_http_response(head, SIPWS_STR("AAAAAAAAAAAAAAAAAAAAAA=="), &h, NULL);
}

static bool good_frames(enum sipws_role role, struct sipws_str s)
{
    static char buf[1 << 17];
    static const struct sipws_limits limits = {8192, sizeof buf, 1024};
    struct sipws_ws ws;
    struct sipws_ws_event ev;
    enum sipws_ws_kind kind;
    sipws_ws_init(&ws, role, &limits, buf, sizeof buf);
    do
        kind = sipws_ws_read(&ws, &s, &ev);
    while (kind != SIPWS_WS_MORE && kind != SIPWS_WS_ERROR);
    return kind == SIPWS_WS_MORE && sipws_ws_end(&ws, &ev) == SIPWS_WS_MORE;
}

static bool good_conn(enum sipws_role role, const uint8_t *p, size_t n)
{
    size_t skip = n < 2 ? n : 2 + (size_t)p[1], used = 0;
    struct sipws_head head = {0};
    struct sipws_diag diag;
    if (skip >= n)
        return false;
    struct sipws_str s = {(const char *)p + skip, n - skip};
    return sipws_head_feed(&head, s.p, s.n, 8192, &used, &diag) == SIPWS_HEAD_DONE &&
           good_head(role, (struct sipws_str){s.p, used}) &&
           good_frames(role, (struct sipws_str){s.p + used, s.n - used});
}

static bool good(enum mutate_target target, const uint8_t *p, size_t n)
{
    struct sipws_str s = {(const char *)p, n};
    switch (target) {
    case MUTATE_uri:
        return n > 1 && good_uri((struct sipws_str){s.p + 1, n - 1});
    case MUTATE_field:
        return n > 1 && good_field((enum sipws_field_id)(p[0] % SIPWS_FIELD_COUNT),
                                   (struct sipws_str){s.p + 2, n - 2});
    case MUTATE_msg:
        return good_msg(s);
    case MUTATE_http:
        return n > 3 && good_head(p[0] & 1 ? SIPWS_CLIENT : SIPWS_SERVER,
                                  (struct sipws_str){s.p + 3, n - 3});
    case MUTATE_ws:
        return n > 0 && good_frames(p[0] & 1 ? SIPWS_CLIENT : SIPWS_SERVER,
                                    (struct sipws_str){s.p + 1, n - 1});
    case MUTATE_conn_server:
        return good_conn(SIPWS_SERVER, p, n);
    case MUTATE_conn_client:
        return good_conn(SIPWS_CLIENT, p, n);
    case MUTATE_TARGETS:
        break;
    }
    return false;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void targets_have_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < MUTATE_TARGETS; i++)
        assert_int_equal(mutate_target(names[i]), i);
    assert_int_equal(mutate_target("ms"), MUTATE_TARGETS);
    assert_int_equal(mutate_target(""), MUTATE_TARGETS);
}

/* Whatever the room, and with and without another input. */
static void stays_within_the_room(void **state)
{
    (void)state;
    for (unsigned t = 0; t < MUTATE_TARGETS; t++) {
        size_t n = load(t), grown = 0, changed = 0, cases = 0;
        for (size_t i = 0; i < n; i++)
            for (uint64_t seed = 0; seed < 40; seed++, cases++) {
                const struct seed *s = &seeds[i], *other = &seeds[(i + seed) % n];
                size_t max = s->n + (size_t)(seed % 4 == 0 ? 0 : seed * seed);
                if (seed % 8 == 1)
                    max = s->n / 2;
                uint8_t *p = room(s, max);
                size_t size = seed % 2 ? mutate(t, p, s->n, max, seed, seed % 3 == 0)
                                       : mutate_cross(t, p, s->n, max, other->octets, other->n,
                                                      seed, seed % 3 == 0);
                assert_true(size <= max && (size > 0 || max == 0));
                grown += size > s->n;
                changed += size != s->n || memcmp(p, s->octets, size) != 0;
                free(p);
            }
        assert_true(grown > cases / 10 && changed > cases / 2);
    }
}

static void any_octets_will_do(void **state)
{
    (void)state;
    static struct seed s, other;
    static const char alphabet[] = "\r\n :;,<>\"\\@%?&=aZ09/\x81\x01\x7E\x7F\xFE\xFF\x88\x89";
    uint64_t random = 1;
    for (unsigned t = 0; t < MUTATE_TARGETS; t++)
        for (uint64_t i = 0; i < 20000; i++) {
            struct seed *each[] = {&s, &other};
            for (size_t k = 0; k < 2; k++) {
                each[k]->n = (size_t)(i / (k + 1) % 60);
                for (size_t j = 0; j < each[k]->n; j++) {
                    random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
                    each[k]->octets[j] = (uint8_t)alphabet[(random >> 33) % sizeof alphabet];
                }
            }
            size_t max = i % 5 ? ROOM : s.n, n, k = (size_t)(i % 7);
            uint8_t *p = room(&s, max);
            n = i % 2 ? mutate(t, p, s.n, max, i, false)
                      : mutate_cross(t, p, s.n, max, other.octets, other.n, i, false);
            assert_true(n <= max);
            p = realloc(p, n ? n : 1);
            mutate_without(t, p, &n, k);
            free(p);
        }
}

static void same_seed_same_octets(void **state)
{
    (void)state;
    static uint8_t one[ROOM], two[ROOM], last[ROOM];
    for (unsigned t = 0; t < MUTATE_TARGETS; t++) {
        const struct seed *s = &seeds[load(t) - 1];
        size_t differ = 0, last_n = 0;
        for (uint64_t seed = 0; seed < 200; seed++) {
            memcpy(one, s->octets, s->n);
            memcpy(two, s->octets, s->n);
            memset(two + s->n, 0xA5, sizeof two - s->n); /* what is there does not count */
            size_t n = mutate_cross(t, one, s->n, ROOM, seeds[0].octets, seeds[0].n, seed, false);
            assert_int_equal(
                n, mutate_cross(t, two, s->n, ROOM, seeds[0].octets, seeds[0].n, seed, false));
            assert_memory_equal(one, two, n);
            differ += n != last_n || memcmp(one, last, n) != 0;
            memcpy(last, one, n);
            last_n = n;
        }
        assert_true(differ > 150);
    }
}

/* Percent of sound mutations of well-formed seeds that stay well-formed, and of bends that do: a
 * floor, and a ceiling, or bends would bend nothing. */
static const struct {
    unsigned sound, bent;
} expected[MUTATE_TARGETS] = {
    [MUTATE_uri] = {90, 75},         [MUTATE_field] = {95, 75}, [MUTATE_msg] = {88, 60},
    [MUTATE_http] = {95, 60},        [MUTATE_ws] = {95, 85},    [MUTATE_conn_server] = {95, 80},
    [MUTATE_conn_client] = {95, 80},
};

static unsigned percent_good(enum mutate_target t, size_t n, bool sound, bool cross)
{
    static uint8_t p[ROOM];
    size_t all = 0, right = 0;
    for (size_t i = 0; i < n; i++) {
        const struct seed *s = &seeds[i];
        for (uint64_t seed = 0; good(t, s->octets, s->n) && seed < 300; seed++) {
            const struct seed *o = &seeds[seed % n];
            if (cross && !good(t, o->octets, o->n))
                continue;
            memcpy(p, s->octets, s->n);
            size_t size = cross ? mutate_cross(t, p, s->n, ROOM, o->octets, o->n, seed, sound)
                                : mutate(t, p, s->n, ROOM, seed, sound);
            all++;
            right += good(t, p, size);
        }
    }
    assert_true(all > 300);
    return (unsigned)(100 * right / all);
}

static void sound_ones_stay_well_formed(void **state)
{
    (void)state;
    for (unsigned t = 0; t < MUTATE_TARGETS; t++) {
        size_t n = load(t);
        unsigned sound = percent_good(t, n, true, false), bent = percent_good(t, n, false, false);
        unsigned crossed = percent_good(t, n, true, true);
        printf(
            "%-12s well-formed: %u%% of sound mutations, %u%% of sound crossovers, %u%% of all\n",
            names[t], sound, crossed, bent);
        assert_in_range(sound, expected[t].sound, 100);
        assert_in_range(bent, 10, expected[t].bent);
    }
}

/* ---- lengths --------------------------------------------------------------------------------- */

#define HEAD                                                                                       \
    "MESSAGE sip:bob@example.org SIP/2.0\r\nVia: SIP/2.0/WS p9.invalid;branch=z9hG4bKm1\r\n"       \
    "Max-Forwards: 70\r\nFrom: <sip:ada@example.org>;tag=a1\r\nTo: <sip:bob@example.org>\r\n"      \
    "Call-ID: m1\r\nCSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\n"

static const char right_length[] = HEAD "Content-Length: 13\r\n\r\nshall we meet";
static const char wrong_length[] = HEAD "Content-Length: 12\r\n\r\nshall we meet";

/* What Content-Length says, or -1. */
static long long says(struct sipws_str text, size_t *body)
{
    static struct sipws_field fields[256];
    struct sipws_msg m;
    struct sipws_value v;
    struct sipws_report r = sipws_report(NULL, 0);
    sipws_msg_parse(text, SIPWS_ALLOW_EXCESS_BODY, fields, 256, &m, &r);
    const char *at = m.text.p ? m.body.p : NULL;
    *body = at ? (size_t)(text.p + text.n - at) : 0;
    return at && sipws_msg_first(&m, SIPWS_F_CONTENT_LENGTH, &v) ? (long long)v.number.value : -1;
}

static void content_length_follows(void **state)
{
    (void)state;
    static uint8_t p[ROOM];
    size_t changed = 0, bent = 0, repaired = 0, body;
    for (uint64_t seed = 0; seed < 5000; seed++) {
        memcpy(p, right_length, sizeof right_length - 1);
        size_t n = mutate(MUTATE_msg, p, sizeof right_length - 1, ROOM, seed, true);
        long long told = says((struct sipws_str){(const char *)p, n}, &body);
        assert_true(told < 0 || told == (long long)body);
        changed += told >= 0 && body != 13;

        memcpy(p, right_length, sizeof right_length - 1);
        n = mutate(MUTATE_msg, p, sizeof right_length - 1, ROOM, seed, false);
        told = says((struct sipws_str){(const char *)p, n}, &body);
        bent += told >= 0 && told != (long long)body;

        memcpy(p, wrong_length, sizeof wrong_length - 1);
        n = mutate(MUTATE_msg, p, sizeof wrong_length - 1, ROOM, seed, true);
        told = says((struct sipws_str){(const char *)p, n}, &body);
        repaired += told >= 0 && body == 13 && told == 13;
    }
    assert_true(changed > 100 && bent > 20);
    assert_int_equal(repaired, 0);
}

/* One frame, masked, with the message in it. */
static size_t frame(uint8_t *p)
{
    static const uint8_t key[4] = {0x37, 0xFA, 0x21, 0x3D};
    size_t n = sizeof right_length - 1;
    assert_true(n > 125);
    p[0] = 0x81;
    p[1] = 0xFE;
    p[2] = (uint8_t)(n >> 8);
    p[3] = (uint8_t)n;
    memcpy(p + 4, key, 4);
    for (size_t i = 0; i < n; i++)
        p[8 + i] = (uint8_t)(right_length[i] ^ key[i % 4]);
    return 8 + n;
}

/* Of the whole messages that arrive none has a wrong length, and their sizes differ: so the lengths
 * of frames, masking and Content-Length follow what changes in a message. */
static void frame_lengths_and_masks_follow(void **state)
{
    (void)state;
    static uint8_t p[ROOM];
    static char buf[1 << 17];
    static const struct sipws_limits limits = {8192, sizeof buf, 1024};
    size_t messages = 0, other_size = 0, body;
    for (uint64_t seed = 0; seed < 3000; seed++) {
        struct sipws_ws ws;
        struct sipws_ws_event ev;
        enum sipws_ws_kind kind;
        p[0] = 0; /* the switches of the target */
        size_t n = mutate(MUTATE_ws, p, 1 + frame(p + 1), ROOM, seed, true);
        struct sipws_str s = {(const char *)p + 1, n - 1};
        sipws_ws_init(&ws, SIPWS_SERVER, &limits, buf, sizeof buf);
        while ((kind = sipws_ws_read(&ws, &s, &ev)) != SIPWS_WS_MORE) {
            assert_true(kind != SIPWS_WS_ERROR);
            if (kind != SIPWS_WS_MESSAGE || ev.data.n < 20)
                continue;
            long long told = says(ev.data, &body);
            assert_true(told < 0 || told == (long long)body);
            messages += told >= 0;
            other_size += ev.data.n != sizeof right_length - 1;
        }
        assert_int_equal(sipws_ws_end(&ws, &ev), SIPWS_WS_MORE);
    }
    assert_true(messages > 3000 && other_size > 300);
}

/* ---- crossover ------------------------------------------------------------------------------- */

static bool has(const uint8_t *p, size_t n, const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= n; i++)
        if (memcmp(p + i, word, len) == 0)
            return true;
    return false;
}

/* Header fields, elements, parameters and frames of the other input come in. */
static void takes_of_the_other(void **state)
{
    (void)state;
    static uint8_t p[ROOM];
    static const char other[] = "OPTIONS sip:carol@example.org SIP/2.0\r\n"
                                "Supported: first, second-tag, third\r\nSubject: Dinner\r\n"
                                "Contact: <sip:carol@example.org>;zzz=1\r\n\r\nthe other body";
    static const char *const words[] = {"second-tag", "Dinner", "zzz=1", "carol", "the other body"};
    size_t seen[5] = {0};
    for (uint64_t seed = 0; seed < 3000; seed++) {
        memcpy(p, right_length, sizeof right_length - 1);
        size_t n = mutate_cross(MUTATE_msg, p, sizeof right_length - 1, ROOM,
                                (const uint8_t *)other, sizeof other - 1, seed, false);
        for (size_t i = 0; i < 5; i++)
            seen[i] += has(p, n, words[i]);
    }
    for (size_t i = 0; i < 5; i++)
        assert_true(seen[i] > 20);

    size_t whole = 0;
    static const char frames[] = "\0\x89\x80\x01\x02\x03\x04\x82\x83\x05\x06\x07\x08xyz";
    for (uint64_t seed = 0; seed < 1000; seed++) {
        p[0] = 0;
        size_t n = mutate_cross(MUTATE_ws, p, 1 + frame(p + 1), ROOM, (const uint8_t *)frames,
                                sizeof frames - 1, seed, false);
        whole += has(p, n, "\x82\x83\x05\x06\x07\x08xyz");
    }
    assert_true(whole > 200);
}

/* ---- trimming -------------------------------------------------------------------------------- */

/* Trims while `good` holds. Returns the new size. */
static size_t trim(enum mutate_target t, uint8_t *p, size_t n)
{
    static uint8_t q[SEED_MAX];
    size_t left = mutate_elements(t, p, n) + n;
    for (size_t k = 0;;) {
        size_t size = n;
        memcpy(q, p, n);
        if (!mutate_without(t, q, &size, k)) {
            assert_int_equal(size, n);
            assert_memory_equal(q, p, n);
            return n;
        }
        assert_true(left-- > 0); /* a step passes an element, or takes octets away */
        assert_true(size < n);
        if (good(t, q, size)) {
            memcpy(p, q, size);
            n = size;
        } else {
            k++;
        }
    }
}

static void trimming_ends_and_keeps_what_it_is_for(void **state)
{
    (void)state;
    static uint8_t p[SEED_MAX];
    for (unsigned t = 0; t < MUTATE_TARGETS; t++) {
        size_t n = load(t), before = 0, after = 0, elements = 0;
        for (size_t i = 0; i < n; i++) {
            const struct seed *s = &seeds[i];
            if (!good(t, s->octets, s->n))
                continue;
            memcpy(p, s->octets, s->n);
            size_t all = mutate_elements(t, p, s->n);
            assert_memory_equal(p, s->octets, s->n);
            for (size_t k = 0; k <= all; k++) {
                size_t some = s->n;
                assert_int_equal(mutate_without(t, p, &some, k), k < all);
                memcpy(p, s->octets, s->n);
            }
            elements += all;
            size_t size = trim(t, p, s->n);
            assert_true(good(t, p, size));
            before += s->n;
            after += size;
        }
        printf("%-12s %zu octets, %zu elements, trimmed to %zu\n", names[t], before, elements,
               after);
        assert_true(after < before);
    }
}

/* A body that is cut keeps its Content-Length; a frame that is cut its own. */
static void trimming_keeps_lengths_right(void **state)
{
    (void)state;
    static uint8_t p[ROOM];
    size_t n, body, shorter = 0;
    for (size_t k = 0;; k++) {
        memcpy(p, right_length, n = sizeof right_length - 1);
        if (!mutate_without(MUTATE_msg, p, &n, k))
            break;
        long long told = says((struct sipws_str){(const char *)p, n}, &body);
        assert_true(told < 0 || told == (long long)body);
        shorter += body < 13;
    }
    assert_true(shorter >= 3);
    for (size_t k = 0;; k++) {
        p[0] = 0;
        n = 1 + frame(p + 1);
        if (!mutate_without(MUTATE_ws, p, &n, k))
            break;
        assert_true(good(MUTATE_ws, p, n));
    }
}

/* ---- AFL++ ----------------------------------------------------------------------------------- */

void *afl_custom_init(void *afl, unsigned seed);
void afl_custom_deinit(void *c);
size_t afl_custom_fuzz(void *c, uint8_t *buf, size_t n, uint8_t **out, uint8_t *add, size_t add_n,
                       size_t max);
int32_t afl_custom_init_trim(void *c, uint8_t *buf, size_t n);
size_t afl_custom_trim(void *c, uint8_t **out);
int32_t afl_custom_post_trim(void *c, uint8_t success);

/* As afl-fuzz calls it. */
static void afl_mutates_and_trims(void **state)
{
    (void)state;
    uint8_t *out = NULL, text[sizeof right_length - 1];
    memcpy(text, right_length, sizeof text);
    setenv("SIPWS_MUTATE_TARGET", "msg", 1);
    void *c = afl_custom_init(NULL, 7);
    assert_non_null(c);
    size_t differ = 0, n = sizeof text;
    for (int i = 0; i < 200; i++) {
        size_t size =
            afl_custom_fuzz(c, text, n, &out, i % 3 ? text : NULL, i % 3 ? n : 0, i % 2 ? 4096 : n);
        assert_true(size > 0 && size <= (i % 2 ? 4096 : n));
        assert_memory_equal(text, right_length, n);
        differ += size != n || memcmp(out, text, n) != 0;
    }
    assert_true(differ > 100);

    int32_t steps = afl_custom_init_trim(c, text, n), rounds = 0;
    assert_true(steps > 10);
    for (int32_t i = 0; i < steps; rounds++) {
        size_t size = afl_custom_trim(c, &out);
        bool keep = size < n && good_msg((struct sipws_str){(const char *)out, size});
        if (keep) {
            memcpy(text, out, size);
            n = size;
        }
        assert_true(size <= n && rounds <= steps);
        i = afl_custom_post_trim(c, keep);
    }
    assert_true(n < sizeof text && good_msg((struct sipws_str){(char *)text, n}));
    afl_custom_deinit(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_have_names),
        cmocka_unit_test(stays_within_the_room),
        cmocka_unit_test(any_octets_will_do),
        cmocka_unit_test(same_seed_same_octets),
        cmocka_unit_test(sound_ones_stay_well_formed),
        cmocka_unit_test(content_length_follows),
        cmocka_unit_test(frame_lengths_and_masks_follow),
        cmocka_unit_test(takes_of_the_other),
        cmocka_unit_test(trimming_ends_and_keeps_what_it_is_for),
        cmocka_unit_test(trimming_keeps_lengths_right),
        cmocka_unit_test(afl_mutates_and_trims),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

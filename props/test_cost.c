/* What reading costs at worst: the known worst inputs, against the floors and ceilings of
 * fuzz/cost.def. TEST_COST=FOLDER prints the cost of every file in it instead. */
#define _POSIX_C_SOURCE 200809L
#include "../fuzz/cost.h"
#include "field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>

enum { LARGEST = 1 << 16 };

static char data[LARGEST];

/* An input of the fuzz target cost: an octet that chooses the entry, then what is read. */
static uint64_t cost_of_file(const char *path, enum cost_entry *entry)
{
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(data, 1, sizeof data, f) : 0;
    if (!f || n < 1)
        fail_msg("%s cannot be read", path);
    fclose(f);
    *entry = (enum cost_entry)((unsigned char)data[0] % COST_ENTRIES);
    return cost_of(*entry, (struct sipws_str){data + 1, n - 1});
}

static void steps_are_counted(void **state)
{
    (void)state;
    uint64_t before = cost_steps;
    (void)cost_of(COST_uri, SIPWS_STR("sip:a@example.org"));
    assert_true(cost_steps > before + 20);
    uint64_t one = cost_steps;
    (void)cost_of(COST_uri, SIPWS_STR("sip:a@example.org"));
    uint64_t two = cost_steps;
    (void)cost_of(COST_uri, SIPWS_STR("sip:a@example.org"));
    assert_true(two > one);
    assert_int_equal(cost_steps - two, two - one);
}

static void known_worst_are_within_bounds(void **state)
{
    (void)state;
    int bad = 0;
    for (unsigned i = 0; i < COST_ENTRIES; i++) {
        const struct cost_bounds *b = &cost_bounds[i];
        char path[512];
        enum cost_entry entry;
        snprintf(path, sizeof path, SIPWS_ROOT "/corpus/seeds/cost/worst-%s", b->name);
        uint64_t cost = cost_of_file(path, &entry);
        assert_int_equal(entry, i);
        bad += cost < b->floor || cost > b->ceiling;
        if (cost < b->floor || cost > b->ceiling)
            print_error("%s: costs %llu%%, not from %u%% to %u%% (fuzz/cost.def)\n", path,
                        (unsigned long long)cost, b->floor, b->ceiling);
    }
    assert_int_equal(bad, 0);
}

/* Twice the octets cost no more than twice, and a little: nothing here is quadratic. */
static void costs_grow_with_octets(void **state)
{
    static const struct {
        enum cost_entry entry;
        const char *front, *again, *back;
        bool twice; /* the same behind LF */
    } cases[] = {
        {COST_uri, "sip:", "a%61", "@b", false},
        {COST_uri_eq, "sip:", "a%61", "@b", true},
        {COST_field, "?", "<sip:a@b>;tag=c, ", "<sip:a@b>", false},
        {COST_msg_parse, "OPTIONS sip:a SIP/2.0\r\nTo: a", " b\r\n c", "\r\n\r\n", false},
        {COST_msg_check, "OPTIONS sip:a SIP/2.0\r\nContact: <sip:a>", ", <sip:a>", "\r\n\r\n",
         false},
        {COST_msg_print, "OPTIONS sip:a SIP/2.0\r\nContact: <sip:a>", ", <sip:a>", "\r\n\r\n",
         false},
        {COST_http, "GET / HTTP/1.1\r\nCookie: ", "a=b; ", "\r\n\r\n", false},
        {COST_frames, "",
         "\x01\x81\x7f\x7f\x7f\x7f"
         "a",
         "", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static char text[LARGEST];
        uint64_t cost[2];
        for (unsigned k = 0; k < 2; k++) {
            struct sipws_out o = sipws_out(text, sizeof text);
            for (unsigned turn = 0; turn < 1u + cases[i].twice; turn++) {
                sipws_put(&o, (struct sipws_str){cases[i].front, strlen(cases[i].front)});
                for (unsigned n = 0; n < 300u << k; n++)
                    sipws_put(&o, (struct sipws_str){cases[i].again, strlen(cases[i].again)});
                sipws_put(&o, (struct sipws_str){cases[i].back, strlen(cases[i].back)});
                sipws_put(&o, turn == 0 && cases[i].twice ? SIPWS_STR("\n") : SIPWS_STR(""));
            }
            assert_true(sipws_out_ok(&o));
            if (cases[i].entry == COST_field)
                text[0] = (char)SIPWS_F_CONTACT;
            cost[k] = cost_of(cases[i].entry, sipws_out_str(&o));
        }
        if (cost[1] * 100 > cost[0] * 125)
            fail_msg("%s: an octet costs %llu%%, and of twice as many %llu%%",
                     cost_bounds[cases[i].entry].name, (unsigned long long)cost[0],
                     (unsigned long long)cost[1]);
    }
}

static int list(const char *folder)
{
    DIR *d = opendir(folder);
    if (!d)
        return 2;
    for (struct dirent *e; (e = readdir(d));) {
        char path[1024];
        enum cost_entry entry;
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        uint64_t cost = cost_of_file(path, &entry);
        printf("%-12s %6llu  %s\n", cost_bounds[entry].name, (unsigned long long)cost, path);
    }
    closedir(d);
    return 0;
}

int main(void)
{
    const char *folder = getenv("TEST_COST");
    const struct CMUnitTest tests[] = {cmocka_unit_test(steps_are_counted),
                                       cmocka_unit_test(known_worst_are_within_bounds),
                                       cmocka_unit_test(costs_grow_with_octets)};
    return folder ? list(folder) : cmocka_run_group_tests(tests, NULL, NULL);
}

/* Properties that test the runner: false, unhealthy or deadly by design. Never listed with the
 * others. */
#define _POSIX_C_SOURCE 200809L
#include "property.h"

#include <stdlib.h>

/* A list of numbers in groups. */
struct list {
    uint32_t n, groups;
    uint32_t values[256];
};

static const void *draw_list(struct tape *t, struct arena *a)
{
    struct list *l = arena_get(a, sizeof *l);
    if (!l)
        return NULL;
    while (tape_next(t, "group", 4)) {
        l->groups++;
        while (tape_next(t, "number", 4)) {
            uint32_t value = tape_below(t, 1000);
            if (l->n < 256)
                l->values[l->n++] = value;
            tape_end(t);
        }
        tape_end(t);
    }
    return l;
}

static void explain_list(const void *story, FILE *f)
{
    const struct list *l = story;
    fprintf(f, "  %u numbers in %u groups:", (unsigned)l->n, (unsigned)l->groups);
    for (uint32_t i = 0; i < l->n; i++)
        fprintf(f, " %u", (unsigned)l->values[i]);
    fputc('\n', f);
}

static void wire_list(const void *story, struct sipws_out *o)
{
    const struct list *l = story;
    for (uint32_t i = 0; i < l->n; i++) {
        sipws_put_uint(o, l->values[i]);
        sipws_put_char(o, '\n');
    }
}

static enum verdict hold_sum(struct prop_trial *r, const void *story)
{
    const struct list *l = story;
    uint32_t sum = 0;
    if (l->n > 3)
        prop_class(r, "long");
    for (uint32_t i = 0; i < l->n; i++)
        sum += l->values[i];
    return sum < 1500 ? HOLDS : prop_fail(r, "sum", 0, "the sum is %u", (unsigned)sum);
}

const struct prop prop_selftest_sum = {
    .name = "selftest/sum",
    .sentence = "No list of numbers below 1000 sums up to 1500 (it may: three numbers do).",
    .draw = draw_list,
    .hold = hold_sum,
    .explain = explain_list,
    .wire = wire_list,
    .classes = {{"long", 100}},
    .discard_percent = 5,
    .tape_max = 256,
};

static enum verdict hold_twice(struct prop_trial *r, const void *story)
{
    const struct list *l = story;
    for (uint32_t i = 0; i < l->n; i++)
        for (uint32_t j = i + 1; j < l->n; j++)
            if (l->values[i] == l->values[j] && l->values[i] >= 300)
                return prop_fail(r, "twice", PROP_NOWHERE, "numbers %u and %u are both %u",
                                 (unsigned)i, (unsigned)j, (unsigned)l->values[i]);
    return HOLDS;
}

const struct prop prop_selftest_twice = {
    .name = "selftest/twice",
    .sentence = "No number from 300 up stands twice in a list (it may).",
    .draw = draw_list,
    .hold = hold_twice,
    .explain = explain_list,
    .wire = wire_list,
    .discard_percent = 5,
    .tape_max = 512,
};

static enum verdict hold_discards(struct prop_trial *r, const void *story)
{
    (void)r;
    return ((const struct list *)story)->n % 2 ? HOLDS : DISCARDED;
}

const struct prop prop_selftest_discards = {
    .name = "selftest/discards",
    .sentence = "Lists of even length are not judged: too many of them for a healthy property.",
    .draw = draw_list,
    .hold = hold_discards,
    .explain = explain_list,
    .discard_percent = 20,
    .tape_max = 256,
};

static enum verdict hold_rare(struct prop_trial *r, const void *story)
{
    if (((const struct list *)story)->n == 200)
        prop_class(r, "two hundred");
    return HOLDS;
}

const struct prop prop_selftest_rare = {
    .name = "selftest/rare",
    .sentence = "A tenth of all lists has exactly 200 numbers (hardly one has).",
    .draw = draw_list,
    .hold = hold_rare,
    .explain = explain_list,
    .classes = {{"two hundred", 100}},
    .discard_percent = 5,
    .tape_max = 256,
};

static enum verdict hold_crash(struct prop_trial *r, const void *story)
{
    const struct list *l = story;
    (void)r;
    for (uint32_t i = 0; i < l->n; i++)
        if (l->values[i] > 500)
            abort();
    return HOLDS;
}

const struct prop prop_selftest_crash = {
    .name = "selftest/crash",
    .sentence = "Reading a number above 500 does not crash (it does).",
    .draw = draw_list,
    .hold = hold_crash,
    .explain = explain_list,
    .wire = wire_list,
    .discard_percent = 5,
    .tape_max = 256,
};

static enum verdict hold_hang(struct prop_trial *r, const void *story)
{
    const struct list *l = story;
    (void)r;
    for (volatile uint32_t i = 0; i < l->n; i = i + 1)
        while (l->values[i] > 900)
            i = i + 0;
    return HOLDS;
}

const struct prop prop_selftest_hang = {
    .name = "selftest/hang",
    .sentence = "Reading a number above 900 comes to an end (it does not).",
    .draw = draw_list,
    .hold = hold_hang,
    .explain = explain_list,
    .wire = wire_list,
    .discard_percent = 5,
    .tape_max = 256,
};

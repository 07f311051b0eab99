/* What both story targets do: one role of the engine against the generated story of a peer.
 *
 * Input: one octet that chooses the property, counted round, then the tape of its story behind the
 * octet that chooses the role.
 */
#ifndef SIPWS_FUZZ_STORY_H
#define SIPWS_FUZZ_STORY_H

#include "fuzz_conn.h"
#include "fuzz_family.h"
#include "gen_conn.h"

extern const struct prop prop_conn_meant, prop_conn_cut, prop_conn_prefix, prop_conn_glued,
    prop_conn_halves, prop_conn_control, prop_conn_answers, prop_conn_room, prop_conn_fragments,
    prop_conn_binary;

/* The story is of this role. */
static enum sipws_role fuzz_story_role;

static inline void fuzz_story_spy(const struct sipws_conn *c, const struct sipws_event *ev)
{
    must(c->config.role == fuzz_story_role);
    fuzz_conn_spy(c, ev);
}

static inline int fuzz_story(enum sipws_role role, const uint8_t *data, size_t size)
{
    enum { PAST_STORY = PAST_CONN };
    static const char *const layers[] = {FUZZ_CONN_LAYERS, "story", NULL};
    static const struct prop *const family[] = {
        &prop_conn_meant,   &prop_conn_cut,     &prop_conn_prefix, &prop_conn_glued,
        &prop_conn_halves,  &prop_conn_control, &prop_conn_room,   &prop_conn_fragments,
        &prop_conn_answers, &prop_conn_binary};
    static unsigned char tape[FAMILY_TAPE];
    fuzz_conn_begin(layers, &size);
    if (size < 1 || size > sizeof tape)
        return 0;
    fuzz_story_role = role;
    drive_spy = fuzz_story_spy;
    tape[0] = GEN_CONN_OF(role);
    memcpy(tape + 1, data + 1, size - 1);
    if (fuzz_judge(family[data[0] % (sizeof family / sizeof *family)], tape, size) == HOLDS)
        fuzz_past(PAST_STORY);
    fuzz_conn_end();
    return 0;
}

#endif

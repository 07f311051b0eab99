/* The mutator as a library for AFL++: AFL_CUSTOM_MUTATOR_LIBRARY=libsipws-mutate.so, and in
 * SIPWS_MUTATE_TARGET the name of the target. */
#include "mutate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct custom {
    enum mutate_target target;
    uint64_t seed; /* another one each time */
    uint8_t *out;  /* AFL++ wants what is handed to it to outlive the call */
    size_t cap;

    /* Of the input that is trimmed: */
    uint8_t *kept;
    size_t kept_n, kept_cap, tried_n;
    size_t k, step, steps;
};

void *afl_custom_init(void *afl, unsigned seed);
void afl_custom_deinit(struct custom *c);
size_t afl_custom_fuzz(struct custom *c, uint8_t *buf, size_t n, uint8_t **out, uint8_t *add,
                       size_t add_n, size_t max);
int32_t afl_custom_init_trim(struct custom *c, uint8_t *buf, size_t n);
size_t afl_custom_trim(struct custom *c, uint8_t **out);
int32_t afl_custom_post_trim(struct custom *c, uint8_t success);

void *afl_custom_init(void *afl, unsigned seed)
{
    const char *name = getenv("SIPWS_MUTATE_TARGET");
    struct custom *c = calloc(1, sizeof *c);
    (void)afl;
    if (c)
        *c = (struct custom){.target = mutate_target(name ? name : ""), .seed = seed};
    if (c && c->target == MUTATE_TARGETS) {
        fprintf(stderr, "SIPWS_MUTATE_TARGET: no target is named \"%s\"; see fuzz/mutate.def\n",
                name ? name : "");
        exit(1);
    }
    return c;
}

void afl_custom_deinit(struct custom *c)
{
    free(c->out);
    free(c->kept);
    free(c);
}

static bool grow(uint8_t **p, size_t *cap, size_t n)
{
    if (n <= *cap)
        return true;
    uint8_t *more = realloc(*p, n);
    if (!more)
        return false;
    *p = more;
    *cap = n;
    return true;
}

size_t afl_custom_fuzz(struct custom *c, uint8_t *buf, size_t n, uint8_t **out, uint8_t *add,
                       size_t add_n, size_t max)
{
    *out = buf;
    if (!grow(&c->out, &c->cap, max))
        return 0;
    if (n > max)
        n = max;
    memcpy(c->out, buf, n);
    *out = c->out;
    if (c->seed++ & 1) /* without the other input every other time */
        add_n = 0;
    return mutate_cross(c->target, c->out, n, max, add, add_n, c->seed, false);
}

int32_t afl_custom_init_trim(struct custom *c, uint8_t *buf, size_t n)
{
    if (!grow(&c->kept, &c->kept_cap, n) || !grow(&c->out, &c->cap, n))
        return 0;
    memcpy(c->kept, buf, n);
    c->kept_n = n;
    c->k = c->step = 0;
    c->steps = mutate_elements(c->target, c->kept, n);
    return (int32_t)c->steps;
}

size_t afl_custom_trim(struct custom *c, uint8_t **out)
{
    memcpy(c->out, c->kept, c->kept_n);
    c->tried_n = c->kept_n;
    if (!mutate_without(c->target, c->out, &c->tried_n, c->k))
        c->step = c->steps; /* the last step */
    *out = c->out;
    return c->tried_n;
}

int32_t afl_custom_post_trim(struct custom *c, uint8_t success)
{
    if (success && c->tried_n < c->kept_n) {
        memcpy(c->kept, c->out, c->tried_n);
        c->kept_n = c->tried_n;
    } else {
        c->k++;
    }
    if (c->step < c->steps)
        c->step++;
    return (int32_t)c->step;
}

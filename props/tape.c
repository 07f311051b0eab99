#include "tape.h"

#include <assert.h>
#include <string.h>

struct tape tape(const unsigned char *p, size_t n, struct tape_span *spans, uint32_t span_cap)
{
    assert(n <= UINT32_MAX / 2);
    return (struct tape){
        .p = p, .n = n, .spans = spans, .span_cap = span_cap, .open = TAPE_NO_SPAN};
}

unsigned tape_byte(struct tape *t)
{
    size_t at = t->at++;
    return at < t->n ? t->p[at] : 0;
}

uint32_t tape_below(struct tape *t, uint32_t n)
{
    uint32_t value = tape_byte(t);
    if (n > 256)
        value = value << 8 | tape_byte(t);
    if (n > 65536) {
        value = value << 8 | tape_byte(t);
        value = value << 8 | tape_byte(t);
    }
    return n ? value % n : 0;
}

uint32_t tape_range(struct tape *t, uint32_t min, uint32_t max)
{
    assert(min <= max && max - min < UINT32_MAX);
    return min + tape_below(t, max - min + 1);
}

bool tape_more(struct tape *t, unsigned mean)
{
    unsigned stop = 256 / (mean + 1);
    return tape_byte(t) >= (stop ? stop : 1);
}

bool tape_chance(struct tape *t, unsigned in256)
{
    unsigned from = in256 < 256 ? 256 - in256 : 1;
    return tape_byte(t) >= from;
}

unsigned tape_weighted(struct tape *t, const unsigned char *weights, unsigned n)
{
    unsigned sum = 0, at = 0;
    for (unsigned i = 0; i < n; i++)
        sum += weights[i];
    assert(sum > 0 && sum <= 256);
    unsigned value = tape_byte(t) % sum;
    while (value >= weights[at])
        value -= weights[at++];
    return at;
}

uint32_t tape_size(struct tape *t, uint32_t max, const uint32_t *edges, unsigned n)
{
    unsigned how = tape_byte(t);
    uint32_t value = tape_byte(t);
    value = value << 8 | tape_byte(t);
    uint32_t size = value % 32;
    if (how >= 224)
        size = max < UINT32_MAX ? value % (max + 1) : value;
    else if (how >= 160 && n > 0 && edges[value % n] <= max)
        size = edges[value % n];
    return size <= max ? size : max;
}

void tape_bytes(struct tape *t, unsigned char *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (unsigned char)tape_byte(t);
}

/* Where the tape stands, but not behind its end. */
static uint32_t stand(const struct tape *t)
{
    return (uint32_t)(t->at < t->n ? t->at : t->n);
}

void tape_begin(struct tape *t, const char *label)
{
    if (t->open_lost || t->span_n == t->span_cap) {
        t->spans_lost++;
        t->open_lost++;
        return;
    }
    t->spans[t->span_n] = (struct tape_span){label, stand(t), stand(t), t->open};
    t->open = t->span_n++;
}

void tape_end(struct tape *t)
{
    if (t->open_lost) {
        t->open_lost--;
        return;
    }
    assert(t->open != TAPE_NO_SPAN);
    t->spans[t->open].to = stand(t);
    t->open = t->spans[t->open].up;
}

bool tape_next(struct tape *t, const char *label, unsigned mean)
{
    tape_begin(t, label);
    bool more = tape_more(t, mean);
    if (!more)
        tape_end(t);
    return more;
}

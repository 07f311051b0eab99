#include "mutate_impl.h"

/* ---- chance ---------------------------------------------------------------------------------- */

/* splitmix64: any seed will do, 0 too. */
static uint64_t draw(struct mut *m)
{
    uint64_t x = m->random += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

size_t mut_below(struct mut *m, size_t n)
{
    return n == 0 ? 0 : (size_t)(draw(m) % n);
}

bool mut_chance(struct mut *m, unsigned in256)
{
    return mut_below(m, 256) < in256;
}

/* ---- changes --------------------------------------------------------------------------------- */

/* Makes [from, to) n octets long, with whatever is in there. */
static bool resize(struct mut *m, size_t from, size_t to, size_t n)
{
    if (n > m->cap - (m->n - (to - from)))
        return false;
    memmove(m->p + from + n, m->p + to, m->n - to);
    m->n = m->n - (to - from) + n;
    return true;
}

bool mut_splice(struct mut *m, size_t from, size_t to, const void *with, size_t n)
{
    if (!resize(m, from, to, n))
        return false;
    if (n > 0)
        memcpy(m->p + from, with, n);
    return true;
}

bool mut_insert(struct mut *m, size_t at, const char *with)
{
    return mut_splice(m, at, at, with, strlen(with));
}

bool mut_replace(struct mut *m, struct span s, const char *with)
{
    return mut_splice(m, s.from, s.to, with, strlen(with));
}

void mut_drop(struct mut *m, struct span s)
{
    resize(m, s.from, s.to, 0);
}

bool mut_copy(struct mut *m, struct span s, size_t at)
{
    size_t n = s.to - s.from;
    if (!resize(m, at, at, n))
        return false;
    memcpy(m->p + at, m->p + (at <= s.from ? s.from + n : s.from), n);
    return true;
}

static void reverse(uint8_t *p, struct span s)
{
    while (s.from + 1 < s.to) {
        uint8_t ch = p[s.from];
        p[s.from++] = p[--s.to];
        p[s.to] = ch;
    }
}

void mut_swap(struct mut *m, struct span a, struct span b)
{
    size_t an = a.to - a.from, bn = b.to - b.from;
    reverse(m->p, (struct span){a.from, b.to});
    reverse(m->p, (struct span){a.from, a.from + bn});
    reverse(m->p, (struct span){a.from + bn, b.to - an});
    reverse(m->p, (struct span){b.to - an, b.to});
}

void mut_octets(struct mut *m, struct span s)
{
    static const uint8_t interesting[] = {0,   '\t', '\n', '\r', ' ',  '"',  '%',  ',',  ':',
                                          ';', '<',  '>',  '@',  '\\', 0x7F, 0x80, 0xC3, 0xFF};
    size_t n = s.to - s.from, at = s.from + mut_below(m, n + 1);
    size_t some = 1 + mut_below(m, mut_chance(m, 192) ? 4 : 64);
    size_t end = s.to - at < some ? s.to : at + some;
    uint8_t ch = mut_chance(m, 128) ? interesting[mut_below(m, sizeof interesting)]
                                    : (uint8_t)mut_below(m, 256);
    switch (mut_below(m, 6)) {
    case 0:
        if (at < s.to)
            m->p[at] ^= (uint8_t)(1U << mut_below(m, 8));
        break;
    case 1:
        if (at < s.to)
            m->p[at] = ch;
        break;
    case 2:
        mut_splice(m, at, at, &ch, 1);
        break;
    case 3:
        if (end - at < n)
            mut_drop(m, (struct span){at, end});
        break;
    case 4:
        mut_copy(m, (struct span){at, end}, mut_chance(m, 128) ? end : s.from);
        break;
    default:
        if (m->other.n > 0) {
            size_t from = mut_below(m, m->other.n);
            if (some > m->other.n - from)
                some = m->other.n - from;
            mut_splice(m, at, mut_chance(m, 128) ? end : at, m->other.p + from, some);
        } else {
            mut_splice(m, at, at, "\0\0\0\0\0\0\0\0", 1 + mut_below(m, 8));
        }
    }
}

void mut_number(struct mut *m, struct span s)
{
    static const char *const sound[] = {"0", "1", "2", "69", "70", "255"};
    static const char *const limits[] = {"256",
                                         "65535",
                                         "65536",
                                         "2147483647",
                                         "2147483648",
                                         "4294967295",
                                         "4294967296",
                                         "4294967297",
                                         "9223372036854775807",
                                         "9223372036854775808",
                                         "18446744073709551615",
                                         "18446744073709551616",
                                         "18446744073709551617",
                                         "-1",
                                         "+1",
                                         "1.5",
                                         "",
                                         "00000000000000000000000000000000000000001"};
    size_t n = s.to - s.from, at = s.from + mut_below(m, n), tries = 0;
    while (tries < n && !mut_is_digit(m->p[at])) {
        at = at + 1 < s.to ? at + 1 : s.from;
        tries++;
    }
    if (tries == n)
        return;
    struct span run = {at, at + 1};
    while (run.from > s.from && mut_is_digit(m->p[run.from - 1]))
        run.from--;
    while (run.to < s.to && mut_is_digit(m->p[run.to]))
        run.to++;
    size_t how = mut_below(m, m->sound ? 2 : 4);
    if (how == 0)
        m->p[at] = (uint8_t)('0' + mut_below(m, 10));
    else if (how == 1)
        mut_replace(m, run, sound[mut_below(m, COUNT(sound))]);
    else if (how == 2)
        mut_insert(m, run.from, "0");
    else
        mut_replace(m, run, limits[mut_below(m, COUNT(limits))]);
}

/* ---- looking --------------------------------------------------------------------------------- */

bool mut_is_digit(uint8_t ch)
{
    return ch >= '0' && ch <= '9';
}

bool mut_is_letter(uint8_t ch)
{
    return (ch | 0x20) >= 'a' && (ch | 0x20) <= 'z';
}

bool mut_is(const uint8_t *p, struct span s, const char *word)
{
    size_t i = 0, n = s.to - s.from;
    while (i < n && word[i]) {
        uint8_t a = p[s.from + i], b = (uint8_t)word[i];
        if (a != b && !((a ^ b) == 0x20 && mut_is_letter(a)))
            return false;
        i++;
    }
    return i == n && !word[i];
}

size_t mut_find(const uint8_t *p, struct span s, uint8_t ch)
{
    const uint8_t *at = s.to > s.from ? memchr(p + s.from, ch, s.to - s.from) : NULL;
    return at ? (size_t)(at - p) : s.to;
}

size_t mut_split(const uint8_t *p, struct span s, uint8_t sep, struct span *parts, size_t cap)
{
    size_t n = 0, begin = s.from;
    bool quoted = false, angled = false;
    for (size_t i = s.from; i < s.to && n + 1 < cap; i++) {
        if (quoted && p[i] == '\\')
            i++;
        else if (p[i] == '"')
            quoted = !quoted;
        else if (!quoted && (p[i] == '<' || p[i] == '>'))
            angled = p[i] == '<';
        else if (!quoted && !angled && p[i] == sep) {
            parts[n++] = (struct span){begin, i};
            begin = i + 1;
        }
    }
    parts[n++] = (struct span){begin, s.to};
    return n;
}

enum { PARTS = 80 };

/* A part that `sep` separates of a random line of the other text. */
static void take_part(struct mut *m, size_t at, uint8_t sep)
{
    struct span parts[PARTS], line = {mut_below(m, m->other.n), 0};
    while (line.from > 0 && m->other.p[line.from - 1] != '\n')
        line.from--;
    line.to = line.from;
    while (line.to < m->other.n && m->other.p[line.to] != '\r' && m->other.p[line.to] != '\n')
        line.to++;
    struct span s = parts[mut_below(m, mut_split(m->other.p, line, sep, parts, PARTS))];
    if (s.to > s.from && mut_splice(m, at, at, m->other.p + s.from, s.to - s.from))
        mut_splice(m, at, at, &sep, 1);
}

void mut_parts(struct mut *m, struct span s, uint8_t sep)
{
    struct span parts[PARTS];
    size_t n = mut_split(m->p, s, sep, parts, PARTS);
    size_t i = mut_below(m, n), j = mut_below(m, n);
    struct span all = {parts[i].from, s.to};
    if (m->other.p && mut_chance(m, 128)) {
        take_part(m, parts[i].to, sep);
        return;
    }
    switch (mut_below(m, m->sound ? 3 : 5)) {
    case 0:
        if (mut_copy(m, parts[i], parts[i].to))
            mut_splice(m, parts[i].to, parts[i].to, &sep, 1);
        break;
    case 1:
        if (n > 1)
            mut_without_part(m, s, sep, 0, &i);
        break;
    case 2:
        if (i != j)
            mut_swap(m, parts[i < j ? i : j], parts[i < j ? j : i]);
        break;
    case 3:
        mut_splice(m, parts[i].to, parts[i].to, &sep, 1);
        break;
    default: /* until some limit on their number is passed */
        for (; n < PARTS; n *= 2) {
            size_t before = m->n;
            if (!mut_copy(m, all, all.to) || !mut_splice(m, all.to, all.to, &sep, 1))
                break;
            all.to += m->n - before;
        }
    }
}

bool mut_without_part(struct mut *m, struct span s, uint8_t sep, size_t keep, size_t *k)
{
    struct span parts[PARTS];
    size_t n = mut_split(m->p, s, sep, parts, PARTS);
    if (n == 1)
        return false;
    if (*k >= n - keep) {
        *k -= n - keep;
        return false;
    }
    size_t i = *k + keep;
    mut_drop(m, i > 0 ? (struct span){parts[i - 1].to, parts[i].to}
                      : (struct span){parts[0].from, parts[1].from});
    return true;
}

bool mut_without_tail(struct mut *m, struct span s, size_t *k)
{
    for (size_t n = (s.to - s.from + 1) / 2; n > 0; n /= 2) {
        if ((*k)-- == 0) {
            mut_drop(m, (struct span){s.to - n, s.to});
            return true;
        }
    }
    return false;
}

/* ---- the targets ----------------------------------------------------------------------------- */

/* The octets of switches in front, as the targets' pages say; a connection has cuts behind them. */
static const size_t switches[MUTATE_TARGETS] = {
    [MUTATE_uri] = 1, [MUTATE_field] = 0,       [MUTATE_msg] = 0,         [MUTATE_http] = 3,
    [MUTATE_ws] = 1,  [MUTATE_conn_server] = 2, [MUTATE_conn_client] = 2,
};

static bool is_conn(enum mutate_target target)
{
    return target == MUTATE_conn_server || target == MUTATE_conn_client;
}

/* Where the input proper begins. Makes the input long enough for that if it can. */
static bool begin(struct mut *m, enum mutate_target target, size_t *at)
{
    *at = switches[target];
    if (m->n < *at && !mut_splice(m, m->n, m->n, "\0\0\0", *at - m->n))
        return false;
    if (is_conn(target)) {
        if (m->p[1] > m->n - *at)
            m->p[1] = 0;
        *at += m->p[1];
    }
    return true;
}

static void mutate_cuts(struct mut *m)
{
    size_t end = 2 + (size_t)m->p[1];
    uint8_t ch = (uint8_t)(mut_chance(m, 192) ? 1 + mut_below(m, 16) : mut_below(m, 256));
    size_t at = 2 + mut_below(m, end - 1);
    if (m->p[1] > 0 && mut_chance(m, 85)) {
        mut_drop(m, (struct span){2, 3});
        m->p[1]--;
    } else if (at < end && mut_chance(m, 128)) {
        m->p[at] = ch;
    } else if (m->p[1] < 255 && mut_splice(m, at, at, &ch, 1)) {
        m->p[1]++;
    }
}

/* Switches of which an input stays as good: TLS and leniencies change what is right. */
static void mutate_switches(struct mut *m, enum mutate_target target)
{
    size_t i = mut_below(m, switches[target]);
    if (is_conn(target) && (m->sound || i == 1))
        mutate_cuts(m);
    else if (target == MUTATE_ws && m->sound)
        m->p[0] ^= (uint8_t)(mut_below(m, 32) << 3);
    else if (target == MUTATE_http && m->sound)
        m->p[2] = (uint8_t)mut_below(m, 256);
    else if (!m->sound)
        m->p[i] ^= (uint8_t)(1U << mut_below(m, is_conn(target) ? 4 : 8));
}

static void mutate_conn(struct mut *m, enum mutate_target target, struct span s)
{
    struct span head = {s.from, mut_head_end(m->p, s)};
    struct text other = m->other;
    if (mut_chance(m, 48)) {
        mut_http(m, head);
        return;
    }
    if (other.p) {
        size_t n = mut_head_end(other.p, (struct span){0, other.n});
        m->other = (struct text){other.p + n, other.n - n};
    }
    mut_ws(m, (struct span){head.to, s.to}, target == MUTATE_conn_server);
    m->other = other;
}

static void mutate_once(struct mut *m, enum mutate_target target)
{
    struct span s = {0, m->n};
    if (!begin(m, target, &s.from)) {
        mut_octets(m, (struct span){0, m->n});
        return;
    }
    s.to = m->n;
    if (s.from > 0 && mut_chance(m, 16)) {
        mutate_switches(m, target);
        return;
    }
    switch (target) {
    case MUTATE_uri:
        mut_uri(m, s);
        break;
    case MUTATE_field:
        mut_field(m, s);
        break;
    case MUTATE_msg:
        mut_msg(m, s);
        break;
    case MUTATE_http:
        mut_http(m, s);
        break;
    case MUTATE_ws:
        mut_ws(m, s, !(m->p[0] & 1));
        break;
    case MUTATE_conn_server:
    case MUTATE_conn_client:
        mutate_conn(m, target, s);
        break;
    case MUTATE_TARGETS:
        mut_octets(m, s);
    }
}

size_t mutate(enum mutate_target target, uint8_t *data, size_t n, size_t max, uint64_t seed,
              bool sound)
{
    return mutate_cross(target, data, n, max, NULL, 0, seed, sound);
}

size_t mutate_cross(enum mutate_target target, uint8_t *data, size_t n, size_t max,
                    const uint8_t *other, size_t other_n, uint64_t seed, bool sound)
{
    struct mut m = {data, n < max ? n : max, max, seed, sound, {NULL, 0}};
    size_t skip = switches[target] + (target == MUTATE_field ? 2 : 0);
    if (is_conn(target) && other_n > 1)
        skip += other[1];
    if (other_n > skip)
        m.other = (struct text){other + skip, other_n - skip};
    do
        mutate_once(&m, target);
    while (mut_chance(&m, 96));
    if (m.n == 0 && max > 0)
        mut_insert(&m, 0, "\n");
    return m.n;
}

enum mutate_target mutate_target(const char *name)
{
    static const char *const names[] = {
#define M(name, libfuzzer, afl) #name,
#include "mutate.def"
#undef M
    };
    size_t i = 0;
    while (i < COUNT(names) && strcmp(names[i], name) != 0)
        i++;
    return (enum mutate_target)i;
}

static bool without(struct mut *m, enum mutate_target target, size_t *k)
{
    struct span s = {0, m->n};
    if (m->n < switches[target] || (is_conn(target) && m->p[1] > m->n - 2) ||
        !begin(m, target, &s.from))
        return false;
    switch (target) {
    case MUTATE_uri:
        return mut_without_uri(m, s, k);
    case MUTATE_field:
        return mut_without_field(m, s, k);
    case MUTATE_msg:
    case MUTATE_http:
        return mut_without_msg(m, s, k);
    case MUTATE_ws:
        return mut_without_ws(m, s, k);
    case MUTATE_conn_server:
    case MUTATE_conn_client:
        break;
    case MUTATE_TARGETS:
        return false;
    }
    struct span head = {s.from, mut_head_end(m->p, s)};
    if (mut_without_ws(m, (struct span){head.to, s.to}, k) || mut_without_msg(m, head, k))
        return true;
    size_t cuts = m->p[1];
    if (*k >= cuts) {
        *k -= cuts;
        return false;
    }
    mut_drop(m, (struct span){2 + *k, 3 + *k});
    m->p[1]--;
    return true;
}

bool mutate_without(enum mutate_target target, uint8_t *data, size_t *n, size_t k)
{
    struct mut m = {data, *n, *n, 0, true, {NULL, 0}};
    if (!without(&m, target, &k))
        return false;
    *n = m.n;
    return true;
}

size_t mutate_elements(enum mutate_target target, uint8_t *data, size_t n)
{
    struct mut m = {data, n, n, 0, true, {NULL, 0}};
    size_t k = SIZE_MAX;
    without(&m, target, &k);
    return SIZE_MAX - k;
}

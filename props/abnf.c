#include "abnf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the grammar as nodes -------------------------------------------------------------------- */

enum type {
    CLASS, /* one octet of a set */
    TEXT,  /* octets in a row, each of a set */
    SEQ,
    ALT,
    REP, /* min to max times its child */
    REF, /* a rule */
    PROSE
};

struct set {
    uint64_t w[4];
};

struct node {
    enum type type;
    uint32_t first, n; /* TEXT: sets [first, first + n); SEQ, ALT: kids; REP: its kid */
    uint32_t min, max; /* REP; max UINT32_MAX: without bound */
    uint32_t rule;     /* REF */
    const struct abnf_prose *prose;
    uint32_t shortest; /* octets of the shortest sentence; UINT32_MAX: none is known */
    uint32_t reach;    /* of an alternative: how much there is behind it */
    bool is_class;     /* matches just one octet, of sets[class] */
    uint32_t class;
    uint32_t cover; /* ALT: number of its first alternative among all */
};

struct rule {
    char *name;
    uint32_t def; /* node, or NONE while it is only used */
    unsigned line;
};

#define NONE      UINT32_MAX
#define UNBOUNDED UINT32_MAX

struct abnf {
    struct node *nodes;
    uint32_t *kids;
    struct set *sets;
    struct rule *rules;
    uint32_t node_n, kid_n, set_n, rule_n;
    uint32_t node_cap, kid_cap, set_cap, rule_cap;
    uint32_t alternatives;
};

static void *grow(void *p, uint32_t n, uint32_t *cap, size_t size)
{
    if (n < *cap)
        return p;
    *cap = *cap ? *cap * 2 : 64;
    p = realloc(p, *cap * size);
    if (!p) {
        fputs("abnf: out of memory\n", stderr);
        exit(2);
    }
    return p;
}

static uint32_t node_new(struct abnf *g, struct node n)
{
    g->nodes = grow(g->nodes, g->node_n, &g->node_cap, sizeof *g->nodes);
    n.shortest = UINT32_MAX;
    g->nodes[g->node_n] = n;
    return g->node_n++;
}

static void set_add(struct set *s, unsigned octet)
{
    s->w[octet / 64] |= UINT64_C(1) << octet % 64;
}

static bool set_has(const struct set *s, unsigned char octet)
{
    return s->w[octet / 64] >> octet % 64 & 1;
}

static uint32_t set_new(struct abnf *g, struct set s)
{
    g->sets = grow(g->sets, g->set_n, &g->set_cap, sizeof *g->sets);
    g->sets[g->set_n] = s;
    return g->set_n++;
}

static uint32_t kid_new(struct abnf *g, uint32_t node)
{
    g->kids = grow(g->kids, g->kid_n, &g->kid_cap, sizeof *g->kids);
    g->kids[g->kid_n] = node;
    return g->kid_n++;
}

static char lower(char ch)
{
    return ch >= 'A' && ch <= 'Z' ? (char)(ch | 0x20) : ch;
}

static bool same_name(const char *name, struct sipws_str s)
{
    return sipws_str_ieq((struct sipws_str){name, strlen(name)}, s);
}

static uint32_t rule_of(struct abnf *g, struct sipws_str name, unsigned line)
{
    for (uint32_t i = 0; i < g->rule_n; i++)
        if (same_name(g->rules[i].name, name))
            return i;
    g->rules = grow(g->rules, g->rule_n, &g->rule_cap, sizeof *g->rules);
    char *copy = malloc(name.n + 1);
    if (!copy) {
        fputs("abnf: out of memory\n", stderr);
        exit(2);
    }
    memcpy(copy, name.p, name.n);
    copy[name.n] = '\0';
    g->rules[g->rule_n] = (struct rule){copy, NONE, line};
    return g->rule_n++;
}

/* ---- reading ABNF (RFC 5234 section 4, RFC 7405) --------------------------------------------- */

struct reader {
    struct abnf *g;
    const char *p, *end;
    unsigned line;
    const struct abnf_prose *prose;
    char *error;
    size_t cap;
    unsigned depth;
};

static bool bad(struct reader *r, const char *what)
{
    if (r->error && r->cap > 0 && r->error[0] == '\0')
        snprintf(r->error, r->cap, "line %u: %s", r->line, what);
    return false;
}

/* c-wsp: white space, comments, and line ends that a continuation line follows. */
static void skip(struct reader *r)
{
    while (r->p < r->end) {
        if (*r->p == ' ' || *r->p == '\t') {
            r->p++;
            continue;
        }
        const char *p = r->p;
        if (*p == ';')
            while (p < r->end && *p != '\n')
                p++;
        if (p < r->end && *p == '\r')
            p++;
        if (p == r->end || *p != '\n') {
            if (p == r->end)
                r->p = p;
            return;
        }
        /* Lines with nothing on them are skipped too, so that a rule can have gaps. */
        const char *next = p + 1;
        if (next == r->end || (*next != ' ' && *next != '\t'))
            return;
        r->line++;
        r->p = next;
    }
}

static bool alternation(struct reader *r, uint32_t *out);

static bool name_octet(char ch)
{
    return (lower(ch) >= 'a' && lower(ch) <= 'z') || (ch >= '0' && ch <= '9') || ch == '-';
}

static struct sipws_str rulename(struct reader *r)
{
    const char *start = r->p;
    if (r->p < r->end && lower(*r->p) >= 'a' && lower(*r->p) <= 'z')
        while (r->p < r->end && name_octet(*r->p))
            r->p++;
    return sipws_slice(start, r->p);
}

static bool decimal(struct reader *r, uint32_t *out)
{
    uint32_t value = 0;
    const char *start = r->p;
    for (; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++) {
        if (value > 100000)
            return bad(r, "a repetition above 1000000");
        value = value * 10 + (uint32_t)(*r->p - '0');
    }
    *out = value;
    return r->p > start;
}

static uint32_t text_node(struct abnf *g, uint32_t first, uint32_t n)
{
    if (n == 1)
        return node_new(g, (struct node){.type = CLASS, .is_class = true, .class = first});
    return node_new(g, (struct node){.type = TEXT, .first = first, .n = n});
}

/* "…": without regard to case, unless %s stands before it. */
static bool quoted(struct reader *r, bool case_sensitive, uint32_t *out)
{
    uint32_t first = r->g->set_n;
    for (r->p++; r->p < r->end && *r->p != '"'; r->p++) {
        struct set s = {{0}};
        if (*r->p < ' ' || *r->p > '~')
            return bad(r, "an octet that may not stand in a quoted string");
        set_add(&s, (unsigned char)*r->p);
        if (!case_sensitive && lower(*r->p) >= 'a' && lower(*r->p) <= 'z') {
            set_add(&s, (unsigned char)lower(*r->p));
            set_add(&s, (unsigned char)lower(*r->p) - 0x20u);
        }
        set_new(r->g, s);
    }
    if (r->p == r->end)
        return bad(r, "a quoted string without end");
    r->p++;
    *out = text_node(r->g, first, r->g->set_n - first);
    return true;
}

static bool digits(struct reader *r, unsigned base, unsigned *out)
{
    unsigned value = 0;
    const char *start = r->p;
    for (; r->p < r->end; r->p++) {
        char ch = lower(*r->p);
        unsigned digit = ch >= '0' && ch <= '9'   ? (unsigned)(ch - '0')
                         : ch >= 'a' && ch <= 'f' ? (unsigned)(ch - 'a') + 10
                                                  : 99;
        if (digit >= base)
            break;
        value = value * base + digit;
        if (value > 255)
            return bad(r, "a number above 255: this engine knows octets");
    }
    *out = value;
    return r->p > start || bad(r, "digits are missing");
}

/* %x41, %x41-5A, %x0D.0A */
static bool num_val(struct reader *r, uint32_t *out)
{
    char kind = r->p < r->end ? lower(*r->p) : '\0';
    unsigned base = kind == 'x' ? 16 : kind == 'd' ? 10 : kind == 'b' ? 2 : 0;
    unsigned value, last;
    if ((kind == 's' || kind == 'i') && r->end - r->p > 1 && r->p[1] == '"') {
        r->p++;
        return quoted(r, kind == 's', out);
    }
    if (base == 0)
        return bad(r, "% without x, d, b, s or i");
    r->p++;
    if (!digits(r, base, &value))
        return false;
    struct set s = {{0}};
    set_add(&s, value);
    if (r->p < r->end && *r->p == '-') {
        r->p++;
        if (!digits(r, base, &last))
            return false;
        if (last < value)
            return bad(r, "a range that ends before it starts");
        for (unsigned i = value; i <= last; i++)
            set_add(&s, i);
        *out = text_node(r->g, set_new(r->g, s), 1);
        return true;
    }
    uint32_t first = set_new(r->g, s);
    while (r->p < r->end && *r->p == '.') {
        r->p++;
        if (!digits(r, base, &value))
            return false;
        s = (struct set){{0}};
        set_add(&s, value);
        set_new(r->g, s);
    }
    *out = text_node(r->g, first, r->g->set_n - first);
    return true;
}

static bool prose_val(struct reader *r, uint32_t *out)
{
    const char *start = ++r->p;
    while (r->p < r->end && *r->p != '>' && *r->p != '\n')
        r->p++;
    if (r->p == r->end || *r->p != '>')
        return bad(r, "a prose value without end");
    struct sipws_str text = sipws_slice(start, r->p++);
    for (const struct abnf_prose *b = r->prose; b && b->text; b++)
        if (sipws_str_eq(text, (struct sipws_str){b->text, strlen(b->text)})) {
            *out = node_new(r->g, (struct node){.type = PROSE, .prose = b});
            return true;
        }
    return bad(r, "a prose value that nothing is bound to");
}

/* element, or option as a repetition */
static bool element(struct reader *r, uint32_t *out)
{
    char ch = r->p < r->end ? *r->p : '\0';
    if (ch == '(' || ch == '[') {
        if (++r->depth > 100)
            return bad(r, "groups nest too deeply");
        r->p++;
        if (!alternation(r, out))
            return false;
        r->depth--;
        skip(r);
        if (r->p == r->end || *r->p != (ch == '(' ? ')' : ']'))
            return bad(r, "a group or option without end");
        r->p++;
        if (ch == '[')
            *out =
                node_new(r->g, (struct node){.type = REP, .first = kid_new(r->g, *out), .max = 1});
        return true;
    }
    if (ch == '"')
        return quoted(r, false, out);
    if (ch == '%') {
        r->p++;
        return num_val(r, out);
    }
    if (ch == '<')
        return prose_val(r, out);
    struct sipws_str name = rulename(r);
    if (name.n == 0)
        return bad(r, "an element is missing");
    uint32_t rule = rule_of(r->g, name, r->line);
    *out = node_new(r->g, (struct node){.type = REF, .rule = rule});
    return true;
}

/* [repeat] element */
static bool repetition(struct reader *r, uint32_t *out)
{
    uint32_t min = 0, max = UNBOUNDED, number;
    bool some = decimal(r, &number), star = r->p < r->end && *r->p == '*';
    if (star) {
        min = some ? number : 0;
        r->p++;
        if (decimal(r, &number))
            max = number;
    } else if (some) {
        min = max = number;
    }
    if (!element(r, out))
        return false;
    if (max < min)
        return bad(r, "a repetition of at least more than at most");
    if (star || some)
        *out = node_new(
            r->g, (struct node){.type = REP, .first = kid_new(r->g, *out), .min = min, .max = max});
    return true;
}

/* The nodes of a list become kids in a row. */
static uint32_t list_node(struct abnf *g, enum type type, const uint32_t *list, uint32_t n)
{
    if (n == 1)
        return list[0];
    uint32_t first = g->kid_n;
    for (uint32_t i = 0; i < n; i++)
        kid_new(g, list[i]);
    return node_new(g, (struct node){.type = type, .first = first, .n = n});
}

enum { LIST = 256 };

static bool concatenation(struct reader *r, uint32_t *out)
{
    uint32_t list[LIST], n = 0;
    do {
        if (n == LIST)
            return bad(r, "a concatenation of more than 256 elements");
        if (!repetition(r, &list[n++]))
            return false;
        skip(r);
    } while (r->p < r->end && *r->p != '/' && *r->p != ')' && *r->p != ']' && *r->p != '\r' &&
             *r->p != '\n' && *r->p != ';');
    *out = list_node(r->g, SEQ, list, n);
    return true;
}

static bool alternation(struct reader *r, uint32_t *out)
{
    uint32_t list[LIST], n = 0;
    for (;;) {
        skip(r);
        if (n == LIST)
            return bad(r, "more than 256 alternatives");
        if (!concatenation(r, &list[n++]))
            return false;
        skip(r);
        if (r->p == r->end || *r->p != '/')
            break;
        r->p++;
    }
    *out = list_node(r->g, ALT, list, n);
    return true;
}

/* rulename defined-as elements */
static bool rule(struct reader *r)
{
    struct sipws_str name = rulename(r);
    if (name.n == 0)
        return bad(r, "a rule name is missing at the start of the line");
    uint32_t id = rule_of(r->g, name, r->line), def;
    skip(r);
    if (r->p == r->end || *r->p != '=')
        return bad(r, "= is missing behind the rule name");
    r->p++;
    bool more = r->p < r->end && *r->p == '/';
    r->p += more;
    uint32_t old = r->g->rules[id].def;
    if (more && old == NONE)
        return bad(r, "=/ adds to a rule that is not there yet");
    if (!more && old != NONE)
        return bad(r, "a rule is defined twice");
    r->g->rules[id].line = r->line;
    if (!alternation(r, &def))
        return false;
    skip(r);
    r->g->rules[id].def = more ? list_node(r->g, ALT, (uint32_t[]){old, def}, 2) : def;
    return true;
}

static bool rulelist(struct reader *r)
{
    while (r->p < r->end) {
        if (*r->p == '\n') {
            r->line++;
            r->p++;
        } else if (*r->p == ' ' || *r->p == '\t' || *r->p == '\r') {
            r->p++;
        } else if (*r->p == ';') {
            while (r->p < r->end && *r->p != '\n')
                r->p++;
        } else {
            if (!rule(r))
                return false;
            if (r->p < r->end && *r->p != '\r' && *r->p != '\n' && *r->p != ';')
                return bad(r, "what follows the rule does not belong to it");
        }
    }
    return true;
}

static const char core_rules[] = "ALPHA = %x41-5A / %x61-7A\n"
                                 "BIT = %x30-31\n"
                                 "CHAR = %x01-7F\n"
                                 "CR = %x0D\n"
                                 "CRLF = %x0D.0A\n"
                                 "CTL = %x00-1F / %x7F\n"
                                 "DIGIT = %x30-39\n"
                                 "DQUOTE = %x22\n"
                                 "HEXDIG = DIGIT / %x41-46 / %x61-66\n"
                                 "HTAB = %x09\n"
                                 "LF = %x0A\n"
                                 "OCTET = %x00-FF\n"
                                 "SP = %x20\n"
                                 "VCHAR = %x21-7E\n"
                                 "WSP = %x20 / %x09\n";

/* ---- facts of nodes -------------------------------------------------------------------------- */

static const struct node *kid(const struct abnf *g, const struct node *n, uint32_t i)
{
    return &g->nodes[g->kids[n->first + i]];
}

static const struct node *def_of(const struct abnf *g, const struct node *ref)
{
    return &g->nodes[g->rules[ref->rule].def];
}

static uint32_t add_sat(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

static uint32_t shortest_of(const struct abnf *g, const struct node *n)
{
    uint64_t sum = 0;
    uint32_t best = UINT32_MAX;
    switch (n->type) {
    case CLASS:
        return 1;
    case TEXT:
        return n->n;
    case SEQ:
        for (uint32_t i = 0; i < n->n; i++) {
            if (kid(g, n, i)->shortest == UINT32_MAX)
                return UINT32_MAX;
            sum += kid(g, n, i)->shortest;
        }
        return sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX - 1;
    case ALT:
        for (uint32_t i = 0; i < n->n; i++)
            best = kid(g, n, i)->shortest < best ? kid(g, n, i)->shortest : best;
        return best;
    case REP:
        if (n->min == 0)
            return 0;
        sum = (uint64_t)kid(g, n, 0)->shortest * n->min;
        return kid(g, n, 0)->shortest == UINT32_MAX ? UINT32_MAX
               : sum < UINT32_MAX                   ? (uint32_t)sum
                                                    : UINT32_MAX - 1;
    case REF:
        return def_of(g, n)->shortest;
    case PROSE:
        return 1;
    }
    return UINT32_MAX;
}

/* Marks what matches one octet of a set, so that it needs no descent. */
static bool class_of(const struct abnf *g, const struct node *n, struct set *out)
{
    if (n->is_class) {
        *out = g->sets[n->class];
        return true;
    }
    if (n->type == REF && def_of(g, n)->is_class) {
        *out = g->sets[def_of(g, n)->class];
        return true;
    }
    if (n->type != ALT)
        return false;
    *out = (struct set){{0}};
    for (uint32_t i = 0; i < n->n; i++) {
        if (!kid(g, n, i)->is_class)
            return false;
        for (int k = 0; k < 4; k++)
            out->w[k] |= g->sets[kid(g, n, i)->class].w[k];
    }
    return true;
}

/* How much there is behind a node: alternatives, counted as a tree, but a rule within itself not
 * again. */
static uint32_t reach_of(const struct abnf *g, const struct node *n)
{
    uint32_t sum = 0;
    switch (n->type) {
    case CLASS:
    case TEXT:
    case PROSE:
        return 1;
    case SEQ:
    case ALT:
        for (uint32_t i = 0; i < n->n; i++)
            sum = add_sat(sum, kid(g, n, i)->reach);
        return sum;
    case REP:
        return kid(g, n, 0)->reach;
    case REF:
        return def_of(g, n)->reach;
    }
    return 1;
}

static bool settle(struct abnf *g)
{
    bool again = true;
    while (again) {
        again = false;
        for (uint32_t i = 0; i < g->node_n; i++) {
            struct node *n = &g->nodes[i];
            uint32_t shortest = shortest_of(g, n);
            struct set s;
            if (shortest < n->shortest) {
                n->shortest = shortest;
                again = true;
            }
            if (!n->is_class && class_of(g, n, &s)) {
                n->class = set_new(g, s);
                n->is_class = true;
                again = true;
            }
        }
    }
    for (int round = 0; round < 12; round++)
        for (uint32_t i = 0; i < g->node_n; i++) {
            uint32_t reach = reach_of(g, &g->nodes[i]);
            g->nodes[i].reach = reach < 1 ? 1 : reach > 4096 ? 4096 : reach;
        }
    g->alternatives = 0;
    for (uint32_t i = 0; i < g->node_n; i++)
        if (g->nodes[i].type == ALT) {
            g->nodes[i].cover = g->alternatives;
            g->alternatives += g->nodes[i].n;
        }
    return true;
}

/* Whether `node` can come to `rule` before it has read an octet. */
static bool left_reaches(const struct abnf *g, uint32_t node, uint32_t target, bool *seen)
{
    const struct node *n = &g->nodes[node];
    switch (n->type) {
    case CLASS:
    case TEXT:
    case PROSE:
        return false;
    case SEQ:
        for (uint32_t i = 0; i < n->n; i++) {
            if (left_reaches(g, g->kids[n->first + i], target, seen))
                return true;
            if (kid(g, n, i)->shortest > 0)
                return false;
        }
        return false;
    case ALT:
        for (uint32_t i = 0; i < n->n; i++)
            if (left_reaches(g, g->kids[n->first + i], target, seen))
                return true;
        return false;
    case REP:
        return left_reaches(g, g->kids[n->first], target, seen);
    case REF:
        if (n->rule == target)
            return true;
        if (seen[n->rule])
            return false;
        seen[n->rule] = true;
        return left_reaches(g, g->rules[n->rule].def, target, seen);
    }
    return false;
}

static bool sound(struct abnf *g, char *error, size_t cap)
{
    bool *seen = calloc(g->rule_n + 1, sizeof *seen);
    bool ok = seen != NULL;
    for (uint32_t i = 0; ok && i < g->rule_n; i++)
        if (g->rules[i].def == NONE) {
            snprintf(error, cap, "line %u: %s is used and not defined", g->rules[i].line,
                     g->rules[i].name);
            ok = false;
        }
    ok = ok && settle(g);
    for (uint32_t i = 0; ok && i < g->rule_n; i++) {
        memset(seen, 0, g->rule_n * sizeof *seen);
        if (g->nodes[g->rules[i].def].shortest == UINT32_MAX) {
            snprintf(error, cap, "line %u: %s has no finite sentence", g->rules[i].line,
                     g->rules[i].name);
            ok = false;
        } else if (left_reaches(g, g->rules[i].def, i, seen)) {
            snprintf(error, cap, "line %u: %s is left-recursive", g->rules[i].line,
                     g->rules[i].name);
            ok = false;
        }
    }
    free(seen);
    return ok;
}

struct abnf *abnf_load(struct sipws_str text, const struct abnf_prose *prose, char *error,
                       size_t cap)
{
    struct abnf *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    assert(error && cap > 0);
    error[0] = '\0';
    struct reader core = {.g = g,
                          .p = core_rules,
                          .end = core_rules + sizeof core_rules - 1,
                          .line = 1,
                          .error = error,
                          .cap = cap};
    struct reader r = {.g = g,
                       .p = text.p,
                       .end = text.n ? text.p + text.n : text.p,
                       .line = 1,
                       .prose = prose,
                       .error = error,
                       .cap = cap};
    if (rulelist(&core) && rulelist(&r) && sound(g, error, cap))
        return g;
    abnf_free(g);
    return NULL;
}

void abnf_free(struct abnf *g)
{
    if (!g)
        return;
    for (uint32_t i = 0; i < g->rule_n; i++)
        free(g->rules[i].name);
    free(g->rules);
    free(g->sets);
    free(g->kids);
    free(g->nodes);
    free(g);
}

int abnf_rule(const struct abnf *g, const char *name)
{
    for (uint32_t i = 0; i < g->rule_n; i++)
        if (same_name(g->rules[i].name, (struct sipws_str){name, strlen(name)}))
            return (int)i;
    return -1;
}

int abnf_rules(const struct abnf *g)
{
    return (int)g->rule_n;
}

struct sipws_str abnf_rule_name(const struct abnf *g, int rule_id)
{
    const char *name = g->rules[rule_id].name;
    return (struct sipws_str){name, strlen(name)};
}

/* Marks every rule, and in `alts` (may be NULL) every alternation, beneath a node. */
static void mark(const struct abnf *g, uint32_t node, bool *rules, bool *alts)
{
    const struct node *n = &g->nodes[node];
    if (n->type == REF) {
        if (!rules[n->rule]) {
            rules[n->rule] = true;
            mark(g, g->rules[n->rule].def, rules, alts);
        }
        return;
    }
    if (n->type == ALT && alts)
        alts[node] = true;
    uint32_t kids = n->type == SEQ || n->type == ALT ? n->n : n->type == REP ? 1 : 0;
    for (uint32_t i = 0; i < kids; i++)
        mark(g, g->kids[n->first + i], rules, alts);
}

bool abnf_reaches(const struct abnf *g, int from, int to)
{
    bool *rules = calloc(g->rule_n, sizeof *rules);
    if (!rules)
        return false;
    rules[from] = true;
    mark(g, g->rules[from].def, rules, NULL);
    bool yes = rules[to];
    free(rules);
    return yes;
}

/* ---- recognising ----------------------------------------------------------------------------- */

/* Sets of positions 0 to n are bit strings of `words` words. */
struct abnf_matcher {
    const struct abnf *g;
    size_t max, words, used; /* words for the current input */
    uint64_t *memo;          /* [rule][position]: the ends */
    uint32_t *stamp;         /* [rule][position]: in which call memo was computed */
    uint32_t call;
    uint64_t *stack; /* temporary sets */
    size_t stack_n;
    const unsigned char *in;
    size_t n, far;
    uint64_t bound, budget; /* steps in all, and those that are left */
    bool undecided;
};

enum { STACK_SETS = 20000, BUDGET = 16000000 };

struct abnf_matcher *abnf_matcher_new(const struct abnf *g, size_t max)
{
    struct abnf_matcher *m = calloc(1, sizeof *m);
    size_t cells = g->rule_n * (max + 1);
    if (!m)
        return NULL;
    m->g = g;
    m->max = max;
    m->bound = BUDGET;
    m->words = max / 64 + 1;
    m->memo = malloc(cells * m->words * sizeof *m->memo);
    m->stamp = calloc(cells, sizeof *m->stamp);
    m->stack = malloc(STACK_SETS * m->words * sizeof *m->stack);
    if (!m->memo || !m->stamp || !m->stack) {
        abnf_matcher_free(m);
        return NULL;
    }
    return m;
}

void abnf_matcher_free(struct abnf_matcher *m)
{
    if (!m)
        return;
    free(m->memo);
    free(m->stamp);
    free(m->stack);
    free(m);
}

void abnf_matcher_bound(struct abnf_matcher *m, uint64_t steps)
{
    m->bound = steps;
}

static bool has(const uint64_t *set, size_t at)
{
    return set[at / 64] >> at % 64 & 1;
}
static void add(uint64_t *set, size_t at)
{
    set[at / 64] |= UINT64_C(1) << at % 64;
}

static bool empty(const struct abnf_matcher *m, const uint64_t *set)
{
    for (size_t i = 0; i < m->used; i++)
        if (set[i])
            return false;
    return true;
}

static void unite(const struct abnf_matcher *m, uint64_t *to, const uint64_t *from)
{
    for (size_t i = 0; i < m->used; i++)
        to[i] |= from[i];
}

/* The first position of the set from `at` on, or SIZE_MAX. */
static size_t next_of(const struct abnf_matcher *m, const uint64_t *set, size_t at)
{
    for (size_t w = at / 64; w < m->used; w++) {
        uint64_t bits = set[w];
        if (w == at / 64)
            bits &= UINT64_MAX << at % 64;
        if (bits)
            return w * 64 + (size_t)__builtin_ctzll(bits);
    }
    return SIZE_MAX;
}

/* A temporary empty set, or NULL when the bounds are reached. */
static uint64_t *push(struct abnf_matcher *m)
{
    if (m->stack_n == STACK_SETS * m->used) {
        m->undecided = true;
        return NULL;
    }
    uint64_t *set = m->stack + m->stack_n;
    m->stack_n += m->used;
    memset(set, 0, m->used * sizeof *set);
    return set;
}

static void pop(struct abnf_matcher *m)
{
    m->stack_n -= m->used;
}

static void ends(struct abnf_matcher *m, uint32_t node, const uint64_t *starts, uint64_t *out);

static void reached(struct abnf_matcher *m, size_t at)
{
    if (at > m->far)
        m->far = at;
}

static void class_ends(struct abnf_matcher *m, const struct set *s, const uint64_t *starts,
                       uint64_t *out)
{
    for (size_t at = next_of(m, starts, 0); at < m->n; at = next_of(m, starts, at + 1))
        if (set_has(s, m->in[at])) {
            add(out, at + 1);
            reached(m, at + 1);
        }
}

static void text_ends(struct abnf_matcher *m, const struct node *n, const uint64_t *starts,
                      uint64_t *out)
{
    for (size_t at = next_of(m, starts, 0); at != SIZE_MAX; at = next_of(m, starts, at + 1)) {
        uint32_t k = 0;
        while (k < n->n && at + k < m->n && set_has(&m->g->sets[n->first + k], m->in[at + k]))
            k++;
        reached(m, at + k);
        if (k == n->n)
            add(out, at + k);
    }
}

static void seq_ends(struct abnf_matcher *m, const struct node *n, const uint64_t *starts,
                     uint64_t *out)
{
    uint64_t *a = push(m), *b = push(m);
    if (a && b) {
        memcpy(a, starts, m->used * sizeof *a);
        for (uint32_t i = 0; i < n->n && !empty(m, a); i++) {
            memset(b, 0, m->used * sizeof *b);
            ends(m, m->g->kids[n->first + i], a, b);
            uint64_t *swap = a;
            a = b;
            b = swap;
        }
        unite(m, out, a);
        pop(m);
        pop(m);
    }
}

static void rep_ends(struct abnf_matcher *m, const struct node *n, const uint64_t *starts,
                     uint64_t *out)
{
    uint64_t *a = push(m), *b = push(m), *seen = push(m);
    uint32_t i = 0;
    if (!a || !b || !seen)
        return;
    memcpy(a, starts, m->used * sizeof *a);
    for (; i < n->min && !empty(m, a) && !m->undecided; i++) {
        memset(b, 0, m->used * sizeof *b);
        ends(m, m->g->kids[n->first], a, b);
        uint64_t *swap = a;
        a = b;
        b = swap;
    }
    /* From here on a position that was reached with fewer repetitions can do all that it can do
     * with more. */
    while (!empty(m, a)) {
        unite(m, out, a);
        unite(m, seen, a);
        if (i == n->max)
            break;
        i += n->max != UNBOUNDED;
        memset(b, 0, m->used * sizeof *b);
        ends(m, m->g->kids[n->first], a, b);
        for (size_t w = 0; w < m->used; w++)
            a[w] = b[w] & ~seen[w];
    }
    pop(m);
    pop(m);
    pop(m);
}

static void ref_ends(struct abnf_matcher *m, const struct node *n, const uint64_t *starts,
                     uint64_t *out)
{
    for (size_t at = next_of(m, starts, 0); at != SIZE_MAX; at = next_of(m, starts, at + 1)) {
        size_t cell = n->rule * (m->max + 1) + at;
        uint64_t *memo = m->memo + cell * m->words;
        if (m->stamp[cell] != m->call) {
            uint64_t *one = push(m), *sum = push(m);
            if (!one || !sum)
                return;
            add(one, at);
            ends(m, m->g->rules[n->rule].def, one, sum);
            memcpy(memo, sum, m->used * sizeof *memo);
            m->stamp[cell] = m->call;
            pop(m);
            pop(m);
        }
        unite(m, out, memo);
    }
}

/* Adds to `out` every position where `node` can end that starts at one of `starts`. */
static void ends(struct abnf_matcher *m, uint32_t node, const uint64_t *starts, uint64_t *out)
{
    const struct node *n = &m->g->nodes[node];
    if (m->budget == 0)
        m->undecided = true;
    if (m->undecided)
        return;
    m->budget--;
    if (n->is_class) {
        class_ends(m, &m->g->sets[n->class], starts, out);
        return;
    }
    switch (n->type) {
    case CLASS:
        break;
    case TEXT:
        text_ends(m, n, starts, out);
        break;
    case SEQ:
        seq_ends(m, n, starts, out);
        break;
    case ALT:
        for (uint32_t i = 0; i < n->n; i++)
            ends(m, m->g->kids[n->first + i], starts, out);
        break;
    case REP:
        rep_ends(m, n, starts, out);
        break;
    case REF:
        ref_ends(m, n, starts, out);
        break;
    case PROSE:
        for (size_t at = next_of(m, starts, 0); at != SIZE_MAX; at = next_of(m, starts, at + 1))
            for (size_t end = at; end <= m->n; end++)
                if (n->prose->is((struct sipws_str){(const char *)m->in + at, end - at})) {
                    add(out, end);
                    reached(m, end);
                }
        break;
    }
}

enum abnf_verdict abnf_match(struct abnf_matcher *m, int rule_id, struct sipws_str s, size_t *far)
{
    if (s.n > m->max)
        return ABNF_UNDECIDED;
    if (++m->call == 0) { /* the stamps would lie */
        memset(m->stamp, 0, m->g->rule_n * (m->max + 1) * sizeof *m->stamp);
        m->call = 1;
    }
    m->in = (const unsigned char *)s.p;
    m->n = s.n;
    m->used = s.n / 64 + 1;
    m->far = 0;
    m->budget = m->bound;
    m->undecided = false;
    m->stack_n = 0;
    uint64_t *start = push(m), *end = push(m);
    add(start, 0);
    ends(m, m->g->rules[rule_id].def, start, end);
    if (m->undecided)
        return ABNF_UNDECIDED;
    if (has(end, s.n))
        return ABNF_ACCEPTED;
    if (far)
        *far = m->far;
    return ABNF_REFUSED;
}

/* ---- generating ------------------------------------------------------------------------------ */

struct abnf_cover {
    const struct abnf *g;
    uint32_t *chosen;
};

struct abnf_cover *abnf_cover_new(const struct abnf *g)
{
    struct abnf_cover *c = calloc(1, sizeof *c);
    if (c) {
        c->g = g;
        c->chosen = calloc(g->alternatives + 1, sizeof *c->chosen);
    }
    if (c && !c->chosen) {
        free(c);
        return NULL;
    }
    return c;
}

void abnf_cover_free(struct abnf_cover *c)
{
    if (c)
        free(c->chosen);
    free(c);
}

void abnf_cover_add(struct abnf_cover *sum, const struct abnf_cover *c)
{
    for (uint32_t i = 0; i < c->g->alternatives; i++)
        sum->chosen[i] = add_sat(sum->chosen[i], c->chosen[i]);
}

unsigned abnf_cover_of(const struct abnf_cover *c, int rule_id, unsigned *chosen,
                       struct sipws_str *missing)
{
    const struct abnf *g = c->g;
    bool *rules = calloc(g->rule_n, sizeof *rules), *alts = calloc(g->node_n, sizeof *alts);
    unsigned all = 0;
    *chosen = 0;
    if (missing)
        *missing = (struct sipws_str){NULL, 0};
    for (int i = rule_id; rules && alts && i >= 0 && (uint32_t)i < g->rule_n; i = -1) {
        rules[i] = true;
        mark(g, g->rules[i].def, rules, alts);
    }
    for (uint32_t r = 0; rules && alts && r < g->rule_n; r++) {
        if (!rules[r])
            continue;
        /* The alternations of this rule alone. */
        bool *none = calloc(g->rule_n, sizeof *none), *own = calloc(g->node_n, sizeof *own);
        if (none && own) {
            memset(none, true, g->rule_n * sizeof *none);
            mark(g, g->rules[r].def, none, own);
        }
        for (uint32_t i = 0; none && own && i < g->node_n; i++)
            for (uint32_t k = 0; own[i] && !g->nodes[i].is_class && k < g->nodes[i].n; k++) {
                bool yes = c->chosen[g->nodes[i].cover + k] > 0;
                all++;
                *chosen += yes;
                if (!yes && missing && !missing->p)
                    *missing = abnf_rule_name(g, (int)r);
            }
        free(none);
        free(own);
    }
    free(rules);
    free(alts);
    return all;
}

struct writer {
    const struct abnf *g;
    struct tape *t;
    size_t size;
    struct sipws_out *o;
    struct abnf_cover *cover;
    struct abnf_trace *trace;
    unsigned depth;
    uint32_t steps; /* that are left */
    bool ok;
};

enum { STEPS = 1000000 };

/* Letters first: the simplest octet of a set is at 0. */
static unsigned char octet_of(const struct set *s, unsigned index)
{
    static const char order[] = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-._";
    for (const char *p = order; *p; p++)
        if (set_has(s, (unsigned char)*p) && index-- == 0)
            return (unsigned char)*p;
    for (unsigned ch = 0; ch < 256; ch++)
        if (!memchr(order, (int)ch, sizeof order - 1) && set_has(s, (unsigned char)ch) &&
            index-- == 0)
            return (unsigned char)ch;
    return 0;
}

static unsigned char put_class(struct writer *w, const struct set *s)
{
    unsigned n = 0;
    for (int i = 0; i < 4; i++)
        n += (unsigned)__builtin_popcountll(s->w[i]);
    unsigned char octet = octet_of(s, tape_below(w->t, n));
    sipws_put_char(w->o, (char)octet);
    return octet;
}

static struct abnf_piece *piece_new(struct writer *w, uint32_t rule_id)
{
    struct abnf_trace *trace = w->trace;
    if (!trace || trace->n == trace->cap)
        return NULL;
    struct abnf_piece *piece = &trace->p[trace->n++];
    *piece = (struct abnf_piece){(int)rule_id, w->o->n, w->o->n};
    return piece;
}

/* The rules beneath a node of one octet that have just written it. */
static void trace_class(struct writer *w, const struct node *n, unsigned char octet)
{
    if (!set_has(&w->g->sets[n->class], octet))
        return;
    if (n->type == REF) {
        struct abnf_piece *piece = piece_new(w, n->rule);
        if (piece)
            piece->from--;
        trace_class(w, def_of(w->g, n), octet);
    }
    for (uint32_t i = 0; n->type == ALT && i < n->n; i++)
        trace_class(w, kid(w->g, n, i), octet);
}

static void put_node(struct writer *w, uint32_t node);

/* Whether it is time to come to an end. */
static bool late(const struct writer *w)
{
    return w->o->n >= w->size || w->depth > 60;
}

/* As a number has digits: what has a thousand times as much behind it is ten times as likely, so
 * that nothing is rare. */
static uint32_t weight(const struct node *n)
{
    uint32_t bits = 0;
    for (uint32_t reach = n->reach; reach > 0; reach /= 2)
        bits++;
    return bits;
}

static void put_alt(struct writer *w, const struct node *n)
{
    uint32_t pick = 0, sum = 0;
    for (uint32_t i = 0; i < n->n; i++) {
        sum += weight(kid(w->g, n, i));
        if (kid(w->g, n, i)->shortest < kid(w->g, n, pick)->shortest)
            pick = i;
    }
    if (!late(w)) {
        uint32_t at = tape_below(w->t, sum);
        for (pick = 0; at >= weight(kid(w->g, n, pick)); pick++)
            at -= weight(kid(w->g, n, pick));
    }
    if (w->cover) {
        uint32_t *chosen = &w->cover->chosen[n->cover + pick];
        *chosen = add_sat(*chosen, 1);
    }
    put_node(w, w->g->kids[n->first + pick]);
}

static void put_rep(struct writer *w, const struct node *n)
{
    uint32_t i = 0;
    for (; i < n->min && w->ok; i++)
        put_node(w, w->g->kids[n->first]);
    while (w->ok && i < n->max && !late(w) && tape_next(w->t, "more", n->max == 1 ? 1 : 2)) {
        put_node(w, w->g->kids[n->first]);
        tape_end(w->t);
        i++;
    }
}

static void put_rule(struct writer *w, uint32_t rule_id)
{
    struct abnf_piece *piece = piece_new(w, rule_id);
    tape_begin(w->t, w->g->rules[rule_id].name);
    put_node(w, w->g->rules[rule_id].def);
    tape_end(w->t);
    if (piece)
        piece->to = w->o->n;
}

static void put_node(struct writer *w, uint32_t node)
{
    const struct node *n = &w->g->nodes[node];
    if (w->steps == 0)
        w->ok = false;
    if (!w->ok)
        return;
    w->steps--;
    w->depth++;
    if (n->is_class) {
        unsigned char octet = put_class(w, &w->g->sets[n->class]);
        if (w->trace)
            trace_class(w, n, octet);
    } else {
        switch (n->type) {
        case CLASS:
            break;
        case TEXT:
            for (uint32_t i = 0; i < n->n; i++)
                put_class(w, &w->g->sets[n->first + i]);
            break;
        case SEQ:
            for (uint32_t i = 0; i < n->n; i++)
                put_node(w, w->g->kids[n->first + i]);
            break;
        case ALT:
            put_alt(w, n);
            break;
        case REP:
            put_rep(w, n);
            break;
        case REF:
            put_rule(w, n->rule);
            break;
        case PROSE:
            w->ok = n->prose->make;
            if (w->ok)
                n->prose->make(w->t, w->o);
            break;
        }
    }
    w->depth--;
}

bool abnf_generate(const struct abnf *g, int rule_id, struct tape *t, size_t size,
                   struct sipws_out *o, struct abnf_cover *cover, struct abnf_trace *trace)
{
    struct writer w = {.g = g,
                       .t = t,
                       .size = o->n + size,
                       .o = o,
                       .cover = cover,
                       .trace = trace,
                       .steps = STEPS,
                       .ok = true};
    put_rule(&w, (uint32_t)rule_id);
    return w.ok;
}

/* Octets at the borders of the alphabets. */
static unsigned char odd_octet(struct tape *t)
{
    static const unsigned char odd[] =
        "a0A;,:=<>\"\\@?&%()[]{}/*+-._!~'`|^#$ \t\r\n\0\x1F\x7F\x80\xBF"
        "\xC0\xC3\xE2\xF4\xFF";
    return tape_chance(t, 64) ? (unsigned char)tape_byte(t) : odd[tape_below(t, sizeof odd - 1)];
}

size_t abnf_bend(struct tape *t, struct sipws_str s, char *out, size_t cap)
{
    size_t n = s.n < cap ? s.n : cap;
    if (n > 0)
        memcpy(out, s.p, n);
    unsigned times = 1 + tape_below(t, 2);
    for (unsigned i = 0; i < times; i++) {
        size_t at = tape_below(t, (uint32_t)n + 1);
        unsigned how = tape_below(t, 7);
        size_t len = 1 + tape_below(t, 8);
        unsigned char ch = odd_octet(t);
        len = len < n - at ? len : n - at;
        switch (how) {
        case 0: /* delete an octet */
            len = len > 0;
            /* fall through */
        case 1: /* delete a piece */
            memmove(out + at, out + at + len, n - at - len);
            n -= len;
            break;
        case 2: /* replace */
            if (at < n)
                out[at] = (char)ch;
            break;
        case 3: /* insert */
            if (n < cap) {
                memmove(out + at + 1, out + at, n - at);
                out[at] = (char)ch;
                n++;
            }
            break;
        case 4: /* swap with the next */
            if (n - at >= 2) {
                char first = out[at];
                out[at] = out[at + 1];
                out[at + 1] = first;
            }
            break;
        case 5: /* double an octet */
            len = len > 0;
            /* fall through */
        default: /* double a piece */
            len = len < cap - n ? len : cap - n;
            memmove(out + at + len, out + at, n - at);
            n += len;
            break;
        }
    }
    return n;
}

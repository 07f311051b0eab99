/* sipws-probe: plays stories against a live SIP WebSocket server, and tells what it owes to the
 * RFCs. */
#define _POSIX_C_SOURCE 200809L
#include "option.h"
#include "probe/judge.h"
#include "probe/link.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: sipws-probe [OPTION]... ws://HOST:PORT [FILE]...\n"
    "Plays stories against a live SIP WebSocket server, and judges what it answers: the "
    "handshake,\n"
    "its frames, pongs and closes, a response to each request, and that it is still there after\n"
    "each story. A FILE is a story, or a tape of the property story/text; without one, stories "
    "are\n"
    "generated. HOST is a loopback address: what is sent may be malformed.\n"
    "  --stories N    generated stories (1000)\n"
    "  --seconds T    at most so long\n"
    "  --seed S       the same seed makes the same stories (1)\n"
    "  --patience MS  how long an answer may take (1000)\n"
    "  --again T      how many seconds a server that is gone has to come back (0)\n"
    "  --save DIR     keeps the smallest story of each class of findings there\n"
    "  --json         one object a line: each finding, then the sum\n"
    "  --rules        lists what a server is held to\n"
    "  --remote       HOST may be any that you may do this to\n"
    "Exit status: 0 nothing that a MUST forbids, 1 something, 2 usage or I/O, or nobody listens.\n";

enum { CLASSES = 128, TAPE = 2000, PAUSES = 16, WAIT_MOST = 20, ARENA = 1 << 22 };

struct class
{
    enum judge_rule_id rule;
    char on[64];
    size_t seen;
};

struct probe {
    struct link *link;
    struct judge *judge;
    const struct prop *prop; /* story/text */
    struct arena arena;
    unsigned patience, again; /* milliseconds; seconds for a server that is started again */
    bool json, tty;
    const char *save;
    uint64_t seed;
    double seconds;
    size_t stories, most, wrong, gone;
    struct class classes[CLASSES];
    size_t classes_n;
    bool mute, no_pong; /* from the start: no answer to a sane story's handshake, or to a ping */
    bool over;          /* nobody listens any more */
};

static void *need(void *p)
{
    if (!p) {
        fputs("sipws-probe: out of memory\n", stderr);
        exit(2);
    }
    return p;
}

/* ---- one story ------------------------------------------------------------------------------- */

/* Sends octets [from, to) of the story, with a pause where a read is to end. */
static bool send_part(struct probe *p, size_t from, size_t to)
{
    const struct judge *j = p->judge;
    size_t pauses = 0, at = from;
    struct sipws_str octets;
    for (size_t i = 0; i < j->stops_n && at < to; i++) {
        const struct drive_stop *stop = &j->stops[i];
        if (stop->at < at || stop->at > to || ++pauses > PAUSES)
            continue;
        if (!link_send(p->link, sipws_slice(j->wire.p + at, j->wire.p + stop->at), p->patience))
            return false;
        at = stop->at;
        unsigned ms = stop->ms < 1 ? 1 : stop->ms < WAIT_MOST ? stop->ms : WAIT_MOST;
        switch (link_wait(p->link, ms, &octets)) {
        case LINK_OCTETS:
            judge_read(p->judge, octets);
            break;
        case LINK_ENDED:
            judge_end(p->judge);
            return false;
        case LINK_SILENT:
            break;
        }
    }
    return link_send(p->link, sipws_slice(j->wire.p + at, j->wire.p + to), p->patience);
}

/* Reads until nothing is owed any more, or patience is at its end. */
static void listen_for(struct probe *p, enum judge_phase phase)
{
    uint64_t until = link_now() + p->patience;
    struct sipws_str octets;
    while (judge_owes(p->judge, phase)) {
        uint64_t now = link_now();
        if (now >= until)
            return;
        switch (link_wait(p->link, (unsigned)(until - now), &octets)) {
        case LINK_OCTETS:
            judge_read(p->judge, octets);
            break;
        case LINK_ENDED:
            judge_end(p->judge);
            break;
        case LINK_SILENT:
            return;
        }
    }
}

static const char close_frame[] = "\x88\x82\0\0\0\0\x03\xE8"; /* 1000 */

/* False: nobody listens. */
static bool play(struct probe *p)
{
    struct judge *j = p->judge;
    if (!link_open(p->link, p->patience))
        return false;
    bool up = send_part(p, 0, j->head);
    listen_for(p, JUDGE_HEAD);
    if (up && judge_agreed(j)) {
        up = send_part(p, j->head, j->wire.n);
        if (j->ends)
            link_end(p->link);
        listen_for(p, JUDGE_ALL);
        if (up && judge_may_close(j)) {
            judge_closing(j);
            link_send(p->link, (struct sipws_str){close_frame, sizeof close_frame - 1},
                      p->patience);
            listen_for(p, JUDGE_ALL);
        }
    }
    judge_findings(j);
    return true;
}

/* ---- is it still there ----------------------------------------------------------------------- */

static const char sane_story[] =
    STORY_MAGIC "engine server\n"
                "handshake good\n"
                "sip\n"
                "  OPTIONS sip:example.org SIP/2.0\n"
                "  Via: SIP/2.0/WS probe.invalid;branch=z9hG4bK-still-there\n"
                "  Max-Forwards: 70\n"
                "  From: <sip:probe@example.org>;tag=probe\n"
                "  To: <sip:example.org>\n"
                "  Call-ID: still-there@probe.invalid\n"
                "  CSeq: 1 OPTIONS\n";

static void nap(void)
{
    const struct timespec t = {0, 100000000};
    nanosleep(&t, NULL);
}

static bool open_sane(struct probe *p)
{
    struct story_error e;
    arena_clear(&p->arena);
    const struct story *s =
        story_read((struct sipws_str){sane_story, sizeof sane_story - 1}, &p->arena, &e);
    return s && judge_open(p->judge, s, &p->arena);
}

/* A sane story gets what it wants; then `seconds` for a server that is started again. */
static bool is_there(struct probe *p, unsigned seconds)
{
    enum { PATIENCE = 3000 }; /* on a busy machine: whoever is not there in time is no finding */
    uint64_t until = link_now() + 1000 * seconds;
    unsigned patience = p->patience;
    bool there = false;
    p->patience = patience < PATIENCE ? PATIENCE : patience;
    do {
        if (!open_sane(p)) {
            fputs("sipws-probe: out of room for a story\n", stderr);
            exit(2);
        }
        /* What is wrong with a sane story is told once, at the start: it is there as it was. */
        there = play(p) && (p->judge->open || p->mute) && (p->judge->ponged || p->no_pong);
        if (!there && seconds)
            nap();
    } while (!there && link_now() < until);
    p->patience = patience;
    return there;
}

/* ---- classes of findings --------------------------------------------------------------------- */

static struct class *class_of(struct probe *p, const struct judge_finding *f)
{
    for (size_t i = 0; i < p->classes_n; i++)
        if (p->classes[i].rule == f->rule && strcmp(p->classes[i].on, f->on) == 0)
            return &p->classes[i];
    if (p->classes_n == CLASSES)
        return NULL;
    struct class *c = &p->classes[p->classes_n++];
    *c = (struct class){.rule = f->rule};
    snprintf(c->on, sizeof c->on, "%s", f->on);
    return c;
}

/* "fault-taken-ws-rsv.story" */
static void file_name(const struct class *c, char *out, size_t cap)
{
    int n = snprintf(out, cap, "%s%s%s.story", judge_rules[c->rule].id, *c->on ? "-" : "", c->on);
    for (int i = 0; i < n && (size_t)i < cap; i++)
        out[i] = out[i] == ' ' ? '-' : out[i];
}

static void forget_progress(const struct probe *p)
{
    if (p->tty)
        fputs("\r\033[K", stderr);
}

static void tell(struct probe *p, const struct judge_finding *f, const char *name)
{
    struct class *c = class_of(p, f);
    const struct judge_rule *r = &judge_rules[f->rule];
    const char *level = r->level == JUDGE_MUST ? "MUST" : "SHOULD";
    bool first = !c || c->seen == 0;
    if (c)
        c->seen++;
    if (p->json) {
        json_t *o =
            json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "story", name, "rule", r->id, "level",
                      level, "on", f->on, "rfc", r->rfc, "owed", r->text, "detail", f->detail);
        json_dumpf(o, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(o);
    } else if (first) {
        forget_progress(p);
        printf("%-6s %s%s%s: %s\n       RFC %s: %s\n       %s\n", level, r->id, *f->on ? " " : "",
               f->on, f->detail, r->rfc, r->text, name);
    }
    fflush(stdout);
}

/* ---- stories from tapes ---------------------------------------------------------------------- */

/* A story that can be played over ws. NULL: another kind, or no room. */
static const struct story *draw(struct probe *p, const unsigned char *octets, size_t n)
{
    struct tape t = tape(octets, n, NULL, 0);
    arena_clear(&p->arena);
    const void *drawn = p->prop->draw(&t, &p->arena);
    const struct story *s = drawn ? story_drawn(drawn) : NULL;
    return s && s->role == SIPWS_SERVER && !s->tls && judge_open(p->judge, s, &p->arena) ? s : NULL;
}

/* The error that the story ends with, for a reader that is right. */
static const char *end_error(const struct judge *j)
{
    const struct judge_event *last = &j->want[j->want_n - 1];
    return last->err ? sipws_err_info(last->err)->id : "";
}

struct same {
    struct probe *p;
    enum judge_rule_id rule;
    const char *on;
};

static bool is_same(void *ctx, const unsigned char *octets, size_t n)
{
    struct same *s = ctx;
    if (!draw(s->p, octets, n))
        return false;
    bool same_end = strcmp(end_error(s->p->judge), s->on) == 0;
    if (!play(s->p))
        return false;
    if (s->rule == JUDGE_GONE)
        return same_end && !is_there(s->p, 0) && is_there(s->p, s->p->again);
    for (size_t i = 0; i < s->p->judge->found_n; i++)
        if (s->p->judge->found[i].rule == s->rule && strcmp(s->p->judge->found[i].on, s->on) == 0)
            return true;
    return false;
}

/* The smallest story that shows the same, as a file. */
static void keep(struct probe *p, const struct class *c, const unsigned char *octets, size_t n)
{
    enum { SECONDS = 3 };
    static char text[1 << 20];
    char name[128], path[4096];
    struct same same = {p, c->rule, c->on};
    unsigned char *copy = need(malloc(n + 1));
    uint64_t tries = 0;
    memcpy(copy, octets, n);
    if (p->tty)
        fprintf(stderr, "\r\033[Kshrinks %s %s", judge_rules[c->rule].id, c->on);
    n = prop_shrink(p->prop, copy, n, is_same, &same, SECONDS, &tries);
    const struct story *s = draw(p, copy, n);
    struct sipws_out o = sipws_out(text, sizeof text);
    if (s)
        story_print(s, &o);
    file_name(c, name, sizeof name);
    snprintf(path, sizeof path, "%s/%s", p->save, name);
    FILE *f = s && sipws_out_ok(&o) ? fopen(path, "wb") : NULL;
    if (!f || fwrite(text, 1, o.n, f) != o.n || fclose(f) != 0)
        fprintf(stderr, "sipws-probe: %s: %s\n", path, strerror(errno));
    free(copy);
}

/* Plays what judge_open has opened, and tells. octets: the tape that it came from, or NULL. */
static void judge_story(struct probe *p, const char *name, const unsigned char *octets, size_t n)
{
    struct judge_finding found[JUDGE_FINDINGS + 1];
    size_t found_n = 0;
    p->stories++;
    bool played = play(p);
    memcpy(found, p->judge->found, sizeof p->judge->found);
    found_n = played ? p->judge->found_n : 0;
    const char *on = end_error(p->judge);
    if (p->stories == 1) {
        p->mute = !p->judge->open;
        p->no_pong = !p->judge->ponged;
    }
    bool there = is_there(p, 0);
    if (!there) {
        p->gone++;
        found[found_n] = (struct judge_finding){.rule = JUDGE_GONE, .on = on};
        snprintf(found[found_n++].detail, sizeof found->detail,
                 played ? "it does not answer a sound OPTIONS on a new connection"
                        : "nobody listens");
        p->over = !is_there(p, p->again);
    }
    bool wrong = false;
    for (size_t i = 0; i < found_n; i++) {
        wrong = wrong || judge_rules[found[i].rule].level == JUDGE_MUST;
        tell(p, &found[i], name);
        const struct class *c = class_of(p, &found[i]);
        if (c && c->seen == 1 && p->save && octets && !p->over)
            keep(p, c, octets, n);
    }
    p->wrong += wrong;
}

/* splitmix64 */
static uint64_t next(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static void generate(struct probe *p)
{
    unsigned char octets[TAPE + 8];
    uint64_t until = p->seconds > 0 ? link_now() + (uint64_t)(1000 * p->seconds) : UINT64_MAX;
    for (uint64_t i = 0; p->stories < p->most && !p->over && link_now() < until; i++) {
        uint64_t state = p->seed * 1000003 + i;
        size_t n = 8 + next(&state) % (TAPE - 8);
        char name[64];
        for (size_t k = 0; k < n; k += 8) {
            uint64_t word = next(&state);
            memcpy(octets + k, &word, 8);
        }
        if (!draw(p, octets, n))
            continue;
        snprintf(name, sizeof name, "seed %llu, story %llu", (unsigned long long)p->seed,
                 (unsigned long long)i);
        judge_story(p, name, octets, n);
        if (p->tty && p->stories % 10 == 0)
            fprintf(stderr, "\r%zu stories, %zu not as they should, %zu classes", p->stories,
                    p->wrong, p->classes_n);
    }
    forget_progress(p);
}

/* ---- stories from files ---------------------------------------------------------------------- */

static bool play_file(struct probe *p, const char *path)
{
    static unsigned char data[1 << 20];
    const struct prop *prop;
    const unsigned char *octets;
    size_t n, got;
    struct story_error e;
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (!f || ((got = fread(data, 1, sizeof data, f)) == sizeof data)) {
        fprintf(stderr, "sipws-probe: %s: %s\n", path, f ? "too large" : strerror(errno));
        return false;
    }
    if (f != stdin)
        fclose(f);
    size_t before = p->wrong, classes = p->classes_n;
    if (prop_file(data, got, &prop, &octets, &n) && prop == p->prop) {
        if (!draw(p, octets, n)) {
            fprintf(stderr, "sipws-probe: %s: no story of a client over ws\n", path);
            return false;
        }
        judge_story(p, path, octets, n);
    } else {
        arena_clear(&p->arena);
        const struct story *s = story_read((struct sipws_str){(char *)data, got}, &p->arena, &e);
        if (!s) {
            fprintf(stderr, "%s:%zu:%zu: %s\n", path, e.line, e.column, e.reason);
            return false;
        }
        if (s->role != SIPWS_SERVER || s->tls) {
            if (!p->json)
                printf("%s: skipped: it is told to a %s\n", path,
                       s->tls ? "connection over TLS" : "client");
            return true;
        }
        if (!judge_open(p->judge, s, &p->arena)) {
            fprintf(stderr, "sipws-probe: %s: there is no room for it\n", path);
            return false;
        }
        judge_story(p, path, NULL, 0);
    }
    if (!p->json)
        printf("%s: %s\n", path,
               p->wrong > before         ? "not as it should be"
               : p->classes_n == classes ? "as it should be"
                                         : "as it must be");
    return true;
}

/* ---- the command line ------------------------------------------------------------------------ */

static int misuse(const char *what, const char *problem)
{
    fprintf(stderr, "sipws-probe: %s: %s\n", what, problem);
    fputs(usage, stderr);
    return 2;
}

static void list_rules(void)
{
    for (size_t i = 0; i < JUDGE_RULES; i++)
        printf("%-18s %-6s RFC %-12s %s\n", judge_rules[i].id,
               judge_rules[i].level == JUDGE_MUST ? "MUST" : "SHOULD", judge_rules[i].rfc,
               judge_rules[i].text);
}

/* Splits ws://HOST:PORT[/…], in place. NULL, or what is wrong. */
static const char *split(char *url, char **host, char **port)
{
    if (strncmp(url, "wss://", 6) == 0)
        return "TLS is not spoken here: put a tunnel before it, as socat or stunnel make one";
    if (strncmp(url, "ws://", 5) != 0)
        return "no ws://HOST:PORT";
    *host = url + 5;
    (*host)[strcspn(*host, "/?")] = '\0';
    char *colon = strrchr(*host, ':');
    if (!colon || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1))
        return "the port is missing";
    *colon = '\0';
    *port = colon + 1;
    if (**host == '[') {
        (*host)++;
        (*host)[strcspn(*host, "]")] = '\0';
    }
    return NULL;
}

/* What the command line asks for, besides what struct probe has. */
struct job {
    char *url;
    const char **files;
    size_t files_n;
    bool remote;
};

enum { STORIES, SECONDS, SEED, AGAIN, PATIENCE, NUMBERS };

static const struct {
    const char *name;
    double least, most;
    const char *unlike; /* of any other value */
} numbers[NUMBERS] = {
    [STORIES] = {"--stories", 0, 1e9, "no number of stories"},
    [SECONDS] = {"--seconds", 0, 1e6, "no number of seconds"},
    [SEED] = {"--seed", 0, 1e15, "no seed"},
    [AGAIN] = {"--again", 0, 600, "no number of seconds from 0 to 600"},
    [PATIENCE] = {"--patience", 1, 60000, "no number of milliseconds from 1 to 60000"},
};

static void set_number(struct probe *p, int which, double value)
{
    if (which == STORIES)
        p->most = (size_t)value;
    if (which == SECONDS) {
        p->seconds = value;
        p->most = SIZE_MAX;
    }
    if (which == SEED)
        p->seed = (uint64_t)value;
    if (which == AGAIN)
        p->again = (unsigned)value;
    if (which == PATIENCE)
        p->patience = (unsigned)value;
}

/* An option with a value at argv[*i]. -1: taken; else the exit status. */
static int take_value(struct probe *p, int argc, char **argv, int *i)
{
    char *value = option_value(argc, argv, i, "--save"), *end;
    if (value) {
        p->save = value;
        return -1;
    }
    for (int k = 0; k < NUMBERS; k++)
        if ((value = option_value(argc, argv, i, numbers[k].name)) != NULL) {
            double given = strtod(value, &end);
            if (!*value || *end || !(given >= numbers[k].least && given <= numbers[k].most))
                return misuse(value, numbers[k].unlike);
            set_number(p, k, given);
            return -1;
        }
    return misuse(argv[*i], "unknown option, or its value is missing");
}

/* -1: there is something to do; else the exit status. */
static int take_options(struct probe *p, struct job *job, int argc, char **argv)
{
    int status = -1;
    for (int i = 1; i < argc && status < 0; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            fputs(usage, stdout);
            return 0;
        } else if (strcmp(argv[i], "--rules") == 0) {
            list_rules();
            return 0;
        } else if (strcmp(argv[i], "--json") == 0) {
            p->json = true;
        } else if (strcmp(argv[i], "--remote") == 0) {
            job->remote = true;
        } else if (argv[i][0] == '-' && argv[i][1]) {
            status = take_value(p, argc, argv, &i);
        } else if (job->url) {
            job->files[job->files_n++] = argv[i];
        } else {
            job->url = argv[i];
        }
    }
    return status < 0 && !job->url ? misuse("ws://HOST:PORT", "it is missing") : status;
}

/* Finds the server, and makes sure that it is one. -1: it is; else the exit status. */
static int meet(struct probe *p, const struct job *job)
{
    char *host = NULL, *port = NULL;
    const char *why = split(job->url, &host, &port);
    if (!why)
        why = link_resolve(p->link, host, port, job->remote);
    if (why)
        return misuse(job->url, why);
    if (p->save && mkdir(p->save, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "sipws-probe: %s: %s\n", p->save, strerror(errno));
        return 2;
    }
    if (!link_open(p->link, p->patience)) {
        fprintf(stderr, "sipws-probe: nobody listens on %s port %s\n", host, port);
        return 2;
    }
    return open_sane(p) ? -1 : 2;
}

static void sum_up(const struct probe *p)
{
    if (p->json) {
        json_t *o = json_pack("{s:I, s:I, s:I, s:I}", "stories", (json_int_t)p->stories, "wrong",
                              (json_int_t)p->wrong, "classes", (json_int_t)p->classes_n, "gone",
                              (json_int_t)p->gone);
        json_dumpf(o, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(o);
        return;
    }
    for (size_t i = 0; i < p->classes_n; i++)
        printf("%6zu  %-6s %s%s%s\n", p->classes[i].seen,
               judge_rules[p->classes[i].rule].level == JUDGE_MUST ? "MUST" : "SHOULD",
               judge_rules[p->classes[i].rule].id, *p->classes[i].on ? " " : "", p->classes[i].on);
    printf("%zu stories, %zu not as they must be", p->stories, p->wrong);
    if (p->gone)
        printf("; the server was gone %zu times%s", p->gone,
               p->over ? ", and did not come back" : "");
    putchar('\n');
}

/* The exit status. */
static int run_job(struct probe *p, const struct job *job)
{
    bool ok = true;
    judge_story(p, "a sound OPTIONS", NULL, 0);
    for (size_t i = 0; i < job->files_n && !p->over; i++)
        ok = play_file(p, job->files[i]) && ok;
    if (!job->files_n)
        generate(p);
    sum_up(p);
    return !ok ? 2 : p->wrong ? 1 : 0;
}

int main(int argc, char **argv)
{
    static struct probe p = {.patience = 1000, .seed = 1, .most = 1000};
    struct job job = {.files = need(calloc((size_t)argc + 1, sizeof *job.files))};
    int status = take_options(&p, &job, argc, argv);
    if (status < 0) {
        p.tty = isatty(STDERR_FILENO) && !p.json;
        p.link = need(link_new());
        p.judge = need(calloc(1, sizeof *p.judge));
        p.arena = (struct arena){.p = need(malloc(ARENA)), .cap = ARENA};
        p.prop = prop_find(SIPWS_STR("story/text"));
        status = meet(&p, &job);
        if (status < 0)
            status = run_job(&p, &job);
        link_free(p.link);
        free(p.judge);
        free(p.arena.p);
    }
    free(job.files);
    return status;
}

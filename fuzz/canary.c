/* Watches a fuzz target of a build with SIPWS_CANARIES: which plants of ref/plant.def an execution
 * reaches and triggers, and how deep it gets. Nothing is broken and nothing fails, so one run tells
 * of all plants. What it does is chosen by variables of the environment.
 *
 * - SIPWS_CANARIES: a file for counts of each plant, two numbers of 64 bits for each row of
 *   ref/plant.def, reached and triggered, behind two that are 0.
 * - SIPWS_CANARY_LOG: a folder, for struct diary in the file "diary", and for inputs: the 1st, 2nd,
 *   3rd, 4th, 6th, 8th, 12th, … that triggers a plant, for each property, in
 *   PLANT/MILLISECONDS-KEY-COUNT.
 * - SIPWS_CANARY_START: when the milliseconds begin, in seconds since 1970, with a fraction.
 *
 * Both files are shared by all processes of a run, and outlive them however they end.
 */
#define _POSIX_C_SOURCE 200809L
#undef LLVMFuzzerTestOneInput /* the target's has another name here: see CMakeLists.txt */
#include "http.h"
#include "msg.h"
#include "plant.h"
#include "property.h"
#include "ws.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int sipws_canary_target(const uint8_t *data, size_t size);

/* How deep an execution got: the highest that it passed. */
enum depth { NOWHERE, HANDSHAKE, FRAMES, SIP, SOUND, DIALOG, DEPTHS };

enum { DIALOG_MESSAGES = 3, KEYS = 128 };

struct diary {
    uint64_t executions, depths[DEPTHS];
    uint64_t reached[SIPWS_PLANT_COUNT], triggered[SIPWS_PLANT_COUNT]; /* first, in ms + 1 */
    uint32_t seen[SIPWS_PLANT_COUNT][KEYS]; /* executions that triggered it */
};

static struct diary *diary;
static const char *folder;
static double start;
static enum depth depth;
static unsigned sound;

static void *shared(const char *path, size_t n)
{
    void *p = MAP_FAILED;
    int fd = open(path, O_RDWR | O_CREAT, 0666);
    if (fd >= 0 && ftruncate(fd, (off_t)n) == 0)
        p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    if (p == MAP_FAILED) {
        perror(path);
        exit(2);
    }
    return p;
}

__attribute__((constructor)) static void join(void)
{
    const char *counts = getenv("SIPWS_CANARIES"), *from = getenv("SIPWS_CANARY_START");
    char path[4096];
    if (counts && counts[0])
        sipws_canaries = shared(counts, SIPWS_PLANT_COUNT * sizeof *sipws_canaries);
    folder = getenv("SIPWS_CANARY_LOG");
    if (!folder || !folder[0])
        return;
    snprintf(path, sizeof path, "%s/diary", folder);
    diary = shared(path, sizeof *diary);
    start = from ? strtod(from, NULL) : 0;
}

static uint64_t milliseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    double passed = (double)t.tv_sec + (double)t.tv_nsec / 1e9 - start;
    return passed > 0 ? (uint64_t)(passed * 1000) : 0;
}

/* ---- depth: the linker sends the calls of ref's own files here too ----------------------------
 */

static void past(enum depth d)
{
    depth = d > depth ? d : depth;
}

bool __real_sipws_http_request(struct sipws_str head, struct sipws_http *out,
                               struct sipws_diag *diag);
bool __real_sipws_http_response(struct sipws_str head, struct sipws_str key, struct sipws_http *out,
                                struct sipws_diag *diag);
enum sipws_ws_kind __real_sipws_ws_read(struct sipws_ws *w, struct sipws_str *in,
                                        struct sipws_ws_event *out);
bool __real_sipws_msg_parse(struct sipws_str text, uint32_t allow, struct sipws_field *fields,
                            size_t cap, struct sipws_msg *out, struct sipws_report *r);
bool __real_sipws_msg_check(const struct sipws_msg *m, enum sipws_transport transport,
                            uint32_t allow, struct sipws_report *r);
bool __wrap_sipws_http_request(struct sipws_str head, struct sipws_http *out,
                               struct sipws_diag *diag);
bool __wrap_sipws_http_response(struct sipws_str head, struct sipws_str key, struct sipws_http *out,
                                struct sipws_diag *diag);
enum sipws_ws_kind __wrap_sipws_ws_read(struct sipws_ws *w, struct sipws_str *in,
                                        struct sipws_ws_event *out);
bool __wrap_sipws_msg_parse(struct sipws_str text, uint32_t allow, struct sipws_field *fields,
                            size_t cap, struct sipws_msg *out, struct sipws_report *r);
bool __wrap_sipws_msg_check(const struct sipws_msg *m, enum sipws_transport transport,
                            uint32_t allow, struct sipws_report *r);

bool __wrap_sipws_http_request(struct sipws_str head, struct sipws_http *out,
                               struct sipws_diag *diag)
{
    bool ok = __real_sipws_http_request(head, out, diag);
    if (ok)
        past(HANDSHAKE);
    return ok;
}

bool __wrap_sipws_http_response(struct sipws_str head, struct sipws_str key, struct sipws_http *out,
                                struct sipws_diag *diag)
{
    bool ok = __real_sipws_http_response(head, key, out, diag);
    if (ok)
        past(HANDSHAKE);
    return ok;
}

enum sipws_ws_kind __wrap_sipws_ws_read(struct sipws_ws *w, struct sipws_str *in,
                                        struct sipws_ws_event *out)
{
    enum sipws_ws_kind kind = __real_sipws_ws_read(w, in, out);
    if (kind == SIPWS_WS_MESSAGE)
        past(FRAMES);
    return kind;
}

bool __wrap_sipws_msg_parse(struct sipws_str text, uint32_t allow, struct sipws_field *fields,
                            size_t cap, struct sipws_msg *out, struct sipws_report *r)
{
    bool ok = __real_sipws_msg_parse(text, allow, fields, cap, out, r);
    if (ok)
        past(SIP);
    return ok;
}

bool __wrap_sipws_msg_check(const struct sipws_msg *m, enum sipws_transport transport,
                            uint32_t allow, struct sipws_report *r)
{
    bool ok = __real_sipws_msg_check(m, transport, allow, r);
    if (ok)
        past(++sound < DIALOG_MESSAGES ? SOUND : DIALOG);
    return ok;
}

/* ---- an execution ---------------------------------------------------------------------------- */

/* Inputs of one property are kept apart from those of another: each may be what notices. */
static unsigned key_of(const uint8_t *data, size_t size)
{
#ifdef SIPWS_CANARY_PROPS
    const unsigned char *tape;
    size_t n;
    const struct prop *p = prop_select(data, size, &tape, &n);
    for (unsigned i = 0; p && props[i]; i++)
        if (props[i] == p)
            return i % KEYS;
#else
    (void)data;
    (void)size;
#endif
    return 0;
}

/* 1, 2, 3, 4, 6, 8, 12, 16, 24, … */
static bool is_kept(uint32_t n)
{
    uint32_t part = n % 3 == 0 ? n / 3 : n;
    return (part & (part - 1)) == 0;
}

static void keep(enum sipws_plant plant, unsigned key, uint64_t ms, const uint8_t *data,
                 size_t size)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, sipws_plant_name(plant));
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return;
    size_t n = strlen(path);
    snprintf(path + n, sizeof path - n, "/%09llu-%03u-%u", (unsigned long long)ms, key,
             (unsigned)diary->seen[plant][key]);
    FILE *f = fopen(path, "wb");
    if (!f)
        return;
    fwrite(data, 1, size, f);
    fclose(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sipws_canary before[SIPWS_PLANT_COUNT];
    if (!diary)
        return sipws_canary_target(data, size);
    memcpy(before, sipws_canaries, sizeof before);
    depth = NOWHERE;
    sound = 0;
    int status = sipws_canary_target(data, size);
    diary->executions++;
    diary->depths[depth]++;
    for (unsigned i = 1; i < SIPWS_PLANT_COUNT; i++) {
        if (sipws_canaries[i].reached == before[i].reached)
            continue;
        bool triggered = sipws_canaries[i].triggered > before[i].triggered;
        if (diary->reached[i] == 0)
            diary->reached[i] = milliseconds() + 1;
        if (!triggered)
            continue;
        unsigned key = key_of(data, size);
        uint32_t seen = ++diary->seen[i][key];
        if (!is_kept(seen))
            continue;
        uint64_t ms = milliseconds();
        if (diary->triggered[i] == 0)
            diary->triggered[i] = ms + 1;
        keep((enum sipws_plant)i, key, ms, data, size);
    }
    return status;
}

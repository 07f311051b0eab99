/* selftest: bugs that every engine must find, to show that it finds any.
 *
 * The environment variable SIPWS_SELFTEST chooses one; without it the target has no bug. Each needs
 * something else of the engine or the sanitizer: see the comment at each. ci/selftest runs them.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Eight octets at once: a look at what is compared, since coverage alone leaves 2^64 tries. */
static void magic(const uint8_t *p, size_t n)
{
    uint64_t word;
    if (n < sizeof word)
        return;
    memcpy(&word, p, sizeof word);
    if (word == UINT64_C(0x5117a11fab1e50b5))
        abort();
}

/* A length that is believed: AddressSanitizer. */
static void overflow(const uint8_t *p, size_t n)
{
    if (n < 3 || p[0] != 'L' || p[1] != '=')
        return;
    uint8_t *copy = malloc(n);
    if (!copy)
        return;
    memcpy(copy, p, n);
    volatile uint8_t last = copy[p[2]];
    (void)last;
    free(copy);
}

/* Nothing that crashes by itself: UndefinedBehaviorSanitizer. */
static void shift(const uint8_t *p, size_t n)
{
    if (n < 2 || p[0] != '<')
        return;
    volatile uint32_t word = UINT32_C(1) << p[1];
    (void)word;
}

/* A statement that is false for few inputs, each step towards them being a new branch. */
static void depth(const uint8_t *p, size_t n)
{
    size_t open = 0;
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '(')
            open++;
        else if (p[i] == ')' && open > 0)
            open--;
        else
            return;
        if (open == 6)
            abort();
    }
}

/* No end: the engine's time limit. */
static void hang(const uint8_t *p, size_t n)
{
    volatile size_t i = 0;
    while (n > 2 && i + 1 < n)
        if (p[0] != '.' || p[1] != '.')
            i = i + 1;
}

/* A value that nobody wrote: MemorySanitizer. */
static void uninit(const uint8_t *p, size_t n)
{
    uint8_t *copy = malloc(16);
    if (!copy)
        return;
    size_t keep = n > 0 && p[0] == 'U' ? 8 : 16;
    memset(copy, 1, keep);
    volatile int seen = 0;
    if (copy[15] == 7)
        seen = 1;
    (void)seen;
    free(copy);
}

static const struct {
    const char *name;
    void (*run)(const uint8_t *p, size_t n);
} plants[] = {{"magic", magic}, {"overflow", overflow}, {"shift", shift},
              {"depth", depth}, {"hang", hang},         {"uninit", uninit}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *want = getenv("SIPWS_SELFTEST");
    for (size_t i = 0; want && i < sizeof plants / sizeof *plants; i++)
        if (strcmp(want, plants[i].name) == 0)
            plants[i].run(data, size);
    return 0;
}

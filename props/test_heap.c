/* The heap of linked peers: that it is a heap, and that AddressSanitizer sees the same faults there
 * as on its own. */
#define _POSIX_C_SOURCE 200809L
#include "heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef SIPWS_HEAP
enum { SANITIZED_HEAP = 1 };
#else
enum { SANITIZED_HEAP = 0 };
#endif

/* So that the compiler neither sees a fault nor leaves it out. */
static char *volatile at;
static volatile size_t sink;

/* ---- a heap ---------------------------------------------------------------------------------- */

enum { CHUNKS = 600 };

static size_t size_of(size_t i)
{
    static const size_t sizes[] = {1,   2,   7,    8,    15,    16,    17,
                                   100, 192, 1000, 4097, 16384, 16385, 270336};
    return sizes[i % (sizeof sizes / sizeof *sizes)];
}

static bool is_all(const char *p, size_t n, char octet)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != octet)
            return false;
    return true;
}

static void chunks_are_apart(void **state)
{
    static char *p[CHUNKS];
    (void)state;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < CHUNKS; i++) {
            heap_use(i % 5 != 0); /* both heaps by turns */
            p[i] = i % 3 ? malloc(size_of(i)) : calloc(1, size_of(i));
            assert_non_null(p[i]);
            assert_int_equal((uintptr_t)p[i] % 16, 0);
            assert_true(i % 3 || is_all(p[i], size_of(i), '\0'));
            memset(p[i], (char)i, size_of(i));
        }
        for (size_t i = 0; i < CHUNKS; i += 2) {
            heap_use(i % 7 != 0);
            assert_non_null(p[i] = realloc(p[i], size_of(i + 1)));
            size_t kept = size_of(i) < size_of(i + 1) ? size_of(i) : size_of(i + 1);
            assert_true(is_all(p[i], kept, (char)i));
            memset(p[i], (char)i, size_of(i + 1));
        }
        for (size_t i = 0; i < CHUNKS; i++) {
            assert_true(is_all(p[i], size_of(i | 1), (char)i));
            free(p[i]);
        }
    }
    heap_use(true);
    free(NULL);
    assert_non_null(p[0] = realloc(NULL, 5));
    free(p[0]);
    assert_non_null(p[0] = strdup("text"));
    assert_string_equal(p[0], "text");
    free(p[0]);
    heap_use(false);
}

/* Else memory that is used after it was freed looks sound. */
static void what_is_freed_rests(void **state)
{
    (void)state;
    if (!SANITIZED_HEAP)
        skip();
    heap_use(true);
    at = malloc(40);
    uintptr_t first = (uintptr_t)at;
    size_t after = 0;
    free(at);
    for (bool again = false; !again && after < 10000; after++) {
        at = malloc(40);
        again = (uintptr_t)at == first;
        free(at);
    }
    heap_use(false);
    assert_true(after >= 500); /* and it does come up again, or memory would run out */
    assert_true(after < 10000);
}

/* ---- faults ---------------------------------------------------------------------------------- */

static void read_behind(size_t n)
{
    at = malloc(n);
    sink = (unsigned char)at[n];
}

static void read_before(size_t n)
{
    at = malloc(n);
    sink = (unsigned char)at[-1];
}

static void copy_behind(size_t n)
{
    at = malloc(n);
    char *to = malloc(2 * n + 64);
    memcpy(to, at, n + 1);
    sink = (unsigned char)to[n];
}

/* A text without its end, as a stack that was built without AddressSanitizer reads it. */
static void measure(size_t n)
{
    at = malloc(n);
    memset(at, 'a', n);
    sink = strlen(at);
}

static void read_freed(size_t n)
{
    char *p = malloc(n);
    at = p;
    free(p);
    sink = (unsigned char)at[n / 2];
}

static void free_twice(size_t n)
{
    char *p = malloc(n);
    at = p;
    free(p);
    free(at);
}

static void free_the_middle(size_t n)
{
    at = malloc(n);
    free(at + n / 2);
}

static void grow_freed(size_t n)
{
    char *p = malloc(n);
    at = p;
    free(p);
    at = realloc(at, 2 * n);
}

static void write_to_shrunk(size_t n)
{
    at = realloc(malloc(n), n / 2);
    at[n / 2] = 'x';
}

/* What the fault in a child of ours is called; "" where it was not seen. */
static void fault_of(void (*fault)(size_t n), size_t n, char *out, size_t cap)
{
    int pipes[2], status;
    size_t got = 0;
    ssize_t more;
    assert_int_equal(pipe(pipes), 0);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(pipes[1], STDERR_FILENO);
        close(pipes[0]);
        heap_use(true);
        fault(n);
        _exit(0);
    }
    close(pipes[1]);
    while ((more = read(pipes[0], out + got, cap - 1 - got)) > 0)
        got += (size_t)more;
    out[got] = '\0';
    close(pipes[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        out[0] = '\0';
}

static void faults_are_seen(void **state)
{
    static const struct {
        const char *name, *told;
        void (*fault)(size_t n);
    } faults[] = {
        {"read_behind", "heap-buffer-overflow", read_behind},
        {"read_before", "heap-buffer-overflow", read_before},
        {"copy_behind", "heap-buffer-overflow", copy_behind},
        {"measure", "heap-buffer-overflow", measure},
        {"read_freed", "use-after-", read_freed},
        {"free_twice", "free", free_twice},
        {"free_the_middle", "free", free_the_middle},
        {"grow_freed", "free", grow_freed},
        {"write_to_shrunk", "heap-buffer-overflow", write_to_shrunk},
    };
    static const size_t sizes[] = {2, 3, 16, 100, 192, 5000, 16384, 20000, 270336};
    static char told[1 << 16];
    (void)state;
    if (!SANITIZED_HEAP)
        skip();
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            fault_of(faults[i].fault, sizes[s], told, sizeof told);
            if (!strstr(told, "ERROR: AddressSanitizer") || !strstr(told, faults[i].told))
                fail_msg("%s of %zu octets: %s", faults[i].name, sizes[s],
                         *told ? told : "it was not seen");
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_are_apart),
        cmocka_unit_test(what_is_freed_rests),
        cmocka_unit_test(faults_are_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

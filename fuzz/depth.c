#define _POSIX_C_SOURCE 200809L
#include "depth.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct fuzz_layer here[1 + FUZZ_LAYERS];
struct fuzz_layer *fuzz_depth = here;

/* The counts in the file SIPWS_DEPTH, which another process may have begun. */
static void join(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT, 0666);
    void *p = MAP_FAILED;
    if (fd >= 0 && ftruncate(fd, sizeof here) == 0)
        p = mmap(NULL, sizeof here, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    if (p == MAP_FAILED) {
        perror(path);
        exit(2);
    }
    fuzz_depth = p;
}

static void name(const char *const *layers)
{
    strcpy(fuzz_depth[0].name, "executions");
    for (unsigned i = 0; layers[i]; i++) {
        if (i == FUZZ_LAYERS || strlen(layers[i]) >= FUZZ_LAYER_NAME)
            abort();
        strcpy(fuzz_depth[1 + i].name, layers[i]);
    }
}

/* Harnesses that test nothing, to show that ci/fuzz notices: SIPWS_VACUOUS=input hands the target
 * no octet, "shallow" only the first few, "slow" wastes time. */
static void waste(const char *how, size_t *size)
{
    static volatile unsigned sink;
    if (strcmp(how, "input") == 0)
        *size = 0;
    else if (strcmp(how, "shallow") == 0 && *size > 6)
        *size = 6;
    else if (strcmp(how, "slow") == 0)
        for (unsigned i = 0; i < 3000000; i++)
            sink = sink + i;
}

void fuzz_begin(const char *const *layers, size_t *size)
{
    static const char *vacuous;
    static int begun;
    if (!begun) {
        const char *path = getenv("SIPWS_DEPTH");
        if (path && path[0])
            join(path);
        name(layers);
#ifdef SIPWS_PLANTS
        vacuous = getenv("SIPWS_VACUOUS");
#endif
        begun = 1;
    }
    fuzz_depth[0].n++;
    if (vacuous)
        waste(vacuous, size);
}

/* sipws: files, FIFOs and standard input. */
#define _POSIX_C_SOURCE 200809L
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int cli_open(const struct cli_args *a, const char *name)
{
    if (strcmp(name, "-") == 0)
        return STDIN_FILENO;
    int fd;
    do
        fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        cli_complain(a, name, strerror(errno));
    return fd;
}

long cli_read(const struct cli_args *a, const char *name, int fd, char *p, size_t n)
{
    ssize_t got;
    do
        got = read(fd, p, n);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        cli_complain(a, strcmp(name, "-") == 0 ? "standard input" : name, strerror(errno));
    return (long)got;
}

void cli_close(int fd)
{
    if (fd != STDIN_FILENO)
        close(fd);
}

bool cli_load(const struct cli_args *a, const char *name, size_t most, struct cli_file *out)
{
    enum { FIRST = 4096 };
    *out = (struct cli_file){name, NULL, 0};
    int fd = cli_open(a, name);
    if (fd < 0)
        return false;
    size_t room = most < FIRST ? most : FIRST;
    char *p = cli_alloc(room);
    size_t n = 0;
    long got;
    while (n < most && (got = cli_read(a, name, fd, p + n, room - n)) != 0) {
        if (got < 0) {
            free(p);
            cli_close(fd);
            return false;
        }
        n += (size_t)got;
        if (n == room && room < most) {
            size_t wider = room > most / 2 ? most : room * 2;
            char *copy = cli_alloc(wider);
            memcpy(copy, p, n);
            free(p);
            p = copy;
            room = wider;
        }
    }
    cli_close(fd);
    out->p = p;
    out->n = n;
    return true;
}

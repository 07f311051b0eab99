/* sipws: the command line. */
#define _POSIX_C_SOURCE 200809L
#include "cli_json.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

static const struct cli_command *const commands[] = {
    &cli_lint, &cli_parse, &cli_print, &cli_frames, &cli_explain, &cli_serve, &cli_connect, NULL};

/* ---- complaints ------------------------------------------------------------------------------ */

void cli_complain(const struct cli_args *a, const char *subject, const char *problem)
{
    char *name = cli_visible(subject);
    fprintf(stderr, "sipws %s: %s: %s\n", a->command->name, name, problem);
    free(name);
}

int cli_misuse(const struct cli_args *a, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "sipws %s: ", a->command->name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nTry 'sipws %s --help'.\n", a->command->name);
    return CLI_TROUBLE;
}

void *cli_alloc(size_t n)
{
    void *p = malloc(n ? n : 1);
    if (!p) {
        fputs("sipws: out of memory\n", stderr);
        _exit(CLI_TROUBLE); /* nothing that is still in a buffer should look whole */
    }
    return p;
}

/* ---- misspelt names -------------------------------------------------------------------------- */

/* How many letters to insert, delete or change, to come from a to b. Names are short. */
static size_t distance(const char *a, const char *b)
{
    enum { LONGEST = 40 };
    size_t row[LONGEST + 1], n = strlen(b);
    if (n > LONGEST || strlen(a) > LONGEST)
        return LONGEST;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t corner = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            size_t change = corner + (a[i] != b[j]);
            size_t other = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;
            corner = row[j + 1];
            row[j + 1] = change < other ? change : other;
        }
    }
    return row[n];
}

const char *cli_likely(const char *name, const char *const *names)
{
    const char *best = NULL;
    size_t least = strlen(name) / 3 + 2;
    for (; *names; names++) {
        size_t d = distance(name, *names);
        if (d < least && d < strlen(*names)) {
            least = d;
            best = *names;
        }
    }
    return best;
}

/* ---- options --------------------------------------------------------------------------------- */

static int mistake(struct cli_args *a)
{
    a->status = CLI_TROUBLE;
    return CLI_STOP;
}

static int unknown(struct cli_args *a, const struct cli_option *options, const char *arg)
{
    const char *names[16] = {"--help"}, *likely;
    char *name = cli_visible(arg);
    for (size_t i = 0; options[i].key && i < 14; i++)
        names[i + 1] = options[i].name;
    likely = cli_likely(arg, names);
    if (likely)
        cli_misuse(a, "there is no option %s; did you mean %s?", name, likely);
    else
        cli_misuse(a, "there is no option %s (a file of that name: ./%s)", name, name);
    free(name);
    return mistake(a);
}

int cli_next(struct cli_args *a, const struct cli_option *options)
{
    while (a->next < a->argc) {
        const char *arg = a->argv[a->next++];
        a->value = arg;
        if (a->operands_only || arg[0] != '-' || !arg[1])
            return CLI_OPERAND;
        if (strcmp(arg, "--") == 0) {
            a->operands_only = true;
            continue;
        }
        if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
            fputs(a->command->usage, stdout);
            a->status = CLI_VALID;
            return CLI_STOP;
        }
        const char *equals = strchr(arg, '=');
        size_t n = equals ? (size_t)(equals - arg) : strlen(arg);
        const struct cli_option *o = options;
        while (o->key && (strlen(o->name) != n || strncmp(o->name, arg, n) != 0))
            o++;
        if (!o->key)
            return unknown(a, options, arg);
        if (!o->has_value && equals) {
            cli_misuse(a, "%s takes no value", o->name);
            return mistake(a);
        }
        if (o->has_value && !equals && a->next == a->argc) {
            cli_misuse(a, "%s wants a value", o->name);
            return mistake(a);
        }
        if (o->has_value)
            a->value = equals ? equals + 1 : a->argv[a->next++];
        return o->key;
    }
    return CLI_END;
}

bool cli_size(const struct cli_args *a, const char *text, size_t *out)
{
    enum { MOST = 1 << 30 };
    size_t value = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9' && value <= MOST; p++)
        value = value * 10 + (size_t)(*p - '0');
    if (p == text || *p || value < 1 || value > MOST) {
        char *visible = cli_visible(text);
        cli_misuse(a, "'%s' is not a number of octets from 1 to %d", visible, MOST);
        free(visible);
        return false;
    }
    *out = value;
    return true;
}

/* ---- main ------------------------------------------------------------------------------------ */

static void usage(FILE *f)
{
    fputs("usage: sipws COMMAND [OPTION]... [FILE]...\n"
          "Reads, judges and writes SIP over WebSocket (RFC 7118), and says where and why it "
          "refuses.\n\n",
          f);
    for (size_t i = 0; commands[i]; i++)
        fprintf(f, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\nFILE - is standard input. 'sipws COMMAND --help' tells more; 'sipws --version' tells "
          "the version.\n"
          "Exit status: 0 valid, 1 invalid, 2 wrong use, or a file that cannot be read or "
          "written.\n",
          f);
}

/* A program may be started with its standard files closed; then the next file it opens takes their
 * place, and is written to. What is put here cannot be used, so that using it fails. */
static void standard_files(void)
{
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
            _exit(CLI_TROUBLE);
}

static int write_errno; /* of the first write to standard output that failed */

bool cli_flush(void)
{
    errno = 0;
    bool lost = fflush(stdout) != 0 || ferror(stdout);
    if (lost && write_errno == 0)
        write_errno = errno;
    return !lost;
}

/* Output that did not arrive is trouble, whatever the verdict was. */
static int finish(int status)
{
    bool lost = !cli_flush();
    errno = write_errno;
    if (fclose(stdout) != 0 || lost) {
        fprintf(stderr, "sipws: standard output: %s\n", errno ? strerror(errno) : "write error");
        return CLI_TROUBLE;
    }
    return status;
}

static int run(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--version") == 0 && argc == 2) {
        puts("sipws " SIPWS_VERSION);
        return CLI_VALID;
    }
    if ((strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) && argc == 2) {
        usage(stdout);
        return CLI_VALID;
    }
    if (argc < 2) {
        usage(stderr);
        return CLI_TROUBLE;
    }
    const char *names[sizeof commands / sizeof *commands] = {NULL};
    for (size_t i = 0; commands[i]; i++) {
        names[i] = commands[i]->name;
        if (strcmp(name, names[i]) == 0) {
            struct cli_args a = {.command = commands[i], .argv = argv + 1, .argc = argc - 1};
            a.next = 1;
            return commands[i]->run(&a);
        }
    }
    char *visible = cli_visible(name);
    const char *likely = cli_likely(name, names);
    if (strcmp(name, "--version") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        fprintf(stderr, "sipws: %s stands alone\n", name);
    else if (likely)
        fprintf(stderr, "sipws: there is no command '%s'; did you mean %s?\n", visible, likely);
    else
        fprintf(stderr, "sipws: there is no command '%s'\n", visible);
    fputs("Try 'sipws --help'.\n", stderr);
    free(visible);
    return CLI_TROUBLE;
}

int main(int argc, char **argv)
{
    standard_files();
    /* A reader that has gone away is a write error, which is told. */
    signal(SIGPIPE, SIG_IGN);
    json_set_alloc_funcs(cli_alloc, free);
    return finish(run(argc, argv));
}

/* The program sipws: what its files share. Private; nothing of it is part of the library.
 *
 * A command is a struct cli_command, one a file. What it was asked for goes to standard output,
 * complaints about the way it was called go to standard error. The program runs in the C locale,
 * and nothing here depends on another.
 */
#ifndef SIPWS_CLI_H
#define SIPWS_CLI_H

#include "sipws.h"

#include <stdio.h>

/* Exit statuses. Of several, the largest is the program's. */
enum { CLI_VALID = 0, CLI_INVALID = 1, CLI_TROUBLE = 2 };

struct cli_args;

struct cli_command {
    const char *name;
    const char *summary; /* for the list of commands */
    const char *usage;   /* for --help */
    int (*run)(struct cli_args *a);
};

extern const struct cli_command cli_lint, cli_parse, cli_print, cli_frames, cli_explain, cli_serve,
    cli_connect;

/* ---- cli_main.c: the command line ------------------------------------------------------------ */

/* One option of a command; key 0 ends a table. */
struct cli_option {
    const char *name; /* with its dashes */
    char key;
    bool has_value;
};

struct cli_args {
    const struct cli_command *command;
    char **argv; /* of the command: its name is argv[0] */
    int argc, next;
    bool operands_only; /* behind "--" */
    const char *value;  /* the option's value, or the operand */
    int status;         /* for CLI_STOP: what to return */
};

/* What cli_next gives besides the key of an option. */
enum { CLI_END = 0, CLI_OPERAND = 1, CLI_STOP = 2 };

/* The next option or operand, which may be mixed. CLI_STOP: the command ends here, because of
 * --help or of a mistake that was told. */
int cli_next(struct cli_args *a, const struct cli_option *options);

/* Tells a mistake in the way that the command was called. Returns CLI_TROUBLE. */
int cli_misuse(const struct cli_args *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Tells what went wrong with `subject` (a file, or an option's value), to standard error. */
void cli_complain(const struct cli_args *a, const char *subject, const char *problem);

/* The name among `names` (up to NULL) that `name` is a likely misspelling of, or NULL. */
const char *cli_likely(const char *name, const char *const *names);

/* A number of octets, from 1 to 2^30. False: told. */
bool cli_size(const struct cli_args *a, const char *text, size_t *out);

/* Sends on what standard output holds back. False: it cannot be written, now or before. */
bool cli_flush(void);

/* malloc that ends the program where there is no memory; cli_alloc(0) is not NULL. */
void *cli_alloc(size_t n);

/* ---- cli_file.c: input ----------------------------------------------------------------------- */

/* Opens `name` for reading; "-" is standard input. -1: told. */
int cli_open(const struct cli_args *a, const char *name);

/* Up to n octets, at least one unless the input has ended (0). -1: told. */
long cli_read(const struct cli_args *a, const char *name, int fd, char *p, size_t n);

void cli_close(int fd);

struct cli_file {
    const char *name;
    char *p; /* from malloc */
    size_t n;
};

/* Reads at most `most` octets of a file, FIFO or terminal; n == most means that there may be more.
 * False: told, and *out is empty. */
bool cli_load(const struct cli_args *a, const char *name, size_t most, struct cli_file *out);

/* ---- cli_judge.c: a message and its verdict -------------------------------------------------- */

/* How to judge; the options that lint and parse have in common. */
struct cli_rules {
    enum sipws_transport transport;
    uint32_t allow;
    size_t limit; /* octets of a message */
};
#define CLI_RULES_DEFAULT ((struct cli_rules){SIPWS_TRANSPORT_ANY, 0, SIPWS_LIMITS_DEFAULT.message})

#define CLI_RULES_OPTIONS                                                                          \
    {"--transport", 't', true}, {"--allow", 'a', true},                                            \
    {                                                                                              \
        "--limit", 'l', true                                                                       \
    }

/* Takes one of those options, by its key. False: told. */
bool cli_rules_option(const struct cli_args *a, int key, struct cli_rules *rules);

struct cli_case {
    struct cli_file file;
    struct sipws_str text; /* the message, as it was judged */
    bool valid;
    struct sipws_msg msg;
    struct sipws_field *fields; /* of msg */
    struct sipws_diag *diags;   /* all of them, by offset */
    size_t n, errors, warnings;
};

/* Judges a message that is in memory, to which the case does not become an owner. */
void cli_judge(struct sipws_str text, const struct cli_rules *rules, struct cli_case *out);

/* Reads and judges a file. A file above the limit is judged invalid without being read to its end.
 * False: it cannot be read; told. */
bool cli_judge_file(const struct cli_args *a, const char *name, const struct cli_rules *rules,
                    struct cli_case *out);

void cli_case_free(struct cli_case *c);

/* ---- cli_diag.c: diagnostics for people ------------------------------------------------------ */

/* Where an offset lies. Lines end with LF and count from 1; columns count octets, from 1. Start
 * with CLI_PLACE; cli_place_at moves forward only. */
struct cli_place {
    size_t line, start, off;
};
#define CLI_PLACE ((struct cli_place){1, 0, 0})

/* Returns the column. */
size_t cli_place_at(struct cli_place *at, struct sipws_str text, size_t off);

/* What stands at `off`, in words: n <= 48 octets with their NUL. */
void cli_found(struct sipws_str text, size_t off, char out[48]);

/* What may stand where the error is: never NULL. */
const char *cli_expected(const struct sipws_diag *d);

/* Prints the diagnostics of a case as a compiler does, then the verdict. At most `most`. */
void cli_show(FILE *f, const struct cli_case *c, size_t most);

enum { CLI_SHOWN = 256 };

/* A name from the command line that cannot upset a terminal. From malloc. */
char *cli_visible(const char *name);

#endif

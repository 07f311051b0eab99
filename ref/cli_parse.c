/* sipws parse and sipws print: a message as the JSON form of its reading, and back. */
#include "cli_json.h"

#include <stdlib.h>

static int parse(struct cli_args *a)
{
    static const struct cli_option options[] = {CLI_RULES_OPTIONS, {NULL, 0, false}};
    struct cli_rules rules = CLI_RULES_DEFAULT;
    const char *file = NULL;
    for (int key; (key = cli_next(a, options)) != CLI_END;) {
        if (key == CLI_STOP)
            return a->status;
        if (key != CLI_OPERAND) {
            if (!cli_rules_option(a, key, &rules))
                return CLI_TROUBLE;
        } else if (file) {
            return cli_misuse(a, "one FILE at a time");
        } else {
            file = a->value;
        }
    }
    if (!file)
        return cli_misuse(a, "FILE is missing (- is standard input)");
    struct cli_case c;
    if (!cli_judge_file(a, file, &rules, &c))
        return CLI_TROUBLE;
    int status = c.valid ? CLI_VALID : CLI_INVALID;
    if (c.valid) {
        json_t *reading = cli_reading(&c.msg, rules.allow);
        json_dumpf(reading, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(reading);
    } else {
        cli_show(stderr, &c, CLI_SHOWN);
    }
    cli_case_free(&c);
    return status;
}

static int print(struct cli_args *a)
{
    /* A reading of the largest message is several times as large as the message. */
    enum { MOST = 16 << 20 };
    static const struct cli_option options[] = {{"--raw", 'r', false}, {NULL, 0, false}};
    const char *name = NULL;
    bool raw = false;
    struct cli_file file;
    json_error_t error;
    for (int key; (key = cli_next(a, options)) != CLI_END;) {
        if (key == CLI_STOP)
            return a->status;
        if (key == 'r')
            raw = true;
        else if (name)
            return cli_misuse(a, "one FILE at a time");
        else
            name = a->value;
    }
    if (!name)
        return cli_misuse(a, "FILE is missing (- is standard input)");
    if (!cli_load(a, name, MOST, &file))
        return CLI_TROUBLE;
    if (file.n == MOST) {
        cli_complain(a, name, "larger than any reading of a message");
        free(file.p);
        return CLI_INVALID;
    }
    json_t *reading = json_loadb(file.p, file.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    free(file.p);
    if (!reading) {
        char *visible = cli_visible(name), *text = cli_visible(error.text);
        fprintf(stderr, "sipws print: %s:%d:%d: %s\n", visible, error.line, error.column, text);
        free(visible);
        free(text);
        return CLI_INVALID;
    }
    size_t n;
    char *message = cli_build(a, name, raw, reading, &n);
    json_decref(reading);
    if (!message)
        return CLI_INVALID;
    fwrite(message, 1, n, stdout);
    free(message);
    return CLI_VALID;
}

const struct cli_command cli_parse = {
    "parse", "what a SIP message says, as JSON",
    "usage: sipws parse [--transport any|ws|wss] [--allow BIT]... [--limit OCTETS] FILE\n"
    "Prints the reading of a SIP message as one JSON document. Messages that say the same give\n"
    "the same document, however they are folded, spaced and abbreviated. Of an invalid message\n"
    "nothing is printed; what is wrong with it goes to standard error. The options are those of\n"
    "'sipws lint'.\n\n"
    "Exit status: 0 valid, 1 invalid, 2 wrong use, or a file that cannot be read.\n",
    parse};

const struct cli_command cli_print = {
    "print", "the SIP message that a JSON document of parse describes",
    "usage: sipws print [--raw] FILE.json\n"
    "Prints, in canonical form, the SIP message that a document of 'sipws parse' describes. What\n"
    "is printed is read again first: a document that would be read otherwise than it says, or\n"
    "that would be an invalid message, prints nothing.\n\n"
    "  --raw   print it all the same: to make messages that are wrong on purpose\n\n"
    "Exit status: 0 printed, 1 not a reading, 2 wrong use, or a file that cannot be read.\n",
    print};

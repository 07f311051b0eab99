/* sipws lint: is this a SIP message that RFC 3261 and RFC 7118 allow, and if not, where and why? */
#include "cli_json.h"

#include <stdlib.h>

static const struct cli_option options[] = {
    {"--json", 'j', false}, CLI_RULES_OPTIONS, {NULL, 0, 0}};

/* A file name is any octets; a JSON string is not. */
static json_t *file_name(const char *name)
{
    if (sipws_utf8_valid((struct sipws_str){name, strlen(name)}))
        return json_string(name);
    char *visible = cli_visible(name);
    json_t *out = json_string(visible);
    free(visible);
    return out;
}

static void put_json(const struct cli_case *c)
{
    json_t *list = json_array();
    struct cli_place at = CLI_PLACE;
    for (size_t i = 0; i < c->n; i++) {
        const struct sipws_diag *d = &c->diags[i];
        const struct sipws_err_info *info = sipws_err_info(d->err);
        char found[48];
        size_t column = cli_place_at(&at, c->text, d->off);
        cli_found(c->text, d->off, found);
        json_array_append_new(list,
                              json_pack("{ss ss sI sI sI ss ss ss ss ss ss}", "id", info->id,
                                        "severity", sipws_severity_name(info->severity), "offset",
                                        (json_int_t)d->off, "line", (json_int_t)at.line, "column",
                                        (json_int_t)column, "rule", d->rule ? d->rule : "", "rfc",
                                        d->rfc ? d->rfc : "", "message", info->text, "found", found,
                                        "expected", cli_expected(d), "hint", info->hint));
    }
    json_t *line = json_pack("{so ss so}", "file", file_name(c->file.name), "verdict",
                             c->valid ? "valid" : "invalid", "diagnostics", list);
    json_dumpf(line, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(line);
}

static void put_total(size_t valid, size_t invalid, size_t unread)
{
    printf("%zu files: %zu valid, %zu invalid", valid + invalid + unread, valid, invalid);
    if (unread > 0)
        printf(", %zu not read", unread);
    putchar('\n');
}

static int lint(struct cli_args *a)
{
    struct cli_rules rules = CLI_RULES_DEFAULT;
    const char **files = cli_alloc((size_t)a->argc * sizeof *files);
    size_t n = 0, stdins = 0, valid = 0, invalid = 0;
    bool json = false;
    for (int key; (key = cli_next(a, options)) != CLI_END;) {
        if (key == CLI_OPERAND) {
            stdins += strcmp(a->value, "-") == 0;
            files[n++] = a->value;
        } else if (key == 'j') {
            json = true;
        } else if (key == CLI_STOP || !cli_rules_option(a, key, &rules)) {
            free(files);
            return key == CLI_STOP ? a->status : CLI_TROUBLE;
        }
    }
    if (n == 0 || stdins > 1) {
        free(files);
        return n == 0 ? cli_misuse(a, "FILE is missing (- is standard input)")
                      : cli_misuse(a, "standard input can be read only once");
    }
    for (size_t i = 0; i < n && cli_flush(); i++) { /* in order with complaints */
        struct cli_case c;
        if (!cli_judge_file(a, files[i], &rules, &c))
            continue;
        if (json)
            put_json(&c);
        else
            cli_show(stdout, &c, CLI_SHOWN);
        valid += c.valid;
        invalid += !c.valid;
        cli_case_free(&c);
    }
    free(files);
    if (n > 1 && !json)
        put_total(valid, invalid, n - valid - invalid);
    return valid + invalid < n ? CLI_TROUBLE : invalid > 0 ? CLI_INVALID : CLI_VALID;
}

const struct cli_command cli_lint = {
    "lint", "judges SIP messages: what is wrong, where, by which rule",
    "usage: sipws lint [OPTION]... FILE...\n"
    "Judges SIP messages, one a file, each as it would be carried in one WebSocket message.\n"
    "All problems are told in one pass. Warnings and notes do not change the verdict.\n\n"
    "  --json           one JSON object a file, on one line\n"
    "  --transport any|ws|wss\n"
    "                   the connection on which the message came: ws and wss hold the top Via\n"
    "                   and sips URIs against RFC 7118; any (default) does not\n"
    "  --allow BIT      accepts what strict reading refuses; may stand again. BIT is one of\n"
    "                     bare-lf        lines that end with LF alone\n"
    "                     trailing-wsp   white space before a line end\n"
    "                     empty-element  empty elements in lists\n"
    "                     leading-crlf   line ends before the start line\n"
    "                     excess-body    octets behind the body that Content-Length tells\n"
    "                     via-transport  any transport in Via, on any connection\n"
    "                     sips-plain     sips URIs on a connection without TLS\n"
    "                   each opens an attack; sipws(1) tells which\n"
    "  --limit OCTETS   of a message (default 65536)\n"
    "  --help           this text\n\n"
    "Exit status: 0 all are valid, 1 some are invalid, 2 wrong use, or a file that cannot be "
    "read.\n",
    lint};

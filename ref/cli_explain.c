/* sipws explain: what an error means. Its row in err.def, and the texts of cli_explain.def. */
#include "cli_json.h"

#include <stdlib.h>

/* In a bad example: the octet at fault follows. */
#define AT "\x01"

static const struct {
    const char *how, *meaning, *why;
    struct sipws_str bad, good;
} texts[] = {
#define X(name, how, meaning, why, bad, good)                                                      \
    [SIPWS_E_##name] = {                                                                           \
        #how, meaning, why, {"" bad, sizeof("" bad) - 1}, {"" good, sizeof("" good) - 1}},
#include "cli_explain.def"
#undef X
};

static const struct {
    const char *what, *status;
} layers[] = {
    [SIPWS_LAYER_LIMIT] = {"a limit of this implementation, not a verdict on the sender", "status"},
    [SIPWS_LAYER_HTTP] = {"the opening handshake (RFC 6455 section 4)", "HTTP status"},
    [SIPWS_LAYER_WS] = {"WebSocket frames and messages (RFC 6455 sections 5 to 8)", "status"},
    [SIPWS_LAYER_SIP] = {"the SIP message (RFC 3261 and its extensions)", "SIP status"},
    [SIPWS_LAYER_CONN] = {"SIP on this WebSocket connection (RFC 7118)", "SIP status"},
    [SIPWS_LAYER_POLICY] = {"who may say what (RFC 7118 appendix A)", "SIP status"},
};

static const char *const severities[] = {
    [SIPWS_ERROR] = "error: what has it is refused",
    [SIPWS_WARNING] = "warning: legal and unwise; the verdict stays valid",
    [SIPWS_NOTE] = "note: worth knowing; the verdict stays valid",
};

enum { WIDTH = 78 };

/* A paragraph. */
static void put_text(const char *text)
{
    size_t column = 0;
    while (*text) {
        size_t n = strcspn(text, " ");
        if (column > 0 && column + 1 + n > WIDTH) {
            putchar('\n');
            column = 0;
        }
        column += (size_t)printf("%s%.*s", column == 0 ? "  " : " ", (int)n, text);
        text += n;
        text += *text == ' ';
    }
    putchar('\n');
}

/* One line of an example, and under it a caret at the octet that is at fault. */
static void put_line(const char *p, const char *end)
{
    int column = 0, caret = -1;
    if (p < end)
        fputs("    ", stdout);
    for (; p < end; p++) {
        unsigned char ch = (unsigned char)*p;
        if (ch == AT[0])
            caret = column;
        else if (ch == '\r' || ch == '\n' || ch == '\t')
            column += printf("\\%c", ch == '\r' ? 'r' : ch == '\n' ? 'n' : 't');
        else if (ch < ' ' || ch >= 0x7F)
            column += printf("\\x%02x", ch);
        else
            column += printf("%c", ch);
    }
    putchar('\n');
    if (caret >= 0)
        printf("    %*s^\n", caret, "");
}

/* A raw example shows its line ends; in others they are understood. */
static void put_example(const char *what, const char *how, struct sipws_str s)
{
    bool raw = strstr(how, "_RAW") != NULL;
    const char *where = strcmp(how, "WS") == 0          ? ", from a client"
                        : strcmp(how, "WS_CLIENT") == 0 ? ", from a server"
                        : strcmp(how, "SIP_WS") == 0    ? ", over ws"
                        : strcmp(how, "SIP_WSS") == 0   ? ", over wss"
                                                        : "";
    printf("\n  %s%s:\n", what, where);
    const char *p = s.p, *end = s.p + s.n;
    do {
        const char *line = memchr(p, '\n', (size_t)(end - p));
        const char *stop = line ? line + (raw ? 1 : 0) : end;
        put_line(p, stop);
        p = line ? line + 1 : end;
    } while (p < end);
}

static const char *decided_by(const struct sipws_err_info *info, char out[64])
{
    const char *space = strchr(info->rfc, ' ');
    if (!info->rfc[0])
        return "the RFC section of the header field in which it is found";
    if (space)
        snprintf(out, 64, "RFC %.*s section %s", (int)(space - info->rfc), info->rfc, space + 1);
    else
        snprintf(out, 64, "RFC %s", info->rfc);
    return out;
}

static void explain_one(enum sipws_err err)
{
    const struct sipws_err_info *info = sipws_err_info(err);
    char section[64];
    printf("%s: %s\n\n", info->id, info->text);
    put_text(texts[err].meaning);
    putchar('\n');
    put_text(texts[err].why);
    put_example("Bad", texts[err].how, texts[err].bad);
    put_example("Good", texts[err].how, texts[err].good);
    printf("\n  severity   %s\n", severities[info->severity]);
    printf("  layer      %s\n", layers[info->layer].what);
    printf("  decided by %s\n", decided_by(info, section));
    if (info->status)
        printf("  answer     %s %u\n", layers[info->layer].status, info->status);
    if (info->ws_close)
        printf("  close code %u\n", info->ws_close);
    if (info->expected[0])
        printf("  expected   %s\n", info->expected);
    if (info->hint[0])
        printf("  hint       %s\n", info->hint);
}

/* The same as one line of JSON. `at` is where in `bad` the octet at fault stands, or null. */
static void put_json(enum sipws_err err)
{
    const struct sipws_err_info *info = sipws_err_info(err);
    struct sipws_str bad = texts[err].bad;
    const char *mark = memchr(bad.p, AT[0], bad.n);
    char *octets = cli_alloc(bad.n);
    struct sipws_out o = sipws_out(octets, bad.n);
    sipws_put(&o, (struct sipws_str){bad.p, mark ? (size_t)(mark - bad.p) : bad.n});
    if (mark)
        sipws_put(&o, sipws_slice(mark + 1, bad.p + bad.n));
    json_t *line = json_pack(
        "{ss ss ss ss si si ss ss ss ss ss ss so so so}", "id", info->id, "severity",
        sipws_severity_name(info->severity), "layer", sipws_layer_name(info->layer), "rfc",
        info->rfc, "status", info->status, "close", info->ws_close, "message", info->text,
        "expected", info->expected, "hint", info->hint, "meaning", texts[err].meaning, "why",
        texts[err].why, "examples", texts[err].how, "bad", cli_octets(sipws_out_str(&o)), "at",
        mark ? json_integer(mark - bad.p) : json_null(), "good", cli_octets(texts[err].good));
    json_dumpf(line, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(line);
    free(octets);
}

static void list_all(void)
{
    for (enum sipws_err err = 1; err < SIPWS_ERR_COUNT; err++) {
        const struct sipws_err_info *info = sipws_err_info(err);
        if (err == 1 || sipws_err_info(err - 1)->layer != info->layer)
            printf("%s%s\n", err == 1 ? "" : "\n", layers[info->layer].what);
        printf("  %-20s %s%s\n", info->id, info->text,
               info->severity == SIPWS_WARNING ? " (warning)"
               : info->severity == SIPWS_NOTE  ? " (note)"
                                               : "");
    }
}

/* The error of that id, or SIPWS_OK: told. */
static enum sipws_err find(const struct cli_args *a, const char *id)
{
    const char *ids[SIPWS_ERR_COUNT];
    for (unsigned i = 1; i < SIPWS_ERR_COUNT; i++) {
        ids[i - 1] = sipws_err_info((enum sipws_err)i)->id;
        if (strcmp(ids[i - 1], id) == 0)
            return (enum sipws_err)i;
    }
    ids[SIPWS_ERR_COUNT - 1] = NULL;
    char *visible = cli_visible(id);
    const char *likely = cli_likely(id, ids);
    if (likely)
        cli_misuse(a, "there is no error '%s'; did you mean %s?", visible, likely);
    else
        cli_misuse(a, "there is no error '%s'", visible);
    free(visible);
    return SIPWS_OK;
}

static int explain(struct cli_args *a)
{
    static const struct cli_option options[] = {{"--json", 'j', false}, {NULL, 0, false}};
    enum sipws_err *asked = cli_alloc((size_t)a->argc * sizeof *asked);
    size_t n = 0;
    bool json = false;
    int status = CLI_VALID;
    for (int key; (key = cli_next(a, options)) != CLI_END && status == CLI_VALID;) {
        if (key == CLI_STOP) {
            free(asked);
            return a->status;
        }
        if (key == 'j')
            json = true;
        else if ((asked[n++] = find(a, a->value)) == SIPWS_OK)
            status = CLI_TROUBLE;
    }
    for (unsigned i = 1; i < SIPWS_ERR_COUNT && json && n == 0 && status == CLI_VALID; i++)
        put_json((enum sipws_err)i);
    if (n == 0 && !json)
        list_all();
    for (size_t i = 0; i < n && status == CLI_VALID; i++) {
        if (json) {
            put_json(asked[i]);
            continue;
        }
        if (i > 0)
            putchar('\n');
        explain_one(asked[i]);
    }
    free(asked);
    return status;
}

const struct cli_command cli_explain = {
    "explain", "tells what an error means",
    "usage: sipws explain [--json] [ID]...\n"
    "Tells what an error means: the rule, the attack or the failure that refusing it prevents, a\n"
    "bad and a good example, the RFC section that decides, and what answers it. ID is what stands\n"
    "in square brackets in the output of lint. Without ID, lists all errors.\n\n"
    "  --json  one JSON object a line, for each ID or for all\n\n"
    "Exit status: 0, or 2 where there is no such error.\n",
    explain};

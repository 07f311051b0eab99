/* sipws frames: a WebSocket byte stream as JSON lines, one an event, as the octets arrive. */
#define _POSIX_C_SOURCE 200809L
#include "cli_json.h"
#include "ws.h"

#include <stdlib.h>

static const struct cli_option options[] = {
    {"--role", 'r', true}, {"--limit", 'l', true}, {NULL, 0, false}};

/* Adds the octets as "text", or as "hex" where they are not UTF-8. */
static void set_octets(json_t *line, const char *text_key, struct sipws_str s)
{
    json_t *value = cli_octets(s);
    if (json_is_string(value))
        json_object_set_new(line, text_key, value);
    else {
        json_object_set(line, "hex", json_object_get(value, "hex"));
        json_decref(value);
    }
}

static void put_event(const struct sipws_ws_event *ev, size_t off)
{
    static const char *const names[] = {
        [SIPWS_WS_MORE] = "more", [SIPWS_WS_MESSAGE] = "message", [SIPWS_WS_PING] = "ping",
        [SIPWS_WS_PONG] = "pong", [SIPWS_WS_CLOSE] = "close",     [SIPWS_WS_ERROR] = "error"};
    json_t *line = json_pack("{ss sI}", "event", names[ev->kind], "offset", (json_int_t)off);
    switch (ev->kind) {
    case SIPWS_WS_MESSAGE:
        json_object_set_new(line, "binary", json_boolean(ev->binary));
        set_octets(line, "text", ev->data);
        break;
    case SIPWS_WS_PING:
    case SIPWS_WS_PONG:
        set_octets(line, "text", ev->data);
        break;
    case SIPWS_WS_CLOSE:
        json_object_set_new(line, "code", json_integer(ev->code));
        set_octets(line, "reason", ev->data);
        break;
    case SIPWS_WS_ERROR: {
        const struct sipws_err_info *info = sipws_err_info(ev->diag.err);
        json_t *more = json_pack(
            "{ss sI ss ss ss ss ss}", "id", info->id, "close", (json_int_t)info->ws_close, "rule",
            ev->diag.rule ? ev->diag.rule : "", "rfc", ev->diag.rfc ? ev->diag.rfc : "", "message",
            info->text, "expected", cli_expected(&ev->diag), "hint", info->hint);
        json_object_update(line, more);
        json_decref(more);
        break;
    }
    case SIPWS_WS_MORE:
        break;
    }
    json_dumpf(line, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(line);
}

/* Where an event starts in the stream, which the reader does not tell: a message starts with the
 * first of its frames, between which control frames may stand. */
static size_t start_of(const struct sipws_ws *w, const struct sipws_ws_event *ev, size_t *message)
{
    size_t off = ev->kind == SIPWS_WS_ERROR     ? ev->diag.off
                 : ev->kind == SIPWS_WS_MESSAGE ? *message
                                                : w->frame.off;
    if (w->frames == 0)
        *message = w->off;
    return off;
}

static int decode(const struct cli_args *a, const char *name, int fd, struct sipws_ws *w)
{
    enum { CHUNK = 65536 };
    char *chunk = cli_alloc(CHUNK);
    size_t message = 0; /* where the next message starts */
    struct sipws_ws_event ev = {.kind = SIPWS_WS_MORE};
    int status = CLI_VALID;
    long got;
    while (ev.kind != SIPWS_WS_ERROR && (got = cli_read(a, name, fd, chunk, CHUNK)) != 0) {
        if (got < 0) {
            status = CLI_TROUBLE;
            break;
        }
        struct sipws_str in = {chunk, (size_t)got};
        do {
            if (sipws_ws_read(w, &in, &ev) != SIPWS_WS_MORE)
                put_event(&ev, start_of(w, &ev, &message));
        } while (ev.kind != SIPWS_WS_MORE && ev.kind != SIPWS_WS_ERROR);
        /* Who reads along sees each event when it happens; who stopped reading ends the work. */
        if (!cli_flush())
            break;
    }
    free(chunk);
    if (status == CLI_VALID && ev.kind != SIPWS_WS_ERROR && !ferror(stdout) &&
        sipws_ws_end(w, &ev) == SIPWS_WS_ERROR)
        put_event(&ev, ev.diag.off);
    return ev.kind == SIPWS_WS_ERROR ? CLI_INVALID : status;
}

static int frames(struct cli_args *a)
{
    struct sipws_limits limits = SIPWS_LIMITS_DEFAULT;
    enum sipws_role role = SIPWS_SERVER;
    const char *file = NULL;
    for (int key; (key = cli_next(a, options)) != CLI_END;) {
        if (key == CLI_STOP)
            return a->status;
        if (key == 'l') {
            if (!cli_size(a, a->value, &limits.message))
                return CLI_TROUBLE;
        } else if (key == 'r') {
            if (strcmp(a->value, "server") != 0 && strcmp(a->value, "client") != 0) {
                char *visible = cli_visible(a->value);
                cli_misuse(a, "--role is server or client, not '%s'", visible);
                free(visible);
                return CLI_TROUBLE;
            }
            role = strcmp(a->value, "client") == 0 ? SIPWS_CLIENT : SIPWS_SERVER;
        } else if (file) {
            return cli_misuse(a, "one FILE at a time");
        } else {
            file = a->value;
        }
    }
    if (!file)
        return cli_misuse(a, "FILE is missing (- is standard input)");
    int fd = cli_open(a, file);
    if (fd < 0)
        return CLI_TROUBLE;
    struct sipws_ws w;
    char *buf = cli_alloc(limits.message);
    sipws_ws_init(&w, role, &limits, buf, limits.message);
    int status = decode(a, file, fd, &w);
    cli_close(fd);
    free(buf);
    return status;
}

const struct cli_command cli_frames = {
    "frames", "decodes a WebSocket byte stream, one JSON line an event",
    "usage: sipws frames [--role server|client] [--limit OCTETS] FILE\n"
    "Decodes what follows the opening handshake on a WebSocket connection, in one direction. One\n"
    "JSON object a line: a message, a ping, a pong, a close, or the error that ends the\n"
    "connection, each with the offset of its first octet in the stream.\n\n"
    "  --role server|client\n"
    "                   who reads: a server (default) wants masked frames, a client unmasked ones\n"
    "  --limit OCTETS   of a message, all its fragments together (default 65536)\n"
    "  --help           this text\n\n"
    "Exit status: 0 the stream is sound and whole, 1 it is refused or cut short, 2 wrong use, or\n"
    "a file that cannot be read.\n",
    frames};

/* sipws explain: what an error means, from its row in err.def. */
#include "cli.h"

#include <stdlib.h>

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

static void explain_one(const struct sipws_err_info *info)
{
    printf("%s: %s\n\n", info->id, info->text);
    printf("  severity   %s\n", severities[info->severity]);
    printf("  layer      %s\n", layers[info->layer].what);
    const char *space = strchr(info->rfc, ' ');
    if (!info->rfc[0])
        puts("  decided by the RFC section of the header field in which it is found");
    else if (space)
        printf("  decided by RFC %.*s section %s\n", (int)(space - info->rfc), info->rfc,
               space + 1);
    else
        printf("  decided by RFC %s\n", info->rfc);
    if (info->status)
        printf("  answer     %s %u\n", layers[info->layer].status, info->status);
    if (info->ws_close)
        printf("  close code %u\n", info->ws_close);
    if (info->hint[0])
        printf("  hint       %s\n", info->hint);
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

static int explain(struct cli_args *a)
{
    static const struct cli_option none[] = {{NULL, 0, false}};
    const char *ids[SIPWS_ERR_COUNT];
    size_t told = 0;
    for (size_t i = 1; i < SIPWS_ERR_COUNT; i++)
        ids[i - 1] = sipws_err_info((enum sipws_err)i)->id;
    ids[SIPWS_ERR_COUNT - 1] = NULL;
    for (int key; (key = cli_next(a, none)) != CLI_END;) {
        if (key == CLI_STOP)
            return a->status;
        size_t i = 0;
        while (ids[i] && strcmp(ids[i], a->value) != 0)
            i++;
        if (!ids[i]) {
            char *visible = cli_visible(a->value);
            const char *likely = cli_likely(a->value, ids);
            if (likely)
                cli_misuse(a, "there is no error '%s'; did you mean %s?", visible, likely);
            else
                cli_misuse(a, "there is no error '%s'", visible);
            free(visible);
            return CLI_TROUBLE;
        }
        if (told++ > 0)
            putchar('\n');
        explain_one(sipws_err_info((enum sipws_err)(i + 1)));
    }
    if (told == 0)
        list_all();
    return CLI_VALID;
}

const struct cli_command cli_explain = {
    "explain", "tells what an error means",
    "usage: sipws explain [ID]...\n"
    "Tells what an error means: its layer, the RFC section that decides, what answers it, and\n"
    "what to do about it. ID is what stands in square brackets in the output of lint. Without\n"
    "ID, lists all errors.\n\n"
    "Exit status: 0, or 2 where there is no such error.\n",
    explain};

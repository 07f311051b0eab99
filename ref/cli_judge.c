/* sipws: a message and its verdict. */
#include "cli.h"

#include <stdlib.h>

bool cli_rules_option(const struct cli_args *a, int key, struct cli_rules *rules)
{
    static const char *const transports[] = {"any", "ws", "wss", NULL};
    static const char *const bits[] = SIPWS_ALLOW_NAMES;
    const char *const *names = key == 't' ? transports : bits;
    if (key == 'l')
        return cli_size(a, a->value, &rules->limit);
    for (unsigned i = 0; names[i]; i++) {
        if (strcmp(a->value, names[i]) != 0)
            continue;
        if (key == 'a')
            rules->allow |= UINT32_C(1) << i;
        else
            rules->transport = (enum sipws_transport)i;
        return true;
    }
    char *visible = cli_visible(a->value);
    const char *likely = cli_likely(a->value, names);
    if (key == 't')
        cli_misuse(a, "--transport is any, ws or wss, not '%s'", visible);
    else if (likely)
        cli_misuse(a, "there is no leniency '%s'; did you mean %s?", visible, likely);
    else
        cli_misuse(a, "there is no leniency '%s'", visible);
    free(visible);
    return false;
}

/* By offset; of the same offset, in the order in which they were found. Both are of one array. */
static int by_offset(const void *left, const void *right)
{
    const struct sipws_diag *const *a = left, *const *b = right;
    if ((*a)->off != (*b)->off)
        return (*a)->off < (*b)->off ? -1 : 1;
    return *a < *b ? -1 : *a > *b;
}

static void sort(struct cli_case *c)
{
    const struct sipws_diag **order = cli_alloc(c->n * sizeof *order);
    struct sipws_diag *sorted = cli_alloc(c->n * sizeof *sorted);
    for (size_t i = 0; i < c->n; i++)
        order[i] = &c->diags[i];
    qsort(order, c->n, sizeof *order, by_offset);
    for (size_t i = 0; i < c->n; i++)
        sorted[i] = *order[i];
    free(order);
    free(c->diags);
    c->diags = sorted;
}

/* One more than the lines there are is more than the header fields. */
static size_t lines(struct sipws_str text)
{
    size_t n = 1;
    const char *p = text.p, *end = text.n ? text.p + text.n : text.p;
    while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
        n++;
        p++;
    }
    return n;
}

void cli_judge(struct sipws_str text, const struct cli_rules *rules, struct cli_case *out)
{
    size_t field_cap = lines(text);
    *out = (struct cli_case){
        .file.name = out->file.name, .file.p = out->file.p, .file.n = out->file.n, .text = text};
    out->fields = cli_alloc(field_cap * sizeof *out->fields);
    struct sipws_report r;
    /* A full report ends the reading, and an error may be among what was not read: again, with
     * more room. */
    for (size_t cap = CLI_SHOWN;; cap *= 4) {
        out->diags = cli_alloc(cap * sizeof *out->diags);
        r = sipws_report(out->diags, cap);
        (void)sipws_msg_parse(text, rules->allow, out->fields, field_cap, &out->msg, &r);
        (void)sipws_msg_check(&out->msg, rules->transport, rules->allow, &r);
        if (r.n < cap)
            break;
        free(out->diags);
    }
    out->n = r.n;
    for (size_t i = 0; i < r.n; i++) {
        enum sipws_severity severity = sipws_err_info(out->diags[i].err)->severity;
        out->errors += severity == SIPWS_ERROR;
        out->warnings += severity == SIPWS_WARNING;
    }
    out->valid = out->errors == 0;
    sort(out);
}

bool cli_judge_file(const struct cli_args *a, const char *name, const struct cli_rules *rules,
                    struct cli_case *out)
{
    *out = (struct cli_case){.file.name = name};
    if (!cli_load(a, name, rules->limit + 1, &out->file))
        return false;
    struct sipws_str text = {out->file.p, out->file.n};
    if (text.n <= rules->limit) {
        cli_judge(text, rules, out);
        return true;
    }
    out->text = text;
    out->diags = cli_alloc(sizeof *out->diags);
    sipws_diag_set(out->diags, SIPWS_E_LIMIT_MESSAGE, rules->limit, "SIP-message");
    out->n = out->errors = 1;
    return true;
}

void cli_case_free(struct cli_case *c)
{
    free(c->file.p);
    free(c->fields);
    free(c->diags);
    *c = (struct cli_case){.file.name = c->file.name};
}

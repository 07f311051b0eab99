#include "twin.h"

void twin_unmask(unsigned char *p, size_t n, const unsigned char key[4], size_t phase)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (unsigned char)(p[i] ^ key[(phase + i) % 4]);
}

/* ---- UTF-8 ----------------------------------------------------------------------------------- */

/* Whether some character has a number from lo to hi and is written in `octets` octets: RFC 3629
 * gives each length its range, and has no surrogates. */
static bool some_character(unsigned long lo, unsigned long hi, int octets)
{
    static const unsigned long first[] = {0, 0x00, 0x80, 0x800, 0x10000};
    static const unsigned long last[] = {0, 0x7F, 0x7FF, 0xFFFF, 0x10FFFF};
    for (unsigned long c = lo < first[octets] ? first[octets] : lo; c <= hi && c <= last[octets];
         c++)
        if (c < 0xD800 || c > 0xDFFF)
            return true;
    return false;
}

size_t twin_utf8(const unsigned char *p, size_t n, bool *whole)
{
    size_t i = 0;
    *whole = false;
    while (i < n) {
        int octets = p[i] < 0x80           ? 1
                     : (p[i] >> 5) == 0x06 ? 2
                     : (p[i] >> 4) == 0x0E ? 3
                     : (p[i] >> 3) == 0x1E ? 4
                                           : 0;
        if (octets == 0)
            return i;
        unsigned long value = octets == 1 ? p[i] : p[i] & (0x7Fu >> octets);
        for (int k = 1;; k++) {
            /* The bits that are still to come may be all zeros to all ones. */
            unsigned long open = 1ul << 6 * (octets - k);
            if (!some_character(value * open, value * open + open - 1, octets))
                return i;
            i++;
            if (k == octets)
                break;
            if (i == n)
                return n;
            if (p[i] >> 6 != 2)
                return i;
            value = value * 64 + (p[i] & 0x3Fu);
        }
    }
    *whole = true;
    return n;
}

/* ---- frames ---------------------------------------------------------------------------------- */

/* The flaw of a frame that comes first in the stream; of two at one octet the one noted first. */
struct flaw {
    enum sipws_err err;
    size_t off;
};

static void note(struct flaw *f, bool wrong, size_t off, enum sipws_err err)
{
    if (wrong && (f->err == SIPWS_OK || off < f->off))
        *f = (struct flaw){err, off};
}

/* Octets i to j (not with j) of the stream as a number, with those behind its end as zeros. */
static uint64_t number(const struct twin_stream *s, size_t i, size_t j)
{
    uint64_t value = 0;
    for (; i < j; i++)
        value = value * 256 + (i < s->n ? s->p[i] : 0);
    return value;
}

bool twin_close_sendable(unsigned code)
{
    if (code >= 3000 && code <= 4999) /* registered and private use, 7.4.2 */
        return true;
    switch (code) { /* 7.4.1, and the registry that 11.7 set up */
    case 1000:
    case 1001:
    case 1002:
    case 1003:
    case 1007:
    case 1008:
    case 1009:
    case 1010:
    case 1011:
    case 1012:
    case 1013:
    case 1014:
        return true;
    default:
        return false;
    }
}

size_t twin_frames(const struct twin_stream *s, unsigned char *mem, struct twin_event *events,
                   size_t cap)
{
    size_t count = 0, at = 0;        /* events; the frame's first octet */
    size_t parts = 0, message_n = 0; /* of the message in mem, its frames and octets */
    bool binary = false, closed = false;
    unsigned char *message = mem, *mem_end = mem + s->n; /* payloads of control frames end there */

    while (at < s->n) {
        struct flaw flaw = {SIPWS_OK, 0};
        bool fin = s->p[at] & 0x80, control = s->p[at] & 0x08;
        unsigned opcode = s->p[at] & 0x0F;
        note(&flaw, closed, at, SIPWS_E_WS_AFTER_CLOSE);
        note(&flaw, s->p[at] & 0x70, at, SIPWS_E_WS_RSV);
        note(&flaw, (opcode >= 3 && opcode <= 7) || opcode >= 11, at, SIPWS_E_WS_OPCODE);
        note(&flaw, control && !fin, at, SIPWS_E_WS_CONTROL_CUT);
        note(&flaw, opcode == 0 && parts == 0, at, SIPWS_E_WS_CONTINUATION);
        note(&flaw, (opcode == 1 || opcode == 2) && parts > 0, at, SIPWS_E_WS_INTERLEAVED);
        note(&flaw, !control && parts == s->fragments, at, SIPWS_E_LIMIT_FRAGMENTS);

        unsigned octet = at + 1 < s->n ? s->p[at + 1] : 0, short_len = octet & 0x7F;
        bool masked = octet & 0x80;
        size_t len_at = at + 1, len_end = at + 2;
        uint64_t len = short_len;
        if (short_len >= 126) {
            len_at = at + 2;
            len_end = len_at + (short_len == 126 ? 2 : 8);
            len = number(s, len_at, len_end);
        }
        if (at + 1 < s->n) {
            note(&flaw, s->server && !masked, at + 1, SIPWS_E_WS_UNMASKED);
            note(&flaw, !s->server && masked, at + 1, SIPWS_E_WS_MASKED);
            note(&flaw, control && short_len > 125, at + 1, SIPWS_E_WS_CONTROL_LONG);
            note(&flaw, opcode == 8 && short_len == 1, at + 1, SIPWS_E_WS_CLOSE_SHORT);
        }
        if (short_len == 127)
            note(&flaw, len >> 63, at + 2, SIPWS_E_WS_LENGTH_TOP);
        if (short_len == 127 && at + 7 < s->n)
            note(&flaw, len <= 0xFFFF, at + 7, SIPWS_E_WS_LENGTH_LONG);
        if (short_len == 126 && at + 3 < s->n)
            note(&flaw, len <= 125, at + 3, SIPWS_E_WS_LENGTH_LONG);
        for (size_t i = len_at; !control && i < len_end && i < s->n; i++) {
            uint64_t least = short_len;
            if (short_len >= 126) {
                least = number(s, len_at, i + 1);
                for (size_t j = i + 1; j < len_end; j++)
                    least *= 256;
            }
            note(&flaw, least > s->limit - message_n, i, SIPWS_E_LIMIT_MESSAGE);
        }

        size_t key_at = len_end, body_at = len_end + (masked ? 4 : 0);
        size_t come =
            body_at < s->n ? s->n - body_at : 0; /* octets of the payload that are there */
        if (come > len)
            come = (size_t)len;
        bool complete = at + 1 < s->n && body_at <= s->n && come == len;
        /* Any flaw so far lies in front of the payload, and ends the stream. */
        unsigned char *body = control ? mem_end - come : message + message_n;
        if (flaw.err == SIPWS_OK) {
            for (size_t i = 0; i < come; i++)
                body[i] = s->p[body_at + i];
            if (masked && come > 0)
                twin_unmask(body, come, s->p + key_at, 0);
        }

        bool text = !control && (parts ? !binary : opcode == 1), whole = true;
        if (flaw.err == SIPWS_OK && text) {
            size_t good = twin_utf8(message, message_n + come, &whole);
            note(&flaw, good < message_n + come, body_at + (good - message_n), SIPWS_E_WS_UTF8);
            note(&flaw, complete && fin && !whole, body_at + come, SIPWS_E_WS_UTF8);
        }
        unsigned code = 1005;
        if (flaw.err == SIPWS_OK && opcode == 8 && come >= 2) {
            code = body[0] * 256u + body[1];
            size_t good = twin_utf8(body + 2, come - 2, &whole);
            note(&flaw, !twin_close_sendable(code), body_at, SIPWS_E_WS_CLOSE_CODE);
            note(&flaw, good < come - 2, body_at + 2 + good, SIPWS_E_WS_CLOSE_UTF8);
            note(&flaw, complete && !whole, body_at + come, SIPWS_E_WS_CLOSE_UTF8);
        }

        struct twin_event event = {.p = body, .n = come};
        if (flaw.err != SIPWS_OK) {
            event = (struct twin_event){.kind = TWIN_ERROR, .err = flaw.err, .off = flaw.off};
        } else if (!complete) {
            break;
        } else if (!control) {
            if (parts++ == 0)
                binary = opcode == 2;
            message_n += come;
            at = body_at + come;
            if (!fin)
                continue;
            event = (struct twin_event){
                .kind = TWIN_MESSAGE, .binary = binary, .p = message, .n = message_n};
            message += message_n;
            parts = message_n = 0;
        } else {
            mem_end = body;
            event.kind = opcode == 8 ? TWIN_CLOSE : opcode == 9 ? TWIN_PING : TWIN_PONG;
            at = body_at + come;
            if (opcode == 8) {
                event.code = code;
                event.p += come ? 2 : 0;
                event.n -= come ? 2 : 0;
                closed = true;
            }
        }
        if (count == cap)
            return cap + 1;
        events[count++] = event;
        if (event.kind == TWIN_ERROR)
            return count;
    }
    if (s->ended && !closed && (at < s->n || parts > 0)) {
        if (count == cap)
            return cap + 1;
        events[count++] =
            (struct twin_event){.kind = TWIN_ERROR, .err = SIPWS_E_WS_CUT, .off = s->n};
    }
    return count;
}

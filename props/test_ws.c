/* WebSocket frames by table: each case is a stream and what it must be taken for, by RFC 6455.
 *
 * A stream is written as hexadecimal octets, 'text', and 61*126 for an octet 126 times. After its
 * last octet the stream ends. Every case is read in one piece, in pieces of each of several sizes
 * and cut in two at every octet, each piece in memory of its own size; and by the naive twin.
 *
 * Most streams come from a server, or are masked with a key of zeros: that is legal, and readable.
 */
#include "twin.h"
#include "ws.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define Z "00000000" /* the masking key of zeros */

enum { C = SIPWS_CLIENT, S = SIPWS_SERVER, DEFAULT = -1 };

static const struct row {
    const char *rfc; /* the section of RFC 6455 that decides; L: a limit of ours */
    const char *name;
    int role; /* of the reader */
    const char *wire;
    const char *want;
    int limit, fragments;
} rows[] = {
#define CASE(rfc, name, role, wire, want)                                                          \
    {                                                                                              \
        rfc, name, role, wire, want, DEFAULT, DEFAULT                                              \
    }

    /* ---- 5.2, 5.3: one frame ---- */
    CASE("1.2", "no octet", C, "", ""),
    CASE("5.2", "text", C, "81 05 'Hello'", "text 'Hello'"),
    CASE("5.2", "binary", C, "82 03 00 FF 80", "binary 00ff80"),
    CASE("5.2", "text without octets", C, "81 00", "text ''"),
    CASE("5.2", "binary without octets", C, "82 00", "binary ''"),
    CASE("5.3", "masked text", S, "81 83 01020304 52 4B 53", "text 'SIP'"),
    CASE("5.3", "masked, without octets", S, "81 80 A1B2C3D4", "text ''"),
    CASE("5.3", "a key of zeros", S, "81 83 " Z " 'SIP'", "text 'SIP'"),
    CASE("5.3", "a key of ones", S, "81 81 FFFFFFFF 9E", "text 'a'"),
    CASE("5.3", "the key comes around", S, "81 86 01020304 60 60 60 60 64 64", "text 'abcdef'"),
    CASE("5.3", "a key for each frame", S, "01 81 01000000 60 80 81 02000000 60", "text 'ab'"),
    CASE("5.3", "masked binary of 9", S, "82 89 10203040 11 20 30 40 10 20 30 40 10",
         "binary 010000000000000000"),

    /* ---- coalescing (W4) ---- */
    CASE("5.4", "two messages", C, "81 01 'a' 81 01 'b'", "text 'a'; text 'b'"),
    CASE("5.4", "three kinds", C, "81 01 'a' 82 01 'b' 89 01 'c'",
         "text 'a'; binary 'b'; ping 'c'"),
    CASE("5.4", "masked and glued", S, "81 81 " Z " 'a' 89 80 " Z " 82 81 " Z " 'b'",
         "text 'a'; ping ''; binary 'b'"),

    /* ---- 5.2: the length ---- */
    CASE("5.2", "125", C, "81 7D 61*125", "text 125 octets"),
    CASE("5.2", "126", C, "81 7E 007E 61*126", "text 126 octets"),
    CASE("5.2", "127", C, "81 7E 007F 61*127", "text 127 octets"),
    CASE("5.2", "256", C, "82 7E 0100 61*256", "binary 256 octets"),
    CASE("5.2", "65535", C, "81 7E FFFF 61*65535", "text 65535 octets"),
    CASE("5.2", "65536", C, "81 7F 0000000000010000 61*65536", "text 65536 octets"),
    CASE("5.2", "125 masked", S, "81 FD " Z " 61*125", "text 125 octets"),
    CASE("5.2", "126 masked", S, "81 FE 007E " Z " 61*126", "text 126 octets"),
    CASE("5.2", "65536 masked", S, "82 FF 0000000000010000 " Z " 61*65536", "binary 65536 octets"),
    CASE("5.2", "126 as a fragment", C, "02 7E 007E 61*126 80 00", "binary 126 octets"),
    CASE("5.2", "125 in two octets", C, "82 7E 007D", "error ws-length-long 3"),
    CASE("5.2", "0 in two octets", C, "82 7E 0000", "error ws-length-long 3"),
    CASE("5.2", "125 in two octets, masked", S, "82 FE 007D " Z, "error ws-length-long 3"),
    CASE("5.2", "65535 in eight octets", C, "82 7F 000000000000FFFF", "error ws-length-long 7"),
    CASE("5.2", "0 in eight octets", C, "82 7F 0000000000000000", "error ws-length-long 7"),
    CASE("5.2", "six zeros are enough", C, "82 7F 000000000000", "error ws-length-long 7"),
    CASE("5.2", "five zeros are not", C, "82 7F 0000000000", "error ws-cut 7"),
    CASE("5.2", "65535 in eight octets, masked", S, "82 FF 000000000000FFFF",
         "error ws-length-long 7"),
    CASE("5.2", "behind another frame", C, "81 01 'a' 82 7E 0005",
         "text 'a'; error ws-length-long 6"),
    CASE("5.2", "of a continuation", C, "02 00 80 7E 0001", "error ws-length-long 5"),

    /* ---- wrapping and top bit (W1), and lengths without octets (W2) ---- */
    CASE("5.2", "2^63", C, "82 7F 8000000000000000", "error ws-length-top 2"),
    CASE("5.2", "the first octet is enough", C, "82 7F 80", "error ws-length-top 2"),
    CASE("5.2", "2^64-4", S, "82 FF FFFFFFFFFFFFFFFC " Z, "error ws-length-top 2"),
    CASE("5.2", "2^64-1", C, "82 7F FFFFFFFFFFFFFFFF", "error ws-length-top 2"),
    CASE("5.2", "3 octets, then 2^64-2", C, "02 03 'abc' 80 7F FFFFFFFFFFFFFFFE",
         "error ws-length-top 7"),
    CASE("L", "3 octets, then 2^63-1", C, "02 03 'abc' 80 7F 7FFFFFFFFFFFFFFF",
         "error limit-message 7"),
    CASE("L", "2^63-1", C, "82 7F 7FFFFFFFFFFFFFFF", "error limit-message 2"),
    CASE("L", "2^62", S, "82 FF 4000000000000000", "error limit-message 2"),
    CASE("L", "2^32", C, "82 7F 0000000100000000", "error limit-message 5"),
    CASE("L", "2^32+5", C, "82 7F 0000000100000005 'Hello'", "error limit-message 5"),

    /* ---- limits, at L and at L + 1 ---- */
    {"L", "10 of 10", C, "82 0A 61*10", "binary 'aaaaaaaaaa'", 10, DEFAULT},
    {"L", "11 of 10", C, "82 0B", "error limit-message 1", 10, DEFAULT},
    {"L", "11 of 10, masked", S, "82 8B", "error limit-message 1", 10, DEFAULT},
    {"L", "0 of 0", C, "82 00", "binary ''", 0, DEFAULT},
    {"L", "1 of 0", C, "82 01", "error limit-message 1", 0, DEFAULT},
    {"L", "126 of 126", C, "82 7E 007E 61*126", "binary 126 octets", 126, DEFAULT},
    {"L", "127 of 126", C, "82 7E 007F", "error limit-message 3", 126, DEFAULT},
    {"L", "300 of 300", S, "82 FE 012C " Z " 61*300", "binary 300 octets", 300, DEFAULT},
    {"L", "301 of 300", S, "82 FE 012D", "error limit-message 3", 300, DEFAULT},
    {"L", "512 of 300: the first octet is enough", C, "82 7E 02", "error limit-message 2", 300,
     DEFAULT},
    {"L", "65535 of 65535", C, "82 7E FFFF 61*65535", "binary 65535 octets", 65535, DEFAULT},
    {"L", "65536 of 65535", C, "82 7F 0000000000010000", "error limit-message 7", 65535, DEFAULT},
    {"L", "65537 of 65536", C, "82 7F 0000000000010001", "error limit-message 9", 65536, DEFAULT},
    {"L", "131072 of 65536", C, "82 7F 0000000000020000", "error limit-message 7", 65536, DEFAULT},
    {"L", "too long a length wins over the limit", C, "82 7E 0064", "error ws-length-long 3", 10,
     DEFAULT},
    {"L", "two fragments of 5 of 10", C, "02 05 61*5 80 05 61*5", "binary 'aaaaaaaaaa'", 10,
     DEFAULT},
    {"L", "5 and 6 of 10", C, "02 05 61*5 80 06", "error limit-message 8", 10, DEFAULT},
    {"L", "10 and 0 of 10", C, "02 0A 61*10 80 00", "binary 'aaaaaaaaaa'", 10, DEFAULT},
    {"L", "10 and 1 of 10", C, "02 0A 61*10 00 01", "error limit-message 13", 10, DEFAULT},
    {"L", "each message anew", C, "81 03 'abc' 81 03 'def'", "text 'abc'; text 'def'", 3, DEFAULT},
    {"L", "control frames do not count", C, "02 03 'abc' 89 7D 61*125 80 00",
     "ping 125 octets; binary 'abc'", 3, DEFAULT},
    {"L", "1 frame of 1", C, "81 01 'a'", "text 'a'", DEFAULT, 1},
    {"L", "2 frames of 1", C, "01 01 'a' 80", "error limit-fragments 3", DEFAULT, 1},
    {"L", "2 frames of 2", C, "01 01 'a' 80 01 'b'", "text 'ab'", DEFAULT, 2},
    {"L", "3 frames of 2", C, "01 01 'a' 00 01 'b' 80", "error limit-fragments 6", DEFAULT, 2},
    {"L", "1 frame of 0", C, "81", "error limit-fragments 0", DEFAULT, 0},
    {"L", "empty fragments count (W7)", C, "02 00 00 00 00 00 00 00", "error limit-fragments 6",
     DEFAULT, 3},
    {"L", "control frames are no fragments", C, "01 00 89 00 8A 00 80 00",
     "ping ''; pong ''; text ''", DEFAULT, 2},
    {"L", "fragments of each message anew", C, "01 00 80 00 01 00 80 00", "text ''; text ''",
     DEFAULT, 2},
    {"L", "masked, 3 frames of 2", S, "02 80 " Z " 00 80 " Z " 80", "error limit-fragments 12",
     DEFAULT, 2},

    /* ---- 5.2: reserved bits and opcodes (W11) ---- */
    CASE("5.2", "RSV1", C, "C1 00", "error ws-rsv 0"),
    CASE("5.2", "RSV2", C, "A1 00", "error ws-rsv 0"),
    CASE("5.2", "RSV3", C, "91 00", "error ws-rsv 0"),
    CASE("5.2", "RSV1 of a ping", C, "C9 00", "error ws-rsv 0"),
    CASE("5.2", "RSV1 of a continuation", C, "01 00 C0 00", "error ws-rsv 2"),
    CASE("5.2", "RSV1 wins over the opcode", C, "C3 00", "error ws-rsv 0"),
    CASE("5.2", "RSV1 to a server", S, "C1 80", "error ws-rsv 0"),
    CASE("5.2", "opcode 3", C, "83 00", "error ws-opcode 0"),
    CASE("5.2", "opcode 7", S, "87 80", "error ws-opcode 0"),
    CASE("5.2", "opcode 11", C, "8B 00", "error ws-opcode 0"),
    CASE("5.2", "opcode 15 without FIN", C, "0F 00", "error ws-opcode 0"),
    CASE("5.2", "opcode 4 within a message", C, "01 01 'a' 84 00", "error ws-opcode 3"),

    /* ---- 5.1: masking by role ---- */
    CASE("5.1", "unmasked to a server", S, "81 05 'Hello'", "error ws-unmasked 1"),
    CASE("5.1", "unmasked ping to a server", S, "89 00", "error ws-unmasked 1"),
    CASE("5.1", "unmasked close to a server", S, "88 00", "error ws-unmasked 1"),
    CASE("5.1", "unmasked continuation", S, "01 81 " Z " 'a' 80 01 'b'", "error ws-unmasked 8"),
    CASE("5.1", "masked to a client", C, "81 85 " Z " 'Hello'", "error ws-masked 1"),
    CASE("5.1", "masked ping to a client", C, "89 80 " Z, "error ws-masked 1"),
    CASE("5.1", "masking wins over a long ping", S, "89 7E", "error ws-unmasked 1"),
    CASE("5.1", "masking wins over a long ping, client", C, "89 FE", "error ws-masked 1"),

    /* ---- 5.4: fragmentation (W6) ---- */
    CASE("5.4", "three fragments", C, "01 01 'a' 00 01 'b' 80 01 'c'", "text 'abc'"),
    CASE("5.4", "binary in two", S, "02 81 " Z " 'a' 80 81 " Z " 'b'", "binary 'ab'"),
    CASE("5.4", "an empty first fragment", C, "01 00 80 01 'a'", "text 'a'"),
    CASE("5.4", "an empty fragment between", C, "01 01 'a' 00 00 80 01 'b'", "text 'ab'"),
    CASE("5.4", "an empty last fragment", C, "01 01 'a' 80 00", "text 'a'"),
    CASE("5.4", "nothing but empty fragments", C, "01 00 00 00 80 00", "text ''"),
    CASE("5.4", "a ping between", C, "01 01 'a' 89 02 'hi' 80 01 'b'", "ping 'hi'; text 'ab'"),
    CASE("5.4", "a pong between", S, "02 81 " Z " 'a' 8A 80 " Z " 80 81 " Z " 'b'",
         "pong ''; binary 'ab'"),
    CASE("5.4", "a close between", C, "01 01 'a' 88 00", "close 1005 ''"),
    CASE("5.4", "the next message starts anew", C, "01 02 'ab' 80 01 'c' 81 01 'd'",
         "text 'abc'; text 'd'"),
    CASE("5.4", "and is of its own kind", C, "02 01 FF 80 00 81 01 'd'", "binary ff; text 'd'"),
    CASE("5.4", "a continuation first", C, "80 00", "error ws-continuation 0"),
    CASE("5.4", "a continuation first, without FIN", S, "00 80", "error ws-continuation 0"),
    CASE("5.4", "a continuation behind a message", C, "81 01 'a' 80 01 'b'",
         "text 'a'; error ws-continuation 3"),
    CASE("5.4", "an empty continuation behind the last", C, "01 01 'a' 80 01 'b' 00 00",
         "text 'ab'; error ws-continuation 6"),
    CASE("5.4", "a continuation behind a ping", C, "89 00 80 00",
         "ping ''; error ws-continuation 2"),
    CASE("5.4", "text in text", C, "01 01 'a' 81 01 'b'", "error ws-interleaved 3"),
    CASE("5.4", "binary in text", C, "01 01 'a' 02 01 'b'", "error ws-interleaved 3"),
    CASE("5.4", "text in binary, behind a ping", C, "02 01 'a' 89 00 81 00",
         "ping ''; error ws-interleaved 5"),

    /* ---- 5.5: control frames (W8, W9, W10) ---- */
    CASE("5.5.2", "a ping", C, "89 00", "ping ''"),
    CASE("5.5.2", "a ping of 125", S, "89 FD " Z " 61*125", "ping 125 octets"),
    CASE("5.5.3", "a pong that nobody asked for", S, "8A 80 " Z, "pong ''"),
    CASE("5.5.2", "a ping that looks like SIP", C, "89 1F 'OPTIONS sip:example.org SIP/2.0'",
         "ping 'OPTIONS sip:example.org SIP/2.0'"),
    CASE("5.5.3", "a pong that looks like SIP", S, "8A 88 " Z " 'SIP/2.0 '", "pong 'SIP/2.0 '"),
    CASE("5.5.2", "a pong that is not UTF-8", C, "8A 02 C080", "pong c080"),
    CASE("5.5", "a ping of 126", C, "89 7E 007E", "error ws-control-long 1"),
    CASE("5.5", "a pong with eight octets of length", S, "8A FF", "error ws-control-long 1"),
    CASE("5.5", "a close of 126", C, "88 7E", "error ws-control-long 1"),
    CASE("5.5", "a ping without FIN", C, "09 00", "error ws-control-cut 0"),
    CASE("5.5", "a pong without FIN", S, "0A 80", "error ws-control-cut 0"),
    CASE("5.5", "a close without FIN", C, "08 00", "error ws-control-cut 0"),

    /* ---- 5.5.1, 7.4: close (W13) ---- */
    CASE("7.1.5", "without a code", C, "88 00", "close 1005 ''"),
    CASE("7.4.1", "1000", C, "88 02 03E8", "close 1000 ''"),
    CASE("7.1.6", "with a reason", C, "88 05 03E8 'bye'", "close 1000 'bye'"),
    CASE("7.1.6", "masked", S, "88 85 01020304 02 EA 61 7D 64", "close 1000 'bye'"),
    CASE("7.4.1", "1011", C, "88 02 03F3", "close 1011 ''"),
    CASE("7.4.1", "1014, registered later", C, "88 02 03F6", "close 1014 ''"),
    CASE("7.4.2", "3000", C, "88 02 0BB8", "close 3000 ''"),
    CASE("7.4.2", "4999", C, "88 02 1387", "close 4999 ''"),
    CASE("5.5.1", "a reason of 123", C, "88 7D 03E8 61*123", "close 1000 123 octets"),
    CASE("5.5.1", "a reason with a long character", C, "88 06 03E8 F09F9880",
         "close 1000 f09f9880"),
    CASE("5.5.1", "one octet", C, "88 01 03", "error ws-close-short 1"),
    CASE("5.5.1", "one octet, masked", S, "88 81", "error ws-close-short 1"),
    CASE("7.4.1", "1004", C, "88 02 03EC", "error ws-close-code 2"),
    CASE("7.4.1", "1005", C, "88 02 03ED", "error ws-close-code 2"),
    CASE("7.4.1", "1006, masked", S, "88 82 " Z " 03EE", "error ws-close-code 6"),
    CASE("7.4.1", "1015", C, "88 02 03F7", "error ws-close-code 2"),
    CASE("7.4.2", "0", C, "88 02 0000", "error ws-close-code 2"),
    CASE("7.4.2", "999", C, "88 02 03E7", "error ws-close-code 2"),
    CASE("7.4.2", "2999", C, "88 02 0BB7", "error ws-close-code 2"),
    CASE("7.4.2", "5000", C, "88 02 1388", "error ws-close-code 2"),
    CASE("7.4.2", "judged before the reason is there", C, "88 05 1388", "error ws-close-code 2"),
    CASE("7.4.2", "the code wins over the reason", C, "88 04 03ED C080", "error ws-close-code 2"),
    CASE("7.1.1", "half a code", C, "88 02 03", "error ws-cut 3"),
    CASE("5.5.1", "a reason that is not UTF-8", C, "88 04 03E8 C080", "error ws-close-utf8 4"),
    CASE("5.5.1", "its third octet", S, "88 86 " Z " 03E8 'ab' FF 'c'", "error ws-close-utf8 10"),
    CASE("5.5.1", "a reason that ends within a character", C, "88 03 03E8 C3",
         "error ws-close-utf8 5"),
    CASE("5.5.1", "a ping behind a close", C, "88 00 89 00",
         "close 1005 ''; error ws-after-close 2"),
    CASE("5.5.1", "an octet behind a close", C, "88 02 03E8 00",
         "close 1000 ''; error ws-after-close 4"),
    CASE("5.5.1", "the rest of a message behind a close", S, "01 80 " Z " 88 80 " Z " 80 80 " Z,
         "close 1005 ''; error ws-after-close 12"),

    /* ---- 8.1: UTF-8 (W12) ---- */
    CASE("8.1", "two, three and four octets", C, "81 09 C3A9 E282AC F09F9880",
         "text c3a9e282acf09f9880"),
    CASE("8.1", "the first and last of each length", C,
         "81 12 C280 DFBF E0A080 EFBFBF F0908080 F48FBFBF",
         "text c280dfbfe0a080efbfbff0908080f48fbfbf"),
    CASE("8.1", "beside the surrogates", C, "81 06 ED9FBF EE8080", "text ed9fbfee8080"),
    CASE("8.1", "NUL", C, "81 01 00", "text 00"),
    CASE("8.1", "a byte order mark", C, "81 03 EFBBBF", "text efbbbf"),
    CASE("5.6", "a character in two fragments", C, "01 01 C3 80 01 A9", "text c3a9"),
    CASE("5.6", "a character in four fragments", S,
         "01 81 " Z " F0 00 81 " Z " 9F 00 81 " Z " 98 80 81 " Z " 80", "text f09f9880"),
    CASE("5.6", "a ping within a character", C, "01 01 C3 89 01 C3 80 01 A9", "ping c3; text c3a9"),
    CASE("5.6", "binary is any octets", C, "82 02 C080", "binary c080"),
    CASE("5.6", "binary that ends within a character, then text", C, "82 01 C3 81 01 'a'",
         "binary c3; text 'a'"),
    CASE("8.1", "C0 80", C, "81 02 C080", "error ws-utf8 2"),
    CASE("8.1", "C1 BF", C, "81 02 C1BF", "error ws-utf8 2"),
    CASE("8.1", "E0 80 80", C, "81 03 E08080", "error ws-utf8 3"),
    CASE("8.1", "E0 9F BF", C, "81 03 E09FBF", "error ws-utf8 3"),
    CASE("8.1", "ED A0 80, a surrogate", C, "81 03 EDA080", "error ws-utf8 3"),
    CASE("8.1", "ED BF BF, a surrogate", C, "81 03 EDBFBF", "error ws-utf8 3"),
    CASE("8.1", "F0 8F BF BF", C, "81 04 F08FBFBF", "error ws-utf8 3"),
    CASE("8.1", "F4 90 80 80", C, "81 04 F4908080", "error ws-utf8 3"),
    CASE("8.1", "F5", C, "81 04 F5808080", "error ws-utf8 2"),
    CASE("8.1", "FF", C, "81 01 FF", "error ws-utf8 2"),
    CASE("8.1", "80 at the start", C, "81 01 80", "error ws-utf8 2"),
    CASE("8.1", "80 behind letters", C, "81 03 'ab' 80", "error ws-utf8 4"),
    CASE("8.1", "a letter for a second octet", C, "81 02 C3 28", "error ws-utf8 3"),
    CASE("8.1", "a letter for a third octet", C, "81 03 E282 28", "error ws-utf8 4"),
    CASE("8.1", "a letter for a fourth octet", C, "81 04 F09F98 28", "error ws-utf8 5"),
    CASE("8.1", "behind forty letters", C, "81 29 61*40 FF", "error ws-utf8 42"),
    CASE("8.1", "long before the frame ends", C, "81 7E 1000 'ab' FF", "error ws-utf8 6"),
    CASE("8.1", "masked", S, "81 82 01020304 60 FD", "error ws-utf8 7"),
    CASE("8.1", "in a second fragment", C, "01 01 C3 80 01 28", "error ws-utf8 5"),
    CASE("8.1", "a surrogate in two fragments", C, "01 01 ED 80 02 A080", "error ws-utf8 5"),
    CASE("8.1", "a second message", C, "81 01 'a' 81 01 FF", "text 'a'; error ws-utf8 5"),
    CASE("8.1", "ends within a character of two", C, "81 01 C3", "error ws-utf8 3"),
    CASE("8.1", "ends within a character of three", C, "81 02 E282 81 00", "error ws-utf8 4"),
    CASE("8.1", "ends within a character of four", S, "81 83 " Z " F09F98", "error ws-utf8 9"),
    CASE("8.1", "ends so with an empty fragment", C, "01 01 C3 80 00", "error ws-utf8 5"),
    CASE("8.1", "a fragment may, if another follows", C, "01 01 C3", "error ws-cut 3"),

    /* ---- 7.1.1: the end of the stream (W3) ---- */
    CASE("7.1.1", "after one octet", C, "81", "error ws-cut 1"),
    CASE("7.1.1", "in a length of two, 0 there", C, "81 7E", "error ws-cut 2"),
    CASE("7.1.1", "in a length of two, 1 there", C, "81 7E 01", "error ws-cut 3"),
    CASE("7.1.1", "in a length of eight, 7 there", C, "81 7F 00000000000100", "error ws-cut 9"),
    CASE("7.1.1", "in a key, 0 there", S, "81 81", "error ws-cut 2"),
    CASE("7.1.1", "in a key, 3 there", S, "81 81 000000", "error ws-cut 5"),
    CASE("7.1.1", "in a key behind a length of eight", S, "81 FF 0000000000010000 000000",
         "error ws-cut 13"),
    CASE("7.1.1", "in the payload", C, "81 05 'Hell'", "error ws-cut 6"),
    CASE("7.1.1", "before the payload", C, "81 05", "error ws-cut 2"),
    CASE("7.1.1", "between fragments", C, "01 01 'a'", "error ws-cut 3"),
    CASE("7.1.1", "between fragments, behind a ping", C, "01 00 89 00", "ping ''; error ws-cut 4"),
    CASE("7.1.1", "in a ping", C, "81 01 'a' 89 02 'x'", "text 'a'; error ws-cut 6"),
};

enum { ROWS = sizeof rows / sizeof *rows };

/* ---- the notation ---------------------------------------------------------------------------- */

struct octets {
    unsigned char *p;
    size_t n;
};

static unsigned hex(char ch)
{
    assert_true((ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'F'));
    return (unsigned)(ch <= '9' ? ch - '0' : ch - 'A' + 10);
}

static void append(struct octets *o, unsigned octet, size_t times)
{
    o->p = realloc(o->p, o->n + times + 1);
    assert_non_null(o->p);
    memset(o->p + o->n, (int)octet, times);
    o->n += times;
}

static struct octets wire_of(const char *s)
{
    struct octets o = {NULL, 0};
    while (*s) {
        if (*s == ' ') {
            s++;
        } else if (*s == '\'') {
            for (s++; *s != '\''; s++)
                append(&o, (unsigned char)*s, 1);
            s++;
        } else {
            unsigned octet = hex(s[0]) << 4 | hex(s[1]);
            s += 2;
            char *end = NULL;
            size_t times = *s == '*' ? strtoul(s + 1, &end, 10) : 1;
            s = end ? end : s;
            append(&o, octet, times);
        }
    }
    return o;
}

struct said {
    char s[512];
    size_t n;
};

static void say(struct said *out, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;

static void say(struct said *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(out->s + out->n, sizeof out->s - out->n, format, args);
    va_end(args);
    assert_true(n >= 0 && (size_t)n < sizeof out->s - out->n);
    out->n += (size_t)n;
}

/* 'text' where it is printable and short, hexadecimal octets where it is short, else its size. */
static void say_octets(struct said *out, const unsigned char *p, size_t n)
{
    bool printable = true;
    for (size_t i = 0; i < n; i++)
        printable = printable && p[i] >= 0x20 && p[i] <= 0x7E;
    if (n > 40) {
        say(out, "%zu octets", n);
    } else if (printable) {
        say(out, "'%.*s'", (int)n, n ? (const char *)p : "");
    } else {
        for (size_t i = 0; i < n; i++)
            say(out, "%02x", p[i]);
    }
}

static void say_event(struct said *out, const struct twin_event *e)
{
    static const char *const names[] = {"text", "ping", "pong", "close", "error"};
    say(out, "%s%s ", out->n ? "; " : "", e->binary ? "binary" : names[e->kind]);
    if (e->kind == TWIN_ERROR) {
        say(out, "%s %zu", sipws_err_info(e->err)->id, e->off);
        return;
    }
    if (e->kind == TWIN_CLOSE)
        say(out, "%u ", e->code);
    say_octets(out, e->p, e->n);
}

/* ---- the reader ------------------------------------------------------------------------------ */

struct reading {
    struct sipws_ws w;
    struct said said;
    char *buf;
};

static void start(struct reading *r, enum sipws_role role, struct sipws_limits limits, size_t cap)
{
    r->said = (struct said){"", 0};
    r->buf = malloc(cap ? cap : 1);
    assert_non_null(r->buf);
    sipws_ws_init(&r->w, role, &limits, cap ? r->buf : NULL, cap);
}

static void hear(struct reading *r, const struct sipws_ws_event *ev)
{
    struct twin_event e = {.binary = ev->binary, .code = ev->code, .p = NULL, .n = ev->data.n};
    e.p = (const unsigned char *)ev->data.p;
    switch (ev->kind) {
    case SIPWS_WS_MORE:
        return;
    case SIPWS_WS_MESSAGE:
        e.kind = TWIN_MESSAGE;
        break;
    case SIPWS_WS_PING:
        e.kind = TWIN_PING;
        break;
    case SIPWS_WS_PONG:
        e.kind = TWIN_PONG;
        break;
    case SIPWS_WS_CLOSE:
        e.kind = TWIN_CLOSE;
        break;
    case SIPWS_WS_ERROR:
        e = (struct twin_event){.kind = TWIN_ERROR, .err = ev->diag.err, .off = ev->diag.off};
        assert_non_null(ev->diag.rule);
        assert_string_equal(ev->diag.rfc, sipws_err_info(ev->diag.err)->rfc);
        break;
    }
    say_event(&r->said, &e);
}

/* Reads a piece from memory of its own size. False: refused. */
static bool feed(struct reading *r, const unsigned char *p, size_t n)
{
    char *piece = malloc(n ? n : 1);
    struct sipws_ws_event ev;
    assert_non_null(piece);
    if (n > 0)
        memcpy(piece, p, n);
    struct sipws_str in = {piece, n};
    do {
        sipws_ws_read(&r->w, &in, &ev);
        hear(r, &ev);
    } while (ev.kind != SIPWS_WS_MORE && ev.kind != SIPWS_WS_ERROR);
    if (ev.kind == SIPWS_WS_MORE)
        assert_int_equal(in.n, 0);
    free(piece);
    return ev.kind == SIPWS_WS_MORE;
}

static const char *end(struct reading *r)
{
    struct sipws_ws_event ev, again;
    bool failed = r->w.error.err != SIPWS_OK;
    sipws_ws_end(&r->w, &ev);
    if (!failed)
        hear(r, &ev);
    struct sipws_str none = {NULL, 0};
    if (ev.kind == SIPWS_WS_ERROR) { /* it is sticky */
        assert_int_equal(sipws_ws_read(&r->w, &none, &again), SIPWS_WS_ERROR);
        assert_int_equal(again.diag.err, ev.diag.err);
        assert_int_equal(again.diag.off, ev.diag.off);
    } else {
        assert_int_equal(ev.kind, SIPWS_WS_MORE);
    }
    free(r->buf);
    return r->said.s;
}

static struct sipws_limits limits_of(const struct row *row)
{
    struct sipws_limits limits = SIPWS_LIMITS_DEFAULT;
    if (row->limit != DEFAULT)
        limits.message = (size_t)row->limit;
    if (row->fragments != DEFAULT)
        limits.fragments = (uint32_t)row->fragments;
    return limits;
}

/* The stream in pieces: the first of `first` octets, the others of `size`. */
static void check(const struct row *row, struct octets wire, size_t first, size_t size)
{
    struct reading r;
    struct sipws_limits limits = limits_of(row);
    start(&r, (enum sipws_role)row->role, limits, limits.message);
    size_t at = 0, n = first < wire.n ? first : wire.n;
    while (feed(&r, wire.p ? wire.p + at : NULL, n) && (at += n) < wire.n)
        n = size < wire.n - at ? size : wire.n - at;
    const char *said = end(&r);
    if (strcmp(said, row->want) != 0)
        fail_msg("%s, \"%s\", pieces of %zu and %zu: %s, should be %s", row->rfc, row->name, first,
                 size, said, row->want);
}

static void streams(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        struct octets wire = wire_of(rows[i].wire);
        check(&rows[i], wire, wire.n, wire.n + 1);
        static const size_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 9, 13, 64, 1000, 1025};
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
            if (wire.n <= 1000 || sizes[k] != 2)
                check(&rows[i], wire, sizes[k], sizes[k]);
        for (size_t cut = 0; cut <= wire.n && cut <= 400; cut++)
            check(&rows[i], wire, cut, wire.n + 1);
        free(wire.p);
    }
}

static void the_twin_agrees(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        struct octets wire = wire_of(rows[i].wire);
        struct sipws_limits limits = limits_of(&rows[i]);
        struct twin_stream t = {.p = wire.p,
                                .n = wire.n,
                                .server = rows[i].role == SIPWS_SERVER,
                                .ended = true,
                                .limit = limits.message,
                                .fragments = limits.fragments};
        unsigned char *mem = malloc(wire.n + 1);
        struct twin_event events[16];
        struct said said = {"", 0};
        assert_non_null(mem);
        size_t n = twin_frames(&t, mem, events, 16);
        assert_true(n <= 16);
        for (size_t k = 0; k < n; k++)
            say_event(&said, &events[k]);
        if (strcmp(said.s, rows[i].want) != 0)
            fail_msg("%s, \"%s\": the twin says %s, should say %s", rows[i].rfc, rows[i].name,
                     said.s, rows[i].want);
        free(mem);
        free(wire.p);
    }
}

/* Every error of the layer is the verdict of a row, and so are the two limits. */
static void every_error_is_reached(void **state)
{
    (void)state;
    for (int err = 1; err < SIPWS_ERR_COUNT; err++) {
        const struct sipws_err_info *info = sipws_err_info((enum sipws_err)err);
        bool ours = info->layer == SIPWS_LAYER_WS || err == SIPWS_E_LIMIT_MESSAGE ||
                    err == SIPWS_E_LIMIT_FRAGMENTS;
        ours = ours && err != SIPWS_E_WS_LOST; /* only a connection knows that no close came */
        bool reached = !ours;
        char text[64];
        snprintf(text, sizeof text, "error %s ", info->id);
        for (size_t i = 0; i < ROWS; i++)
            reached = reached || strstr(rows[i].want, text);
        if (!reached)
            fail_msg("no row is refused with %s", info->id);
    }
    assert_int_equal(sipws_err_info(SIPWS_E_LIMIT_MESSAGE)->ws_close, 1009);
    assert_int_equal(sipws_err_info(SIPWS_E_WS_UTF8)->ws_close, 1007);
    assert_int_equal(sipws_err_info(SIPWS_E_WS_RSV)->ws_close, 1002);
}

/* ---- all of a kind --------------------------------------------------------------------------- */

/* Each first octet, at the start and within a message, by the words of 5.2, 5.4 and 5.5. */
static void all_first_octets(void **state)
{
    (void)state;
    for (int server = 0; server <= 1; server++)
        for (int inside = 0; inside <= 1; inside++)
            for (unsigned c = 0; c < 256; c++) {
                unsigned char wire[12] = {0x01, server ? 0x80 : 0x00};
                size_t n = inside ? (server ? 6 : 2) : 0, off = n;
                wire[n] = (unsigned char)c;
                wire[n + 1] = server ? 0x80 : 0x00;
                n += server ? 6 : 2;
                const char *want = "ws-cut", *rsv = c & 0x70 ? "ws-rsv" : NULL;
                char all[64] = "";
                unsigned opcode = c & 15;
                bool fin = c >= 0x80;
                if (rsv)
                    want = rsv;
                else if ((opcode > 2 && opcode < 8) || opcode > 10)
                    want = "ws-opcode";
                else if (opcode >= 8 && !fin)
                    want = "ws-control-cut";
                else if (opcode == 0 && !inside)
                    want = "ws-continuation";
                else if ((opcode == 1 || opcode == 2) && inside)
                    want = "ws-interleaved";
                else {
                    static const char *const events[] = {
                        "text ''", "text ''", "binary ''",     "",        "",       "",
                        "",        "",        "close 1005 ''", "ping ''", "pong ''"};
                    bool whole = opcode >= 8 ? !inside || opcode == 8 : fin;
                    snprintf(all, sizeof all, "%s", fin ? events[opcode] : "");
                    if (!whole)
                        snprintf(all + strlen(all), sizeof all - strlen(all), "%serror ws-cut %zu",
                                 fin ? "; " : "", n);
                    want = NULL;
                }
                if (want)
                    snprintf(all, sizeof all, "error %s %zu", want, off);
                struct reading r;
                start(&r, server ? SIPWS_SERVER : SIPWS_CLIENT, SIPWS_LIMITS_DEFAULT, 16);
                feed(&r, wire, n);
                assert_string_equal(end(&r), all);
            }
}

static void all_close_codes(void **state)
{
    (void)state;
    unsigned accepted = 0;
    for (unsigned code = 0; code < 65536; code++) {
        unsigned char wire[] = {0x88, 2, (unsigned char)(code >> 8), (unsigned char)code};
        /* 7.4.2: 0-999 are not used; 7.4.1: 1004 to 1006 and 1015 are never sent; 1016 to 2999 are
         * for the protocol and not registered; from 5000 on there is no range. */
        bool good =
            (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
            (code >= 3000 && code < 5000);
        struct sipws_limits limits = SIPWS_LIMITS_DEFAULT;
        struct sipws_ws w;
        struct sipws_ws_event ev;
        struct sipws_str in = {(const char *)wire, sizeof wire};
        sipws_ws_init(&w, SIPWS_CLIENT, &limits, NULL, 0);
        enum sipws_ws_kind kind = sipws_ws_read(&w, &in, &ev);
        assert_int_equal(kind, good ? SIPWS_WS_CLOSE : SIPWS_WS_ERROR);
        assert_int_equal(sipws_close_sendable(code), good);
        if (good)
            assert_int_equal(ev.code, code);
        else
            assert_int_equal(ev.diag.off, 2);
        accepted += good;
    }
    assert_int_equal(accepted, 12 + 2000);
    assert_false(sipws_close_sendable(65536 + 1000));
}

/* Each form of a header, cut at each of its octets. */
static void headers_cut_at_each_octet(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 125, 126, 127, 65535, 65536};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int server = 0; server <= 1; server++) {
            size_t n = sizes[i], head = 2;
            unsigned char *wire = calloc(1, n + 14);
            assert_non_null(wire);
            wire[0] = 0x82;
            wire[1] = (unsigned char)((server ? 0x80 : 0) | (n < 126 ? n : n < 65536 ? 126 : 127));
            for (size_t k = n < 126 ? 0 : n < 65536 ? 2 : 8; k > 0; k--)
                wire[head++] = (unsigned char)(k > 4 ? 0 : n >> 8 * (k - 1));
            head += server ? 4 : 0; /* a key of zeros */
            memset(wire + head, 'x', n);
            for (size_t a = 0; a <= head + 1; a++)
                for (size_t b = a; b <= head + 1; b++) {
                    size_t end_a = a < head + n ? a : head + n, end_b = b < head + n ? b : head + n;
                    struct reading r;
                    start(&r, server ? SIPWS_SERVER : SIPWS_CLIENT, SIPWS_LIMITS_DEFAULT, n);
                    feed(&r, wire, end_a);
                    feed(&r, wire + end_a, end_b - end_a);
                    feed(&r, wire + end_b, head + n - end_b);
                    assert_int_equal(r.w.frame.len, n);
                    struct said want = {"", 0};
                    unsigned char *x = wire + head;
                    say_event(&want, &(struct twin_event){.binary = true, .p = x, .n = n});
                    assert_string_equal(end(&r), want.s);
                }
            free(wire);
        }
}

/* 10.4: the buffer bounds the message, whatever the limit says. */
static void the_buffer_is_a_limit(void **state)
{
    (void)state;
    struct reading r;
    start(&r, SIPWS_CLIENT, (struct sipws_limits){0, 1000, 10}, 3);
    feed(&r,
         (const unsigned char *)"\x82\x03"
                                "abc\x82\x04",
         7);
    assert_string_equal(end(&r), "binary 'abc'; error limit-message 6");
    start(&r, SIPWS_CLIENT, (struct sipws_limits){0, 3, 10}, 16);
    feed(&r,
         (const unsigned char *)"\x82\x03"
                                "abc\x82\x04",
         7);
    assert_string_equal(end(&r), "binary 'abc'; error limit-message 6");
    start(&r, SIPWS_CLIENT, (struct sipws_limits){0, SIZE_MAX, UINT32_MAX}, 0);
    feed(&r, (const unsigned char *)"\x82\x00\x82\x01", 4);
    assert_string_equal(end(&r), "binary ''; error limit-message 3");
}

static void nothing_is_fine(void **state)
{
    (void)state;
    struct sipws_limits limits = SIPWS_LIMITS_DEFAULT;
    struct sipws_ws w;
    struct sipws_ws_event ev;
    struct sipws_str none = {NULL, 0};
    sipws_ws_init(&w, SIPWS_SERVER, &limits, NULL, 0);
    assert_int_equal(sipws_ws_read(&w, &none, &ev), SIPWS_WS_MORE);
    assert_int_equal(sipws_ws_end(&w, &ev), SIPWS_WS_MORE);
    struct sipws_out o = sipws_out(NULL, 0);
    sipws_ws_put(&o, true, SIPWS_TEXT, NULL, none);
    sipws_ws_put_close(&o, NULL, SIPWS_CLOSE_NORMAL, none);
    assert_int_equal(o.n, 2 + 4);
    sipws_unmask(NULL, NULL, 0, (const unsigned char *)"abcd", 3);
}

/* ---- printing -------------------------------------------------------------------------------- */

/* Prints into memory of exactly `cap` octets; the caller frees. */
static struct octets printed(size_t cap, bool fin, enum sipws_opcode opcode, const char *key,
                             struct sipws_str payload)
{
    struct octets o = {malloc(cap ? cap : 1), cap};
    assert_non_null(o.p);
    struct sipws_out out = sipws_out((char *)o.p, cap);
    sipws_ws_put(&out, fin, opcode, (const unsigned char *)key, payload);
    assert_true(sipws_out_ok(&out));
    assert_int_equal(out.n, cap);
    return o;
}

static void lengths_printed(void **state)
{
    (void)state;
    static const struct {
        size_t n;
        const char *head, *masked;
    } cases[] = {
        {0, "82 00", "82 80"},
        {1, "82 01", "82 81"},
        {125, "82 7D", "82 FD"},
        {126, "82 7E 007E", "82 FE 007E"},
        {127, "82 7E 007F", "82 FE 007F"},
        {256, "82 7E 0100", "82 FE 0100"},
        {65535, "82 7E FFFF", "82 FE FFFF"},
        {65536, "82 7F 0000000000010000", "82 FF 0000000000010000"},
        {66051, "82 7F 0000000000010203", "82 FF 0000000000010203"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct octets body = {NULL, 0};
        append(&body, 'a', cases[i].n);
        struct sipws_str payload = {(const char *)body.p, body.n};
        for (int masked = 0; masked <= 1; masked++) {
            struct octets head = wire_of(masked ? cases[i].masked : cases[i].head);
            if (masked)
                for (unsigned k = 1; k <= 4; k++)
                    append(&head, k, 1);
            struct octets o =
                printed(head.n + body.n, true, SIPWS_BINARY, masked ? "\1\2\3\4" : NULL, payload);
            assert_memory_equal(o.p, head.p, head.n);
            for (size_t k = 0; k < body.n; k++)
                assert_int_equal(o.p[head.n + k], 'a' ^ (masked ? k % 4 + 1 : 0));
            free(o.p);
            free(head.p);
        }
        free(body.p);
    }
}

static void opcodes_printed(void **state)
{
    (void)state;
    static const struct {
        bool fin;
        enum sipws_opcode opcode;
        unsigned char first;
    } cases[] = {{true, SIPWS_TEXT, 0x81},         {false, SIPWS_TEXT, 0x01},
                 {true, SIPWS_CONTINUATION, 0x80}, {false, SIPWS_CONTINUATION, 0x00},
                 {true, SIPWS_PING, 0x89},         {true, SIPWS_PONG, 0x8A},
                 {true, SIPWS_CLOSE, 0x88},        {false, SIPWS_BINARY, 0x02}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct octets o = printed(4, cases[i].fin, cases[i].opcode, NULL, SIPWS_STR("hi"));
        assert_int_equal(o.p[0], cases[i].first);
        assert_memory_equal(o.p + 1, "\2hi", 3);
        free(o.p);
    }
}

static void short_buffers(void **state)
{
    (void)state;
    for (size_t cap = 0; cap <= 9; cap++) {
        char *p = malloc(cap ? cap : 1);
        assert_non_null(p);
        struct sipws_out o = sipws_out(p, cap);
        sipws_ws_put(&o, true, SIPWS_TEXT, (const unsigned char *)"\1\2\3\4", SIPWS_STR("SIP"));
        assert_int_equal(o.n, 9);
        assert_int_equal(sipws_out_ok(&o), cap == 9);
        if (cap == 9)
            assert_memory_equal(p, "\x81\x83\1\2\3\4\x52\x4B\x53", 9);
        free(p);
    }
}

static void close_frames_printed(void **state)
{
    (void)state;
    static char a[200];
    memset(a, 'a', sizeof a);
    static const struct {
        unsigned code;
        const char *reason; /* NULL: `letters` times "a", then `tail` */
        size_t letters;
        const char *tail;
        size_t payload; /* octets of the frame's payload */
    } cases[] = {
        {1000, "", 0, "", 2},
        {1000, "bye", 0, "", 5},
        {4999, "", 0, "", 2},
        {1005, "lost", 0, "", 0}, /* may not be sent: nothing is */
        {1006, "", 0, "", 0},
        {1015, "", 0, "", 0},
        {0, "", 0, "", 0},
        {66536, "", 0, "", 0}, /* 1000 modulo 65536 */
        {1000, NULL, 123, "", 125},
        {1000, NULL, 124, "", 125},
        {1000, NULL, 121, "\xC3\xA9", 125},
        {1000, NULL, 122, "\xC3\xA9", 124}, /* would end within the character */
        {1000, NULL, 120, "\xE2\x82\xAC", 125},
        {1000, NULL, 121, "\xE2\x82\xAC", 123},
        {1000, NULL, 122, "\xE2\x82\xAC", 124},
        {1000, NULL, 119, "\xF0\x9F\x98\x80", 125},
        {1000, NULL, 120, "\xF0\x9F\x98\x80", 122},
        {1000, NULL, 122, "\xF0\x9F\x98\x80", 124},
        {1000,
         "ab\xFF"
         "cd",
         0, "", 4}, /* not UTF-8: up to there */
        {1000,
         "ab\xE2\x82"
         "cd",
         0, "", 4},
        {1000, "\xC3", 0, "", 2},
        {1000, "\x80", 0, "", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256], frame[160];
        size_t n = cases[i].letters;
        memcpy(text, a, n);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s",
                              cases[i].reason ? cases[i].reason : cases[i].tail);
        struct sipws_out o = sipws_out(frame, sizeof frame);
        sipws_ws_put_close(&o, NULL, cases[i].code, (struct sipws_str){text, n});
        assert_int_equal(o.n, 2 + cases[i].payload);
        assert_int_equal((unsigned char)frame[0], 0x88);
        assert_int_equal(frame[1], cases[i].payload);
        if (cases[i].payload >= 2) {
            assert_int_equal((unsigned char)frame[2] << 8 | (unsigned char)frame[3], cases[i].code);
            assert_memory_equal(frame + 4, text, cases[i].payload - 2);
        }
    }
    char frame[16];
    struct sipws_out o = sipws_out(frame, sizeof frame);
    sipws_ws_put_close(&o, (const unsigned char *)"\1\2\3\4", 1000, SIPWS_STR("bye"));
    assert_int_equal(o.n, 11);
    assert_memory_equal(frame, "\x88\x85\1\2\3\4\x02\xEA\x61\x7D\x64", 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams),
        cmocka_unit_test(the_twin_agrees),
        cmocka_unit_test(every_error_is_reached),
        cmocka_unit_test(all_first_octets),
        cmocka_unit_test(all_close_codes),
        cmocka_unit_test(headers_cut_at_each_octet),
        cmocka_unit_test(the_buffer_is_a_limit),
        cmocka_unit_test(nothing_is_fine),
        cmocka_unit_test(lengths_printed),
        cmocka_unit_test(opcodes_printed),
        cmocka_unit_test(short_buffers),
        cmocka_unit_test(close_frames_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

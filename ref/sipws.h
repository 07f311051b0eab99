/* sipws: SIP over WebSocket (RFC 7118), all of it. Include this, or the headers of the layers that
 * you need.
 *
 * | header | what |
 * | --- | --- |
 * | err.h, limits.h | errors and what they mean; limits |
 * | str.h, out.h | slices and cursors to read, writers to print |
 * | chars.h | the basic rules of SIP's grammar |
 * | utf8.h, crypt.h | UTF-8; hashes and base64 |
 * | ws.h | WebSocket frames and messages (RFC 6455) |
 * | http.h | the opening handshake |
 * | uri.h, addr.h, field.h | URIs, addresses, the values of header fields |
 * | msg.h | SIP messages: read, judge, print (RFC 3261) |
 * | build.h | SIP messages: build, answer, change on the way |
 * | conn.h | a whole connection, either side |
 * | policy.h | who may say what (RFC 7118 appendix A) |
 *
 * Where to start: to judge a message, sipws_msg_parse and sipws_msg_check; to speak over a socket,
 * struct sipws_conn; to send, sipws_build_request and sipws_build_response_to.
 *
 *
 * Conventions
 * ===========
 *
 * What the library does not do: it has no socket, clock, random number, file, thread or global
 * state, and allocates nothing. Octets go in, events and octets come out; the time and random
 * octets are arguments. So the same calls give the same results, and a connection can be tried out
 * without a network. (SHA-1, base64 and the hashes of Digest are OpenSSL's, which allocates inside;
 * ref/crypt.c is the one file that calls it. TLS is no part of the library: ref/tls.h of the
 * sources tells how to have it.)
 *
 * Slices. `struct sipws_str` is a pointer and a length. What a reader gives out aliases the octets
 * that were read: it lives as long as they do, and is not NUL-terminated (print it with `%.*s` or
 * fwrite). p == NULL means that the thing is absent, n == 0 that it is empty.
 *
 * Cursors. `struct sipws_cur` walks over input. A read that returns true has stepped over what it
 * read. One that returns false has moved nothing, and has described the refusal in cur->diag unless
 * that is NULL. No reader looks at the octet at cur->end or behind it.
 *
 * Writers. `struct sipws_out` writes to the caller's octets and never past them. Once something
 * does not fit, nothing more is written but the count goes on: a writer of no octets measures. Ask
 * sipws_out_ok once, at the end.
 *
 * Errors. A function that can refuse returns false, or an event of its own, and fills a
 * `struct sipws_diag`: which error, at which octet, by which rule of the grammar, by which section
 * of which RFC. sipws_err_info has the texts, and the status or close code that answers.
 * A message has a report of several; they are judged by severity: only errors are refusals.
 * Where an offset counts from is said at each function; mostly it is the first octet of the input.
 * On the meaning of each error: `sipws explain`.
 *
 * Strictness. What the standards refuse is refused. `allow` is a set of SIPWS_ALLOW_ bits, each a
 * leniency with the attack that it opens (str.h); 0 is strict. Where the standards contradict each
 * other, the header says under "readings that are chosen here" which one was taken.
 *
 * Limits. Nothing is unbounded: limits.h has the constants and struct sipws_limits. A limit L takes
 * L and refuses L + 1, with an error of its own. The time for n octets is proportional to n, but
 * for parameters, which are compared with each other: at most SIPWS_MAX_PARAMS of them.
 *
 * Ownership. The caller owns everything: buffers, field arrays, every struct. A struct may be
 * copied unless its comment says that it is pointed into. There is nothing to free and nothing to
 * close. Pointers and slices in an event live until the next call with the same connection.
 *
 * Threads. Functions touch nothing but their arguments, so calls with different structs may run at
 * the same time. Two calls with the same struct may not.
 *
 * Structs and zero. Unless said otherwise, all members zero is a sound start, and members that a
 * comment gives to the engine, reader or builder are not for the caller to change. Set structs by
 * their members' names: later versions may add members.
 *
 * Names. SIPWS_E_ errors, SIPWS_F_ header fields, SIPWS_M_ methods, SIPWS_K_ kinds of elements,
 * SIPWS_C_ classes of octets, SIPWS_EV_ events, SIPWS_ALLOW_ leniencies, SIPWS_MAX_ limits. A
 * reader has the name of the rule in the grammar; a printer ends in _print or starts with put_.
 *
 * Secrets. Compare what an attacker must not guess with sipws_crypt_eq; sipws_str_eq tells by its
 * time where two strings differ.
 *
 * C++. The headers are C11 and C++11; functions have C linkage.
 *
 * Versions. Semantic versioning. Before 1.0.0 a minor version may change the interface, a patch
 * version may not; ids of errors are never reused for something else.
 */
#ifndef SIPWS_H
#define SIPWS_H

#include "build.h"
#include "conn.h"
#include "policy.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The version of these headers. */
#define SIPWS_VERSION_MAJOR 0
#define SIPWS_VERSION_MINOR 1
#define SIPWS_VERSION_PATCH 0
#define SIPWS_VERSION       "0.1.0"

/* The version of the library that runs: another one than SIPWS_VERSION if a shared library was
 * exchanged. */
const char *sipws_version(void);

#ifdef __cplusplus
}
#endif

#endif

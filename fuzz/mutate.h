/* Mutations of fuzz inputs that know what an input is: a URI, the value of a header field, a SIP
 * message, a handshake, frames, a connection.
 *
 * An input is split lightly, at lines, colons, commas, semicolons, quotes and the heads of frames,
 * and never by ref: a mutator that asks ref makes only what ref takes already. So any octets are an
 * input; where nothing can be told apart, octets are changed like elsewhere.
 *
 * Changes are of two kinds. Sound ones mostly leave a well-formed input well-formed: another value
 * of the same header field, a parameter more, a message cut into other fragments, another masking
 * key. Bends break one thing: a length, a line end, a doubled field. Content-Length, the lengths of
 * frames and masking follow what changes within; where one was wrong before, it stays wrong.
 *
 * Nothing is allocated and there is no state: the same arguments give the same octets. The time is
 * proportional to the size of the input.
 *
 * libFuzzer and AFL++ get it by mutate_libfuzzer.c and mutate_afl.c, for the targets for which
 * mutate.def says that it pays.
 */
#ifndef SIPWS_MUTATE_H
#define SIPWS_MUTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the inputs of a fuzz target are; the target's page has the form. */
enum mutate_target {
#define M(name, libfuzzer, afl) MUTATE_##name,
#include "mutate.def"
#undef M
    MUTATE_TARGETS
};

/* By name; MUTATE_TARGETS for one that is not known here. */
enum mutate_target mutate_target(const char *name);

/* Changes n octets at data, once or a few times, and returns their new number, at most max, which
 * is the room at data. With `sound` there are no bends. 0 only for max 0. */
size_t mutate(enum mutate_target target, uint8_t *data, size_t n, size_t max, uint64_t seed,
              bool sound);

/* The same with something of another input of the target: its header fields, elements, frames. The
 * other octets are not within data. */
size_t mutate_cross(enum mutate_target target, uint8_t *data, size_t n, size_t max,
                    const uint8_t *other, size_t other_n, uint64_t seed, bool sound);

/* Takes element k away, with lengths kept right, and returns true; or false, with nothing changed,
 * if there are fewer. The large ones come first: frames or header fields, then elements of lists,
 * parameters, pieces of bodies. So a trimmer goes on with the same k after a removal that it keeps,
 * and with k + 1 after one that it takes back; it ends, since one of both becomes less. */
bool mutate_without(enum mutate_target target, uint8_t *data, size_t *n, size_t k);

/* How many elements there are for mutate_without. */
size_t mutate_elements(enum mutate_target target, uint8_t *data, size_t n);

#endif

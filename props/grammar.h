/* The text of grammar/sip.abnf; the build makes the array of it. */
#ifndef SIPWS_GRAMMAR_H
#define SIPWS_GRAMMAR_H

#include <stddef.h>

extern const char sip_grammar[];
extern const size_t sip_grammar_n;

#endif

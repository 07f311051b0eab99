/* The texts of grammar/NAME.abnf; the build makes the arrays of them. */
#ifndef SIPWS_GRAMMAR_H
#define SIPWS_GRAMMAR_H

#include <stddef.h>

extern const char sip_grammar[];
extern const size_t sip_grammar_n;
extern const char websocket_grammar[];
extern const size_t websocket_grammar_n;

#endif

/* What targets share that hold a family of properties: they have a corpus, counters and floors of
 * their own, where the target props has one for all.
 *
 * Input: one octet that chooses the property, counted round, then its tape.
 */
#ifndef SIPWS_FUZZ_FAMILY_H
#define SIPWS_FUZZ_FAMILY_H

#include "depth.h"
#include "property.h"

enum { FAMILY_TAPE = 1 << 16 };

/* Judges the tape by a property; tells the story and aborts when it fails. */
static inline enum verdict fuzz_judge(const struct prop *p, const unsigned char *tape, size_t n)
{
    static struct prop_trial *trial;
    if (!trial)
        trial = prop_trial_new();
    enum verdict v = prop_check(p, tape, n, trial);
    if (v == FAILS) {
        prop_explain(trial, v, stderr);
        abort();
    }
    return v;
}

#endif

/* props: any property, as a fuzz target.
 *
 * The input is a tape file, or two octets that select a property and then the tape. Aborts when
 * the property fails, after telling the story; keeps what the properties keep. The properties that
 * are false by design count only where SIPWS_SELFTEST is set, as in the tests: an engine finds
 * their names soon.
 */
#include "depth.h"
#include "property.h"

#include <stdlib.h>

enum { STORY, HELD }; /* layers */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct prop_trial *trial;
    const unsigned char *tape;
    static const char *const layers[] = {"story", "held", NULL};
    fuzz_begin(layers, &size);
    size_t n;
    const struct prop *p = prop_select(data, size, &tape, &n);
    if (!p || n > 1 << 20 || (prop_is_selftest(p) && !getenv("SIPWS_SELFTEST")))
        return 0;
    if (!trial)
        trial = prop_trial_new();
    enum verdict v = prop_check(p, tape, n, trial);
    if (trial->story)
        fuzz_past(STORY);
    if (v == HOLDS)
        fuzz_past(HELD);
    if (v == FAILS) {
        prop_explain(trial, v, stderr);
        abort();
    }
    return 0;
}

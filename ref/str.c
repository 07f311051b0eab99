#include "str.h"

static unsigned char lower(char ch)
{
    unsigned char u = (unsigned char)ch;
    return u >= 'A' && u <= 'Z' ? (unsigned char)(u | 0x20) : u;
}

bool sipws_str_ieq(struct sipws_str a, struct sipws_str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

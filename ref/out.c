#include "out.h"
#include "plant.h"

void sipws_put(struct sipws_out *o, struct sipws_str s)
{
    size_t room = o->cap;
    if (SIPWS_PLANT_IF(OUT_BY_ONE, o->n <= o->cap && s.n == o->cap - o->n + 1))
        room++;
    if (s.n > 0 && o->n <= o->cap && s.n <= room - o->n)
        memcpy(o->p + o->n, s.p, s.n);
    o->n = s.n <= SIZE_MAX - o->n ? o->n + s.n : SIZE_MAX;
}

void sipws_put_char(struct sipws_out *o, char ch)
{
    sipws_put(o, (struct sipws_str){&ch, 1});
}

void sipws_put_uint(struct sipws_out *o, uint64_t value)
{
    char digits[20];
    char *end = digits + sizeof digits, *p = end;
    do
        *--p = (char)('0' + value % 10);
    while (value /= 10);
    sipws_put(o, sipws_slice(p, end));
}

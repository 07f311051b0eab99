/* What the command lines of the programs in props/ share. */
#ifndef SIPWS_OPTION_H
#define SIPWS_OPTION_H

#include <string.h>

/* The value of --NAME VALUE or --NAME=VALUE at argv[*i], which is stepped to the value. NULL:
 * another option, or nothing follows. */
static inline char *option_value(int argc, char **argv, int *i, const char *name)
{
    size_t n = strlen(name);
    if (strncmp(argv[*i], name, n) != 0)
        return NULL;
    if (argv[*i][n] == '=')
        return argv[*i] + n + 1;
    return argv[*i][n] == '\0' && *i + 1 < argc ? argv[++*i] : NULL;
}

#endif

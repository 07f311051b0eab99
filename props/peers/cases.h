/* What is read: files, and the cases of corpus/vectors. */
#ifndef SIPWS_CASES_H
#define SIPWS_CASES_H

#include "peer.h"

enum { CASE_LARGEST = 1 << 20 };

struct octets_case {
    char *name; /* a path; of a vector, path:id */
    enum peer_layer layer;
    char *p;
    size_t n;
    char *trouble; /* why it could not be read; NULL: it is here */
};

struct cases {
    struct octets_case *p;
    size_t n, cap;
};

/* Adds a file as it is; "-" is standard input; "PATH.json:ID" is a vector. */
void cases_add_file(struct cases *c, const char *path, enum peer_layer layer);

/* Adds all that is in a folder, in the order of the names: a .json file that has "cases" counts as
 * those of them that are of `layer`, any other file but *.md and *.story as itself. False: it
 * cannot be read (errno). */
bool cases_add_folder(struct cases *c, const char *path, enum peer_layer layer);

void cases_free(struct cases *c);

#endif

#include "sipws.h"

#define TEXT(x)                      #x
#define VERSION(major, minor, patch) TEXT(major) "." TEXT(minor) "." TEXT(patch)

_Static_assert(sizeof SIPWS_VERSION ==
                   sizeof VERSION(SIPWS_VERSION_MAJOR, SIPWS_VERSION_MINOR, SIPWS_VERSION_PATCH),
               "SIPWS_VERSION and its parts disagree");

const char *sipws_version(void)
{
    return VERSION(SIPWS_VERSION_MAJOR, SIPWS_VERSION_MINOR, SIPWS_VERSION_PATCH);
}

/* A program of somebody else's: builds a request, reads it, and prints the version and a verdict.
 */
#include <sipws/sipws.h>

#include <stdio.h>

int main(void)
{
    static char octets[512];
    struct sipws_field fields[16];
    struct sipws_out o = sipws_out(octets, sizeof octets);
    struct sipws_build b =
        sipws_build_request(&o, SIPWS_STR("OPTIONS"), SIPWS_STR("sip:bob@example.com"), fields, 16);
    sipws_build_text(&b, SIPWS_F_VIA, SIPWS_STR("SIP/2.0/WSS k2v9.invalid;branch=z9hG4bK1"));
    sipws_build_number(&b, SIPWS_F_MAX_FORWARDS, 70);
    sipws_build_text(&b, SIPWS_F_FROM, SIPWS_STR("<sip:ada@example.org>;tag=1"));
    sipws_build_text(&b, SIPWS_F_TO, SIPWS_STR("<sip:bob@example.com>"));
    sipws_build_text(&b, SIPWS_F_CALL_ID, SIPWS_STR("1@k2v9.invalid"));
    sipws_build_text(&b, SIPWS_F_CSEQ, SIPWS_STR("1 OPTIONS"));
    if (!sipws_build_end(&b, SIPWS_STR(""))) {
        printf("octet %zu: %s\n", b.diag.off, sipws_err_info(b.diag.err)->text);
        return 1;
    }
    printf("%s %s %d %s\n", sipws_version(), SIPWS_VERSION, (int)b.msg.n,
           sipws_is('@', SIPWS_C_TOKEN) ? "token" : "no token");
    return 0;
}

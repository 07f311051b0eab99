/* libwebsockets' own server, which knows the subprotocol sip and answers nothing: for
 * handshake-peer.py and sipws-probe.
 *
 *     lws-server PORT | --version        of 127.0.0.1
 */
#include <libwebsockets.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    return lws_callback_http_dummy(wsi, reason, user, in, len);
}

int main(int argc, char **argv)
{
    const struct lws_protocols protocols[] = {{"sip", callback, 0, 65536, 0, NULL, 0},
                                              {NULL, NULL, 0, 0, 0, NULL, 0}};
    struct lws_context_creation_info info;
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts(LWS_LIBRARY_VERSION);
        return 0;
    }
    if (argc != 2) {
        fputs("usage: lws-server PORT | --version\n", stderr);
        return 2;
    }
    lws_set_log_level(LLL_ERR, NULL);
    memset(&info, 0, sizeof info);
    info.port = atoi(argv[1]);
    info.iface = "127.0.0.1";
    info.protocols = protocols;
    info.options = LWS_SERVER_OPTION_DISABLE_IPV6;
    struct lws_context *context = lws_create_context(&info);
    while (context && lws_service(context, 0) >= 0)
        ;
    return 1;
}

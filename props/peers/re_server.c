/* libre's own SIP WebSocket server, which answers requests with 200: for sipws-probe.
 *
 *     re-server PORT        of 127.0.0.1
 */
#include <re/re.h>

#include <stdlib.h>
#include <string.h>

static struct sip *sip;

static bool answer(const struct sip_msg *msg, void *arg)
{
    static const char *const dialogs[] = {"INVITE", "SUBSCRIBE", "REFER", "UPDATE"};
    bool dialog = false;
    (void)arg;
    for (size_t i = 0; i < sizeof dialogs / sizeof *dialogs; i++)
        dialog = dialog || pl_strcmp(&msg->met, dialogs[i]) == 0;
    if (dialog)
        sip_reply(sip, msg, 480, "Nobody is here"); /* 200 would need a Contact */
    else if (pl_strcmp(&msg->met, "ACK") != 0)
        sip_reply(sip, msg, 200, "OK");
    return true;
}

static void on_signal(int sig)
{
    (void)sig;
    re_cancel();
}

int main(int argc, char **argv)
{
    struct sip_lsnr *lsnr = NULL;
    struct sa address;
    int err = libre_init();
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        re_printf("%s\n", sys_libre_version_get());
        return 0;
    }
    if (argc != 2) {
        re_fprintf(stderr, "usage: re-server PORT | --version\n");
        return 2;
    }
    err = err ? err : sa_set_str(&address, "127.0.0.1", (uint16_t)atoi(argv[1]));
    err = err ? err : sip_alloc(&sip, NULL, 32, 32, 32, "re-server", NULL, NULL);
    err = err ? err : sip_transp_add_websock(sip, SIP_TRANSP_WS, &address, true, NULL);
    err = err ? err : sip_listen(&lsnr, sip, true, answer, NULL);
    err = err ? err : re_main(on_signal);
    if (err)
        re_fprintf(stderr, "re-server: %m\n", err);
    return err ? 1 : 0;
}

#include "tests/lab/euicc_fixture.h"

#include <stdlib.h>
#include <string.h>

struct euicc_fixture {
    struct fixture base;
    char *path;
    struct card_options options;
    struct card *card; /* opened at the first power on; holds fault counts */
};

static struct euicc_fixture *self(struct fixture *f)
{
    return (struct euicc_fixture *)f;
}

int euicc_fixture_new(const char *path, const struct card_options *options,
                      struct fixture **out, struct err *e)
{
    struct euicc_fixture *x;

    if (path[0] == 0)
        return err_set(e, ERR_USAGE, "a chip is the path of its file");
    x = calloc(1, sizeof *x);
    if (!x || !(x->path = strdup(path))) {
        free(x);
        return err_set(e, ERR_NOMEM, "no memory for a fixture");
    }
    x->base.ops = &fixture_euicc;
    if (options)
        x->options = *options;
    *out = &x->base;
    return 0;
}

static int euicc_open(void *env, const char *where, struct fixture **out,
               struct err *e)
{
    (void)env;
    return euicc_fixture_new(where, NULL, out, e);
}

static int euicc_power_on(struct fixture *f, struct buf *atr, int timeout_ms,
                          struct err *e)
{
    struct euicc_fixture *x = self(f);
    struct err why = ERR_INIT;

    (void)timeout_ms; /* in-process: the ATR is there or it is not */
    if (!x->card && card_open(x->path, &x->options, &x->card, &why) != 0)
        return err_set(e, ERR_NO_CARD, "no card in the fixture: %s", why.msg);
    return card_power_on(x->card, atr, e);
}

static int euicc_transmit(struct fixture *f, struct span cmd, struct buf *rsp,
                          int timeout_ms, struct err *e)
{
    struct euicc_fixture *x = self(f);

    (void)timeout_ms; /* a mute card says ERR_TIMEOUT by itself */
    if (!x->card)
        return err_set(e, ERR_NO_CARD, "the card has no power");
    return card_transmit(x->card, cmd, rsp, e);
}

static void euicc_power_off(struct fixture *f)
{
    if (self(f)->card)
        card_power_off(self(f)->card);
}

static void euicc_close(struct fixture *f)
{
    if (!f)
        return;
    card_close(self(f)->card);
    free(self(f)->path);
    free(self(f));
}

const struct fixture_ops fixture_euicc = {
    .name = "euicc",
    .open = euicc_open,
    .power_on = euicc_power_on,
    .transmit = euicc_transmit,
    .power_off = euicc_power_off,
    .close = euicc_close,
};

unsigned euicc_fixture_apdus(const struct fixture *f)
{
    const struct euicc_fixture *x = (const struct euicc_fixture *)f;

    return x->card ? card_apdu_count(x->card) : 0;
}

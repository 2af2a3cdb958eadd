#include "tests/unit/fpa/script.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COMMAND_MAX 261 /* a short APDU; extended ones are never sent */

struct script {
    struct fixture base;
    const struct script_row *rows;
    size_t at;
    bool powered;
    int last_timeout;
};

static const struct {
    const char *word;
    enum err_code code;
} failures[] = {
    { "no card", ERR_NO_CARD },
    { "timeout", ERR_TIMEOUT },
    { "format", ERR_FORMAT },
    { "io", ERR_IO },
};

static int answer(struct script *s, struct buf *out, struct err *e)
{
    const char *a = s->rows[s->at++].answer;

    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++)
        if (strcmp(a, failures[i].word) == 0)
            return err_set(e, failures[i].code, "scripted: %s", a);
    buf_reset(out);
    buf_put_hex(out, a);
    ck_assert_msg(buf_ok(out), "bad hex in row %zu", s->at - 1);
    return 0;
}

static int script_power_on(struct fixture *f, struct buf *atr, int timeout_ms,
                           struct err *e)
{
    struct script *s = (struct script *)f;

    s->last_timeout = timeout_ms;
    ck_assert_msg(s->rows[s->at].answer && !s->rows[s->at].expect,
                  "row %zu: power on was not expected", s->at);
    s->powered = true;
    return answer(s, atr, e);
}

static int script_transmit(struct fixture *f, struct span cmd, struct buf *rsp,
                           int timeout_ms, struct err *e)
{
    struct script *s = (struct script *)f;
    const char *want = s->rows[s->at].expect;
    char got[2 * COMMAND_MAX + 1];

    s->last_timeout = timeout_ms;
    ck_assert_msg(s->powered, "a command without power");
    ck_assert_uint_ge(cmd.n, 4);
    ck_assert_uint_le(cmd.n, COMMAND_MAX);
    hex_encode(cmd, got, sizeof got);
    ck_assert_msg(want != NULL, "row %zu: nothing expected, got %s", s->at, got);
    size_t n = strlen(want);
    bool open_end = n >= 3 && strcmp(want + n - 3, "...") == 0;
    ck_assert_msg(open_end ? strncasecmp(got, want, n - 3) == 0
                           : strcasecmp(got, want) == 0,
                  "row %zu: expected %s, got %s", s->at, want, got);
    return answer(s, rsp, e);
}

static void script_power_off(struct fixture *f)
{
    ((struct script *)f)->powered = false;
}

static void script_close(struct fixture *f)
{
    free(f);
}

static const struct fixture_ops script_ops = {
    .name = "script",
    .power_on = script_power_on,
    .transmit = script_transmit,
    .power_off = script_power_off,
    .close = script_close,
};

struct fixture *script_new(const struct script_row *rows)
{
    struct script *s = calloc(1, sizeof *s);

    ck_assert_ptr_nonnull(s);
    s->base.ops = &script_ops;
    s->rows = rows;
    return &s->base;
}

size_t script_played(const struct fixture *f, bool all)
{
    const struct script *s = (const struct script *)f;

    if (all)
        ck_assert_msg(!s->rows[s->at].answer, "row %zu was never asked for: %s",
                      s->at, s->rows[s->at].expect ? s->rows[s->at].expect : "power on");
    return s->at;
}

bool script_powered(const struct fixture *f)
{
    return ((const struct script *)f)->powered;
}

int script_last_timeout(const struct fixture *f)
{
    return ((const struct script *)f)->last_timeout;
}

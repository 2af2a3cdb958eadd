#include "tests/unit/drivers/lifecycle.h"

#include <check.h>

#define WAIT_MS 10000 /* never reached by a card that answers */

static const uint8_t manage_channel[] = { 0x00, 0x70, 0x00, 0x00, 0x01 };

static void expect_answer(struct fixture *f, struct buf *b, struct err *e)
{
    ck_assert_msg(f->ops->transmit(f, SPAN_ARRAY(manage_channel), b, WAIT_MS,
                                   e) == 0,
                  "%s: %s", f->ops->name, e->msg);
    ck_assert_uint_ge(b->n, 2);
}

static void expect_no_card(struct fixture *f, struct buf *b, struct err *e)
{
    ck_assert_int_eq(f->ops->transmit(f, SPAN_ARRAY(manage_channel), b,
                                      WAIT_MS, e),
                     -1);
    ck_assert_int_eq(e->code, ERR_NO_CARD);
    ck_assert(e->msg[0] != 0);
}

static void power_on(struct fixture *f, struct buf *b, struct err *e)
{
    ck_assert_msg(f->ops->power_on(f, b, WAIT_MS, e) == 0, "%s: %s",
                  f->ops->name, e->msg);
    ck_assert_uint_ge(b->n, 2);
    ck_assert_uint_le(b->n, FIXTURE_ATR_MAX);
}

void lifecycle_run(const struct lifecycle *l)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct err e = ERR_INIT;
    struct fixture *f = NULL;

    ck_assert_int_eq(l->ops->open(l->env, l->bad_where, &f, &e), -1);
    ck_assert_int_eq(e.code, ERR_USAGE);
    ck_assert_ptr_null(f);
    l->ops->close(NULL);

    ck_assert_msg(l->ops->open(l->env, l->where, &f, &e) == 0, "%s", e.msg);
    ck_assert_ptr_eq(f->ops, l->ops);
    expect_no_card(f, &b, &e); /* no power yet */
    f->ops->close(f);          /* never powered */

    ck_assert_int_eq(l->ops->open(l->env, l->where, &f, &e), 0);
    power_on(f, &b, &e);
    expect_answer(f, &b, &e);
    power_on(f, &b, &e); /* a reset, without power off before */
    expect_answer(f, &b, &e);
    f->ops->power_off(f);
    f->ops->power_off(f);
    expect_no_card(f, &b, &e);
    power_on(f, &b, &e);
    expect_answer(f, &b, &e);

    l->unplug(l->ctx);
    expect_no_card(f, &b, &e);
    ck_assert_int_eq(f->ops->power_on(f, &b, WAIT_MS, &e), -1);
    ck_assert_msg(e.code == l->gone, "%s: %s: %s", f->ops->name,
                  err_name(e.code), e.msg);

    l->plug(l->ctx);
    power_on(f, &b, &e);
    expect_answer(f, &b, &e);
    f->ops->close(f); /* with power on */
}

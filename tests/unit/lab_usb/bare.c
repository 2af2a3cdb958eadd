#include "tests/unit/lab_usb/bare.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/usb/ccid_words.h"

/* --- transfers ----------------------------------------------------------- */

struct transfer {
    struct lab_urb urb;
    pthread_mutex_t mu;
    pthread_cond_t changed;
    bool done;
};

static void done(struct lab_urb *u)
{
    struct transfer *t = u->transport;

    pthread_mutex_lock(&t->mu);
    t->done = true;
    pthread_cond_signal(&t->changed);
    pthread_mutex_unlock(&t->mu);
}

static enum lab_usb_status transfer(struct bare *k, const struct lab_urb *u,
                                    size_t *actual)
{
    struct transfer t = { .urb = *u };

    pthread_mutex_init(&t.mu, NULL);
    pthread_cond_init(&t.changed, NULL);
    t.urb.done = done;
    t.urb.transport = &t;
    k->d->ops->submit(k->d, &t.urb);
    pthread_mutex_lock(&t.mu);
    while (!t.done)
        pthread_cond_wait(&t.changed, &t.mu);
    pthread_mutex_unlock(&t.mu);
    pthread_cond_destroy(&t.changed);
    pthread_mutex_destroy(&t.mu);
    if (actual)
        *actual = t.urb.actual;
    return t.urb.status;
}

enum lab_usb_status bare_out(struct bare *k, struct span octets)
{
    const struct lab_urb u = { .endpoint = 0x01, .data = (uint8_t *)octets.p,
                               .length = octets.n };

    return transfer(k, &u, NULL);
}

enum lab_usb_status bare_in(struct bare *k, uint8_t endpoint, size_t room,
                            struct buf *out)
{
    size_t actual = 0;

    buf_reset(out);
    struct lab_urb u = { .endpoint = endpoint, .length = room,
                         .data = buf_reserve(out, room) };
    ck_assert_ptr_nonnull(u.data);
    enum lab_usb_status s = transfer(k, &u, &actual);
    out->n = actual;
    return s;
}

enum lab_usb_status bare_control(struct bare *k, const uint8_t setup[8],
                                 void *data, size_t n, size_t *actual)
{
    struct lab_urb u = { .endpoint = setup[0] & 0x80, .data = data,
                         .length = n };

    memcpy(u.setup, setup, sizeof u.setup);
    return transfer(k, &u, actual);
}

/* --- messages ------------------------------------------------------------ */

void bare_open(struct bare *k, const struct ccid_model_options *o)
{
    struct err e = ERR_INIT;

    memset(k, 0, sizeof *k);
    ck_assert_msg(ccid_model_new(o, &k->d, &e) == 0, "%s", e.msg);
}

void bare_close(struct bare *k)
{
    k->d->ops->unplugged(k->d);
    k->d->ops->free(k->d);
    k->d = NULL;
}

void heard_clear(struct heard *h)
{
    buf_clear(&h->data);
}

void bare_send(struct bare *k, uint8_t type, unsigned slot, uint32_t p,
               struct span data)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;

    buf_put_u8(&b, type);
    for (int i = 0; i < 4; i++)
        buf_put_u8(&b, (uint8_t)(data.n >> 8 * i));
    buf_put_u8(&b, (uint8_t)slot);
    buf_put_u8(&b, ++k->seq);
    for (int i = 0; i < 3; i++)
        buf_put_u8(&b, (uint8_t)(p >> 8 * i));
    buf_put_span(&b, data);
    ck_assert_int_eq(bare_out(k, buf_span(&b)), LAB_USB_OK);
}

void bare_hear(struct bare *k, struct heard *h)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;

    ck_assert_int_eq(bare_in(k, 0x82, BARE_MESSAGE_MAX, &b), LAB_USB_OK);
    buf_reset(&h->data);
    h->n = b.n;
    if (b.n < CCID_HEADER)
        return;
    h->type = b.p[0];
    h->length = b.p[1] | (uint32_t)b.p[2] << 8 | (uint32_t)b.p[3] << 16 |
                (uint32_t)b.p[4] << 24;
    h->slot = b.p[5];
    h->seq = b.p[6];
    h->status = b.p[7];
    h->error = b.p[8];
    h->byte_9 = b.p[9];
    buf_put(&h->data, b.p + CCID_HEADER, b.n - CCID_HEADER);
}

void bare_ask(struct bare *k, uint8_t type, unsigned slot, uint32_t p,
              struct span data, struct heard *h, unsigned *more_time)
{
    bare_send(k, type, slot, p, data);
    for (;;) {
        bare_hear(k, h);
        ck_assert_uint_eq(h->slot, slot);
        ck_assert_msg(h->seq == k->seq, "type %02X status %02X error %02X seq "
                      "%u instead of %u", h->type, h->status, h->error, h->seq,
                      k->seq);
        ck_assert_uint_eq(h->length, h->data.n);
        if ((h->status & 0xC0) != CCID_COMMAND_TIME)
            return;
        ck_assert_uint_ge(h->error, 1);
        if (more_time)
            ++*more_time;
    }
}

void bare_power_on(struct bare *k, unsigned slot, unsigned power_select,
                   struct buf *atr)
{
    AUTO(heard_clear) struct heard h = { 0 };

    bare_ask(k, CCID_POWER_ON, slot, power_select, SPAN(NULL, 0), &h, NULL);
    ck_assert_uint_eq(h.type, CCID_DATA_BLOCK);
    ck_assert_uint_eq(h.status, 0);
    ck_assert_uint_eq(h.error, 0);
    if (atr) {
        buf_reset(atr);
        buf_put_span(atr, buf_span(&h.data));
    }
}

void bare_xfr(struct bare *k, unsigned slot, struct span in, struct buf *out)
{
    AUTO(heard_clear) struct heard h = { 0 };

    bare_ask(k, CCID_XFR_BLOCK, slot, 0, in, &h, NULL);
    ck_assert_uint_eq(h.type, CCID_DATA_BLOCK);
    ck_assert_msg(h.status == 0, "status %02X error %02X", h.status, h.error);
    ck_assert_uint_eq(h.byte_9, 0);
    buf_reset(out);
    buf_put_span(out, buf_span(&h.data));
}

uint8_t bare_xfr_error(struct bare *k, unsigned slot, struct span in)
{
    AUTO(heard_clear) struct heard h = { 0 };

    bare_ask(k, CCID_XFR_BLOCK, slot, 0, in, &h, NULL);
    ck_assert_uint_eq(h.type, CCID_DATA_BLOCK);
    ck_assert_uint_eq(h.status & 0xC0, CCID_COMMAND_FAILED);
    ck_assert_uint_eq(h.data.n, 0);
    return h.error;
}

void bare_set_params(struct bare *k, unsigned slot, unsigned protocol,
                     const char *hex)
{
    AUTO(heard_clear) struct heard h = { 0 };
    AUTO(buf_clear) struct buf b = BUF_INIT;

    buf_put_hex(&b, hex);
    bare_ask(k, CCID_PARAMETERS_SET, slot, protocol, buf_span(&b), &h, NULL);
    ck_assert_uint_eq(h.type, CCID_PARAMETERS);
    ck_assert_msg(h.status == 0, "status %02X error %02X", h.status, h.error);
    ck_assert_uint_eq(h.byte_9, protocol);
    ck_assert(span_eq(buf_span(&h.data), buf_span(&b)));
}

void bare_counters(struct bare *k, struct ccid_model_counters *c)
{
    ccid_model_counters(k->d, c);
}

/* --- the card ------------------------------------------------------------ */

static int echo_power_on(struct fixture *f, struct buf *atr, int timeout_ms,
                         struct err *e)
{
    struct echo *c = (struct echo *)f;

    (void)timeout_ms;
    if (c->dead)
        return err_set(e, ERR_NO_CARD, "dead");
    c->power_ons++;
    c->on = true;
    buf_reset(atr);
    buf_put_u8(atr, 0x3B);
    return 0;
}

static int echo_transmit(struct fixture *f, struct span cmd, struct buf *rsp,
                         int timeout_ms, struct err *e)
{
    struct echo *c = (struct echo *)f;

    (void)timeout_ms;
    if (!c->on || c->dead)
        return err_set(e, ERR_NO_CARD, "no power");
    c->apdus++;
    buf_reset(&c->last);
    buf_put_span(&c->last, cmd);
    buf_reset(rsp);
    if (cmd.n == 5 && (cmd.p[1] == 0xB0 || cmd.p[1] == 0xC0)) {
        size_t n = c->octets ? c->octets : cmd.p[4] ? cmd.p[4] : 256;
        for (size_t i = 0; i < n; i++)
            buf_put_u8(rsp, (uint8_t)(i + cmd.p[3]));
    } else if (cmd.n > 5) {
        bool extended = cmd.p[4] == 0 && cmd.n > 7;
        size_t at = extended ? 7 : 5;
        size_t lc = extended ? (size_t)cmd.p[5] << 8 | cmd.p[6] : cmd.p[4];
        for (size_t i = 0; i < lc && cmd.p[1] == 0xE2; i++)
            buf_put_u8(rsp, cmd.p[at + lc - 1 - i]);
    }
    buf_put_u16(rsp, 0x9000);
    return 0;
}

static void echo_power_off(struct fixture *f)
{
    struct echo *c = (struct echo *)f;

    c->power_offs++;
    c->on = false;
}

static const struct fixture_ops echo_ops = {
    .name = "echo", .power_on = echo_power_on, .transmit = echo_transmit,
    .power_off = echo_power_off,
};

void echo_init(struct echo *c)
{
    memset(c, 0, sizeof *c);
    c->base.ops = &echo_ops;
}

void echo_clear(struct echo *c)
{
    buf_clear(&c->last);
}

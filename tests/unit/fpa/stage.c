#include "tests/unit/fpa/stage.h"

#include <check.h>
#include <openssl/obj_mac.h>
#include <stdio.h>
#include <string.h>

#include "tests/lab/pki/keys.h"
#include "tests/lab/puppet.h"

static uint16_t play(void *ctx, struct span chain, struct buf *data)
{
    struct stage *s = ctx;
    uint32_t tag = 0;
    size_t header, value;

    ck_assert_msg(s->at < s->n, "nothing more was to be asked");
    const struct stage_row *r = &s->rows[s->at++];
    ck_assert_int_ne(der_header(chain, &tag, &header, &value), DER_BAD);
    ck_assert_msg(r->tag == 0 || r->tag == tag, "row %zu: expected %X, got %X",
                  s->at - 1, (unsigned)r->tag, (unsigned)tag);
    buf_reset(&s->last);
    buf_put_span(&s->last, chain);
    if (r->hex)
        buf_put_hex(data, r->hex);
    else if (r->data)
        buf_put_span(data, buf_span(r->data));
    return r->sw ? r->sw : 0x9000;
}

void stage_open(struct stage *s, const struct stage_row *rows, size_t n)
{
    const struct puppet_rules rules = { .answer = play, .ctx = s };
    struct err e = ERR_INIT;

    *s = (struct stage){ .rows = rows, .n = n };
    ck_assert_int_eq(puppet_new(&rules, &s->f, &e), 0);
    ck_assert_msg(fpa_card_open(s->f, NULL, &s->card, &e) == 0, "%s", e.msg);
}

void stage_close(struct stage *s)
{
    ck_assert_msg(s->at == s->n, "row %zu was never asked for", s->at);
    fpa_card_close(s->card);
    s->f->ops->close(s->f);
    buf_clear(&s->last);
}

EVP_PKEY *stage_key(int which)
{
    static EVP_PKEY *keys[2];

    if (!keys[which]) {
        AUTO(ec_maker_free_p) struct ec_maker *m = NULL;
        ck_assert_int_eq(ec_maker_new(NID_X9_62_prime256v1, &m, NULL), 0);
        keys[which] = ec_make(m, NULL);
        ck_assert_ptr_nonnull(keys[which]);
    }
    return keys[which];
}

struct eid stage_eid(void)
{
    struct eid eid;

    ck_assert_int_eq(eid_parse("89049032777298113660073133622109", &eid), 0);
    return eid;
}

struct txid stage_txid(uint8_t n)
{
    struct txid t;

    memset(t.o, n, sizeof t.o);
    return t;
}

struct iccid stage_iccid(unsigned n)
{
    char digits[ICCID_DIGITS + 1];
    struct iccid iccid;

    snprintf(digits, sizeof digits, "890103200000%06u", n % 1000000);
    size_t len = strlen(digits);
    digits[len] = luhn_digit(digits);
    digits[len + 1] = 0;
    ck_assert_int_eq(iccid_parse(digits, &iccid), 0);
    return iccid;
}

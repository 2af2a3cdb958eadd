/* The FPA against a card that says whatever the input says.
 *
 * Octet 0: how the session opens (see opening) and which task follows. Then,
 * for each command: one octet that chooses the answer (see answer_next), with
 * its octets behind it. When the input is used up the card is gone.
 *
 * The eUICC's public key is that of RFC 6979 A.2.5, whose private key is
 * printed there: anyone can sign a seed. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "drivers/fixture.h"
#include "station/fpa/card.h"
#include "station/fpa/doubt.h"
#include "station/fpa/load.h"
#include "tests/lab/puppet_words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define POLITE 0x80 /* of octet 0: the opening is answered as a card should */

#define CHECK(x)     \
    do {             \
        if (!(x))    \
            abort(); \
    } while (0)

struct fuzz_card {
    struct fixture base;
    struct span rest;
    unsigned polite; /* commands still answered properly */
};

static uint8_t take(struct fuzz_card *c)
{
    uint8_t v = c->rest.n ? c->rest.p[0] : 0;

    c->rest = span_sub(c->rest, 1, c->rest.n);
    return v;
}

enum special { SAY_9000 = 0xF0, SAY_61, SAY_6C, SAY_FULL_61, SAY_TIMEOUT,
               SAY_NO_CARD, SAY_FORMAT };

static int answer_next(struct fuzz_card *c, struct buf *rsp, struct err *e)
{
    static const uint8_t filling[256];

    buf_reset(rsp);
    if (c->rest.n == 0)
        return err_set(e, ERR_NO_CARD, "the input is used up");
    uint8_t op = take(c);
    switch (op) {
    case SAY_61:
    case SAY_6C:
        buf_put_u8(rsp, op == SAY_61 ? 0x61 : 0x6C);
        buf_put_u8(rsp, take(c));
        return 0;
    case SAY_FULL_61:
        buf_put(rsp, filling, sizeof filling);
        buf_put_u16(rsp, 0x6100);
        return 0;
    case SAY_TIMEOUT:
        return err_set(e, ERR_TIMEOUT, "told to be silent");
    case SAY_NO_CARD:
        return err_set(e, ERR_NO_CARD, "told to go");
    case SAY_FORMAT:
        return err_set(e, ERR_FORMAT, "told to break the driver");
    default:
        break;
    }
    if (op >= SAY_9000) {
        buf_put_u16(rsp, 0x9000);
        return 0;
    }
    struct span said = span_sub(c->rest, 0, op);
    buf_put_span(rsp, said);
    c->rest = span_sub(c->rest, said.n, c->rest.n);
    return 0;
}

static int fuzz_power_on(struct fixture *f, struct buf *atr, int ms,
                         struct err *e)
{
    static const uint8_t good[] = { 0x3B, 0x00 };
    struct fuzz_card *c = (struct fuzz_card *)f;

    (void)ms;
    if (c->polite == 0)
        return answer_next(c, atr, e);
    buf_reset(atr);
    buf_put_span(atr, SPAN_ARRAY(good));
    return 0;
}

static int fuzz_transmit(struct fixture *f, struct span cmd, struct buf *rsp,
                         int ms, struct err *e)
{
    struct fuzz_card *c = (struct fuzz_card *)f;

    (void)ms;
    CHECK(cmd.n >= 4 && cmd.n <= 261);
    if (c->polite == 0)
        return answer_next(c, rsp, e);
    c->polite--;
    buf_reset(rsp);
    if (cmd.p[1] == 0x70)
        buf_put_u8(rsp, 1);
    buf_put_u16(rsp, 0x9000);
    return 0;
}

static void fuzz_off(struct fixture *f)
{
    (void)f;
}

static const struct fixture_ops fuzz_ops = { "fuzz", NULL, fuzz_power_on,
                                             fuzz_transmit, fuzz_off, fuzz_off, NULL };

static EVP_PKEY *euicc_key(void)
{
    static EVP_PKEY *key;
    static const char point[] =
        "0460FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
        "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299";
    uint8_t octets[65];

    if (key)
        return key;
    CHECK(hex_decode(point, octets, sizeof octets) == 0);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, octets,
                                          sizeof octets),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    CHECK(ctx && EVP_PKEY_fromdata_init(ctx) == 1 &&
          EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) == 1);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static const struct txid the_txid = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 } };
static const struct iccid the_iccid = { { 0x98, 0x10, 0x30, 0x02, 0, 0, 0, 0, 0x10, 0xF4 } };
static const struct eid the_eid = { { 0x89, 0x04, 0x90, 0x32, 0x77, 0x72, 0x98, 0x11,
                                      0x36, 0x60, 0x07, 0x31, 0x33, 0x62, 0x21, 0x09 } };

/* --- tasks --------------------------------------------------------------- */

static void read_all(struct fpa_card *c)
{
    AUTO(buf_clear) struct buf info_raw = BUF_INIT, status_raw = BUF_INIT;
    AUTO(buf_clear) struct buf euicc = BUF_INIT, eum = BUF_INIT;
    struct euicc_info2 info;
    struct ifpp_status status;
    struct fpa_profiles profiles;
    struct eid eid;

    if (fpa_card_eid(c, &eid, NULL) == 0)
        CHECK(eid_valid(&eid));
    fpa_card_info2(c, &info_raw, &info, NULL);
    if (fpa_card_status(c, &status_raw, &status, NULL) == 0)
        ifpp_status_has_key(&status, &the_txid);
    if (fpa_card_profiles(c, &profiles, NULL) == 0)
        CHECK(profiles.n <= FPA_PROFILES_MAX);
    if (fpa_card_certs(c, &euicc, &eum, NULL) == 0)
        CHECK(euicc.n > 0 && euicc.n <= CERT_MAX && eum.n > 0 && eum.n <= CERT_MAX);
}

static void walk_notifications(struct fpa_card *c)
{
    AUTO(buf_clear) struct buf raw = BUF_INIT;
    struct fpa_pending pending[8];
    struct notification n;
    struct span list;
    struct tlv item;
    size_t count;

    if (fpa_card_list_notifications(c, pending, 8, &count, NULL) == 0)
        CHECK(count <= 8);
    if (fpa_card_notifications(c, NULL, &raw, &list, NULL) == 0)
        while (der_next(&list, &item) == DER_OK)
            if (notification_parse(item.whole, &n, NULL) == 0)
                notification_verify(&n, euicc_key(), NULL);
    fpa_card_remove_notification(c, 1, NULL);
}

static void act(struct fpa_card *c)
{
    for (int a = 0; a < FPA_ACTS; a++)
        fpa_card_act(c, (enum fpa_act)a, &the_iccid, NULL);
}

static void end_production(struct fpa_card *c)
{
    AUTO(buf_clear) struct buf raw = BUF_INIT;
    struct receipt r;

    /* No input can know the nonce. */
    CHECK(fpa_card_delete_keys(c, euicc_key(), &the_eid, &raw, &r, NULL) != 0);
    CHECK(fpa_card_close_services(c, euicc_key(), &the_eid, &raw, &r, NULL) != 0);
}

static void load(struct fpa_card *c)
{
    static const uint8_t chain[] = { 0x30, 0x00 };
    AUTO(buf_clear) struct buf octets = BUF_INIT;
    struct load_result r = LOAD_RESULT_INIT;
    struct load_job job = { .euicc = euicc_key() };
    struct err e = ERR_INIT;
    struct bpp bpp;

    puppet_put_bpp(&octets, &the_txid, &the_iccid, 1500);
    CHECK(bpp_parse(buf_span(&octets), &bpp, NULL) == 0);
    job.bpp = &bpp;
    fpa_card_authorise(c, &the_txid, SPAN_ARRAY(chain), NULL, NULL);
    int rc = load_bpp(c, &job, &r, &e);
    bool proven = r.outcome == LOAD_INSTALLED || r.outcome == LOAD_FAILED;
    CHECK((rc == 0) == proven && (r.bf37.n > 0) == proven);
    CHECK(rc == 0 || (e.code != ERR_NONE && e.msg[0]));
    CHECK(r.es8f_sent == (r.outcome != LOAD_NOT_STARTED));
    load_result_clear(&r);
}

static void doubt(struct fpa_card *c)
{
    struct doubt_records r;
    struct doubt_inputs in;
    struct span bf37;

    doubt_read(c, &r, NULL);
    doubt_facts(&r, &the_txid, &the_iccid, euicc_key(), true, &in, &bf37, NULL);
    enum doubt_verdict v = doubt_decide(&in);
    CHECK((v == DOUBT_INSTALLED || v == DOUBT_FAILED) == (bf37.n > 0));
    doubt_records_clear(&r);
}

static void (*const tasks[])(struct fpa_card *) = { read_all, walk_notifications, act,
                                                    end_production, load, doubt };
#define TASKS (sizeof tasks / sizeof *tasks)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_card x = { .base = { &fuzz_ops }, .rest = SPAN(data, size) };
    struct fpa_card *c;
    uint8_t mode = take(&x);

    x.polite = mode & POLITE ? 3 : 0;
    if (fpa_card_open(&x.base, NULL, &c, NULL) != 0)
        return 0;
    size_t first = (mode & ~POLITE) % TASKS;
    for (size_t i = 0; i < TASKS; i++) /* the others too, while input lasts */
        tasks[(first + i) % TASKS](c);
    fpa_card_close(c);
    return 0;
}

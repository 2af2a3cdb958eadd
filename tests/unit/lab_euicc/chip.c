#include "tests/unit/lab_euicc/chip.h"

#include "station/ifpp/bpp.h"
#include "station/ifpp/cert.h"
#include "station/ifpp/tags.h"
#include "tests/lab/pki/issue.h"
#include "tests/lab/saip/saip.h"
#include "tests/lab/smdpf/bind.h"

#include <check.h>
#include <openssl/objects.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void good(int rc, const struct err *e)
{
    ck_assert_msg(rc == 0, "%s", e->msg);
}

/* --- the parties --------------------------------------------------------- */

static void certify(struct holder *out, struct ec_maker *maker,
                    const struct issue *i, const struct holder *issuer)
{
    struct err e = ERR_INIT;

    out->key = ec_make(maker, &e);
    ck_assert_msg(out->key != NULL, "%s", e.msg);
    good(issue_cert(i, out->key, issuer, &out->cert, &e), &e);
}

static void certify_all(struct desk *d, struct ec_maker *maker)
{
    static const char *const eins[] = { "89049032", NULL };
    char eid[EID_DIGITS + 1];
    struct err e = ERR_INIT;

    const struct issue ci = { .role = ROLE_CI, .common_name = "Desk CI",
                              .registered_id = "2.999.1" };
    const struct issue eum = { .role = ROLE_EUM, .common_name = "Desk EUM",
                               .organisation = "Desk",
                               .serial_number = "89049032",
                               .registered_id = "2.999.2", .eins = eins };
    const struct issue euicc = { .role = ROLE_EUICC, .organisation = "Desk",
                                 .common_name = "Desk eUICC",
                                 .serial_number = eid_format(&d->eid, eid) };
    const struct issue dp = { .role = ROLE_DPPB, .organisation = "Desk",
                              .common_name = "Desk DPpb",
                              .registered_id = DESK_OID };
    certify(&d->ci, maker, &ci, NULL);
    certify(&d->eum, maker, &eum, &d->ci);
    certify(&d->euicc, maker, &euicc, &d->eum);
    certify(&d->dppb, maker, &dp, &d->ci);
    good(cert_put(d->ci.cert, &d->ci_der, &e), &e);
    good(cert_put(d->euicc.cert, &d->cert, &e), &e);
    good(cert_put(d->dppb.cert, &d->dp_chain, &e), &e);
}

static void make_key(struct desk *d, struct desk_key *k, EVP_PKEY *otsk)
{
    AUTO(ec_signer_free_p) struct ec_signer *signer = NULL;
    struct err e = ERR_INIT;

    good(ec_point(otsk, k->otpk, &e), &e);
    good(ec_pkcs8(otsk, &k->otsk, &e), &e);
    size_t m = der_open(&k->signed2);
    der_put(&k->signed2, 0x80, SPAN_ARRAY(k->txid.o));
    der_put(&k->signed2, TAG_OTPK, SPAN_ARRAY(k->otpk));
    der_close(&k->signed2, TAG_SEQUENCE, m);
    struct span part = buf_span(&k->signed2);
    good(ec_signer_new(d->euicc.key, &signer, &e), &e);
    good(ec_sign(signer, &part, 1, k->sign, &e), &e);
}

static void make_keys(struct desk *d, const struct desk_options *o,
                      struct ec_maker *maker)
{
    struct err e = ERR_INIT;

    for (size_t i = 0; i < o->keys; i++) {
        struct desk_key *k = &d->key[i];
        EVP_PKEY *otsk = o->otsk;
        if (o->txid)
            k->txid = *o->txid;
        else
            ck_assert(RAND_bytes(k->txid.o, sizeof k->txid.o) == 1);
        if (!otsk)
            otsk = ec_make(maker, &e);
        make_key(d, k, otsk);
        if (!o->otsk)
            EVP_PKEY_free(otsk);
    }
}

void desk_make(struct desk *d, const struct desk_options *o)
{
    AUTO(ec_maker_free_p) struct ec_maker *maker = NULL;
    AUTO(buf_clear) struct buf eum = BUF_INIT, sk = BUF_INIT;
    struct euicc_otk keys[DESK_KEYS];
    const char *tmp = getenv("TMPDIR");
    struct err e = ERR_INIT;

    *d = (struct desk){ .curve = o->curve ? o->curve : NID_X9_62_prime256v1 };
    snprintf(d->dir, sizeof d->dir, "%.40s/desk-XXXXXX", tmp ? tmp : "/tmp");
    ck_assert(mkdtemp(d->dir) != NULL);
    snprintf(d->path, sizeof d->path, "%s/chip.db", d->dir);
    if (o->eid) {
        d->eid = *o->eid;
    } else {
        ck_assert(hex_decode("89049032000000000000000000001200", d->eid.o,
                             16) == 0);
        eid_complete(&d->eid);
    }
    good(ec_maker_new(d->curve, &maker, &e), &e);
    certify_all(d, maker);
    make_keys(d, o, maker);
    good(cert_put(d->eum.cert, &eum, &e), &e);
    good(ec_pkcs8(d->euicc.key, &sk, &e), &e);
    for (size_t i = 0; i < o->keys; i++) {
        const struct desk_key *k = &d->key[i];
        keys[i] = (struct euicc_otk){ .txid = k->txid,
                                      .otsk = buf_span(&k->otsk),
                                      .signed2 = buf_span(&k->signed2) };
        memcpy(keys[i].otpk, k->otpk, sizeof keys[i].otpk);
        memcpy(keys[i].sign, k->sign, sizeof keys[i].sign);
    }
    const struct euicc_perso p = {
        .eid = d->eid,
        .cert = buf_span(&d->cert),
        .eum_chain = buf_span(&eum),
        .ci_root = o->ci_root.n ? o->ci_root : buf_span(&d->ci_der),
        .sk = buf_span(&sk),
        .kind = o->kind,
        .keys = keys,
        .key_count = o->keys,
    };
    good(euicc_store_create(d->path, &p, &e), &e);
}

void desk_clear(struct desk *d)
{
    static const char *const tails[] = { "", "-wal", "-shm" };

    desk_stop(d);
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s%s", d->path, tails[i]);
        unlink(path);
    }
    ck_assert(rmdir(d->dir) == 0);
    holder_clear(&d->ci);
    holder_clear(&d->eum);
    holder_clear(&d->euicc);
    holder_clear(&d->dppb);
    buf_clear(&d->ci_der);
    buf_clear(&d->cert);
    buf_clear(&d->dp_chain);
    for (int i = 0; i < DESK_KEYS; i++) {
        buf_clear(&d->key[i].otsk);
        buf_clear(&d->key[i].signed2);
    }
}

/* --- the terminal -------------------------------------------------------- */

unsigned desk_apdu(struct desk *d, struct span cmd, struct buf *rsp)
{
    struct err e = ERR_INIT;

    if (card_transmit(d->card, cmd, rsp, &e) != 0) {
        ck_assert_msg(e.code == ERR_NO_CARD || e.code == ERR_TIMEOUT, "%s",
                      e.msg);
        return DESK_LOST;
    }
    ck_assert(rsp->n >= 2);
    return (unsigned)rsp->p[rsp->n - 2] << 8 | rsp->p[rsp->n - 1];
}

unsigned desk_apdu_hex(struct desk *d, const char *hex, struct buf *rsp)
{
    AUTO(buf_clear) struct buf cmd = BUF_INIT;

    buf_put_hex(&cmd, hex);
    ck_assert(buf_ok(&cmd));
    return desk_apdu(d, buf_span(&cmd), rsp);
}

static uint8_t class_store(unsigned channel)
{
    return (uint8_t)(channel < 4 ? 0x80 + channel : 0xC0 + channel - 4);
}

static uint8_t class_iso(unsigned channel)
{
    return (uint8_t)(channel < 4 ? channel : 0x40 + channel - 4);
}

unsigned desk_select(struct desk *d)
{
    AUTO(buf_clear) struct buf rsp = BUF_INIT;
    uint8_t cmd[] = { class_iso(d->channel), 0xA4, 0x04, 0x00, 0x10, 0xA0,
                      0x00, 0x00, 0x05, 0x59, 0x10, 0x10, 0xFF, 0xFF, 0xFF,
                      0xFF, 0x89, 0x00, 0x00, 0x01, 0x00 };

    return desk_apdu(d, SPAN_ARRAY(cmd), &rsp);
}

void desk_reset(struct desk *d)
{
    AUTO(buf_clear) struct buf rsp = BUF_INIT;
    struct err e = ERR_INIT;

    good(card_power_on(d->card, &rsp, &e), &e);
    ck_assert_uint_eq(desk_apdu_hex(d, "0070000001", &rsp), 0x9000);
    ck_assert_uint_eq(rsp.n, 3);
    d->channel = rsp.p[0];
    ck_assert_uint_eq(desk_select(d) >> 8, 0x61);
}

void desk_start(struct desk *d, const struct card_options *o)
{
    AUTO(buf_clear) struct buf rsp = BUF_INIT;
    struct err e = ERR_INIT;

    desk_stop(d);
    d->get_responses = 0;
    good(card_open(d->path, o, &d->card, &e), &e);
    desk_reset(d);
}

void desk_stop(struct desk *d)
{
    card_close(d->card);
    d->card = NULL;
}

/* 61xx, until something else. */
static unsigned fetch(struct desk *d, unsigned sw, struct buf *answer)
{
    AUTO(buf_clear) struct buf rsp = BUF_INIT;

    while (sw >> 8 == 0x61) {
        const uint8_t cmd[] = { class_store(d->channel), 0xC0, 0, 0,
                                (uint8_t)sw };
        sw = desk_apdu(d, SPAN_ARRAY(cmd), &rsp);
        d->get_responses++;
        if (sw != DESK_LOST)
            buf_put(answer, rsp.p, rsp.n - 2);
    }
    return sw;
}

unsigned desk_send(struct desk *d, struct span data, struct buf *answer)
{
    AUTO(buf_clear) struct buf rsp = BUF_INIT;
    unsigned sw = 0;

    buf_reset(answer);
    for (size_t at = 0, p2 = 0; at < data.n; p2++) {
        uint8_t cmd[5 + 255];
        size_t n = data.n - at < 255 ? data.n - at : 255;
        cmd[0] = class_store(d->channel);
        cmd[1] = 0xE2;
        cmd[2] = at + n == data.n ? 0x91 : 0x11;
        cmd[3] = (uint8_t)p2;
        cmd[4] = (uint8_t)n;
        memcpy(cmd + 5, data.p + at, n);
        sw = desk_apdu(d, SPAN(cmd, 5 + n), &rsp);
        at += n;
        if (at < data.n && sw != 0x9000)
            return sw;
    }
    return fetch(d, sw, answer);
}

unsigned desk_send_hex(struct desk *d, const char *hex, struct buf *answer)
{
    AUTO(buf_clear) struct buf cmd = BUF_INIT;

    buf_put_hex(&cmd, hex);
    ck_assert(buf_ok(&cmd));
    return desk_send(d, buf_span(&cmd), answer);
}

void desk_open_fpa(struct desk *d)
{
    AUTO(buf_clear) struct buf answer = BUF_INIT;

    ck_assert_uint_eq(
        desk_send_hex(d, "BF70128010000102030405060708090a0b0c0d0e0f",
                      &answer),
        0x9000);
}

unsigned desk_authorise(struct desk *d, const struct txid *t,
                        struct span chain, unsigned *result)
{
    AUTO(buf_clear) struct buf cmd = BUF_INIT, answer = BUF_INIT;
    struct tlv bf71, r;

    size_t m = der_open(&cmd);
    der_put(&cmd, 0x80, SPAN_ARRAY(t->o));
    der_put(&cmd, 0xA1, chain);
    der_close(&cmd, TAG_AUTHORISE_SMDPF, m);
    unsigned sw = desk_send(d, buf_span(&cmd), &answer);
    if (sw == 0x9000) {
        struct span in = buf_span(&answer);
        ck_assert(der_take(&in, TAG_AUTHORISE_SMDPF, &bf71) == 0);
        ck_assert(der_take(&bf71.value, 0x80, &r) == 0 && r.value.n == 1);
        *result = r.value.p[0];
    }
    return sw;
}

/* --- the SM-DPf ---------------------------------------------------------- */

struct iccid desk_iccid(unsigned n)
{
    char digits[21];
    struct iccid i;

    snprintf(digits, sizeof digits, "894450000000%06u", n);
    size_t len = strlen(digits);
    digits[len] = luhn_digit(digits);
    digits[len + 1] = '\0';
    ck_assert(iccid_parse(digits, &i) == 0);
    return i;
}

void desk_upp(unsigned n, size_t size, struct buf *upp)
{
    struct saip_subscription s = { .target_size = size };
    struct err e = ERR_INIT;

    s.iccid = desk_iccid(n);
    snprintf(s.imsi, sizeof s.imsi, "001010000%06u", n);
    good(saip_subscription_random(&s, &e), &e);
    good(saip_generate(&s, upp, &e), &e);
}

void desk_metadata(unsigned n, uint8_t rules, struct buf *bf25)
{
    AUTO(buf_clear) struct buf plain = BUF_INIT;
    struct profile_metadata m = {
        .iccid = desk_iccid(n),
        .provider = "Desk MSP",
        .name = "Desk",
        .profile_class = 2,
        .notify = NOTIFY_ALL,
        .notify_fqdn = DESK_FQDN,
    };
    struct tlv all;

    profile_metadata_put(&plain, &m);
    struct span in = buf_span(&plain);
    ck_assert(der_take(&in, TAG_STORE_METADATA, &all) == 0);
    size_t mark = der_open(bf25);
    buf_put_span(bf25, all.value);
    if (rules)
        der_put(bf25, 0x99, SPAN(((uint8_t[]){ 5, rules }), 2));
    der_close(bf25, TAG_STORE_METADATA, mark);
}

void desk_bind(struct desk *d, const struct desk_key *k, struct span metadata,
               struct span upp, bool ppk, struct buf *bpp)
{
    AUTO(ec_maker_free_p) struct ec_maker *maker = NULL;
    AUTO(binder_free_p) struct binder *binder = NULL;
    AUTO(pkey_free_p) EVP_PKEY *otsk = NULL;
    AUTO(buf_clear) struct buf configure = BUF_INIT;
    struct bsp_keys keys;
    struct err e = ERR_INIT;

    good(ec_maker_new(d->curve, &maker, &e), &e);
    otsk = ec_make(maker, &e);
    ck_assert(otsk != NULL);
    ck_assert(RAND_bytes((unsigned char *)&keys, sizeof keys) == 1);
    configure_isdp_put(&configure);
    good(binder_new(d->dppb.key, &binder, &e), &e);
    const struct bind_input in = {
        .eid = d->eid,
        .txid = k->txid,
        .host_id = SPAN("HOST-ID1", 8),
        .otpk_euicc = SPAN_ARRAY(k->otpk),
        .otsk_dp = otsk,
        .configure = buf_span(&configure),
        .metadata = metadata,
        .ppk = ppk ? &keys : NULL,
        .upp = upp,
    };
    good(smdpf_bind(binder, &in, bpp, &e), &e);
}

void desk_bpp(struct desk *d, unsigned k, unsigned n, struct buf *bpp)
{
    AUTO(buf_clear) struct buf upp = BUF_INIT, bf25 = BUF_INIT;

    desk_upp(n, 0, &upp);
    desk_metadata(n, 0, &bf25);
    desk_bind(d, &d->key[k], buf_span(&bf25), buf_span(&upp), true, bpp);
}

unsigned desk_load(struct desk *d, struct span bpp, struct buf *answer)
{
    struct bpp_chains it;
    struct span chain;
    struct bpp b;
    struct err e = ERR_INIT;
    unsigned sw = 0;

    good(bpp_parse(bpp, &b, &e), &e);
    bpp_chains_start(&it, &b);
    while (bpp_chains_next(&it, &chain)) {
        sw = desk_send(d, chain, answer);
        if (sw != 0x9000 || answer->n > 0)
            break;
    }
    return sw;
}

void desk_install(struct desk *d, unsigned k, unsigned n)
{
    AUTO(buf_clear) struct buf bpp = BUF_INIT, answer = BUF_INIT;
    unsigned result, command, reason;

    desk_bpp(d, k, n, &bpp);
    desk_open_fpa(d);
    ck_assert_uint_eq(desk_authorise(d, &d->key[k].txid,
                                     buf_span(&d->dp_chain), &result),
                      0x9000);
    ck_assert_uint_eq(result, 0);
    ck_assert_uint_eq(desk_load(d, buf_span(&bpp), &answer), 0x9000);
    ck_assert_int_eq(desk_result(d, buf_span(&answer), &d->key[k].txid,
                                 &command, &reason),
                     -1);
}

/* --- the judge ----------------------------------------------------------- */

bool desk_signed(const struct desk *d, struct span data, struct span raw)
{
    struct err e = ERR_INIT;

    return sig_verify(X509_get0_pubkey(d->euicc.cert), &data, 1, raw, &e) == 0;
}

int desk_result(struct desk *d, struct span bf37, const struct txid *t,
                unsigned *command, unsigned *reason)
{
    struct tlv all, data, sign, x, final;

    ck_assert(der_take(&bf37, TAG_INSTALL_RESULT, &all) == 0 && bf37.n == 0);
    struct span in = all.value;
    ck_assert(der_take(&in, TAG_INSTALL_RESULT_DATA, &data) == 0);
    ck_assert(der_take(&in, TAG_SIGNATURE, &sign) == 0 && in.n == 0);
    ck_assert(desk_signed(d, data.whole, sign.value));
    in = data.value;
    ck_assert(der_take(&in, 0x80, &x) == 0);
    ck_assert(span_eq(x.value, SPAN_ARRAY(t->o)));
    ck_assert(der_take(&in, TAG_NOTIFICATION_METADATA, &x) == 0);
    ck_assert(der_take(&in, TAG_OID, &x) == 0);
    ck_assert(span_eq(x.value, SPAN("\x88\x37\x0A", 3))); /* DESK_OID */
    ck_assert(der_take(&in, 0xA2, &final) == 0 && in.n == 0);
    ck_assert(der_next(&final.value, &x) == DER_OK && final.value.n == 0);
    if (x.tag == 0xA0)
        return -1;
    ck_assert_uint_eq(x.tag, 0xA1);
    struct tlv c, r;
    ck_assert(der_take(&x.value, 0x80, &c) == 0 && c.value.n == 1);
    ck_assert(der_take(&x.value, 0x81, &r) == 0 && r.value.n == 1);
    *command = c.value.p[0];
    *reason = r.value.p[0];
    return 0;
}

static struct store *look(struct desk *d)
{
    struct store *s = NULL;
    struct err e = ERR_INIT;

    good(store_open(d->path, &s, &e), &e);
    return s;
}

size_t desk_keys_left(struct desk *d)
{
    struct store *s = look(d);
    struct err e = ERR_INIT;
    size_t n = 0;

    good(store_key_count(s, &n, &e), &e);
    store_close(s);
    return n;
}

bool desk_has_key(struct desk *d, unsigned k)
{
    struct store *s = look(d);
    struct err e = ERR_INIT;
    struct store_key key = { .otsk = NULL };

    int rc = store_key_get(s, &d->key[k].txid, &key, &e);
    ck_assert_msg(rc >= 0, "%s", e.msg);
    store_key_clear(&key);
    store_close(s);
    return rc > 0;
}

bool desk_has_profile(struct desk *d, unsigned n, bool *enabled)
{
    struct store *s = look(d);
    struct err e = ERR_INIT;
    struct iccid iccid = desk_iccid(n);
    struct store_profile p = { .enabled = false };

    int rc = store_profile_find(s, SPAN_ARRAY(iccid.o), &p, &e);
    ck_assert_msg(rc >= 0, "%s", e.msg);
    if (enabled)
        *enabled = p.enabled;
    store_profile_clear(&p);
    store_close(s);
    return rc > 0;
}

size_t desk_pending(struct desk *d)
{
    AUTO(buf_clear) struct buf answer = BUF_INIT;
    struct tlv all, list, one;
    size_t n = 0;

    ck_assert_uint_eq(desk_send_hex(d, "BF2B00", &answer), 0x9000);
    struct span in = buf_span(&answer);
    ck_assert(der_take(&in, TAG_RETRIEVE_NOTIFICATIONS, &all) == 0);
    ck_assert(der_take(&all.value, 0xA0, &list) == 0);
    while (der_next(&list.value, &one) == DER_OK)
        n++;
    ck_assert(list.value.n == 0);
    return n;
}

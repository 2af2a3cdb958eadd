#include "tests/lab/smdpf/bind.h"

#include "station/ifpp/bpp.h"
#include "station/ifpp/tags.h"
#include "tests/lab/pki/keys.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

struct binder {
    struct ec_signer *signer;
    struct bsp *bsp;
};

int binder_new(EVP_PKEY *sk_dppb, struct binder **out, struct err *e)
{
    struct binder *b = calloc(1, sizeof *b);

    if (!b)
        return err_set(e, ERR_NOMEM, "out of memory");
    if (ec_signer_new(sk_dppb, &b->signer, e) != 0 ||
        bsp_new(&b->bsp, e) != 0) {
        binder_free(b);
        return -1;
    }
    *out = b;
    return 0;
}

void binder_free(struct binder *b)
{
    if (!b)
        return;
    ec_signer_free_p(&b->signer);
    bsp_free(b->bsp);
    free(b);
}

void binder_free_p(struct binder **b)
{
    binder_free(*b);
    *b = NULL;
}

/* --- what goes into the segments ---------------------------------------------- */

void configure_isdp_put(struct buf *b)
{
    der_put(b, TAG_CONFIGURE_ISDP, SPAN(NULL, 0));
}

static void notify_put(struct buf *b, const struct profile_metadata *m)
{
    /* BIT STRING of four events: four unused bits in its one octet. */
    uint8_t events[2] = { 4, m->notify };
    size_t all = der_open(b);
    size_t one = der_open(b);

    der_put(b, 0x80, SPAN_ARRAY(events));
    der_put_str(b, 0x81, m->notify_fqdn);
    der_close(b, TAG_SEQUENCE, one);
    der_close(b, 0xB6, all);
}

void profile_metadata_put(struct buf *b, const struct profile_metadata *m)
{
    uint8_t class = (uint8_t)m->profile_class;
    size_t whole = der_open(b);

    der_put(b, TAG_ICCID, SPAN_ARRAY(m->iccid.o));
    der_put_str(b, 0x91, m->provider);
    der_put_str(b, 0x92, m->name);
    der_put(b, 0x95, SPAN(&class, 1));
    if (m->notify)
        notify_put(b, m);
    if (m->owner_plmn.n) {
        size_t owner = der_open(b);
        der_put(b, 0x80, m->owner_plmn);
        der_close(b, 0xB7, owner);
    }
    der_close(b, TAG_STORE_METADATA, whole);
}

/* --- InitialiseSecureChannel -------------------------------------------------- */

static int check_input(const struct bind_input *in, struct err *e)
{
    if (in->host_id.n < 1 || in->host_id.n > BPP_HOST_ID_MAX)
        return err_set(e, ERR_USAGE, "hostId of %zu octets, 1 to %d are legal",
                       in->host_id.n, BPP_HOST_ID_MAX);
    if (in->otpk_euicc.n != EC_POINT_LEN)
        return err_set(e, ERR_USAGE, "otPK.EUICC of %zu octets, not %d",
                       in->otpk_euicc.n, EC_POINT_LEN);
    if (in->upp.n == 0)
        return err_set(e, ERR_USAGE, "empty profile package");
    return 0;
}

static void put_control_ref(struct buf *b, struct span host_id)
{
    static const uint8_t type = BPP_KEY_TYPE, len = BPP_KEY_LEN;
    size_t m = der_open(b);

    der_put(b, 0x80, SPAN(&type, 1));
    der_put(b, 0x81, SPAN(&len, 1));
    der_put(b, 0x84, host_id);
    der_close(b, 0xA6, m);
}

/* smdpSign covers the members of BF23 before it, then the eUICC's one-time
 * key, which is not sent: the eUICC knows it by the transactionId. */
static int put_isc(struct binder *b, const struct bind_input *in,
                   struct buf *bpp, struct err *e)
{
    uint8_t point[EC_POINT_LEN], sign[EC_RAW_SIG_LEN], euicc[EC_POINT_LEN + 8];
    struct buf otpk = { euicc, 0, sizeof euicc, false }; /* never grows */
    size_t m = der_open(bpp);

    if (ec_point(in->otsk_dp, point, e) != 0)
        return -1;
    der_put_uint(bpp, 0x82, 1); /* remoteOpId: installBoundProfilePackage */
    der_put(bpp, 0x80, SPAN_ARRAY(in->txid.o));
    put_control_ref(bpp, in->host_id);
    der_put(bpp, TAG_OTPK, SPAN_ARRAY(point));
    der_put(&otpk, TAG_OTPK, in->otpk_euicc);
    if (!buf_ok(bpp))
        return err_set(e, ERR_NOMEM, "out of memory");
    struct span parts[] = { SPAN(bpp->p + m, bpp->n - m), buf_span(&otpk) };
    if (ec_sign(b->signer, parts, 2, sign, e) != 0)
        return -1;
    der_put(bpp, TAG_SIGNATURE, SPAN_ARRAY(sign));
    der_close(bpp, TAG_INIT_SECURE_CHANNEL, m);
    return 0;
}

/* --- segments ------------------------------------------------------------------ */

typedef int seal_fn(struct bsp *, uint32_t, struct span, struct buf *,
                    struct err *);

/* One `8x` TLV per `cut` octets of plaintext, within outer. */
static int put_segments(struct bsp *bsp, uint32_t outer, uint32_t tag,
                        seal_fn *seal, size_t cut, struct span plain,
                        struct buf *bpp, struct err *e)
{
    size_t m = der_open(bpp);

    for (size_t at = 0; at < plain.n; at += cut)
        if (seal(bsp, tag, span_sub(plain, at, cut), bpp, e) != 0)
            return -1;
    der_close(bpp, outer, m);
    return 0;
}

static int put_replace_keys(struct binder *b, const struct bsp_keys *ppk,
                            struct buf *bpp, struct err *e)
{
    uint8_t store[64];
    struct buf bf26 = { store, 0, sizeof store, false }; /* never grows */

    bsp_keys_put(&bf26, ppk);
    int got = put_segments(b->bsp, 0xA2, TAG_SEG_ENC, bsp_seal_enc,
                           BPP_PLAIN_MAX, buf_span(&bf26), bpp, e);
    OPENSSL_cleanse(store, sizeof store);
    return got == 0 ? bsp_start(b->bsp, ppk, e) : -1;
}

static int put_body(struct binder *b, const struct bind_input *in,
                    struct buf *bpp, struct err *e)
{
    if (put_segments(b->bsp, 0xA0, TAG_SEG_ENC, bsp_seal_enc, BPP_PLAIN_MAX,
                     in->configure, bpp, e) != 0 ||
        put_segments(b->bsp, 0xA1, TAG_SEG_MAC, bsp_seal_mac,
                     BPP_PLAIN_MAC_ONLY_MAX, in->metadata, bpp, e) != 0)
        return -1;
    if (in->ppk && put_replace_keys(b, in->ppk, bpp, e) != 0)
        return -1;
    return put_segments(b->bsp, 0xA3, TAG_SEG_PROFILE, bsp_seal_enc,
                        BPP_PLAIN_MAX, in->upp, bpp, e);
}

int smdpf_bind(struct binder *b, const struct bind_input *in, struct buf *bpp,
               struct err *e)
{
    struct bsp_keys session;
    size_t whole = der_open(bpp);

    if (check_input(in, e) != 0 || put_isc(b, in, bpp, e) != 0 ||
        bsp_derive(b->bsp, in->otsk_dp, in->otpk_euicc, in->host_id, &in->eid,
                   &session, e) != 0)
        return -1;
    int got = bsp_start(b->bsp, &session, e);
    OPENSSL_cleanse(&session, sizeof session);
    if (got != 0 || put_body(b, in, bpp, e) != 0)
        return -1;
    der_close(bpp, TAG_BPP, whole);
    if (!buf_ok(bpp))
        return err_set(e, ERR_NOMEM, "out of memory");
    if (bpp->n - whole > BPP_MAX)
        return err_set(e, ERR_LIMIT, "package of %zu octets, at most %d",
                       bpp->n - whole, BPP_MAX);
    return 0;
}

/* The functions that are the binding's own (clause 4, "ours"). */
#include "tests/lab/euicc/crypto.h"
#include "tests/lab/euicc/isdr.h"

#include "station/ifpp/tags.h"

#define IFPP_VERSION 1
#define ERROR_UNDEFINED 127

static int take_nonce(struct span value, struct tlv *nonce)
{
    return der_take(&value, 0x80, nonce) == 0 && value.n == 0 &&
                   nonce->value.n == ES10F_NONCE
               ? 0
               : -1;
}

int fn_ifpp_status(struct isdr *r, struct span value, struct buf *out,
                   struct err *e)
{
    struct tlv nonce;
    bool closed;

    if (take_nonce(value, &nonce) != 0)
        return SW_WRONG_DATA;
    if (store_is_closed(r->s, &closed, e) != 0)
        return -1;
    size_t m = der_open(out);
    der_put_uint(out, 0x80, IFPP_VERSION);
    der_put_uint(out, 0x81, closed);
    size_t keys = der_open(out);
    if (store_keys_put(r->s, out, e) != 0)
        return -1;
    der_close(out, 0xA2, keys);
    der_close(out, TAG_IFPP_STATUS, m);
    r->fpa_open = true;
    return SW_OK;
}

int fn_authorise(struct isdr *r, struct span value, struct buf *out,
                 struct err *e)
{
    struct tlv txid, chain;
    enum download_error result;

    if (der_take(&value, 0x80, &txid) != 0 ||
        der_take(&value, 0xA1, &chain) != 0 || value.n != 0)
        return SW_WRONG_DATA;
    if (isdp_authorise(r->isdp, txid.value, chain.value, &result, e) != 0)
        return -1;
    return put_result(out, TAG_AUTHORISE_SMDPF, result);
}

/* { 30 {5A, 80 function, 81 seq, 82 deleted, 83 left, 84 nonce}, 5F37 }, in
 * the caller's transaction. */
static int put_receipt(struct isdr *r, uint32_t tag, size_t deleted,
                       size_t left, struct span nonce, struct buf *out,
                       struct err *e)
{
    AUTO(buf_clear) struct buf data = BUF_INIT;
    uint64_t seq;

    if (store_next_seq(r->s, &seq, e) != 0)
        return -1;
    size_t m = der_open(&data);
    der_put(&data, TAG_EID, SPAN_ARRAY(store_chip(r->s)->eid.o));
    der_put_uint(&data, 0x80, tag & 0xff);
    der_put_uint(&data, 0x81, seq);
    der_put_uint(&data, 0x82, deleted);
    der_put_uint(&data, 0x83, left);
    der_put(&data, 0x84, nonce);
    der_close(&data, TAG_SEQUENCE, m);
    if (!buf_ok(&data))
        return err_set(e, ERR_NOMEM, "out of memory");
    m = der_open(out);
    buf_put_span(out, buf_span(&data));
    if (chipkey_sign_put(store_chip(r->s)->sk, buf_span(&data), out, e) != 0)
        return -1;
    der_close(out, tag, m);
    return 0;
}

static int delete_keys(struct isdr *r, struct span nonce, struct buf *out,
                       struct err *e)
{
    size_t deleted;

    if (store_keys_burn_all(r->s, &deleted, e) != 0)
        return -1;
    return put_receipt(r, TAG_DELETE_OTK, deleted, 0, nonce, out, e);
}

int fn_delete_otk(struct isdr *r, struct span value, struct buf *out,
                  struct err *e)
{
    struct tlv nonce;

    if (take_nonce(value, &nonce) != 0)
        return put_result(out, TAG_DELETE_OTK, ERROR_UNDEFINED);
    isdp_reset(r->isdp); /* what was authorised has no key any more */
    if (store_begin(r->s, e) != 0 ||
        delete_keys(r, nonce.value, out, e) != 0 ||
        store_commit(r->s, e) != 0) {
        store_rollback(r->s);
        return -1;
    }
    return SW_OK;
}

int fn_close_fpa(struct isdr *r, struct span value, struct buf *out,
                 struct err *e)
{
    struct tlv nonce;
    size_t left;

    if (take_nonce(value, &nonce) != 0)
        return put_result(out, TAG_CLOSE_FPA, ERROR_UNDEFINED);
    if (store_key_count(r->s, &left, e) != 0)
        return -1;
    if (left > 0)
        return put_result(out, TAG_CLOSE_FPA, IFPP_ERROR_KEYS_REMAIN);
    if (store_begin(r->s, e) != 0 || store_set_closed(r->s, e) != 0 ||
        put_receipt(r, TAG_CLOSE_FPA, 0, 0, nonce.value, out, e) != 0 ||
        store_commit(r->s, e) != 0) {
        store_rollback(r->s);
        return -1;
    }
    return SW_OK;
}

/* BPPs and the records around them. Octet 0 chooses the reader, the rest is
 * its input. What is accepted must be cut into chains that are the BPP, and
 * be written again as the octets it was read from. */
#include "station/ifpp/bpp.h"
#include "station/ifpp/tags.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x)     \
    do {             \
        if (!(x))    \
            abort(); \
    } while (0)

/* The error's text is part of what must hold. */
static void check_err(int r, const struct err *e)
{
    CHECK(r == 0 || r == -1);
    CHECK((r == 0) == (e->code == ERR_NONE));
    CHECK(r == 0 || strlen(e->msg) > 0);
}

static bool inside(struct span part, struct span whole)
{
    return part.n == 0 ||
           (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void check_chains(const struct bpp *b)
{
    const uint8_t *at = b->whole.p;
    struct bpp_chains it;
    struct span s;
    size_t apdus = 0;

    bpp_chains_start(&it, b);
    while (bpp_chains_next(&it, &s)) {
        CHECK(s.p == at && s.n > 0);
        at += s.n;
        apdus += (s.n + 254) / 255;
    }
    CHECK(at == b->whole.p + b->whole.n);
    CHECK(apdus == bpp_apdu_count(b));
}

static void check_metadata(const struct bpp *b)
{
    AUTO(buf_clear) struct buf store = BUF_INIT;
    struct bpp_metadata m;
    struct err e = ERR_INIT;
    int r = bpp_metadata(b, &store, &m, &e);

    check_err(r, &e);
    if (r != 0)
        return;
    CHECK(iccid_valid(&m.iccid));
    CHECK(strlen(m.provider) <= BPP_NAME_MAX && strlen(m.name) <= BPP_NAME_MAX);
    CHECK(m.profile_class >= 0 && m.profile_class <= 2);
    CHECK(inside(m.owner, buf_span(&store)));
}

static void check_bpp(const struct bpp *b, struct span in)
{
    CHECK(inside(b->whole, in) && inside(b->host_id, b->whole));
    CHECK(inside(b->otpk_dp, b->whole) && b->otpk_dp.n == 65);
    CHECK(inside(b->smdp_sign, b->whole) && b->smdp_sign.n == 64);
    check_chains(b);
    check_metadata(b);
}

static void run_bpp(struct span in)
{
    struct err e = ERR_INIT;
    struct bpp b;
    int r = bpp_parse(in, &b, &e);

    check_err(r, &e);
    if (r == 0)
        check_bpp(&b, in);
}

/* The input is a BF25: the small part that changes most. */
static void run_metadata(struct span in)
{
    static const uint8_t mac[BPP_MAC_LEN];
    AUTO(buf_clear) struct buf a1 = BUF_INIT;
    struct bpp b = { .header_len = 0 };

    for (size_t at = 0; at < in.n; at += BPP_PLAIN_MAC_ONLY_MAX) {
        size_t m = der_open(&a1);
        buf_put_span(&a1, span_sub(in, at, BPP_PLAIN_MAC_ONLY_MAX));
        buf_put(&a1, mac, sizeof mac);
        der_close(&a1, TAG_SEG_MAC, m);
    }
    b.metadata.tag = 0xa1;
    b.metadata.value = buf_span(&a1);
    check_metadata(&b);
}

static void run_record(struct span in)
{
    AUTO(buf_clear) struct buf again = BUF_INIT, sign = BUF_INIT;
    struct bpp_record rec;
    struct err e = ERR_INIT;
    int r = bpp_record_parse(in, &rec, &e);

    check_err(r, &e);
    if (r != 0)
        return;
    CHECK(eid_valid(&rec.eid));
    check_bpp(&rec.bpp, in);
    der_put(&sign, TAG_SIGNATURE, rec.key.sign);
    bpp_record_put(&again, &rec.eid, rec.cert.whole, rec.key.signed2.whole,
                   buf_span(&sign), rec.eum_chain, rec.dp_chain,
                   rec.bpp.whole);
    CHECK(span_eq(buf_span(&again), in));
}

static void run_request(struct span in)
{
    AUTO(buf_clear) struct buf again = BUF_INIT, key = BUF_INIT;
    struct key_record rec;
    struct err e = ERR_INIT;
    int r = key_record_parse(in, &rec, &e);

    check_err(r, &e);
    if (r != 0)
        return;
    CHECK(eid_valid(&rec.eid));
    euicc_key_put(&key, &rec.key.txid, rec.key.otpk, rec.key.sign);
    size_t n = rec.key.signed2.whole.n;
    CHECK(span_eq(SPAN(key.p, n), rec.key.signed2.whole));
    key_record_put(&again, &rec.eid, rec.cert.whole, SPAN(key.p, n),
                   SPAN(key.p + n, key.n - n), rec.eum_chain);
    CHECK(span_eq(buf_span(&again), in));
}

static void run_euicc_data(struct span in)
{
    struct euicc_data_record rec;
    struct err e = ERR_INIT;
    int r = euicc_data_record_parse(in, &rec, &e);
    struct euicc_key k;

    check_err(r, &e);
    if (r != 0)
        return;
    /* What was accepted can be walked to its end. */
    while (rec.keys.n != 0)
        CHECK(euicc_key_take(&rec.keys, &k, &e) == 0 && inside(k.otpk, in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(struct span) = {
        run_bpp, run_metadata, run_record, run_euicc_data, run_request,
    };

    if (size > 0)
        readers[data[0] % 5](SPAN(data + 1, size - 1));
    return 0;
}

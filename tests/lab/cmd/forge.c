/* The liar's SM-DPf: takes a container, tells one lie in it, and signs it with
 * real keys, so that nothing but the lie is wrong. One table of lies. */
#include "tests/lab/cmd/lab.h"

#include "station/base/clock.h"
#include "station/container/reader.h"
#include "station/container/signers.h"
#include "station/container/writer.h"
#include "station/ifpp/bpp.h"
#include "station/ifpp/tags.h"
#include "tests/lab/world.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RECORDS_MAX 4096
#define DAY 86400

struct options {
    const char *out, *lie, *other, *signer;
    uint64_t sequence;
};

/* One record, taken apart. The spans point into octets, except those that a
 * lie exchanged for another record's. */
struct entry {
    struct buf octets;
    struct bpp_record r;
    struct span cert, signed2, sign_tlv, bpp;
    struct buf lied; /* octets that a lie made, when bpp points there */
};

struct forgery {
    const struct world *w;
    const struct world_smdpf *own, *other; /* other: NULL in a world of one */
    struct manifest m;
    struct entry *v;
    size_t n;
    char signer[64];    /* party, as world_holder takes it */
};

static void forgery_clear(struct forgery *f)
{
    for (size_t i = 0; i < f->n; i++) {
        buf_clear(&f->v[i].octets);
        buf_clear(&f->v[i].lied);
    }
    free(f->v);
    manifest_clear(&f->m);
}

/* --- reading ------------------------------------------------------------------ */

/* A bundle's record but for what the SM-DPf adds. */
static int keep_request(struct entry *i, struct err *e)
{
    struct key_record r;

    if (key_record_parse(buf_span(&i->octets), &r, e) != 0)
        return -1;
    i->r.eid = r.eid;
    i->r.cert = r.cert;
    i->r.key = r.key;
    i->r.eum_chain = r.eum_chain;
    return 0;
}

static int keep_record(void *ctx, uint64_t number, struct span record,
                       struct err *e)
{
    struct forgery *f = ctx;

    if (number > RECORDS_MAX)
        return err_set(e, ERR_LIMIT, "more than %d records", RECORDS_MAX);
    struct entry *v = realloc(f->v, (f->n + 1) * sizeof *v);
    if (!v)
        return err_set(e, ERR_NOMEM, "out of memory");
    f->v = v;
    struct entry *i = &v[f->n];
    memset(i, 0, sizeof *i);
    f->n++;
    buf_put_span(&i->octets, record);
    if (!buf_ok(&i->octets))
        return err_set(e, ERR_NOMEM, "out of memory");
    if (f->m.kind == KIND_BPP_REQUEST) {
        if (keep_request(i, e) != 0)
            return -1;
    } else if (f->m.kind != KIND_BPP_BUNDLE) {
        return 0;
    } else if (bpp_record_parse(buf_span(&i->octets), &i->r, e) != 0) {
        return -1;
    }
    i->cert = i->r.cert.whole;
    i->signed2 = i->r.key.signed2.whole;
    const uint8_t *after = i->signed2.p + i->signed2.n;
    i->sign_tlv = SPAN(after, (size_t)(i->r.key.sign.p - after) +
                              i->r.key.sign.n);
    i->bpp = i->r.bpp.whole;
    return 0;
}

static int read_container(const char *path, struct forgery *f, struct err *e)
{
    AUTO(buf_clear) struct buf cms = BUF_INIT;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return err_errno(e, "%s", path);
    int got = container_read_manifest(fd, &cms, e);
    if (got == 0)
        got = manifest_peek(buf_span(&cms), &f->m, e);
    if (got == 0)
        got = container_read_segments(fd, &f->m, keep_record, f, e);
    close(fd);
    return got;
}

/* --- lies ---------------------------------------------------------------------- */

static int need_other(const struct forgery *f, struct err *e)
{
    return f->other ? 0
         : err_set(e, ERR_USAGE, "this lie needs a second SM-DPf: lineside-lab "
                                 "new ... --smdpf a b");
}

static int need_records(const struct forgery *f, size_t n, struct err *e)
{
    return (f->m.kind == KIND_BPP_BUNDLE || f->m.kind == KIND_BPP_REQUEST) &&
           f->n >= n ? 0
         : err_set(e, ERR_USAGE, "this lie needs a bpp-bundle or bpp-request of "
                                 "at least %zu record(s)", n);
}

static int lie_none(struct forgery *f, struct err *e)
{
    (void)f;
    (void)e;
    return 0;
}

static void sign_as(struct forgery *f, const struct world_smdpf *s,
                    const char *role)
{
    snprintf(f->signer, sizeof f->signer, "smdpf/%s/%s", s->name, role);
}

static int lie_other_signer(struct forgery *f, struct err *e)
{
    if (need_other(f, e) != 0)
        return -1;
    sign_as(f, f->other, "dpauth");
    return 0;
}

static int lie_other_issuer(struct forgery *f, struct err *e)
{
    if (need_other(f, e) != 0)
        return -1;
    snprintf(f->m.issuer, sizeof f->m.issuer, "%s", f->other->oid);
    return 0;
}

/* A whole bundle of the other SM-DPf, but bound by the first. */
static int lie_other_dpauth(struct forgery *f, struct err *e)
{
    return lie_other_signer(f, e) != 0 ? -1 : lie_other_issuer(f, e);
}

static int lie_dppb_signs(struct forgery *f, struct err *e)
{
    (void)e;
    sign_as(f, f->own, "dppb");
    return 0;
}

/* The entry's BPP as octets of its own that may be written to. */
static struct buf *own_bpp(struct entry *i)
{
    if (i->lied.n == 0) {
        buf_put_span(&i->lied, i->bpp);
        i->bpp = buf_span(&i->lied);
    }
    return buf_ok(&i->lied) ? &i->lied : NULL;
}

/* smdpSign anew by this SM-DPf's DPpb, over the entry's BPP with this otPK. */
static int resign(const struct forgery *f, const struct world_smdpf *by,
                  struct entry *i, struct span otpk, struct err *e)
{
    AUTO(holder_clear) struct holder h = { NULL, NULL };
    AUTO(ec_signer_free_p) struct ec_signer *s = NULL;
    AUTO(buf_clear) struct buf tail = BUF_INIT;
    struct buf *own = own_bpp(i);
    struct bpp b;
    uint8_t raw[EC_RAW_SIG_LEN];

    if (!own)
        return err_set(e, ERR_NOMEM, "out of memory");
    if (world_smdpf_holder(f->w, by, "dppb", &h, e) != 0 ||
        ec_signer_new(h.key, &s, e) != 0 || bpp_parse(i->bpp, &b, e) != 0)
        return -1;
    /* What is signed ends where the 5F37 begins: tag (2), length (1). */
    const uint8_t *end = b.smdp_sign.p - 3;
    struct span head = SPAN(b.isc.value.p, (size_t)(end - b.isc.value.p));
    der_put(&tail, TAG_OTPK, otpk);
    struct span parts[2] = { head, buf_span(&tail) };
    if (ec_sign(s, parts, 2, raw, e) != 0)
        return -1;
    memcpy(own->p + (b.smdp_sign.p - i->bpp.p), raw, sizeof raw);
    return 0;
}

static int lie_other_dppb_key(struct forgery *f, struct err *e)
{
    if (need_other(f, e) != 0 || need_records(f, 1, e) != 0)
        return -1;
    return resign(f, f->other, &f->v[0], f->v[0].r.key.otpk, e);
}

/* From head to foot the other SM-DPf's, but for a key meant for the first. */
static int lie_other_smdpf(struct forgery *f, struct err *e)
{
    AUTO(buf_clear) struct buf dppb = BUF_INIT;
    char party[64];

    if (lie_other_dpauth(f, e) != 0 || need_records(f, 1, e) != 0)
        return -1;
    snprintf(party, sizeof party, "smdpf/%s/dppb", f->other->name);
    if (world_cert_der(f->w, party, &dppb, e) != 0)
        return -1;
    blobs_clear(&f->m.dp_chains);
    if (blobs_add(&f->m.dp_chains, buf_span(&dppb)) != 0)
        return err_set(e, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < f->n; i++)
        if (resign(f, f->other, &f->v[i], f->v[i].r.key.otpk, e) != 0)
            return -1;
    return 0;
}

static int lie_wrong_otpk(struct forgery *f, struct err *e)
{
    return need_records(f, 2, e) != 0
               ? -1 : resign(f, f->own, &f->v[0], f->v[1].r.key.otpk, e);
}

/* A point that is on no curve, signed as if it were. */
static int lie_bad_point(struct forgery *f, struct err *e)
{
    struct bpp b;

    if (need_records(f, 1, e) != 0)
        return -1;
    struct entry *i = &f->v[0];
    struct buf *own = own_bpp(i);
    if (!own)
        return err_set(e, ERR_NOMEM, "out of memory");
    if (bpp_parse(i->bpp, &b, e) != 0)
        return -1;
    own->p[b.otpk_dp.p - i->bpp.p + 64] ^= 1;
    return resign(f, f->own, i, i->r.key.otpk, e);
}

#define SWAP(f, member) do { \
        struct span kept_ = (f)->v[0].member; \
        (f)->v[0].member = (f)->v[1].member; \
        (f)->v[1].member = kept_; \
    } while (0)

static int lie_swap_eid(struct forgery *f, struct err *e)
{
    if (need_records(f, 2, e) != 0)
        return -1;
    struct eid kept = f->v[0].r.eid;
    f->v[0].r.eid = f->v[1].r.eid;
    f->v[1].r.eid = kept;
    return 0;
}

static int lie_swap_cert(struct forgery *f, struct err *e)
{
    if (need_records(f, 2, e) != 0)
        return -1;
    SWAP(f, cert);
    return 0;
}

/* Certificate and EID: each record is now all of the other's but key and BPP. */
static int lie_swap_euicc(struct forgery *f, struct err *e)
{
    return lie_swap_eid(f, e) != 0 ? -1 : lie_swap_cert(f, e);
}

static int lie_swap_key(struct forgery *f, struct err *e)
{
    if (need_records(f, 2, e) != 0)
        return -1;
    SWAP(f, signed2);
    SWAP(f, sign_tlv);
    return 0;
}

static int lie_swap_bpp(struct forgery *f, struct err *e)
{
    if (need_records(f, 2, e) != 0)
        return -1;
    SWAP(f, bpp);
    return 0;
}

static int lie_twice(struct forgery *f, struct err *e)
{
    if (need_records(f, 1, e) != 0)
        return -1;
    AUTO(buf_clear) struct buf copy = BUF_INIT;
    buf_put_span(&copy, buf_span(&f->v[0].octets));
    return keep_record(f, f->n + 1, buf_span(&copy), e);
}

static int lie_eum_index(struct forgery *f, struct err *e)
{
    if (need_records(f, 1, e) != 0)
        return -1;
    f->v[0].r.eum_chain = (unsigned)f->m.eum_chains.n;
    return 0;
}

static int lie_dp_index(struct forgery *f, struct err *e)
{
    if (need_records(f, 1, e) != 0)
        return -1;
    f->v[0].r.dp_chain = (unsigned)f->m.dp_chains.n;
    return 0;
}

static int lie_expired(struct forgery *f, struct err *e)
{
    (void)e;
    f->m.created_at = clock_system() - DAY;
    f->m.not_after = clock_system() - 1;
    return 0;
}

static int lie_ahead(struct forgery *f, struct err *e)
{
    (void)e;
    f->m.created_at = clock_system() + 3 * DAY;
    f->m.not_after = f->m.created_at + DAY;
    return 0;
}

static int lie_nobody(struct forgery *f, struct err *e)
{
    static const uint8_t nobody[32] = { 0x5a };

    blobs_clear(&f->m.recipients.list);
    f->m.recipients.kind = RCPT_STATIONS;
    return blobs_add(&f->m.recipients.list, SPAN_ARRAY(nobody)) == 0
               ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

static int lie_to_other(struct forgery *f, struct err *e)
{
    if (need_other(f, e) != 0)
        return -1;
    blobs_clear(&f->m.recipients.list);
    f->m.recipients.kind = RCPT_PARTIES;
    return blobs_add(&f->m.recipients.list, SPAN_STR(f->other->oid)) == 0
               ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

static struct manifest_receipt *receipt_of(struct forgery *f, struct err *e)
{
    if (f->m.kind == KIND_REPORT_RECEIPT)
        return &f->m.receipt;
    err_set(e, ERR_USAGE, "this lie needs a report-receipt");
    return NULL;
}

static int lie_report(struct forgery *f, struct err *e)
{
    struct manifest_receipt *r = receipt_of(f, e);

    if (!r)
        return -1;
    r->report_id[0] = r->report_id[0] == '0' ? '1' : '0';
    return 0;
}

static int lie_digest(struct forgery *f, struct err *e)
{
    struct manifest_receipt *r = receipt_of(f, e);

    if (!r)
        return -1;
    r->report_sha256[0] ^= 1;
    return 0;
}

static int lie_records(struct forgery *f, struct err *e)
{
    struct manifest_receipt *r = receipt_of(f, e);

    if (!r)
        return -1;
    r->records++;
    return 0;
}

/* No lie: a receipt of an SM-DPf that did not accept one of the records. */
static int lie_not_all(struct forgery *f, struct err *e)
{
    struct manifest_receipt *r = receipt_of(f, e);

    if (!r)
        return -1;
    r->accepted--;
    return 0;
}

static const struct lie {
    const char *name;
    int (*tell)(struct forgery *f, struct err *e);
    bool keep_id; /* the same id as the original's */
} lies[] = {
    { "same-bpp", lie_none, false },       /* again, under a new id        */
    { "same-id", lie_none, true },
    { "other-recipient", lie_nobody, false },
    { "to-other", lie_to_other, false },   /* a request, to the other SM-DPf */
    { "other-signer", lie_other_signer, false },
    { "other-issuer", lie_other_issuer, false },
    { "other-dpauth", lie_other_dpauth, false },
    { "dppb-signs", lie_dppb_signs, false },
    { "other-dppb-key", lie_other_dppb_key, false },
    { "other-smdpf", lie_other_smdpf, false },
    { "wrong-otpk", lie_wrong_otpk, false },
    { "bad-point", lie_bad_point, false },
    { "swap-eid", lie_swap_eid, false },
    { "swap-cert", lie_swap_cert, false },
    { "swap-euicc", lie_swap_euicc, false },
    { "swap-key", lie_swap_key, false },
    { "swap-bpp", lie_swap_bpp, false },
    { "record-twice", lie_twice, false },
    { "eum-index", lie_eum_index, false },
    { "dp-index", lie_dp_index, false },
    { "expired", lie_expired, false },
    { "ahead", lie_ahead, false },
    { "other-report", lie_report, false },   /* a receipt, for one unknown */
    { "other-digest", lie_digest, false },
    { "more-records", lie_records, false },
    { "not-all", lie_not_all, false },
};
#define LIES (sizeof lies / sizeof *lies)

static const struct lie *find_lie(const char *name)
{
    for (size_t i = 0; name && i < LIES; i++)
        if (strcmp(lies[i].name, name) == 0)
            return &lies[i];
    return NULL;
}

static int no_such_lie(struct err *e)
{
    AUTO(buf_clear) struct buf names = BUF_INIT;

    for (size_t i = 0; i < LIES; i++) {
        buf_put_u8(&names, ' ');
        buf_put_span(&names, SPAN_STR(lies[i].name));
    }
    buf_put_u8(&names, 0);
    return err_set(e, ERR_USAGE, "--lie is one of:%s",
                   buf_ok(&names) ? (const char *)names.p : "");
}

/* --- writing -------------------------------------------------------------------- */

/* Lies that changed no part of a record leave its octets as they were. */
static int put_record(const struct forgery *f, const struct entry *i,
                      struct container_writer *w, struct err *e)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;

    if (f->m.kind == KIND_BPP_BUNDLE)
        bpp_record_put(&b, &i->r.eid, i->cert, i->signed2, i->sign_tlv,
                       i->r.eum_chain, i->r.dp_chain, i->bpp);
    else if (f->m.kind == KIND_BPP_REQUEST)
        key_record_put(&b, &i->r.eid, i->cert, i->signed2, i->sign_tlv,
                       i->r.eum_chain);
    else
        buf_put_span(&b, buf_span(&i->octets));
    return buf_ok(&b) ? container_writer_add(w, buf_span(&b), e)
                      : err_set(e, ERR_NOMEM, "out of memory");
}

static int seal(struct forgery *f, struct container_writer *w, char **path,
                struct err *e)
{
    AUTO(holder_clear) struct holder h = { NULL, NULL };
    AUTO(x509_free_p) X509 *root = NULL;
    struct signer s = { NULL, NULL, NULL };
    int got = world_holder(f->w, f->signer, &h, e);

    if (got == 0 && f->m.kind == KIND_STATION_CERT) {
        got = world_cert(f->w, "dm/root", &root, e);
        s.chain = sk_X509_new_null();
        if (got == 0 && (!s.chain || sk_X509_push(s.chain, root) <= 0))
            got = err_set(e, ERR_NOMEM, "out of memory");
    }
    s.key = h.key;
    s.cert = h.cert;
    if (got == 0)
        got = container_writer_seal(w, &s, NULL, path, e);
    else
        container_writer_abort(w);
    sk_X509_free(s.chain);
    return got;
}

static int write_container(struct forgery *f, const char *out, char **path,
                           struct err *e)
{
    struct container_writer *w;

    free(f->m.segments);
    f->m.segments = NULL;
    f->m.segment_count = 0;
    if (f->m.kind == KIND_BPP_REQUEST)
        f->m.keys_offered = f->n;
    if (container_writer_open(out, &f->m, &w, e) != 0)
        return -1;
    for (size_t i = 0; i < f->n; i++)
        if (put_record(f, &f->v[i], w, e) != 0) {
            container_writer_abort(w);
            return -1;
        }
    return seal(f, w, path, e);
}

/* --- the command ------------------------------------------------------------------ */

static int find_parties(const struct options *o, struct forgery *f,
                        struct err *e)
{
    f->own = world_find_smdpf(f->w, f->m.issuer);
    if (!f->own)
        f->own = &f->w->smdpf[0];
    if (o->other)
        f->other = world_find_smdpf(f->w, o->other);
    else if (f->w->smdpf_count > 1)
        f->other = &f->w->smdpf[f->own == &f->w->smdpf[0] ? 1 : 0];
    if (o->other && !f->other)
        return err_set(e, ERR_NOT_FOUND, "this world has no SM-DPf \"%s\"",
                       o->other);
    if (f->m.kind == KIND_STATION_CERT)
        snprintf(f->signer, sizeof f->signer, "dm/authority");
    else if (f->m.kind == KIND_EUICC_DATA)
        snprintf(f->signer, sizeof f->signer, "eum/data");
    else if (f->m.kind == KIND_BPP_REQUEST) /* whoever tests puts it there */
        snprintf(f->signer, sizeof f->signer, "dm/station");
    else if (f->m.kind == KIND_WORK_ORDER)
        snprintf(f->signer, sizeof f->signer, "dm/order");
    else
        sign_as(f, f->own, "dpauth");
    return 0;
}

static int forge(const char *dir, const char *container,
                 const struct options *o, struct err *e)
{
    AUTO(world_clear) struct world w = { .dir = NULL };
    AUTO(str_free_p) char *path = NULL;
    AUTO(forgery_clear) struct forgery f = { .w = &w };
    const struct lie *lie = find_lie(o->lie);

    manifest_init(&f.m);
    if (!lie)
        return no_such_lie(e);
    if (!o->out)
        return err_set(e, ERR_USAGE, "--out DIR is needed");
    if (world_open(dir, &w, e) != 0 || read_container(container, &f, e) != 0 ||
        find_parties(o, &f, e) != 0 || lie->tell(&f, e) != 0)
        return -1;
    if (o->signer)
        snprintf(f.signer, sizeof f.signer, "%s", o->signer);
    if (!lie->keep_id)
        f.m.id[0] = '\0';
    if (o->sequence)
        f.m.sequence = o->sequence;
    if (write_container(&f, o->out, &path, e) != 0)
        return -1;
    puts(path);
    return 0;
}

static const struct opt opts[] = {
    { "--out", OPT_TEXT, offsetof(struct options, out), "DIR",
      "where the forged container shall appear" },
    { "--lie", OPT_TEXT, offsetof(struct options, lie), "NAME",
      "which lie; left out, their names are listed" },
    { "--other", OPT_TEXT, offsetof(struct options, other), "OID",
      "the other SM-DPf, by OID or name (default: the second)" },
    { "--signer", OPT_TEXT, offsetof(struct options, signer), "PARTY",
      "who signs the manifest: dm/order, eum/data, smdpf/NAME/dppb, ..." },
    { "--sequence", OPT_NUMBER, offsetof(struct options, sequence), "N",
      "the manifest's sequence number (default: the original's)" },
    OPT_END,
};

static int run(int argc, char **argv, struct err *e)
{
    AUTO(words_clear) struct words rest = { NULL, 0 };
    struct options o = { .lie = NULL };

    if (opts_parse(&cmd_forge, argc, argv, &o, &rest, 2, 2, e) != 0)
        return -1;
    return forge(rest.v[0], rest.v[1], &o, e);
}

const struct command cmd_forge = {
    "forge", "WORLD CONTAINER --out DIR --lie NAME",
    "A container that tells one lie, signed with real keys.", opts, run,
};

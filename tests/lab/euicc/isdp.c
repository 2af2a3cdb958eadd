#include "tests/lab/euicc/isdp.h"

#include "station/ifpp/cert.h"
#include "station/ifpp/tags.h"
#include "tests/lab/euicc/crypto.h"
#include "tests/lab/euicc/meta.h"
#include "tests/lab/euicc/notify.h"
#include "tests/lab/saip/saip.h"
#include "tests/lab/smdpf/bsp.h"

#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define CONFIGURE_MAX 256   /* BF24, plain */
#define METADATA_MAX 8192   /* BF25, plain */
#define ADDRESS_MAX 255
#define CRT_KEY_TYPE 0x80
#define CRT_KEY_LEN 0x81
#define CRT_HOST_ID 0x84
#define INSTALL_BPP 1       /* remote operation type */

enum command {
    CMD_INITIALISE = 0,
    CMD_CONFIGURE_ISDP = 1,
    CMD_STORE_METADATA = 2,
    CMD_REPLACE_KEYS = 4,
    CMD_LOAD_ELEMENTS = 5,
};

enum reason {
    R_INCORRECT_INPUT = 1,
    R_UNSUPPORTED_CRT = 4,
    R_UNSUPPORTED_OPERATION = 5,
    R_UNSUPPORTED_CLASS = 6,
    R_SCP03T_STRUCTURE = 7,
    R_SCP03T_SECURITY = 8,
    R_ICCID_EXISTS = 9,
    R_NO_MEMORY = 10,
    R_PE_PROCESSING = 12,
    R_DATA_MISMATCH = 13,
    R_UNKNOWN = 127,
};

/* What the next chain must be. */
enum stage {
    STAGE_IDLE,
    STAGE_CONFIGURE,       /* A0 whole               */
    STAGE_METADATA_HEADER, /* A1 tag and length      */
    STAGE_METADATA,        /* one 88                 */
    STAGE_KEYS,            /* A2 whole, or as below  */
    STAGE_ELEMENTS_HEADER, /* A3 tag and length      */
    STAGE_ELEMENTS,        /* one 86                 */
};

struct isdp {
    struct store *s;
    struct bsp *bsp;

    /* AuthoriseSmdpf */
    bool authorised;
    struct txid txid;
    EVP_PKEY *dppb;
    struct buf oid;             /* DER content of its registeredID */
    char dns[ADDRESS_MAX + 1];  /* its dNSName, or ""              */
    struct store_key key;

    /* the load */
    enum stage stage;
    size_t bpp_left;            /* octets of BF36 still to come    */
    size_t list_left;           /* ... of A1 or A3                 */
    struct buf metadata;        /* BF25 */
    bool metadata_read;
    struct meta meta;           /* into metadata */
    struct buf upp;

    bool has_last;
    struct iccid last;
};

int isdp_new(struct store *s, struct isdp **out, struct err *e)
{
    struct isdp *p = calloc(1, sizeof *p);

    if (!p)
        return err_set(e, ERR_NOMEM, "out of memory");
    p->s = s;
    if (bsp_new(&p->bsp, e) != 0) {
        free(p);
        return -1;
    }
    *out = p;
    return 0;
}

void isdp_reset(struct isdp *p)
{
    p->authorised = false;
    EVP_PKEY_free(p->dppb);
    p->dppb = NULL;
    store_key_clear(&p->key);
    buf_clear(&p->oid);
    p->stage = STAGE_IDLE;
    p->metadata_read = false;
    buf_clear(&p->metadata);
    if (p->upp.p)
        OPENSSL_cleanse(p->upp.p, p->upp.n);
    buf_clear(&p->upp);
}

void isdp_free(struct isdp *p)
{
    if (!p)
        return;
    isdp_reset(p);
    bsp_free(p->bsp);
    free(p);
}

bool isdp_loading(const struct isdp *p)
{
    return p->stage != STAGE_IDLE;
}

const struct iccid *isdp_last_installed(const struct isdp *p)
{
    return p->has_last ? &p->last : NULL;
}

void isdp_forget(struct isdp *p)
{
    p->has_last = false;
}

/* --- AuthoriseSmdpf ------------------------------------------------------ */

static void free_trust(struct trust **t)
{
    trust_free(*t);
}

/* registeredID as it stands in a result, dNSName as where to send it. */
static int read_names(struct isdp *p, X509 *cert, struct err *e)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL,
                                            NULL);

    p->dns[0] = '\0';
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);
        if (n->type == GEN_RID && p->oid.n == 0) {
            buf_put(&p->oid, OBJ_get0_data(n->d.registeredID),
                    OBJ_length(n->d.registeredID));
        } else if (n->type == GEN_DNS &&
                   ASN1_STRING_length(n->d.dNSName) <= ADDRESS_MAX) {
            size_t len = (size_t)ASN1_STRING_length(n->d.dNSName);
            memcpy(p->dns, ASN1_STRING_get0_data(n->d.dNSName), len);
            p->dns[len] = '\0';
        }
    }
    GENERAL_NAMES_free(names);
    return p->oid.n > 0 ? 0 : err_set(e, ERR_TRUST, "no registeredID");
}

/* A chip has no clock: validity is not judged. */
static int check_chain(struct isdp *p, struct span der, struct err *e)
{
    AUTO(free_trust) struct trust *t = trust_new();
    AUTO(cert_stack_free) STACK_OF(X509) *chain = NULL;

    if (!t || trust_add_root(t, store_chip(p->s)->ci_root, e) != 0 ||
        cert_chain_decode(der, &chain, e) != 0 ||
        cert_verify(t, chain, ROLE_DPPB, 0, e) != 0)
        return -1;
    X509 *leaf = sk_X509_value(chain, 0);
    EVP_PKEY *key = cert_key(leaf, e);
    if (!key || read_names(p, leaf, e) != 0)
        return -1;
    EVP_PKEY_up_ref(key);
    p->dppb = key;
    return 0;
}

int isdp_authorise(struct isdp *p, struct span txid, struct span chain,
                   enum download_error *result, struct err *e)
{
    struct err why = ERR_INIT;

    isdp_reset(p);
    int rc = txid_from_span(txid, &p->txid)
                 ? store_key_get(p->s, &p->txid, &p->key, e)
                 : 0;
    if (rc < 0)
        return -1;
    if (rc == 0)
        *result = DOWNLOAD_INVALID_TRANSACTION_ID;
    else if (check_chain(p, chain, &why) != 0)
        *result = DOWNLOAD_INVALID_CERTIFICATE;
    else if (chipkey_curve(p->dppb) != chipkey_curve(p->key.otsk))
        *result = DOWNLOAD_UNSUPPORTED_CURVE;
    else
        *result = DOWNLOAD_OK;
    if (*result == DOWNLOAD_OK)
        p->authorised = true;
    else
        isdp_reset(p);
    return 0;
}

/* --- ends ---------------------------------------------------------------- */

static struct span result_address(const struct isdp *p)
{
    struct span rest = p->meta.addresses, address;

    if (p->metadata_read &&
        meta_next_address(&rest, EVENT_INSTALL, &address) == 1)
        return address;
    rest = p->meta.addresses;
    if (p->metadata_read && meta_next_address(&rest, EVENT_ALL, &address) == 1)
        return address;
    return SPAN_STR(p->dns);
}

static struct outcome outcome_of(const struct isdp *p)
{
    return (struct outcome){
        .txid = p->txid,
        .smdp_oid = buf_span(&p->oid),
        .address = result_address(p),
        .iccid = p->metadata_read ? &p->meta.iccid : NULL,
    };
}

/* Key and result, in the caller's transaction. */
static int burn(struct isdp *p, const struct outcome *o, struct buf *out,
                struct err *e)
{
    size_t n;

    if (store_key_burn(p->s, &p->txid, &n, e) != 0)
        return -1;
    if (n != 1)
        return err_set(e, ERR_CONFLICT, "the one-time key is gone");
    return notify_result(p->s, o, out, e);
}

static int fail(struct isdp *p, enum command command, enum reason reason,
                struct buf *out, struct err *e)
{
    struct outcome o = outcome_of(p);

    o.command = command;
    o.reason = reason;
    if (store_begin(p->s, e) != 0 || burn(p, &o, out, e) != 0 ||
        store_commit(p->s, e) != 0) {
        store_rollback(p->s);
        isdp_reset(p);
        return -1;
    }
    isdp_reset(p);
    return SW_OK;
}

/* What the store says about a package is the card's answer; only the store's
 * own failures are not. */
static int install_reason(enum err_code code)
{
    switch (code) {
    case ERR_FORMAT:
    case ERR_LIMIT:
        return R_PE_PROCESSING;
    case ERR_CONFLICT:
        return R_DATA_MISMATCH;
    case ERR_FULL:
        return R_NO_MEMORY;
    default:
        return 0;
    }
}

static int install(struct isdp *p, struct buf *out, struct err *e)
{
    struct store_profile profile = { .iccid = p->meta.iccid,
                                     .metadata = p->metadata };
    struct outcome o = outcome_of(p);

    int rc = store_free_aid(p->s, profile.aid, e);
    if (rc <= 0)
        return rc < 0 ? -1 : fail(p, CMD_LOAD_ELEMENTS, R_NO_MEMORY, out, e);
    o.installed = true;
    memcpy(o.aid, profile.aid, sizeof o.aid);

    if (store_begin(p->s, e) != 0)
        return -1;
    if (store_profile_install(p->s, &profile, buf_span(&p->upp), e) != 0) {
        int reason = install_reason(e ? e->code : ERR_INTERNAL);
        store_rollback(p->s);
        return reason ? fail(p, CMD_LOAD_ELEMENTS, (enum reason)reason, out, e)
                      : -1;
    }
    if (burn(p, &o, out, e) != 0 || store_commit(p->s, e) != 0) {
        store_rollback(p->s);
        return -1;
    }
    p->last = p->meta.iccid;
    p->has_last = true;
    isdp_reset(p);
    return SW_OK;
}

/* --- the chains ---------------------------------------------------------- */

struct isc {
    struct tlv operation, txid, crt, otpk, sign;
};

static int isc_parse(struct span bf23, struct isc *out)
{
    struct isc x;
    struct tlv all;

    if (der_take(&bf23, TAG_INIT_SECURE_CHANNEL, &all) != 0 || bf23.n != 0)
        return -1;
    struct span in = all.value;
    if (der_take(&in, 0x82, &x.operation) != 0 ||
        der_take(&in, 0x80, &x.txid) != 0 ||
        der_take(&in, 0xA6, &x.crt) != 0 ||
        der_take(&in, TAG_OTPK, &x.otpk) != 0 ||
        der_take(&in, TAG_SIGNATURE, &x.sign) != 0 || in.n != 0)
        return -1;
    *out = x;
    return 0;
}

static bool sign_holds(const struct isdp *p, const struct isc *x)
{
    uint8_t own[3 + sizeof p->key.otpk] = { TAG_OTPK >> 8, TAG_OTPK & 0xff,
                                            sizeof p->key.otpk };
    struct err why = ERR_INIT;

    memcpy(own + 3, p->key.otpk, sizeof p->key.otpk);
    const struct span parts[] = { x->operation.whole, x->txid.whole,
                                  x->crt.whole, x->otpk.whole,
                                  SPAN_ARRAY(own) };
    return sig_verify(p->dppb, parts, sizeof parts / sizeof *parts,
                      x->sign.value, &why) == 0;
}

static int crt_host_id(struct span in, struct span *host_id)
{
    struct tlv type, len, host;

    if (der_take(&in, CRT_KEY_TYPE, &type) != 0 || type.value.n != 1 ||
        type.value.p[0] != BPP_KEY_TYPE ||
        der_take(&in, CRT_KEY_LEN, &len) != 0 || len.value.n != 1 ||
        len.value.p[0] != BPP_KEY_LEN ||
        der_take(&in, CRT_HOST_ID, &host) != 0 || host.value.n == 0 ||
        host.value.n > 127 || in.n != 0)
        return -1;
    *host_id = host.value;
    return 0;
}

/* smdpSign has held: from here on errors are signed. */
static int open_channel(struct isdp *p, const struct isc *x, struct buf *out,
                        struct err *e)
{
    struct span host_id, op = x->operation.value;
    struct bsp_keys keys;
    struct err why = ERR_INIT;

    if (op.n != 1 || op.p[0] != INSTALL_BPP)
        return fail(p, CMD_INITIALISE, R_UNSUPPORTED_OPERATION, out, e);
    if (crt_host_id(x->crt.value, &host_id) != 0)
        return fail(p, CMD_INITIALISE, R_UNSUPPORTED_CRT, out, e);
    int rc = bsp_derive(p->bsp, p->key.otsk, x->otpk.value, host_id,
                        &store_chip(p->s)->eid, &keys, &why);
    if (rc == 0)
        rc = bsp_start(p->bsp, &keys, &why);
    OPENSSL_cleanse(&keys, sizeof keys);
    if (rc != 0)
        return fail(p, CMD_INITIALISE, R_INCORRECT_INPUT, out, e);
    p->stage = STAGE_CONFIGURE;
    return SW_OK;
}

/* Chain 1: BF36 tag and length, BF23 whole. */
static int start(struct isdp *p, struct span chain, struct buf *out,
                 struct err *e)
{
    size_t head, len;
    uint32_t tag;
    struct isc x;

    if (!p->authorised)
        return SW_CONDITIONS;
    if (der_header(chain, &tag, &head, &len) != DER_OK)
        return SW_WRONG_DATA;
    if (len > BPP_MAX)
        return SW_NO_ROOM;
    struct span bf23 = SPAN(chain.p + head, chain.n - head);
    if (bf23.n > len || isc_parse(bf23, &x) != 0)
        return SW_WRONG_DATA;
    if (!span_eq(x.txid.value, SPAN_ARRAY(p->txid.o)))
        return SW_CONDITIONS;
    if (!sign_holds(p, &x))
        return SW_SECURITY;
    p->bpp_left = len - bf23.n;
    return open_channel(p, &x, out, e);
}

static enum reason channel_reason(const struct err *why)
{
    return why->code == ERR_SIGNATURE ? R_SCP03T_SECURITY
                                      : R_SCP03T_STRUCTURE;
}

/* A list of encrypted 87, whole in one chain (A0, A2): plaintext to `plain`.
 * 0 or the reason. */
static int open_whole(struct isdp *p, struct span chain, uint32_t tag,
                      struct buf *plain)
{
    struct err why = ERR_INIT;
    struct tlv list, segment;

    if (der_take(&chain, tag, &list) != 0 || chain.n != 0 ||
        list.whole.n > p->bpp_left || list.value.n == 0)
        return R_SCP03T_STRUCTURE;
    p->bpp_left -= list.whole.n;
    struct span in = list.value;
    while (in.n > 0) {
        if (der_take(&in, TAG_SEG_ENC, &segment) != 0 ||
            segment.whole.n > BPP_SEGMENT_READ_MAX)
            return R_SCP03T_STRUCTURE;
        if (bsp_open_enc(p->bsp, &segment, plain, &why) != 0)
            return (int)channel_reason(&why);
    }
    return buf_ok(plain) ? 0 : R_NO_MEMORY;
}

static int configure(struct isdp *p, struct span chain, struct buf *out,
                     struct err *e)
{
    AUTO(buf_clear) struct buf plain = BUF_INIT;
    struct tlv t;

    int reason = open_whole(p, chain, 0xA0, &plain);
    if (reason)
        return fail(p, CMD_CONFIGURE_ISDP, (enum reason)reason, out, e);
    struct span in = buf_span(&plain);
    if (in.n > CONFIGURE_MAX || der_take(&in, TAG_CONFIGURE_ISDP, &t) != 0 ||
        in.n != 0 || !der_well_formed(t.value))
        return fail(p, CMD_CONFIGURE_ISDP, R_INCORRECT_INPUT, out, e);
    p->stage = STAGE_METADATA_HEADER;
    return SW_OK;
}

/* Tag and length alone (A1, A3): 0 or the reason. */
static int list_header(struct isdp *p, struct span chain)
{
    uint32_t tag;
    size_t head, len;

    if (der_header(chain, &tag, &head, &len) != DER_OK || head != chain.n ||
        len == 0 || len > p->bpp_left || head > p->bpp_left - len)
        return R_SCP03T_STRUCTURE;
    p->bpp_left -= head + len;
    p->list_left = len;
    return 0;
}

/* One segment of the open list. 0 or the reason. */
static int list_segment(struct isdp *p, struct span chain, bool encrypted,
                        struct buf *plain)
{
    struct err why = ERR_INIT;
    struct tlv t;

    if (der_next(&chain, &t) != DER_OK || chain.n != 0 ||
        t.whole.n > p->list_left || t.whole.n > BPP_SEGMENT_READ_MAX)
        return R_SCP03T_STRUCTURE;
    p->list_left -= t.whole.n;
    if ((encrypted ? bsp_open_enc(p->bsp, &t, plain, &why)
                   : bsp_open_mac(p->bsp, &t, plain, &why)) != 0)
        return (int)channel_reason(&why);
    return buf_ok(plain) ? 0 : R_NO_MEMORY;
}

static int metadata_header(struct isdp *p, struct span chain, struct buf *out,
                           struct err *e)
{
    int reason = list_header(p, chain);

    if (reason)
        return fail(p, CMD_STORE_METADATA, (enum reason)reason, out, e);
    p->stage = STAGE_METADATA;
    return SW_OK;
}

/* All of BF25 is here: may it be installed? 0, the reason, or -1. */
static int judge_metadata(struct isdp *p, struct err *e)
{
    struct err why = ERR_INIT;
    struct store_profile same = { 0 };

    if (meta_read(buf_span(&p->metadata), &p->meta, &why) != 0)
        return why.code == ERR_LIMIT ? R_UNSUPPORTED_CLASS
                                     : R_INCORRECT_INPUT;
    p->metadata_read = true;
    int rc = store_profile_find(p->s, SPAN_ARRAY(p->meta.iccid.o), &same, e);
    store_profile_clear(&same);
    return rc < 0 ? -1 : rc > 0 ? R_ICCID_EXISTS : 0;
}

static int metadata(struct isdp *p, struct span chain, struct buf *out,
                    struct err *e)
{
    int reason = list_segment(p, chain, false, &p->metadata);

    if (!reason && p->metadata.n > METADATA_MAX)
        reason = R_INCORRECT_INPUT;
    if (!reason && p->list_left == 0) {
        reason = judge_metadata(p, e);
        if (reason < 0)
            return -1;
        p->stage = STAGE_KEYS;
    }
    return reason ? fail(p, CMD_STORE_METADATA, (enum reason)reason, out, e)
                  : SW_OK;
}

static int replace_keys(struct isdp *p, struct span chain, struct buf *out,
                        struct err *e)
{
    AUTO(buf_clear) struct buf plain = BUF_INIT;
    struct bsp_keys keys;
    struct err why = ERR_INIT;

    int reason = open_whole(p, chain, 0xA2, &plain);
    if (!reason && (bsp_keys_take(buf_span(&plain), &keys, &why) != 0 ||
                    bsp_start(p->bsp, &keys, &why) != 0))
        reason = R_INCORRECT_INPUT;
    OPENSSL_cleanse(&keys, sizeof keys);
    if (plain.p)
        OPENSSL_cleanse(plain.p, plain.n);
    if (reason)
        return fail(p, CMD_REPLACE_KEYS, (enum reason)reason, out, e);
    p->stage = STAGE_ELEMENTS_HEADER;
    return SW_OK;
}

static int elements_header(struct isdp *p, struct span chain, struct buf *out,
                           struct err *e)
{
    int reason = list_header(p, chain);

    if (!reason && p->bpp_left != 0)
        reason = R_SCP03T_STRUCTURE; /* A3 is the last member of BF36 */
    if (reason)
        return fail(p, CMD_LOAD_ELEMENTS, (enum reason)reason, out, e);
    p->stage = STAGE_ELEMENTS;
    return SW_OK;
}

static int elements(struct isdp *p, struct span chain, struct buf *out,
                    struct err *e)
{
    int reason = list_segment(p, chain, true, &p->upp);

    if (!reason && p->upp.n > SAIP_PACKAGE_MAX)
        reason = R_NO_MEMORY;
    if (reason)
        return fail(p, CMD_LOAD_ELEMENTS, (enum reason)reason, out, e);
    return p->list_left == 0 ? install(p, out, e) : SW_OK;
}

/* Rows of one stage stand together; A2 is optional. */
static const struct step {
    enum stage stage;
    uint32_t tag;
    int (*run)(struct isdp *, struct span, struct buf *, struct err *);
    enum command command; /* whose error a chain out of order is */
} steps[] = {
    { STAGE_CONFIGURE, 0xA0, configure, CMD_CONFIGURE_ISDP },
    { STAGE_METADATA_HEADER, 0xA1, metadata_header, CMD_STORE_METADATA },
    { STAGE_METADATA, TAG_SEG_MAC, metadata, CMD_STORE_METADATA },
    { STAGE_KEYS, 0xA2, replace_keys, CMD_REPLACE_KEYS },
    { STAGE_KEYS, 0xA3, elements_header, CMD_LOAD_ELEMENTS },
    { STAGE_ELEMENTS_HEADER, 0xA3, elements_header, CMD_LOAD_ELEMENTS },
    { STAGE_ELEMENTS, TAG_SEG_PROFILE, elements, CMD_LOAD_ELEMENTS },
};

static int next_step(struct isdp *p, uint32_t tag, struct span chain,
                     struct buf *out, struct err *e)
{
    enum command command = CMD_INITIALISE;

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (steps[i].stage != p->stage)
            continue;
        if (steps[i].tag == tag)
            return steps[i].run(p, chain, out, e);
        command = steps[i].command;
    }
    return fail(p, command, R_SCP03T_STRUCTURE, out, e);
}

int isdp_chain(struct isdp *p, struct span chain, struct buf *out,
               struct err *e)
{
    struct err own = ERR_INIT;
    size_t head, len;
    uint32_t tag;
    int sw;

    if (!e)
        e = &own; /* install reads the code */
    enum der d = der_header(chain, &tag, &head, &len);
    if (d == DER_OK && tag == TAG_BPP) {
        if (isdp_loading(p))
            isdp_reset(p); /* a new package; this one was not authorised */
        sw = start(p, chain, out, e);
    } else if (!isdp_loading(p)) {
        return SW_CONDITIONS;
    } else {
        sw = next_step(p, d == DER_OK ? tag : 0, chain, out, e);
    }
    if (sw != SW_OK)
        isdp_reset(p);
    return sw;
}

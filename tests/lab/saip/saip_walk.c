#include "tests/lab/saip/saip_pass.h"

#include <inttypes.h>
#include <string.h>

#include "station/ifpp/tlv.h"

const char *saip_kind_name(enum saip_kind k)
{
    static const char *const names[] = {
        "df", "transparent", "linear", "cyclic", "ber-tlv", "link",
    };

    return (size_t)k < sizeof names / sizeof *names ? names[k] : "unknown";
}

const char *saip_naa_name(enum saip_naa_kind k)
{
    static const char *const names[] = { "usim", "isim", "csim" };

    return (size_t)k < sizeof names / sizeof *names ? names[k] : "unknown";
}

/* --- header -------------------------------------------------------------- */

static int iccid_take(struct saip_pass *p, struct span v)
{
    bool padding = false;

    for (size_t i = 0; i < 2 * v.n; i++) {
        int d = i % 2 ? v.p[i / 2] & 15 : v.p[i / 2] >> 4;
        if (d == 15 ? i < 18 : d > 9 || padding)
            return saip_bad(p, v.p + i / 2, "iccid is not 18 to 20 digits");
        padding = d == 15;
    }
    for (size_t i = 0; i < v.n; i++)
        p->profile.iccid.o[i] = (uint8_t)(v.p[i] << 4 | v.p[i] >> 4);
    return 0;
}

static int header_take(struct saip_pass *p, struct span v)
{
    struct tlv major, minor, type, iccid;
    struct saip_profile *o = &p->profile;

    if (saip_check_seq(p, saip_pe_profile_header, v) != 0)
        return -1;
    if (der_find(v, 0x80, &major) != 1 || der_find(v, 0x81, &minor) != 1 ||
        der_find(v, 0x83, &iccid) != 1)
        return saip_bad(p, v.p, "a mandatory member is missing");
    o->major = major.value.p[major.value.n - 1];
    o->minor = minor.value.p[minor.value.n - 1];
    if (o->major != 2 && o->major != 3)
        return saip_bad(p, major.value.p, "version %u.%u; only 2.x and 3.x "
                        "are known", o->major, o->minor);
    if (der_find(v, 0x82, &type) == 1)
        memcpy(o->type, type.value.p, type.value.n);
    return iccid_take(p, iccid.value);
}

/* --- PINs, PUKs ---------------------------------------------------------- */

struct key_range {
    uint8_t from, to;
};

static bool key_in(const struct key_range *r, size_t n, uint64_t key)
{
    for (size_t i = 0; i < n; i++)
        if (key >= r[i].from && key <= r[i].to)
            return true;
    return false;
}

/* SAIP 8.4: PIN and PUK key references */
static const struct key_range pin_keys[] = {
    { 1, 8 }, { 10, 14 }, { 129, 136 }, { 138, 142 },
};
static const struct key_range puk_keys[] = { { 1, 8 }, { 129, 136 } };

static uint64_t number(struct span in, uint32_t tag, uint64_t otherwise)
{
    struct tlv t;
    uint64_t v = otherwise;

    if (der_find(in, tag, &t) == 1)
        der_uint(t.value, &v);
    return v;
}

static int puk_take(struct saip_pass *p, struct span codes)
{
    struct tlv c;

    while (der_next(&codes, &c) == DER_OK) {
        uint64_t key = number(c.value, 0x80, 0);
        if (!key_in(puk_keys, 2, key))
            return saip_bad(p, c.whole.p, "PUK reference %" PRIu64
                            " does not exist", key);
        if (p->puk_seen[key])
            return saip_bad(p, c.whole.p, "PUK %" PRIu64 " twice", key);
        p->puk_seen[key] = true;
    }
    return 0;
}

static int pin_take(struct saip_pass *p, struct span choice)
{
    bool seen[256] = { false };
    struct tlv list, c;

    if (der_take(&choice, 0xA0, &list) != 0)
        return 0; /* filePath: PINs of another directory */
    while (der_next(&list.value, &c) == DER_OK) {
        uint64_t key = number(c.value, 0x80, 0);
        uint64_t puk = number(c.value, 0x82, 0);
        if (!key_in(pin_keys, 4, key))
            return saip_bad(p, c.whole.p, "PIN reference %" PRIu64
                            " does not exist", key);
        if (seen[key])
            return saip_bad(p, c.whole.p, "PIN %" PRIu64 " twice", key);
        seen[key] = true;
        if (puk && !p->puk_seen[puk])
            return saip_bad(p, c.whole.p, "PIN %" PRIu64 " is unblocked by "
                            "PUK %" PRIu64 ", which no pukCodes has", key,
                            puk);
    }
    return 0;
}

/* --- akaParameter -------------------------------------------------------- */

static int algo_take(struct saip_pass *p, struct saip_naa *n, struct span v)
{
    /* Key and OPc lengths: TS 35.206 (Milenage), TS 35.231 (TUAK). */
    static const struct {
        size_t k[2], opc;
        bool opc_used;
    } shapes[] = {
        [SAIP_ALG_MILENAGE] = { { 16, 16 }, 16, true },
        [SAIP_ALG_TUAK] = { { 16, 32 }, 32, true },
        [SAIP_ALG_TEST] = { { 16, 32 }, 0, false },
    };
    struct tlv key, opc;
    uint64_t id = number(v, 0x80, 0);

    if (id < SAIP_ALG_MILENAGE || id > SAIP_ALG_TEST)
        return saip_bad(p, v.p, "algorithmID %" PRIu64 " is unknown", id);
    if (der_find(v, 0x82, &key) != 1 || der_find(v, 0x83, &opc) != 1 ||
        (key.value.n != shapes[id].k[0] && key.value.n != shapes[id].k[1]))
        return saip_bad(p, v.p, "key does not suit algorithm %" PRIu64, id);
    if (shapes[id].opc_used && opc.value.n != shapes[id].opc)
        return saip_bad(p, opc.value.p, "opc of %zu octets, %zu expected",
                        opc.value.n, shapes[id].opc);
    n->algorithm = (enum saip_algorithm)id;
    n->k_len = key.value.n;
    memcpy(n->k, key.value.p, key.value.n);
    n->opc_len = opc.value.n;
    if (opc.value.n)
        memcpy(n->opc, opc.value.p, opc.value.n);
    return 0;
}

static int aka_take(struct saip_pass *p, struct span choice)
{
    struct saip_naa *n = &p->profile.naa[p->profile.naas - 1];
    struct tlv c, source;

    if (n->algorithm != SAIP_ALG_NONE)
        return saip_bad(p, choice.p, "the %s has an akaParameter already",
                        saip_naa_name(n->kind));
    if (der_next(&choice, &c) != DER_OK)
        return saip_bad(p, choice.p, "algoConfiguration is empty");
    if (c.tag == 0xA1)
        return algo_take(p, n, c.value);
    if (der_find(c.value, 0x81, &source) != 1)
        return saip_bad(p, c.value.p, "mappingSource is missing");
    n->algorithm = SAIP_ALG_MAPPED;
    n->mapped_to_len = source.value.n;
    memcpy(n->mapped_to, source.value.p, source.value.n);
    return 0;
}

/* --- elements ------------------------------------------------------------ */

/* What is to be made of the second member of an element, once it is checked. */
static int content_take(struct saip_pass *p, struct span v)
{
    struct tlv head, body;

    if (der_next(&v, &head) != DER_OK || der_next(&v, &body) != DER_OK)
        return 0; /* `end` has a header only */
    switch (p->element.tag) {
    case SAIP_PE_GFM: return saip_gfm_files(p, body.value);
    case SAIP_PE_PIN: return pin_take(p, body.value);
    case SAIP_PE_PUK: return puk_take(p, body.value);
    case SAIP_PE_AKA: return aka_take(p, body.value);
    default: return 0;
    }
}

static int pe_header_take(struct saip_pass *p, struct span in)
{
    struct tlv head, t;
    uint64_t id;

    if (der_take(&in, SAIP_PE_HEADER, &head) != 0)
        return saip_bad(p, in.p, "it does not begin with a PE header");
    if (saip_check_seq(p, saip_pe_header, head.value) != 0)
        return -1;
    id = number(head.value, 0x81, 0);
    p->element.id = (uint32_t)id;
    p->element.mandated = der_find(head.value, 0x80, &t) == 1;
    if (p->id_seen[id / 8] >> (id % 8) & 1)
        return saip_bad(p, head.value.p, "identification %" PRIu64 " twice",
                        id);
    p->id_seen[id / 8] |= (uint8_t)(1 << (id % 8));
    return 0;
}

static int needs_check(struct saip_pass *p)
{
    size_t n = p->profile.naas;
    const uint8_t *at = p->element.whole.p;
    static const struct {
        bool any;
        enum saip_naa_kind kind;
    } want[] = {
        [SAIP_NEEDS_NAA] = { true, SAIP_USIM },
        [SAIP_NEEDS_USIM] = { false, SAIP_USIM },
        [SAIP_NEEDS_ISIM] = { false, SAIP_ISIM },
        [SAIP_NEEDS_CSIM] = { false, SAIP_CSIM },
    };

    if (p->element.tag == SAIP_PE_MF && p->mf_seen)
        return saip_bad(p, at, "a second mf");
    if (p->def->needs == SAIP_NEEDS_NOTHING)
        return 0;
    if (!p->mf_seen)
        return saip_bad(p, at, "it comes before mf");
    if (p->def->needs == SAIP_NEEDS_MF)
        return 0;
    if (n == 0 || (!want[p->def->needs].any &&
                   p->profile.naa[n - 1].kind != want[p->def->needs].kind))
        return saip_bad(p, at, "it does not follow its application");
    return 0;
}

/* 2.23.143.1.2.<template>, and whatever version arcs follow */
static int template_check(struct saip_pass *p, struct span oid)
{
    static const uint8_t root[] = { 0x67, 0x81, 0x0f, 0x01, 0x02 };

    if (oid.n > sizeof root && memcmp(oid.p, root, sizeof root) == 0 &&
        oid.p[sizeof root] == p->def->template && !(oid.p[oid.n - 1] & 0x80))
        return 0;
    return saip_bad(p, oid.p, "templateID is not 2.23.143.1.2.%u",
                    p->def->template);
}

static int files_take(struct saip_pass *p, struct span in)
{
    struct tlv head, id;

    if (der_next(&in, &head) != DER_OK || der_take(&in, 0x81, &id) != 0)
        return saip_bad(p, in.p, "templateID is missing");
    if (template_check(p, id.value) != 0 || saip_template_files(p, in) != 0)
        return -1;
    if (p->element.tag == SAIP_PE_MF)
        p->mf_seen = true;
    if (p->element.tag == SAIP_PE_GSM_ACCESS)
        p->profile.naa[p->profile.naas - 1].gsm_access = true;
    return 0;
}

static int element_take(struct saip_pass *p, const struct tlv *t)
{
    struct saip_element *el = &p->element;

    p->def = NULL;
    *el = (struct saip_element){ .index = p->profile.elements,
                                 .at = (size_t)(t->whole.p - p->upp.p),
                                 .tag = t->tag, .name = "unknown",
                                 .whole = t->whole };
    for (size_t i = 0; i < saip_element_count; i++)
        if (saip_elements[i].tag == t->tag)
            p->def = &saip_elements[i];
    if (!p->def)
        return saip_bad(p, t->whole.p, "tag %" PRIX32 " is no profile element "
                        "known here", t->tag);
    el->name = p->def->name;
    if (p->end_seen)
        return saip_bad(p, t->whole.p, "it comes after end");
    if ((el->index == 0) != (t->tag == SAIP_PE_HEADER))
        return saip_bad(p, t->whole.p, el->index == 0
                        ? "the package does not begin with its header"
                        : "a second header");
    p->profile.elements++;
    if (el->index > 0 && pe_header_take(p, t->value) != 0)
        return -1;
    if (needs_check(p) != 0)
        return -1;
    if (p->sink && p->sink->element &&
        p->sink->element(p->ctx, el, p->e) != 0)
        return -1;
    p->end_seen = t->tag == SAIP_PE_END;
    if (el->index == 0)
        return header_take(p, t->value);
    if (p->def->files)
        return files_take(p, t->value);
    if (saip_check_seq(p, p->def->fields, t->value) != 0)
        return -1;
    return content_take(p, t->value);
}

static int pass_run(struct saip_pass *p)
{
    struct span in = p->upp;
    struct tlv t;

    while (in.n > 0) {
        const uint8_t *at = in.p;
        if (der_next(&in, &t) != DER_OK)
            return err_set(p->e, ERR_FORMAT, "profile package: octet %td: not "
                           "a whole DER TLV after PE %zu", at - p->upp.p,
                           p->profile.elements);
        if (element_take(p, &t) != 0)
            return -1;
    }
    if (!p->end_seen)
        return err_set(p->e, ERR_FORMAT, "profile package: ends after %zu PEs "
                       "without an end element", p->profile.elements);
    if (!p->mf_seen)
        return err_set(p->e, ERR_FORMAT, "profile package: has no mf");
    for (size_t i = 0; p->sink && p->sink->naa && i < p->profile.naas; i++)
        if (p->sink->naa(p->ctx, &p->profile.naa[i], p->e) != 0)
            return -1;
    return 0;
}

int saip_pass(struct span upp, const struct saip_sink *sink, void *ctx,
              const struct saip_pieces *pieces, struct saip_profile *out,
              struct err *e)
{
    struct saip_pass p;

    if (upp.n > SAIP_PACKAGE_MAX)
        return err_set(e, ERR_LIMIT, "profile package: %zu octets, at most %d "
                       "are taken", upp.n, SAIP_PACKAGE_MAX);
    memset(&p, 0, sizeof p);
    p.upp = upp;
    p.sink = sink;
    p.ctx = ctx;
    p.pieces = pieces;
    p.e = e;
    int r = pass_run(&p);
    buf_clear(&p.content);
    if (r == 0 && out)
        *out = p.profile;
    return r;
}

int saip_walk(struct span upp, const struct saip_sink *sink, void *ctx,
              struct saip_profile *out, struct err *e)
{
    struct saip_profile profile;

    /* Once to judge, once to tell: the sink never has to take back. */
    if (saip_pass(upp, NULL, NULL, NULL, &profile, e) != 0 ||
        (sink && saip_pass(upp, sink, ctx, NULL, NULL, e) != 0))
        return -1;
    if (out)
        *out = profile;
    return 0;
}

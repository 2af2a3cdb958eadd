/* What a card answers and signs. Every reader gets the whole input: each
 * accepts its own tag only. */
#include "station/ifpp/es10f.h"
#include "station/ifpp/evidence.h"
#include "station/ifpp/tags.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PROFILES 4
#define CHECK(x)     \
    do {             \
        if (!(x))    \
            abort(); \
    } while (0)

static bool inside(struct span part, struct span whole)
{
    return part.n == 0 ||
           (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

/* Counts as success only what set no error, and the other way round. */
static bool good(int r, struct err *e)
{
    CHECK((r == 0) == (e->code == ERR_NONE));
    CHECK(r == 0 || (r == -1 && strlen(e->msg) > 0));
    *e = (struct err)ERR_INIT;
    return r == 0;
}

static void check_meta(const struct notification_meta *m)
{
    for (const char *c = m->address; *c; c++)
        CHECK(*c > 0x20 && *c < 0x7f);
}

static void check_result(const struct install_result *r, struct span in)
{
    CHECK(span_eq(r->whole, in) && inside(r->data.whole, in));
    CHECK(inside(r->sign, in) && r->sign.n == 64);
    CHECK(inside(r->aid, in) && (r->aid.n != 0) == r->installed);
    CHECK(strlen(r->smdp_oid) > 0);
    check_meta(&r->meta);
}

static void run_evidence(struct span in)
{
    struct err e = ERR_INIT;
    struct install_result r;
    struct notification n;
    struct receipt c;

    if (good(install_result_parse(in, &r, &e), &e))
        check_result(&r, in);
    if (good(receipt_parse(in, &c, &e), &e)) {
        CHECK(c.function == 0x72 || c.function == 0x73);
        CHECK(eid_valid(&c.eid) && c.nonce.n == 16 && inside(c.nonce, in));
    }
    if (good(notification_parse(in, &n, &e), &e)) {
        check_meta(&n.meta);
        if (n.is_result)
            check_result(&n.result, in);
        else
            CHECK(inside(n.meta_tlv.whole, in) && inside(n.sign, in));
    }
}

static void run_lists(struct span in)
{
    struct err e = ERR_INIT;
    struct profile_info p[PROFILES];
    struct span list;
    struct tlv t;
    size_t n = 0;

    int r = es10f_read_profiles_info(in, p, PROFILES, &n, &e);
    if (good(r, &e))
        CHECK(n <= PROFILES);
    for (size_t i = 0; r == 0 && i < n; i++)
        CHECK(p[i].aid_len <= ISDP_AID_MAX);
    if (good(es10f_read_notifications(in, &list, &e), &e)) {
        CHECK(inside(list, in));
        while (list.n != 0)
            CHECK(der_next(&list, &t) == DER_OK);
    }
}

static void run_status(struct span in)
{
    struct err e = ERR_INIT;
    struct ifpp_status s;
    struct euicc_key k;
    size_t n = 0;

    if (!good(es10f_read_status(in, &s, &e), &e))
        return;
    struct span keys = s.keys;
    for (; keys.n != 0; n++) {
        CHECK(ifpp_status_key_take(&keys, &k, &e) == 0);
        CHECK(ifpp_status_has_key(&s, &k.txid));
    }
    CHECK(n == s.key_count);
}

static void run_answers(struct span in)
{
    static const uint32_t acts[] = { TAG_ENABLE, TAG_DISABLE, TAG_DELETE,
                                     TAG_REMOVE_NOTIFICATION,
                                     TAG_AUTHORISE_SMDPF };
    struct err e = ERR_INIT;
    struct euicc_info2 info;
    struct span receipt;
    struct eid eid;
    unsigned code;

    if (good(es10f_read_eid(in, &eid, &e), &e))
        CHECK(eid_valid(&eid));
    if (good(es10f_read_info2(in, &info, &e), &e))
        CHECK(span_eq(info.whole, in));
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        good(es10f_read_result(in, acts[i], &code, &e), &e);
    for (uint32_t tag = TAG_DELETE_OTK; tag <= TAG_CLOSE_FPA; tag++)
        if (good(es10f_read_receipt_act(in, tag, &receipt, &code, &e), &e))
            CHECK((code != 0) == (receipt.n == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = SPAN(data, size);

    run_evidence(in);
    run_lists(in);
    run_status(in);
    run_answers(in);
    return 0;
}

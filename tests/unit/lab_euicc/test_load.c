/* When a key is burnt (binding, clause 4): exactly when the profile is
 * installed, or when the chip stores a signed error after smdpSign has held.
 * A fault at every step of a load, and a power cut at every APDU of one. */
#include "tests/unit/lab_euicc/chip.h"

#include "station/ifpp/bpp.h"
#include "station/ifpp/tags.h"
#include "tests/unit/support.h"

#include <check.h>
#include <openssl/objects.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct desk d;

static void setup(void)
{
    desk_make(&d, &(struct desk_options){ .keys = DESK_KEYS });
    desk_start(&d, NULL);
}

static void teardown(void)
{
    desk_clear(&d);
}

/* --- a BPP as its chains, to be spoilt ----------------------------------- */

#define CHAINS_MAX 64

struct chains {
    struct buf v[CHAINS_MAX];
    size_t n;
};

static void chains_clear(struct chains *c)
{
    for (size_t i = 0; i < CHAINS_MAX; i++)
        buf_clear(&c->v[i]);
}

static void cut(struct span whole, struct chains *out)
{
    struct bpp_chains it;
    struct span chain;
    struct bpp b;
    struct err e = ERR_INIT;

    *out = (struct chains){ .n = 0 };
    ck_assert_msg(bpp_parse(whole, &b, &e) == 0, "%s", e.msg);
    bpp_chains_start(&it, &b);
    while (bpp_chains_next(&it, &chain)) {
        ck_assert(out->n < CHAINS_MAX);
        buf_put_span(&out->v[out->n++], chain);
    }
}

static void drop_chain(struct chains *c, size_t i)
{
    buf_clear(&c->v[i]);
    memmove(&c->v[i], &c->v[i + 1], (c->n - i - 1) * sizeof c->v[0]);
    c->v[--c->n] = (struct buf)BUF_INIT;
}

/* The first chain with this tag. */
static size_t find(const struct chains *c, uint8_t tag)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->v[i].p[0] == tag)
            return i;
    ck_abort_msg("no chain %02X", tag);
}

static void flip(struct buf *b, size_t from_end)
{
    b->p[b->n - 1 - from_end] ^= 1;
}

/* Where in chain 1 the value of a member of BF23 begins. */
static uint8_t *isc(struct chains *c, uint32_t tag)
{
    struct span in = buf_span(&c->v[0]);
    struct tlv bf23, t;
    size_t head, len;
    uint32_t bpp;

    ck_assert(der_header(in, &bpp, &head, &len) == DER_OK);
    in = SPAN(in.p + head, in.n - head);
    ck_assert(der_take(&in, TAG_INIT_SECURE_CHANNEL, &bf23) == 0);
    ck_assert(der_find(bf23.value, tag, &t) == 1);
    return c->v[0].p + (t.value.p - c->v[0].p);
}

/* Send; the last status word and the data that ended it. */
static unsigned send_all(const struct chains *c, struct buf *answer)
{
    unsigned sw = 0;

    for (size_t i = 0; i < c->n; i++) {
        sw = desk_send(&d, buf_span(&c->v[i]), answer);
        if (sw != 0x9000 || answer->n > 0)
            break;
    }
    return sw;
}

static void authorise(unsigned k)
{
    unsigned result;

    desk_open_fpa(&d);
    ck_assert_uint_eq(desk_authorise(&d, &d.key[k].txid,
                                     buf_span(&d.dp_chain), &result),
                      0x9000);
    ck_assert_uint_eq(result, 0);
}

/* --- the burn rule ------------------------------------------------------- */

static void mac_a0(struct chains *c) { flip(&c->v[find(c, 0xA0)], 0); }
static void enc_a0(struct chains *c) { flip(&c->v[find(c, 0xA0)], 9); }
static void mac_88(struct chains *c) { flip(&c->v[find(c, 0x88)], 0); }
static void data_88(struct chains *c) { flip(&c->v[find(c, 0x88)], 20); }
static void mac_a2(struct chains *c) { flip(&c->v[find(c, 0xA2)], 0); }
static void mac_86(struct chains *c) { flip(&c->v[find(c, 0x86)], 0); }
static void mac_last(struct chains *c) { flip(&c->v[c->n - 1], 0); }
static void no_a0(struct chains *c) { drop_chain(c, find(c, 0xA0)); }
static void no_a1(struct chains *c) { drop_chain(c, find(c, 0xA1)); }
static void no_88(struct chains *c) { drop_chain(c, find(c, 0x88)); }
static void no_a2(struct chains *c) { drop_chain(c, find(c, 0xA2)); }
static void no_a3(struct chains *c) { drop_chain(c, find(c, 0xA3)); }
static void no_86(struct chains *c) { drop_chain(c, find(c, 0x86)); }
static void no_last(struct chains *c) { drop_chain(c, c->n - 1); }
static void swap_86(struct chains *c)
{
    size_t i = find(c, 0x86);
    struct buf b = c->v[i];
    c->v[i] = c->v[i + 1];
    c->v[i + 1] = b;
}
static void twice_86(struct chains *c)
{
    size_t i = find(c, 0x86);
    buf_reset(&c->v[i + 1]);
    buf_put_span(&c->v[i + 1], buf_span(&c->v[i]));
}
static void cut_86(struct chains *c) { c->v[find(c, 0x86)].n--; }
static void txid(struct chains *c) { *isc(c, 0x80) ^= 1; }
static void sign(struct chains *c) { *isc(c, TAG_SIGNATURE) ^= 1; }
static void otpk(struct chains *c) { isc(c, TAG_OTPK)[5] ^= 1; }
static void host(struct chains *c) { isc(c, 0xA6)[8] ^= 1; }
static void op(struct chains *c) { *isc(c, 0x82) ^= 2; }
static void garbled(struct chains *c) { c->v[0].p[c->v[0].n - 67] ^= 0x40; }
static void nothing_but_header(struct chains *c) { c->v[0].n = 4; }

/* Not burnt: `sw`, nothing stored. Burnt: command and reason of the BF37. */
static const struct fault {
    const char *name;
    void (*spoil)(struct chains *);
    unsigned sw;
    unsigned command, reason;
} faults[] = {
    { "transactionId of no authorisation", txid, 0x6985, 0, 0 },
    { "smdpSign", sign, 0x6982, 0, 0 },
    { "otPK.DP not the signed one", otpk, 0x6982, 0, 0 },
    { "host id not the signed one", host, 0x6982, 0, 0 },
    { "operation not the signed one", op, 0x6982, 0, 0 },
    { "BF23 not a BF23", garbled, 0x6A80, 0, 0 },
    { "BF36 without BF23", nothing_but_header, 0x6A80, 0, 0 },

    { "ConfigureISDP: MAC", mac_a0, 0x9000, 1, 8 },
    { "ConfigureISDP: ciphertext", enc_a0, 0x9000, 1, 8 },
    { "StoreMetadata: MAC", mac_88, 0x9000, 2, 8 },
    { "StoreMetadata: data", data_88, 0x9000, 2, 8 },
    { "ReplaceSessionKeys: MAC", mac_a2, 0x9000, 4, 8 },
    { "profile elements: MAC", mac_86, 0x9000, 5, 8 },
    { "profile elements: last MAC", mac_last, 0x9000, 5, 8 },
    { "no A0", no_a0, 0x9000, 1, 7 },
    { "no A1", no_a1, 0x9000, 2, 7 },
    { "no 88", no_88, 0x9000, 2, 7 },
    { "no A2", no_a2, 0x9000, 5, 7 },
    { "no A3", no_a3, 0x9000, 5, 7 },
    { "first 86 missing", no_86, 0x9000, 5, 8 },
    { "two 86 swapped", swap_86, 0x9000, 5, 8 },
    { "one 86 twice", twice_86, 0x9000, 5, 8 },
    { "an 86 cut short", cut_86, 0x9000, 5, 7 },
};

static void check_not_burnt(size_t pending)
{
    ck_assert_uint_eq(desk_keys_left(&d), DESK_KEYS);
    ck_assert(desk_has_key(&d, 0));
    ck_assert(!desk_has_profile(&d, 1, NULL));
    ck_assert_uint_eq(desk_pending(&d), pending);
}

/* The same BPP, right this time, in one go. */
static void load_rightly(struct span bpp)
{
    AUTO(buf_clear) struct buf answer = BUF_INIT;
    unsigned command, reason;
    bool enabled;

    authorise(0);
    ck_assert_uint_eq(desk_load(&d, bpp, &answer), 0x9000);
    ck_assert_int_eq(desk_result(&d, buf_span(&answer), &d.key[0].txid,
                                 &command, &reason),
                     -1);
    ck_assert(!desk_has_key(&d, 0));
    ck_assert_uint_eq(desk_keys_left(&d), DESK_KEYS - 1);
    ck_assert(desk_has_profile(&d, 1, &enabled) && !enabled);
    ck_assert_uint_eq(desk_pending(&d), 1);
}

START_TEST(burn_rule)
{
    const struct fault *f = &faults[_i];
    AUTO(buf_clear) struct buf bpp = BUF_INIT, answer = BUF_INIT,
                               kept = BUF_INIT;
    AUTO(chains_clear) struct chains c;
    unsigned command, reason;

    desk_bpp(&d, 0, 1, &bpp);
    cut(buf_span(&bpp), &c);
    f->spoil(&c);
    authorise(0);
    ck_assert_msg(send_all(&c, &answer) == f->sw, "%s", f->name);
    if (f->sw != 0x9000) {
        ck_assert_uint_eq(answer.n, 0);
        check_not_burnt(0);
        load_rightly(buf_span(&bpp));
        return;
    }
    ck_assert_int_eq(desk_result(&d, buf_span(&answer), &d.key[0].txid,
                                 &command, &reason),
                     0);
    ck_assert_msg(command == f->command && reason == f->reason, "%s: %u %u",
                  f->name, command, reason);
    ck_assert(!desk_has_key(&d, 0));
    ck_assert(!desk_has_profile(&d, 1, NULL));
    /* The evidence stays through power loss, as it was. */
    desk_start(&d, NULL);
    ck_assert_uint_eq(desk_send_hex(&d, "BF2B05A003800101", &kept), 0x9000);
    ck_assert_uint_gt(kept.n, answer.n);
    ck_assert_mem_eq(kept.p + kept.n - answer.n, answer.p, answer.n);
}
END_TEST

/* A load that lacks its end has no result and burns nothing. */
START_TEST(unfinished)
{
    AUTO(buf_clear) struct buf bpp = BUF_INIT, answer = BUF_INIT;
    AUTO(chains_clear) struct chains c;

    desk_bpp(&d, 0, 1, &bpp);
    cut(buf_span(&bpp), &c);
    no_last(&c);
    authorise(0);
    ck_assert_uint_eq(send_all(&c, &answer), 0x9000);
    ck_assert_uint_eq(answer.n, 0);
    check_not_burnt(0); /* reading leaves the load alone ... */
    chains_clear(&c);
    cut(buf_span(&bpp), &c);
    ck_assert_uint_eq(desk_send(&d, buf_span(&c.v[c.n - 1]), &answer), 0x9000);
    ck_assert_uint_gt(answer.n, 0); /* ... so that it can still end */
    ck_assert(!desk_has_key(&d, 0));
}
END_TEST

/* What forgets a load in progress, and its authorisation. */
static void by_select(void) { ck_assert_uint_eq(desk_select(&d) >> 8, 0x61); }
static void by_reset(void) { desk_reset(&d); }
static void by_power(void) { desk_start(&d, NULL); }
static void by_act(void)
{
    AUTO(buf_clear) struct buf answer = BUF_INIT;
    ck_assert_uint_eq(desk_send_hex(&d, "BF3003800109", &answer), 0x9000);
}

static const struct {
    const char *name;
    void (*forget)(void);
} endings[] = {
    { "SELECT", by_select },
    { "reset", by_reset },
    { "power off", by_power },
    { "another act", by_act },
};

START_TEST(rolled_back)
{
    AUTO(buf_clear) struct buf bpp = BUF_INIT, answer = BUF_INIT;
    AUTO(chains_clear) struct chains c;
    size_t n;

    desk_bpp(&d, 0, 1, &bpp);
    cut(buf_span(&bpp), &c);
    n = c.n;
    c.n = n / 2;
    authorise(0);
    ck_assert_uint_eq(send_all(&c, &answer), 0x9000);
    endings[_i].forget();
    c.n = n;
    check_not_burnt(0);
    /* Neither what would come next, nor the start without BF71. */
    desk_open_fpa(&d);
    ck_assert_uint_eq(desk_send(&d, buf_span(&c.v[n / 2]), &answer), 0x6985);
    ck_assert_uint_eq(desk_send(&d, buf_span(&c.v[0]), &answer), 0x6985);
    load_rightly(buf_span(&bpp));
}
END_TEST

/* --- power --------------------------------------------------------------- */

static void copy_file(const char *from, const char *to)
{
    AUTO(buf_clear) struct buf all = BUF_INIT;

    ck_assert(file_read(from, &all) == 0);
    FILE *f = fopen(to, "wb");
    ck_assert(f != NULL && fwrite(all.p, 1, all.n, f) == all.n);
    ck_assert(fclose(f) == 0);
}

/* One load from insertion on, with a power cut at APDU n (0: none), of the
 * chip as it was at `fresh`. Afterwards either nothing has happened, or all of
 * it, and the chip can prove it: true. *apdus: how many were seen. */
static bool cut_at(const char *fresh, struct span bpp, unsigned n,
                   enum card_fault how, unsigned *apdus)
{
    AUTO(buf_clear) struct buf answer = BUF_INIT;
    AUTO(chains_clear) struct chains c;
    unsigned result, command, reason;
    bool done;

    desk_stop(&d);
    copy_file(fresh, d.path);
    desk_start(&d, &(struct card_options){ .fault_at = n, .fault = how });
    cut(bpp, &c);
    if (desk_send_hex(&d, "BF70128010000102030405060708090a0b0c0d0e0f",
                      &answer) == 0x9000 &&
        desk_authorise(&d, &d.key[0].txid, buf_span(&d.dp_chain), &result) ==
            0x9000)
        send_all(&c, &answer);
    *apdus = card_apdu_count(d.card);
    /* In the same process or in the next: what counts is in the store. */
    if (n % 2)
        desk_start(&d, NULL);
    else
        desk_reset(&d);
    done = !desk_has_key(&d, 0);
    ck_assert(desk_has_profile(&d, 1, NULL) == done);
    ck_assert_uint_eq(desk_pending(&d), done);
    if (!done) {
        load_rightly(bpp);
        return false;
    }
    ck_assert_uint_eq(desk_send_hex(&d, "BF2B00", &answer), 0x9000);
    struct span in = buf_span(&answer);
    struct tlv all, list, one;
    ck_assert(der_take(&in, TAG_RETRIEVE_NOTIFICATIONS, &all) == 0);
    ck_assert(der_take(&all.value, 0xA0, &list) == 0);
    ck_assert(der_take(&list.value, TAG_INSTALL_RESULT, &one) == 0);
    ck_assert_int_eq(desk_result(&d, one.whole, &d.key[0].txid, &command,
                                 &reason),
                     -1);
    return true;
}

START_TEST(power_off_at_every_apdu)
{
    static const enum card_fault how[] = { CARD_FAULT_CUT,
                                           CARD_FAULT_CUT_BEFORE };
    AUTO(buf_clear) struct buf bpp = BUF_INIT;
    unsigned last, seen, done = 0;
    char fresh[128];

    desk_bpp(&d, 0, 1, &bpp);
    desk_stop(&d);
    snprintf(fresh, sizeof fresh, "%s.fresh", d.path);
    copy_file(d.path, fresh);
    ck_assert(cut_at(fresh, buf_span(&bpp), 0, CARD_FAULT_NONE, &last));
    for (unsigned i = 3; i <= last; i++) { /* 1 and 2: channel and SELECT */
        bool now = cut_at(fresh, buf_span(&bpp), i, how[_i], &seen);
        ck_assert_uint_eq(seen, i);
        ck_assert(now || !done); /* once done, always done */
        done += now;
    }
    /* The BF37 is fetched in one GET RESPONSE: the last STORE DATA commits. */
    ck_assert_uint_eq(done, how[_i] == CARD_FAULT_CUT ? 2 : 1);
    ck_assert(remove(fresh) == 0);
}
END_TEST

/* --- what a package may not be ------------------------------------------- */

enum content { C_GARBAGE, C_TRUNCATED, C_OTHER_ICCID, C_SAME_ICCID, C_CLASS,
               C_METADATA, C_CONTENTS };

static const struct {
    const char *name;
    unsigned command, reason;
} contents[C_CONTENTS] = {
    [C_GARBAGE] = { "no profile package", 5, 12 },
    [C_TRUNCATED] = { "a package without its end", 5, 12 },
    [C_OTHER_ICCID] = { "header with another ICCID", 5, 13 },
    [C_SAME_ICCID] = { "ICCID is there already", 2, 9 },
    [C_CLASS] = { "class 7", 2, 6 },
    [C_METADATA] = { "no ICCID in the metadata", 2, 1 },
};

START_TEST(bad_content)
{
    AUTO(buf_clear) struct buf upp = BUF_INIT, bf25 = BUF_INIT, bpp = BUF_INIT,
                               answer = BUF_INIT;
    unsigned command, reason;
    size_t keys = DESK_KEYS - 1;

    desk_upp(2, 0, &upp);
    switch ((enum content)_i) {
    case C_GARBAGE:
        memset(upp.p, 0xA5, upp.n);
        break;
    case C_TRUNCATED:
        upp.n -= 20;
        break;
    case C_OTHER_ICCID:
        upp.n = 0;
        desk_upp(3, 0, &upp);
        break;
    case C_SAME_ICCID:
        desk_install(&d, 1, 2);
        keys--;
        break;
    default:
        break;
    }
    if (_i == C_CLASS)
        buf_put_hex(&bf25, "BF25155A0A980000000000000000109101419201429501"
                           "07");
    else if (_i == C_METADATA)
        buf_put_hex(&bf25, "BF25069101419201" "42");
    else
        desk_metadata(2, 0, &bf25);
    ck_assert(buf_ok(&bf25));
    desk_bind(&d, &d.key[0], buf_span(&bf25), buf_span(&upp), false, &bpp);
    authorise(0);
    ck_assert_uint_eq(desk_load(&d, buf_span(&bpp), &answer), 0x9000);
    ck_assert_int_eq(desk_result(&d, buf_span(&answer), &d.key[0].txid,
                                 &command, &reason),
                     0);
    ck_assert_msg(command == contents[_i].command &&
                      reason == contents[_i].reason,
                  "%s: %u %u", contents[_i].name, command, reason);
    ck_assert_uint_eq(desk_keys_left(&d), keys);
    ck_assert(desk_has_profile(&d, 2, NULL) == (_i == C_SAME_ICCID));
}
END_TEST

/* --- what works ---------------------------------------------------------- */

/* With and without PPK, small and large, on both curves; a key is used once. */
static const struct {
    bool ppk;
    size_t size;
    int curve;
} good[] = {
    { true, 0, NID_X9_62_prime256v1 },
    { false, 0, NID_X9_62_prime256v1 },
    { true, 30000, NID_X9_62_prime256v1 },
    { true, 0, NID_brainpoolP256r1 },
};

START_TEST(installs)
{
    AUTO(buf_clear) struct buf upp = BUF_INIT, bf25 = BUF_INIT, bpp = BUF_INIT,
                               answer = BUF_INIT, held = BUF_INIT;
    unsigned command, reason, result;
    struct iccid iccid = desk_iccid(1);
    struct store *s = NULL;
    struct err e = ERR_INIT;

    teardown();
    desk_make(&d, &(struct desk_options){ .keys = DESK_KEYS,
                                          .curve = good[_i].curve });
    desk_start(&d, NULL);
    desk_upp(1, good[_i].size, &upp);
    ck_assert_uint_ge(upp.n, good[_i].size);
    desk_metadata(1, 0, &bf25);
    desk_bind(&d, &d.key[0], buf_span(&bf25), buf_span(&upp), good[_i].ppk,
              &bpp);
    authorise(0);
    ck_assert_uint_eq(desk_load(&d, buf_span(&bpp), &answer), 0x9000);
    ck_assert_int_eq(desk_result(&d, buf_span(&answer), &d.key[0].txid,
                                 &command, &reason),
                     -1);
    ck_assert(store_open(d.path, &s, &e) == 0);
    ck_assert_int_eq(store_profile_upp(s, &iccid, &held, &e), 1);
    ck_assert(span_eq(buf_span(&held), buf_span(&upp)));
    store_close(s);

    ck_assert_uint_eq(desk_authorise(&d, &d.key[0].txid,
                                     buf_span(&d.dp_chain), &result),
                      0x9000);
    ck_assert_uint_eq(result, 5); /* no unused key of that name */
    ck_assert_uint_eq(desk_load(&d, buf_span(&bpp), &answer), 0x6985);
}
END_TEST

/* Another eUICC's BPP: EID is in the KDF only. A key of its own by chance. */
START_TEST(other_eid)
{
    AUTO(buf_clear) struct buf bpp = BUF_INIT, answer = BUF_INIT;
    unsigned command, reason;
    struct desk as = d;

    as.eid.o[10] ^= 0x10;
    desk_bpp(&as, 0, 1, &bpp);
    authorise(0);
    ck_assert_uint_eq(desk_load(&d, buf_span(&bpp), &answer), 0x9000);
    ck_assert_int_eq(desk_result(&d, buf_span(&answer), &d.key[0].txid,
                                 &command, &reason),
                     0);
    ck_assert_uint_eq(command, 1);
    ck_assert_uint_eq(reason, 8);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lab/euicc/load");
    TCase *t = tcase_create("load");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, burn_rule, 0, sizeof faults / sizeof *faults);
    tcase_add_test(t, unfinished);
    tcase_add_loop_test(t, rolled_back, 0, sizeof endings / sizeof *endings);
    tcase_add_loop_test(t, power_off_at_every_apdu, 0, 2);
    tcase_add_loop_test(t, bad_content, 0, C_CONTENTS);
    tcase_add_loop_test(t, installs, 0, sizeof good / sizeof *good);
    tcase_add_test(t, other_eid);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}

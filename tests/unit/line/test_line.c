/* A unit from its scan to its verdict, with a software eUICC in the fixture:
 * what is loaded, what is written, and what is left after each way to fail. */
#include "station/line/claims.h"
#include "station/line/recipe.h"
#include "station/line/unit.h"
#include "storage/keys.h"
#include "tests/unit/line/shop.h"
#include "tests/unit/support.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static void start_chip(struct shop *s, int fault, unsigned at)
{
    char where[160];

    shop_where(s, fault, at, where);
    shop_start(s, &fixture_shop, where);
}

/* --- the whole recipe --------------------------------------------------------- */

START_TEST(passes)
{
    struct shop s;
    unsigned profiles = (unsigned)_i + 1;
    bool enabled = false;

    shop_open(&s, DESK_KEYS);
    shop_stock(&s, 0, profiles);
    start_chip(&s, CARD_FAULT_NONE, 0);
    struct shop_verdict v = shop_scan(&s, s.barcode);
    ck_assert_msg(v.kind == VERDICT_PASS, "%s: %s", v.code, v.detail);
    ck_assert_uint_eq(v.installed, profiles);
    ck_assert_str_eq(v.serial, s.barcode + 3);
    ck_assert_str_eq(v.eid, s.barcode + 3);
    ck_assert_uint_eq(shop_count(&s, BPP_INSTALLED), profiles);

    /* Two durable points per profile, one per receipt. */
    struct writer_stats w;
    line_writer_stats(s.line, &w);
    ck_assert_uint_eq(w.durable_points, 2 * profiles + 2);

    /* The chip agrees: only the last one is enabled, nothing is left. */
    shop_stop(&s);
    for (unsigned i = 0; i < profiles; i++) {
        ck_assert(desk_has_profile(&s.d, i, &enabled));
        ck_assert_int_eq(enabled, i == profiles - 1);
    }
    ck_assert_uint_eq(desk_keys_left(&s.d), 0);
    shop_close(&s);
}
END_TEST

START_TEST(keeps_the_order)
{
    struct shop s;

    shop_open(&s, 2);
    shop_stock(&s, 0, 2);
    start_chip(&s, CARD_FAULT_NONE, 0);
    shop_expect(&s, s.barcode, "done");
    ck_assert_str_eq(s.steps, "read EID, identify, status, settle, "
                              "authorise, load, record, authorise, load, record, "
                              "enable, notifications, delete keys, close, "
                              "power off, ");
    shop_close(&s);
}
END_TEST

/* Nothing but the opening of the session (TERMINAL CAPABILITY, MANAGE CHANNEL,
 * SELECT) and the EID read with its GET RESPONSE. */
#define APDUS_OF_EID_READ 5
#define COMMANDS_OF_EID_READ 4
/* BF70, and BF56 for the certificate that no container brought. */
#define COMMANDS_OF_KEYS 2

START_TEST(is_already_done)
{
    struct shop s;

    shop_open(&s, 1);
    shop_stock(&s, 0, 1);
    start_chip(&s, CARD_FAULT_NONE, 0);
    shop_expect(&s, s.barcode, "done");
    unsigned before = shop_apdus();
    struct shop_verdict v = shop_scan(&s, s.barcode);
    ck_assert_str_eq(v.code, "already-done");
    ck_assert_int_eq(v.kind, VERDICT_ALREADY_DONE);
    ck_assert_uint_eq(v.installed, 1);
    ck_assert_uint_eq(shop_apdus() - before, APDUS_OF_EID_READ);
    ck_assert_uint_eq(shop_failures(&s), 0);
    shop_close(&s);
}
END_TEST

/* --- who is it ------------------------------------------------------------------- */

#define OTHER_EID "89049032123451234512345678901235"

START_TEST(refuses_a_wrong_label)
{
    struct shop s;

    shop_open(&s, 1);
    shop_stock(&s, 0, 1);
    start_chip(&s, CARD_FAULT_NONE, 0);
    unsigned before = shop_apdus();
    struct shop_verdict v = shop_scan(&s, "F1\t" OTHER_EID);
    ck_assert_str_eq(v.code, "wrong-eid");
    ck_assert_ptr_nonnull(strstr(v.detail, OTHER_EID));
    ck_assert_ptr_nonnull(strstr(v.detail, s.barcode + 3));
    ck_assert_uint_eq(shop_apdus() - before, APDUS_OF_EID_READ);
    ck_assert_uint_eq(shop_count(&s, BPP_IN_STOCK), 1);
    ck_assert_uint_eq(shop_failures(&s), 1);
    shop_expect(&s, s.barcode, "done");
    shop_close(&s);
}
END_TEST

START_TEST(knows_serials)
{
    struct shop s, other;
    char where[160];

    shop_open(&s, 1);
    shop_stock(&s, 0, 1);
    start_chip(&s, CARD_FAULT_NONE, 0);
    shop_expect(&s, "F1\tSN-1", "done");
    struct shop_verdict v = shop_scan(&s, "F1\tSN-2");
    ck_assert_str_eq(v.code, "eid-has-other-serial");
    ck_assert(strstr(v.detail, "SN-1") && strstr(v.detail, "SN-2"));
    /* A label that is the EID names the unit that has it. */
    v = shop_scan(&s, s.barcode);
    ck_assert_str_eq(v.code, "already-done");
    ck_assert_str_eq(v.serial, "SN-1");
    shop_stop(&s);

    /* Another chip under the same label. */
    desk_make(&other.d, &(struct desk_options){
        .keys = 1, .eid = &(struct eid){ { 0x89, 0x04, 0x90, 0x32, 0x12, 0x34,
                                           0x51, 0x23, 0x45, 0x12, 0x34, 0x56,
                                           0x78, 0x90, 0x12, 0x35 } } });
    shop_where(&other, CARD_FAULT_NONE, 0, where);
    shop_start(&s, &fixture_shop, where);
    v = shop_scan(&s, "F1\tSN-1");
    ck_assert_str_eq(v.code, "serial-has-other-eid");
    ck_assert(strstr(v.detail, OTHER_EID) && strstr(v.detail, s.barcode + 3));
    desk_clear(&other.d);
    shop_close(&s);
}
END_TEST

/* --- what is there for it ----------------------------------------------------------- */

START_TEST(has_nothing_for_it)
{
    struct shop s;

    shop_open(&s, 1);
    start_chip(&s, CARD_FAULT_NONE, 0);
    unsigned before = shop_commands();
    shop_expect(&s, s.barcode, "no-bpp");
    /* It is asked for its keys; nobody whom the station trusts knows it. */
    ck_assert_uint_eq(shop_commands() - before, COMMANDS_OF_EID_READ + COMMANDS_OF_KEYS);
    ck_assert_uint_eq(shop_events(&s, "card-keys"), 0);
    ck_assert_uint_eq(shop_events(&s, "unit-not-loaded"), 1);
    ck_assert_uint_eq(shop_failures(&s), 0);
    shop_stock(&s, 0, 1);
    shop_expect(&s, s.barcode, "done");
    shop_close(&s);
}
END_TEST

START_TEST(tells_of_its_keys)
{
    struct shop s;

    shop_open(&s, 3);
    shop_commission(&s);
    start_chip(&s, CARD_FAULT_NONE, 0);
    shop_expect(&s, s.barcode, "no-bpp");
    ck_assert_uint_eq(shop_events(&s, "card-keys"), 1);
    shop_expect(&s, s.barcode, "no-bpp"); /* the same again: nothing new */
    ck_assert_uint_eq(shop_events(&s, "card-keys"), 1);
    AUTO(db_close_p) struct db *db = NULL;
    struct key_info k;
    struct err e = ERR_INIT;
    ck_assert_int_eq(db_open(s.data, DB_READ, NULL, &db, &e), 0);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(key_by_txid(db, &s.d.key[i].txid, &k, &e), 0);
        ck_assert(eid_eq(&k.eid, &s.d.eid));
        ck_assert_mem_eq(k.otpk, s.d.key[i].otpk, sizeof k.otpk);
    }
    /* A visit that deletes them leaves nothing to note. */
    shop_stock(&s, 0, 1);
    shop_expect(&s, s.barcode, "done");
    ck_assert_uint_eq(shop_events(&s, "card-keys"), 1);
    shop_close(&s);
}
END_TEST

START_TEST(finds_no_card)
{
    struct shop s;

    shop_open(&s, 1);
    shop_stock(&s, 0, 1);
    shop_start(&s, &fixture_shop, "0@0:/nonexistent/chip");
    shop_expect(&s, s.barcode, "no-card");
    ck_assert_uint_eq(shop_count(&s, BPP_IN_STOCK), 1);
    ck_assert_uint_eq(shop_failures(&s), 1);
    shop_close(&s);
}
END_TEST

/* The key was used by another station that holds the same package. */
START_TEST(finds_a_key_used_elsewhere)
{
    struct shop s;

    shop_open(&s, 2);
    shop_stock(&s, 0, 1);
    desk_start(&s.d, NULL);
    desk_install(&s.d, 0, 0);
    desk_stop(&s.d);
    start_chip(&s, CARD_FAULT_NONE, 0);
    shop_expect(&s, s.barcode, "consumed-elsewhere");
    ck_assert_uint_eq(shop_count(&s, BPP_VOIDED), 1);
    ck_assert_uint_eq(shop_failures(&s), 1);
    shop_expect(&s, s.barcode, "not-replaced");
    /* A later bundle brings the replacement. */
    shop_stock(&s, 1, 1);
    shop_expect(&s, s.barcode, "done");
    shop_close(&s);
}
END_TEST

/* --- loads that fail ------------------------------------------------------------------ */

/* A package that is damaged after its smdpSign: the eUICC signs its refusal,
 * and the key is burnt. */
START_TEST(records_a_signed_refusal)
{
    AUTO(buf_clear) struct buf bpp = BUF_INIT;
    struct shop s;

    shop_open(&s, 2);
    desk_bpp(&s.d, 0, 0, &bpp);
    bpp.p[bpp.n - 1] ^= 1; /* the last segment's MAC */
    shop_stock_bpp(&s, 0, buf_span(&bpp));
    shop_stock(&s, 1, 1);
    start_chip(&s, CARD_FAULT_NONE, 0);
    struct shop_verdict v = shop_scan(&s, s.barcode);
    ck_assert_str_eq(v.code, "load-failed");
    ck_assert_uint_eq(shop_count(&s, BPP_FAILED), 1);
    ck_assert_uint_eq(shop_count(&s, BPP_IN_STOCK), 1);
    shop_stop(&s);
    ck_assert(!desk_has_key(&s.d, 0));
    ck_assert(desk_has_key(&s.d, 1));
    shop_close(&s);
}
END_TEST

static void put_damaged(struct shop *s, unsigned k)
{
    AUTO(buf_clear) struct buf bpp = BUF_INIT;

    desk_bpp(&s->d, k, k, &bpp);
    bpp.p[bpp.n - 1] ^= 1; /* the last segment's MAC */
    shop_stock_bpp(s, k, buf_span(&bpp));
}

/* What was in stock before a profile was used up in vain is no replacement for
 * it, nor is another SM-DPf's; one replacement is for one; and a replacement
 * may fail, too. A unit must not pass with fewer profiles than were meant. */
START_TEST(waits_for_each_replacement)
{
    struct shop s;

    shop_open(&s, 6);
    put_damaged(&s, 0);
    shop_stock(&s, 1, 1);
    start_chip(&s, CARD_FAULT_NONE, 0);
    shop_expect(&s, s.barcode, "load-failed");
    shop_expect(&s, s.barcode, "not-replaced");
    s.smdp_oid = "2.999.77";
    shop_stock(&s, 2, 1);
    s.smdp_oid = DESK_OID;
    shop_expect(&s, s.barcode, "not-replaced");
    put_damaged(&s, 3); /* came for 0 */
    shop_expect(&s, s.barcode, "load-failed");
    shop_expect(&s, s.barcode, "not-replaced");
    shop_stock(&s, 4, 1); /* came for 3 */
    struct shop_verdict v = shop_scan(&s, s.barcode);
    ck_assert_str_eq(v.code, "done");
    ck_assert_uint_eq(v.installed, 3);
    ck_assert_uint_eq(shop_count(&s, BPP_FAILED), 2);
    shop_close(&s);
}
END_TEST

/* A package for a key that this eUICC never had. */
START_TEST(does_not_send_without_a_key)
{
    struct shop s;

    shop_open(&s, 2);
    for (size_t i = 0; i < 16; i++)
        s.d.key[1].txid.o[i] ^= 0xFF;
    shop_stock(&s, 1, 1);
    start_chip(&s, CARD_FAULT_NONE, 0);
    shop_expect(&s, s.barcode, "consumed-elsewhere");
    ck_assert_uint_eq(shop_count(&s, BPP_VOIDED), 1);
    shop_close(&s);
}
END_TEST

/* The chip does not trust this SM-DPf's CI. */
START_TEST(is_not_authorised)
{
    struct shop s, other;

    shop_open(&s, 1);
    desk_make(&other.d, &(struct desk_options){ .keys = 0 });
    struct buf own = s.d.dp_chain;
    s.d.dp_chain = other.d.dp_chain;
    shop_stock(&s, 0, 1);
    s.d.dp_chain = own;
    start_chip(&s, CARD_FAULT_NONE, 0);
    shop_expect(&s, s.barcode, "authorise-refused");
    ck_assert_uint_eq(shop_count(&s, BPP_IN_STOCK), 1);
    ck_assert_uint_eq(shop_failures(&s), 1);
    shop_stop(&s);
    ck_assert(desk_has_key(&s.d, 0));
    desk_clear(&other.d);
    shop_close(&s);
}
END_TEST

/* Signed, but not by the eUICC of the package's certificate. */
START_TEST(believes_no_other_eUICC)
{
    struct shop s, other;

    shop_open(&s, 2);
    desk_make(&other.d, &(struct desk_options){ .keys = 0 });
    struct buf own = s.d.cert;
    s.d.cert = other.d.cert;
    shop_stock(&s, 0, 1);
    s.d.cert = own;
    shop_stock(&s, 1, 1);
    start_chip(&s, CARD_FAULT_NONE, 0);
    shop_expect(&s, s.barcode, "bad-evidence");
    ck_assert_uint_eq(shop_count(&s, BPP_LOADING), 1);
    ck_assert_uint_eq(shop_count(&s, BPP_IN_STOCK), 1);
    /* Nobody touches it again but by two people. */
    shop_expect(&s, s.barcode, "quarantined");
    ck_assert_uint_eq(shop_count(&s, BPP_LOADING), 1);
    shop_stop(&s);
    start_chip(&s, CARD_FAULT_NONE, 0);
    ck_assert_uint_eq(s.unresolved, 1);
    desk_clear(&other.d);
    shop_close(&s);
}
END_TEST

/* --- power goes at every APDU ------------------------------------------------------------ */

static const enum card_fault faults[] = {
    CARD_FAULT_CUT, CARD_FAULT_CUT_BEFORE, CARD_FAULT_SW,
    CARD_FAULT_MUTE, CARD_FAULT_GARBAGE, CARD_FAULT_ENDLESS61,
};
#define FAULTS (sizeof faults / sizeof *faults)

/* The unit, spoilt once, is finished by scanning it again: no key is wasted
 * and no profile is lost. */
static void finish_unit(struct shop *s, const struct shop_verdict *first)
{
    bool enabled = false;

    if (first->kind != VERDICT_PASS) {
        ck_assert_int_eq(first->kind, VERDICT_FAIL);
        ck_assert_uint_eq(shop_count(s, BPP_RESERVED), 0);
        shop_expect(s, s->barcode, "done");
    }
    ck_assert_uint_eq(shop_count(s, BPP_INSTALLED), 2);
    shop_expect(s, s->barcode, "already-done");
    shop_stop(s);
    ck_assert(desk_has_profile(&s->d, 0, &enabled) && !enabled);
    ck_assert(desk_has_profile(&s->d, 1, &enabled) && enabled);
    ck_assert_uint_eq(desk_keys_left(&s->d), 0);
    desk_start(&s->d, NULL);
    ck_assert_uint_eq(desk_pending(&s->d), 0);
}

/* How many APDUs a unit of two profiles takes. */
static unsigned count_apdus(void)
{
    struct shop s;
    unsigned before = shop_apdus();

    shop_open(&s, 2);
    shop_stock(&s, 0, 2);
    start_chip(&s, CARD_FAULT_NONE, 0);
    shop_expect(&s, s.barcode, "done");
    shop_close(&s);
    return shop_apdus() - before;
}

/* Each list runs FAULTS times, each from its own start. The sanitizers see the
 * same code in fewer places. */
#ifdef __SANITIZE_ADDRESS__
#define CUTS 1 /* the other kinds of fault in turn, without the extra cuts */
#define EVERY (2 * FAULTS)
#define SOME (2 * FAULTS)
#else
#define CUTS 2
#define EVERY FAULTS
#define SOME (2 * FAULTS)
#endif

/* Every APDU of a unit is spoilt: once by a cut, once in another way. */
START_TEST(survives_a_fault_anywhere)
{
    unsigned last = count_apdus();

    ck_assert_uint_gt(last, 40);
    for (unsigned at = 1 + (unsigned)_i; at <= last; at += EVERY) {
        for (unsigned cut = 0; cut < CUTS; cut++) {
            struct shop s;
            unsigned other = (at / (unsigned)FAULTS + (unsigned)_i) % FAULTS;
            shop_open(&s, 2);
            shop_stock(&s, 0, 2);
            start_chip(&s, cut ? CARD_FAULT_CUT : faults[other], at);
            struct shop_verdict v = shop_scan(&s, s.barcode);
            finish_unit(&s, &v);
            shop_close(&s);
        }
    }
}
END_TEST

/* Pulled out at any moment and not put back before the next day's start. */
START_TEST(settles_what_was_pulled_out)
{
    unsigned calls = count_apdus() + 1, unresolved = 0; /* and the power on */

    for (unsigned at = 1 + (unsigned)_i; at <= calls; at += SOME) {
        struct shop s;
        shop_open(&s, 2);
        shop_stock(&s, 0, 2);
        start_chip(&s, SHOP_UNPLUG, at);
        struct shop_verdict v = shop_scan(&s, s.barcode);
        ck_assert_int_eq(v.kind, VERDICT_FAIL);
        uint64_t loading = shop_count(&s, BPP_LOADING);
        ck_assert_uint_le(loading, 1);
        ck_assert_int_eq(loading, strcmp(v.code, "unresolved") == 0);
        ck_assert_uint_eq(shop_count(&s, BPP_RESERVED), 0);
        ck_assert_uint_eq(shop_failures(&s), 1);
        shop_stop(&s);
        start_chip(&s, CARD_FAULT_NONE, 0);
        ck_assert_uint_eq(s.unresolved, loading);
        finish_unit(&s, &v);
        shop_close(&s);
        unresolved += (unsigned)loading;
    }
    /* A load is most of a unit: some of these were cut inside one. */
    ck_assert_uint_gt(unresolved, 0);
}
END_TEST

/* The ledger cannot be written from any moment on: no PASS, nothing lost, and
 * no octet of a package leaves without its `loading`. */
START_TEST(needs_its_ledger)
{
    unsigned last = count_apdus();

    for (unsigned at = 1 + (unsigned)_i; at <= last; at += SOME) {
        struct shop s;
        shop_open(&s, 2);
        shop_stock(&s, 0, 2);
        start_chip(&s, CARD_FAULT_NONE, 0);
        shop_lock_ledger_at(&s, at);
        struct shop_verdict v = shop_scan(&s, s.barcode);
        ck_assert_msg(v.kind == VERDICT_FAIL, "at %u: %s", at, v.code);
        ck_assert_str_eq(v.code, "ledger");
        ck_assert(shop_unlock_ledger());
        bool begun = shop_count(&s, BPP_LOADING) + shop_count(&s, BPP_INSTALLED) > 0;
        ck_assert(begun || (desk_has_key(&s.d, 0) && desk_has_key(&s.d, 1)));
        shop_expect(&s, s.barcode, "done");
        finish_unit(&s, &(struct shop_verdict){ .kind = VERDICT_PASS });
        shop_close(&s);
    }
}
END_TEST

/* --- the scans themselves ------------------------------------------------------------------ */

static const struct {
    const char *line, *code;
} scans[] = {
    { "", "scan-empty" },
    { "F1", "scan-no-barcode" },
    { "F2\tSN-1", "scan-unknown-fixture" },
    { "F1\tSN\x01", "scan-binary" },
    { "F1\t89049032123451234512345678901234", "scan-misread" },
};

START_TEST(refuses_bad_scans)
{
    struct shop s;

    shop_open(&s, 1);
    shop_stock(&s, 0, 1);
    start_chip(&s, CARD_FAULT_NONE, 0);
    unsigned before = shop_apdus(), events = shop_events(&s, NULL);
    for (size_t i = 0; i < sizeof scans / sizeof *scans; i++) {
        struct shop_verdict v = shop_scan(&s, scans[i].line);
        ck_assert_str_eq(v.code, scans[i].code);
        ck_assert_int_eq(v.kind, VERDICT_REFUSED);
    }
    /* A command is the screen's, also while a fixture would be busy. */
    line_scan(s.line, SPAN_STR("F1\tLINESIDE-HELP"));
    line_scan(s.line, SPAN_STR("lineside-log"));
    ck_assert_str_eq(s.sessions, "command HELP, command log, ");
    line_stop(s.line);
    shop_expect(&s, s.barcode, "scan-stopping");
    ck_assert_uint_eq(shop_apdus(), before);
    ck_assert_uint_eq(shop_events(&s, NULL), events);
    shop_close(&s);
}
END_TEST

/* A fixture whose card answers only when the test lets it. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static int slow_power_on(struct fixture *f, struct buf *atr, int ms, struct err *e)
{
    (void)f;
    (void)atr;
    (void)ms;
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return err_set(e, ERR_NO_CARD, "nothing there");
}

static int slow_transmit(struct fixture *f, struct span cmd, struct buf *rsp,
                         int ms, struct err *e)
{
    (void)cmd;
    return slow_power_on(f, rsp, ms, e);
}

static int slow_open(void *env, const char *where, struct fixture **out,
               struct err *e);
static void slow_nothing(struct fixture *f)
{
    (void)f;
}

static const struct fixture_ops slow = {
    .name = "slow", .open = slow_open, .power_on = slow_power_on,
    .transmit = slow_transmit, .power_off = slow_nothing, .close = slow_nothing,
};

static int slow_open(void *env, const char *where, struct fixture **out,
               struct err *e)
{
    static struct fixture one = { &slow };

    (void)env;
    (void)where;
    (void)e;
    *out = &one;
    return 0;
}

/* One fixture hangs: its scans are refused, the other one works on. */
START_TEST(delays_nobody)
{
    struct shop s;
    char where[160], f2[170];

    shop_open(&s, 1);
    shop_stock(&s, 0, 1);
    shop_where(&s, CARD_FAULT_NONE, 0, where);
    const struct line_fixture f[] = { { "F1", &slow, NULL, "" },
                                      { "F2", &fixture_shop, NULL, where } };
    shop_start_all(&s, f, 2);
    pthread_mutex_lock(&gate);
    line_scan(s.line, SPAN_STR("F1\tSN-9"));
    shop_expect(&s, "F1\tSN-9", "scan-busy");
    snprintf(f2, sizeof f2, "F2\t%.32s", s.barcode + 3);
    shop_expect(&s, f2, "done");
    ck_assert_uint_eq(line_busy(s.line), 1);
    pthread_mutex_unlock(&gate);
    shop_stop(&s); /* waits for F1 */
    ck_assert_str_eq(s.last.code, "no-card");
    ck_assert_uint_eq(s.verdicts, 3);
    shop_close(&s);
}
END_TEST

START_TEST(runs_once)
{
    struct shop s;
    struct line *second = NULL;
    struct err e = ERR_INIT;
    const struct line_fixture f = { "F1", &slow, NULL, "" };

    shop_open(&s, 1);
    shop_start(&s, &slow, "");
    const struct line_options o = { .data_dir = s.data, .fixtures = &f,
                                    .fixture_count = 1 };
    ck_assert_int_ne(line_new(&o, &second, &e), 0);
    ck_assert_int_eq(e.code, ERR_BUSY);
    shop_close(&s);
}
END_TEST

static const char *const names[][2] = {
    { "F1", "F1" }, { "", "F2" }, { "F 1", "F2" }, { "F\t1", "F2" },
};

START_TEST(refuses_bad_names)
{
    struct shop s;
    struct line *line = NULL;
    struct err e = ERR_INIT;
    const struct line_fixture f[] = { { names[_i][0], &slow, NULL, "" },
                                      { names[_i][1], &slow, NULL, "" } };

    shop_open(&s, 1);
    const struct line_options o = { .data_dir = s.data, .fixtures = f,
                                    .fixture_count = 2 };
    ck_assert_int_ne(line_new(&o, &line, &e), 0);
    ck_assert_int_eq(e.code, ERR_USAGE);
    shop_close(&s);
}
END_TEST

/* Fixtures come while the line runs; a place says as much as its name. */
START_TEST(grows)
{
    struct shop s;
    struct err e = ERR_INIT;
    char where[160], say[200];

    shop_open(&s, 1);
    shop_stock(&s, 0, 1);
    shop_where(&s, CARD_FAULT_NONE, 0, where);
    shop_start_all(&s, NULL, 0);
    ck_assert(!line_has(s.line, "LEFT-1"));
    snprintf(say, sizeof say, "LEFT-1\t%.32s", s.barcode + 3);
    shop_expect(&s, say, "scan-unknown-fixture");

    const struct line_fixture f = { "LEFT-1", &fixture_shop, NULL, where };
    ck_assert_int_eq(line_add(s.line, &f, &e), 0);
    ck_assert_int_ne(line_add(s.line, &f, &e), 0); /* each name once */
    ck_assert_int_eq(e.code, ERR_USAGE);
    ck_assert(line_has(s.line, "LEFT-1"));
    ck_assert(!line_has(s.line, ""));
    shop_expect(&s, say, "done");
    ck_assert_str_eq(s.last.fixture, "LEFT-1");

    const struct line_fixture at = { "LEFT-2", &slow, NULL, "1-2.4" };
    ck_assert_int_eq(line_add(s.line, &at, &e), 0);
    shop_expect(&s, "1-2.4\tSN-9", "no-card");
    ck_assert_str_eq(s.last.fixture, "LEFT-2");
    line_refuse(s.line, "LEFT-1", "SN", V_SCAN_CUT);
    ck_assert_str_eq(s.last.code, "scan-cut");
    shop_stop(&s);
    shop_close(&s);
}
END_TEST

START_TEST(none_is_a_mistake_unless_it_grows)
{
    struct shop s;
    struct line *line = NULL;
    struct err e = ERR_INIT;

    shop_open(&s, 1);
    const struct line_options o = { .data_dir = s.data };
    ck_assert_int_ne(line_new(&o, &line, &e), 0);
    ck_assert_int_eq(e.code, ERR_USAGE);
    shop_close(&s);
}
END_TEST

static bool take(struct claims *c, const char *serial, const char *position,
                 const struct eid *eid, const char *fixture, struct err *e)
{
    return claims_take(c, &(struct claim_what){ serial, position, *eid }, fixture, e);
}

/* One position is worked on once, whether its label or its eUICC is doubled. */
START_TEST(claims_units)
{
    struct claims *c = claims_new(2);
    const struct eid a = { { 1 } }, b = { { 2 } };
    struct err e = ERR_INIT;

    ck_assert(take(c, "SN-1", "main", &a, "F1", &e));
    ck_assert(!take(c, "SN-1", "main", &b, "F2", &e));
    ck_assert_int_eq(e.code, ERR_BUSY);
    ck_assert_ptr_nonnull(strstr(e.msg, "F1"));
    ck_assert(!take(c, "SN-2", "main", &a, "F2", &e));
    ck_assert(!take(c, "SN-1", "info", &a, "F2", &e));
    ck_assert(take(c, "SN-1", "info", &b, "F2", &e));
    claims_drop(c, "F2");
    ck_assert(take(c, "SN-2", "main", &b, "F2", &e));
    claims_drop(c, "F3");
    claims_drop(c, "F1");
    ck_assert(take(c, "SN-1", "main", &a, "F3", &e));
    claims_free(c);
}
END_TEST

/* --- the table itself ---------------------------------------------------------------------- */

START_TEST(recipe_is_the_bindings)
{
    for (int i = 0; i < STEPS; i++) {
        ck_assert_int_eq(recipe[i].step, i);
        ck_assert_ptr_nonnull(recipe[i].name);
        ck_assert_int_eq(verdict_row(recipe[i].if_refused)->kind, VERDICT_FAIL);
        ck_assert_int_eq(recipe[i].per_profile,
                         i == STEP_AUTHORISE || i == STEP_LOAD || i == STEP_RECORD);
    }
}
END_TEST

START_TEST(recipe_says_which_step)
{
    struct err refused = { .code = ERR_CARD, .sw = 0x6985 },
               gone = { .code = ERR_NO_CARD };

    ck_assert_int_eq(recipe_verdict(STEP_AUTHORISE, &refused), V_AUTHORISE_REFUSED);
    ck_assert_int_eq(recipe_verdict(STEP_ENABLE, &refused), V_ENABLE_FAILED);
    ck_assert_int_eq(recipe_verdict(STEP_STATUS, &refused), V_CARD_REFUSED);
    ck_assert_int_eq(recipe_verdict(STEP_CLOSE, &gone), V_NO_CARD);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "passes", passes, DESK_KEYS },
        { "keeps the order", keeps_the_order, 1 },
        { "already done", is_already_done, 1 },
        { "wrong label", refuses_a_wrong_label, 1 },
        { "serials", knows_serials, 1 },
        { "no BPP", has_nothing_for_it, 1 },
        { "its keys", tells_of_its_keys, 1 },
        { "no card", finds_no_card, 1 },
        { "key used elsewhere", finds_a_key_used_elsewhere, 1 },
        { "signed refusal", records_a_signed_refusal, 1 },
        { "each replacement", waits_for_each_replacement, 1 },
        { "no such key", does_not_send_without_a_key, 1 },
        { "not authorised", is_not_authorised, 1 },
        { "fault anywhere", survives_a_fault_anywhere, (int)FAULTS },
        { "another eUICC", believes_no_other_eUICC, 1 },
        { "pulled out", settles_what_was_pulled_out, (int)FAULTS },
        { "no ledger", needs_its_ledger, (int)FAULTS },
        { "bad scans", refuses_bad_scans, 1 },
        { "delays nobody", delays_nobody, 1 },
        { "runs once", runs_once, 1 },
        { "grows", grows, 1 },
        { "none", none_is_a_mistake_unless_it_grows, 1 },
        { "bad names", refuses_bad_names, sizeof names / sizeof *names },
        { "claims", claims_units, 1 },
        { "recipe order", recipe_is_the_bindings, 1 },
        { "recipe verdicts", recipe_says_which_step, 1 },
    };

    return run_tests("line", tests, sizeof tests / sizeof *tests);
}

/* The whole way over real USB: a scan, libusb, a reader of each kind, T=0 or
 * T=1, the software eUICC; and the reader pulled at every single transfer. */
#include "storage/health.h"
#include "tests/lab/saip/saip.h"
#include "tests/lab/usb/bus.h"
#include "tests/unit/support.h"
#include "tests/unit/usb_line/plant.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- every kind of reader, every protocol ----------------------------------------- */

static const struct {
    const char *name;
    struct ccid_model_options reader;
    struct ccid_card card;
} kinds[] = {
    { "short APDU, T=0", { .level = CCID_SHORT_APDU }, { .no_t1 = true } },
    { "short APDU, T=1", { .level = CCID_SHORT_APDU }, { .no_t0 = true } },
    { "extended APDU, T=0", { .level = CCID_EXTENDED_APDU }, { .no_t1 = true } },
    { "extended APDU, T=1", { .level = CCID_EXTENDED_APDU }, { .no_t0 = true } },
    { "extended APDU, 271 octets a message",
      { .level = CCID_EXTENDED_APDU, .message_max = 271 }, { .no_t1 = true } },
    { "TPDU, T=0", { .level = CCID_TPDU }, { .no_t1 = true } },
    { "TPDU, T=1", { .level = CCID_TPDU }, { .no_t0 = true } },
    { "TPDU, both offered, T=0 first", { .level = CCID_TPDU }, { .ta1 = 0x95 } },
    { "TPDU, both offered, T=1 first", { .level = CCID_TPDU }, { .t1_first = true } },
    { "TPDU, T=0, automatic", { .level = CCID_TPDU, .automatic = true },
      { .no_t1 = true } },
    { "TPDU, T=1, automatic", { .level = CCID_TPDU, .automatic = true },
      { .no_t0 = true } },
    { "TPDU, T=1, CRC", { .level = CCID_TPDU }, { .no_t0 = true, .crc = true } },
    { "TPDU, T=1, IFSC 32", { .level = CCID_TPDU }, { .no_t0 = true, .ifsc = 32 } },
    { "TPDU, T=1, asks for time and size", { .level = CCID_TPDU },
      { .no_t0 = true, .wtx_every = 3, .ifs_every = 5 } },
    { "TPDU, T=0, one octet at a time", { .level = CCID_TPDU },
      { .no_t1 = true, .one_by_one = true, .wtx_every = 3 } },
    { "TPDU, no PPS", { .level = CCID_TPDU }, { .refuse_pps = true } },
    { "TPDU, no TA1", { .level = CCID_TPDU }, { .ta1 = 0x11 } },
    { "no interrupt endpoint", { .level = CCID_SHORT_APDU, .no_interrupt = true },
      { .no_t1 = true } },
    { "eight slots", { .level = CCID_SHORT_APDU, .slots = 8 }, { .no_t1 = true } },
    { "eight slots, one at a time",
      { .level = CCID_SHORT_APDU, .slots = 8, .busy_slots = 1 }, { .no_t1 = true } },
    { "descriptor after the endpoints",
      { .level = CCID_SHORT_APDU, .extra_after_endpoint = true }, { .no_t1 = true } },
};

static const char *const packages[] = {
    "data/ts48/TS48v1_A.der",
    "data/ts48/TS48v1_B.der",
    "data/ts48/TS48v2_SAIP2.1_BERTLV.der",
    "data/ts48/TS48v2_SAIP2.3_NoBERTLV.der",
    "data/ts48/TS48v3_SAIP2.1_NoBERTLV.der",
    "data/ts48/TS48v3_SAIP2.3_BERTLV.der",
};

/* A TS.48 package, personalised for the desk's first key; without the shared
 * data a profile of the lab's own. */
static void stock_profile(struct plant *p, const char *package)
{
    AUTO(buf_clear) struct buf upp = BUF_INIT, own = BUF_INIT, bf25 = BUF_INIT;
    AUTO(buf_clear) struct buf bpp = BUF_INIT;
    const struct iccid iccid = desk_iccid(0);
    struct err e = ERR_INIT;

    if (shared_read(package, &upp))
        ck_assert_msg(saip_personalise(buf_span(&upp), &iccid, "001010123456789",
                                       &own, &e) == 0, "%s", e.msg);
    else
        desk_upp(0, 12000, &own);
    desk_metadata(0, 0, &bf25);
    desk_bind(&p->s.d, &p->s.d.key[0], buf_span(&bf25), buf_span(&own), true, &bpp);
    shop_stock_bpp(&p->s, 0, buf_span(&bpp));
}

START_TEST(loads)
{
    struct plant p;
    bool enabled = false;

    plant_open(&p, 2, &kinds[_i].reader, &kinds[_i].card);
    stock_profile(&p, packages[(size_t)_i % (sizeof packages / sizeof *packages)]);
    plant_start(&p);
    struct shop_verdict v = shop_scan(&p.s, p.barcode);
    ck_assert_msg(v.kind == VERDICT_PASS, "%s: %s: %s", kinds[_i].name, v.code,
                  v.detail);
    ck_assert_str_eq(v.fixture, PLANT_PLACE);
    ck_assert_uint_eq(shop_count(&p.s, BPP_INSTALLED), 1);
    plant_stop(&p);
    ck_assert(desk_has_profile(&p.s.d, 0, &enabled) && enabled);
    ck_assert_uint_eq(desk_keys_left(&p.s.d), 0);
    plant_close(&p);
}
END_TEST

/* --- unplugged at every transfer ---------------------------------------------------- */

/* LINESIDE_STRIDE: every how many transfers; 1 is all of them. */
static unsigned stride(void)
{
    const char *given = getenv("LINESIDE_STRIDE");
    unsigned n = given ? (unsigned)strtoul(given, NULL, 10) : 7;

    return n ? n : 1;
}

static const struct ccid_model_options short_apdu = { .level = CCID_SHORT_APDU },
                                       tpdu = { .level = CCID_TPDU };
static const struct ccid_card t0_card = { .no_t1 = true },
                              t1_card = { .no_t0 = true, .ifsc = 254 };

static const struct {
    const char *name;
    const struct ccid_model_options *reader;
    const struct ccid_card *card;
    enum lab_usb_fault fault;
} pulls[] = {
    { "short APDU, before", &short_apdu, &t0_card, LAB_FAULT_UNPLUG },
    { "short APDU, after", &short_apdu, &t0_card, LAB_FAULT_UNPLUG_AFTER },
    { "TPDU T=1, before", &tpdu, &t1_card, LAB_FAULT_UNPLUG },
    { "TPDU T=1, after", &tpdu, &t1_card, LAB_FAULT_UNPLUG_AFTER },
};

/* False: the load was over before transfer n. */
static bool pulled_at(unsigned n, int row)
{
    struct plant p;

    plant_open(&p, 1, pulls[row].reader, pulls[row].card);
    shop_stock(&p.s, 0, 1);
    plant_start(&p);
    lab_bus_fault(p.bus, PLANT_PLACE, pulls[row].fault, n, n);
    struct shop_verdict v = shop_scan(&p.s, p.barcode);
    bool fired = lab_bus_fault_fired(p.bus, PLANT_PLACE);
    if (fired) {
        /* The books hold in between, too: nothing is in two places. */
        ck_assert_msg(v.kind != VERDICT_REFUSED, "%s@%u: %s", pulls[row].name, n,
                      v.code);
        ck_assert_uint_eq(shop_count(&p.s, BPP_QUARANTINED), 0);
        ck_assert_uint_eq(shop_count(&p.s, BPP_FAILED), 0);
        plant_wait(&p, PLANT_PLACE, "gone");
        plant_plug(&p);
        plant_finish(&p, 3);
    } else {
        lab_bus_fault(p.bus, PLANT_PLACE, LAB_FAULT_NONE, 0, 0);
        ck_assert_msg(v.kind == VERDICT_PASS, "%s: %s", v.code, v.detail);
    }
    ck_assert_uint_eq(shop_count(&p.s, BPP_INSTALLED), 1);
    plant_stop(&p);
    ck_assert(desk_has_profile(&p.s.d, 0, NULL));
    ck_assert_uint_eq(desk_keys_left(&p.s.d), 0);
    plant_close(&p);
    return fired;
}

START_TEST(pulled_anywhere)
{
    unsigned n = 1, done = 0;

    for (; pulled_at(n, _i); n += stride())
        done++;
    printf("%s: pulled at %u of %u transfers (LINESIDE_STRIDE=%u)\n",
           pulls[_i].name, done, n, stride());
    ck_assert_uint_gt(done, 5);
}
END_TEST

/* --- places ------------------------------------------------------------------------- */

static void say(struct plant *p, struct place_setting *v, size_t n)
{
    p->said.v = v;
    p->said.n = n;
}

START_TEST(a_label_is_its_name)
{
    struct place_setting labelled[] = { { PLANT_PLACE, "LEFT-4", false } };
    struct plant p;
    char scan[160];

    plant_open(&p, 1, &short_apdu, &t0_card);
    shop_stock(&p.s, 0, 1);
    say(&p, labelled, 1);
    plant_start(&p);
    snprintf(scan, sizeof scan, "LEFT-4\t%.32s", p.barcode + strlen(PLANT_PLACE "\t"));
    struct shop_verdict v = shop_scan(&p.s, scan);
    ck_assert_str_eq(v.code, "done");
    ck_assert_str_eq(v.fixture, "LEFT-4");
    /* another reader at the same place is the same fixture */
    plant_unplug(&p);
    v = shop_scan(&p.s, scan);
    ck_assert_str_eq(v.code, "fixture");
    plant_plug(&p);
    v = shop_scan(&p.s, p.barcode); /* the place may still be said */
    ck_assert_str_eq(v.code, "already-done");
    ck_assert_str_eq(v.fixture, "LEFT-4");
    plant_close(&p);
}
END_TEST

START_TEST(not_on_the_allow_list)
{
    struct place_setting elsewhere[] = { { "1-3", "", true } };
    struct plant p;
    struct err e = ERR_INIT;

    plant_open(&p, 1, &short_apdu, &t0_card);
    shop_stock(&p.s, 0, 1);
    say(&p, elsewhere, 1);
    shop_start_all(&p.s, NULL, 0);
    ck_assert_msg(floor_start(&p.said, p.s.line, &p.floor, &e) == 0, "%s", e.msg);
    /* Moved to where it may be, it is found; where it was, it never was one. */
    lab_bus_unplug(p.bus, PLANT_PLACE);
    ck_assert_int_eq(lab_bus_plug(p.bus, "1-3.1", p.reader, &e), 0);
    plant_wait(&p, "1-3.1", "card");
    ck_assert(!line_has(p.s.line, PLANT_PLACE));
    shop_expect(&p.s, p.barcode, "scan-unknown-fixture");
    lab_bus_unplug(p.bus, "1-3");
    plant_wait(&p, "1-3.1", "gone");
    plant_close(&p);
}
END_TEST

/* --- faults below the station --------------------------------------------------------- */

static const enum ccid_fault reader_faults[] = {
    CCID_FAULT_WRONG_SEQ, CCID_FAULT_STALE, CCID_FAULT_WRONG_TYPE,
    CCID_FAULT_LONG_LENGTH, CCID_FAULT_TRUNCATED, CCID_FAULT_TOO_LONG,
    CCID_FAULT_MUTE, CCID_FAULT_HW_ERROR, CCID_FAULT_SILENT,
    CCID_FAULT_CARD_PULLED,
};

/* A reader that misbehaves once, deep in a load: the unit fails or passes, and
 * is finished when it is scanned again (the card is put back first). */
START_TEST(survives_a_bad_reader)
{
    enum ccid_fault fault = reader_faults[_i];
    struct err e = ERR_INIT;
    struct plant p;

    plant_open(&p, 1, &short_apdu, &t0_card);
    shop_stock(&p.s, 0, 1);
    p.s.apdu_ms = 2000; /* what T=0 allows a card is minutes */
    plant_start(&p);
    ccid_model_fault(p.reader, fault, 30, 1);
    struct shop_verdict v = shop_scan(&p.s, p.barcode);
    ck_assert_msg(ccid_model_fault_fired(p.reader), "%s", ccid_fault_name(fault));
    ck_assert_msg(v.kind == VERDICT_PASS || v.kind == VERDICT_FAIL, "%s: %s",
                  ccid_fault_name(fault), v.code);
    if (fault == CCID_FAULT_CARD_PULLED) {
        ccid_model_remove(p.reader, 0);
        ck_assert_int_eq(ccid_model_insert(p.reader, 0, p.card, &t0_card, &e), 0);
    }
    if (fault == CCID_FAULT_SILENT || v.kind != VERDICT_PASS) {
        lab_bus_unplug(p.bus, PLANT_PLACE); /* whatever it was parked for */
        plant_wait(&p, PLANT_PLACE, "gone");
        plant_plug(&p);
    }
    plant_finish(&p, 3);
    ck_assert_uint_eq(shop_count(&p.s, BPP_INSTALLED), 1);
    plant_close(&p);
}
END_TEST

/* --- contacts ---------------------------------------------------------------------------- */

static int mark_golden(struct tx *tx, void *ctx, struct err *e)
{
    return golden_mark(tx, ctx, "test", e);
}

/* Contacts that bear no more than TA1=94: the place goes two steps slower, which
 * its health knows, and the golden unit that passes then says how fast. */
START_TEST(counts_worn_contacts)
{
    const struct ccid_model_options plain = { .level = CCID_TPDU };
    const struct ccid_card worn = { .no_t0 = true, .ta1 = 0x96, .works_at = 0x94,
                                    .bwi_cwi = 0x10 };
    struct shop_verdict v = { .kind = VERDICT_FAIL };
    struct fixture_health h;
    struct plant p;
    struct db *db;
    struct err e = ERR_INIT;

    plant_open(&p, 1, &plain, &worn);
    ck_assert_int_eq(db_open(p.s.data, DB_WRITE, NULL, &db, &e), 0);
    ck_assert_int_eq(db_write(db, mark_golden, &p.s.d.eid, &e), 0);
    plant_start(&p);
    for (int i = 0; i < 6 && v.kind != VERDICT_GOLDEN; i++)
        v = shop_scan(&p.s, p.barcode);
    ck_assert_msg(v.kind == VERDICT_GOLDEN, "%s: %s", v.code, v.detail);
    ck_assert_msg(strstr(v.detail, "TA1=94") != NULL, "%s", v.detail);
    plant_stop(&p);
    ck_assert_int_eq(health_get(db, PLANT_PLACE, &h, &e), 0);
    ck_assert_uint_eq(h.all.v[CONTACT_SLOWER], 2);
    ck_assert_uint_ge(h.all.cycles, 1);
    ck_assert_int_gt(h.proven_at, 0);
    db_close(db);
    plant_close(&p);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "loads", loads, sizeof kinds / sizeof *kinds },
        { "pulled", pulled_anywhere, sizeof pulls / sizeof *pulls },
        { "label", a_label_is_its_name, 1 },
        { "allow-list", not_on_the_allow_list, 1 },
        { "bad reader", survives_a_bad_reader,
          sizeof reader_faults / sizeof *reader_faults },
        { "worn contacts", counts_worn_contacts, 1 },
    };
    int end = plant_enter();

    return end ? end : run_tests("usb_line", tests, sizeof tests / sizeof *tests);
}

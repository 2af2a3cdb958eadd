#include "station/fpa/doubt.h"

#include <check.h>
#include <string.h>

#include "station/ifpp/tags.h"
#include "tests/lab/puppet_words.h"
#include "tests/unit/fpa/stage.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

/* --- the decision -------------------------------------------------------- */

#define NONE EVIDENCE_NONE
#define UNREAD EVIDENCE_UNREAD

/* Every combination there is, written out. */
static const struct {
    enum doubt_evidence evidence;
    enum doubt_key key;
    enum doubt_iccid iccid;
    enum doubt_verdict ours, not_ours;
} rows[] = {
#define SIGNED(ev, v)                                                          \
    { ev, KEY_UNREAD, ICCID_UNREAD, v, DOUBT_CONSUMED_ELSEWHERE },             \
    { ev, KEY_UNREAD, ICCID_ABSENT, v, DOUBT_CONSUMED_ELSEWHERE },             \
    { ev, KEY_UNREAD, ICCID_PRESENT, v, DOUBT_CONSUMED_ELSEWHERE },            \
    { ev, KEY_UNUSED, ICCID_UNREAD, v, DOUBT_CONSUMED_ELSEWHERE },             \
    { ev, KEY_UNUSED, ICCID_ABSENT, v, DOUBT_CONSUMED_ELSEWHERE },             \
    { ev, KEY_UNUSED, ICCID_PRESENT, v, DOUBT_CONSUMED_ELSEWHERE },            \
    { ev, KEY_GONE, ICCID_UNREAD, v, DOUBT_CONSUMED_ELSEWHERE },               \
    { ev, KEY_GONE, ICCID_ABSENT, v, DOUBT_CONSUMED_ELSEWHERE },               \
    { ev, KEY_GONE, ICCID_PRESENT, v, DOUBT_CONSUMED_ELSEWHERE }
    SIGNED(EVIDENCE_INSTALLED, DOUBT_INSTALLED),
    SIGNED(EVIDENCE_FAILED, DOUBT_FAILED),

    { NONE, KEY_UNUSED, ICCID_ABSENT, DOUBT_BACK_IN_STOCK, DOUBT_BACK_IN_STOCK },
    { NONE, KEY_UNUSED, ICCID_PRESENT, DOUBT_UNRESOLVED, DOUBT_UNRESOLVED },
    { NONE, KEY_UNUSED, ICCID_UNREAD, DOUBT_UNRESOLVED, DOUBT_UNRESOLVED },
    { NONE, KEY_GONE, ICCID_ABSENT, DOUBT_CONSUMED_NO_EVIDENCE, DOUBT_CONSUMED_ELSEWHERE },
    { NONE, KEY_GONE, ICCID_PRESENT, DOUBT_CONSUMED_NO_EVIDENCE, DOUBT_CONSUMED_ELSEWHERE },
    { NONE, KEY_GONE, ICCID_UNREAD, DOUBT_CONSUMED_NO_EVIDENCE, DOUBT_CONSUMED_ELSEWHERE },
    { NONE, KEY_UNREAD, ICCID_ABSENT, DOUBT_UNRESOLVED, DOUBT_UNRESOLVED },
    { NONE, KEY_UNREAD, ICCID_PRESENT, DOUBT_UNRESOLVED, DOUBT_UNRESOLVED },
    { NONE, KEY_UNREAD, ICCID_UNREAD, DOUBT_UNRESOLVED, DOUBT_UNRESOLVED },

    { UNREAD, KEY_UNUSED, ICCID_ABSENT, DOUBT_UNRESOLVED, DOUBT_UNRESOLVED },
    { UNREAD, KEY_UNUSED, ICCID_PRESENT, DOUBT_UNRESOLVED, DOUBT_UNRESOLVED },
    { UNREAD, KEY_UNUSED, ICCID_UNREAD, DOUBT_UNRESOLVED, DOUBT_UNRESOLVED },
    { UNREAD, KEY_GONE, ICCID_ABSENT, DOUBT_UNRESOLVED, DOUBT_UNRESOLVED },
    { UNREAD, KEY_GONE, ICCID_PRESENT, DOUBT_UNRESOLVED, DOUBT_UNRESOLVED },
    { UNREAD, KEY_GONE, ICCID_UNREAD, DOUBT_UNRESOLVED, DOUBT_UNRESOLVED },
    { UNREAD, KEY_UNREAD, ICCID_ABSENT, DOUBT_UNRESOLVED, DOUBT_UNRESOLVED },
    { UNREAD, KEY_UNREAD, ICCID_PRESENT, DOUBT_UNRESOLVED, DOUBT_UNRESOLVED },
    { UNREAD, KEY_UNREAD, ICCID_UNREAD, DOUBT_UNRESOLVED, DOUBT_UNRESOLVED },
};

START_TEST(decision)
{
    struct doubt_inputs in = { rows[_i].evidence, rows[_i].key, rows[_i].iccid, true };

    ck_assert_int_eq(doubt_decide(&in), rows[_i].ours);
    in.ours = false;
    ck_assert_int_eq(doubt_decide(&in), rows[_i].not_ours);
}
END_TEST

START_TEST(table_is_complete)
{
    bool seen[4][3][3] = { { { false } } };

    for (int i = 0; i < COUNT(rows); i++) {
        ck_assert(!seen[rows[i].evidence][rows[i].key][rows[i].iccid]);
        seen[rows[i].evidence][rows[i].key][rows[i].iccid] = true;
    }
    ck_assert_int_eq(COUNT(rows), 4 * 3 * 3);
    for (int v = 0; v < DOUBT_VERDICTS; v++)
        ck_assert_uint_gt(strlen(doubt_verdict_name((enum doubt_verdict)v)), 0);
}
END_TEST

/* --- what a list of results says about one BPP --------------------------- */

enum item {
    END,
    OURS_INSTALLED,
    OURS_FAILED,
    OURS_FORGED,   /* our transactionId, another eUICC's signature */
    OURS_BROKEN,   /* our transactionId, cut before the signature  */
    OTHERS,        /* valid, another transactionId                 */
    SHORT_TXID,    /* a consumer download's: 4 octets              */
    NO_TXID,       /* a BF37 that names nothing                    */
    NOTIFICATION,  /* a 30, of enable                              */
    STRANGE        /* a tag that nobody knows                      */
};

static void put_item(struct buf *b, enum item kind)
{
    struct puppet_result r = { .txid = stage_txid(kind == OTHERS ? 8 : 7),
                               .iccid = stage_iccid(1), .seq = 1,
                               .installed = kind != OURS_FAILED,
                               .command = 5, .reason = 12 };
    AUTO(buf_clear) struct buf one = BUF_INIT;
    struct tlv whole, data;
    struct span in;

    switch (kind) {
    case SHORT_TXID:
        buf_put_hex(b, "BF3709BF2706800401020304");
        return;
    case NO_TXID:
        buf_put_hex(b, "BF3700");
        return;
    case NOTIFICATION:
        buf_put_hex(b, "3000");
        return;
    case STRANGE:
        buf_put_hex(b, "BF990100");
        return;
    case OURS_BROKEN:
        ck_assert_int_eq(puppet_put_result(&one, stage_key(0), &r, NULL), 0);
        in = buf_span(&one);
        ck_assert_int_eq(der_take(&in, TAG_INSTALL_RESULT, &whole), 0);
        ck_assert_int_eq(der_take(&whole.value, TAG_INSTALL_RESULT_DATA, &data), 0);
        der_put(b, TAG_INSTALL_RESULT, data.whole);
        return;
    default:
        ck_assert_int_eq(puppet_put_result(b, stage_key(kind == OURS_FORGED), &r, NULL), 0);
    }
}

static const struct {
    const char *name;
    enum item items[4];
    enum doubt_evidence want;
    enum err_code code;
} lists[] = {
    { "empty", { END }, EVIDENCE_NONE, ERR_NONE },
    { "installed", { OURS_INSTALLED }, EVIDENCE_INSTALLED, ERR_NONE },
    { "failed", { OURS_FAILED }, EVIDENCE_FAILED, ERR_NONE },
    { "among others", { OTHERS, NOTIFICATION, OURS_INSTALLED }, EVIDENCE_INSTALLED, ERR_NONE },
    { "others only", { OTHERS, NOTIFICATION, SHORT_TXID }, EVIDENCE_NONE, ERR_NONE },
    { "strange things", { STRANGE, STRANGE }, EVIDENCE_NONE, ERR_NONE },
    { "forged", { OURS_FORGED }, EVIDENCE_UNREAD, ERR_SIGNATURE },
    { "broken", { OURS_BROKEN }, EVIDENCE_UNREAD, ERR_CARD },
    { "nameless", { OTHERS, NO_TXID }, EVIDENCE_UNREAD, ERR_CARD },
    { "forged, then true", { OURS_FORGED, OURS_INSTALLED }, EVIDENCE_INSTALLED, ERR_NONE },
    { "true, then broken", { OURS_FAILED, OURS_BROKEN }, EVIDENCE_FAILED, ERR_NONE },
};

START_TEST(evidence)
{
    AUTO(buf_clear) struct buf list = BUF_INIT;
    struct doubt_records r = { .notifications_read = true };
    const struct txid t = stage_txid(7);
    const struct iccid iccid = stage_iccid(1);
    struct doubt_inputs in;
    struct err e = ERR_INIT;
    struct span bf37;

    for (int i = 0; i < 4 && lists[_i].items[i] != END; i++)
        put_item(&list, lists[_i].items[i]);
    r.notifications = buf_span(&list);
    int rc = doubt_facts(&r, &t, &iccid, stage_key(0), true, &in, &bf37, &e);
    ck_assert_msg(in.evidence == lists[_i].want && e.code == lists[_i].code,
                  "%s: %d, %s", lists[_i].name, in.evidence, e.msg);
    ck_assert((rc == 0) == (lists[_i].code == ERR_NONE));
    ck_assert_int_eq(in.key, KEY_UNREAD);
    ck_assert_int_eq(in.iccid, ICCID_UNREAD);
    ck_assert((bf37.n > 0) == (in.evidence == EVIDENCE_INSTALLED ||
                               in.evidence == EVIDENCE_FAILED));
    if (bf37.n > 0) {
        struct install_result ir;
        ck_assert_int_eq(install_result_parse(bf37, &ir, NULL), 0);
        ck_assert_int_eq(install_result_verify(&ir, stage_key(0), &t, NULL), 0);
    }
}
END_TEST

START_TEST(malformed_list_leaves_it_open)
{
    AUTO(buf_clear) struct buf list = BUF_INIT;
    struct doubt_records r = { .notifications_read = true };
    const struct txid t = stage_txid(7);
    const struct iccid iccid = stage_iccid(1);
    struct doubt_inputs in;
    struct err e = ERR_INIT;

    put_item(&list, OTHERS);
    buf_put_hex(&list, "BF37");
    r.notifications = buf_span(&list);
    ck_assert_int_eq(doubt_facts(&r, &t, &iccid, stage_key(0), true, &in, NULL, &e), -1);
    ck_assert_int_eq(e.code, ERR_CARD);
    ck_assert_int_eq(in.evidence, EVIDENCE_UNREAD);
}
END_TEST

/* --- reading a card ------------------------------------------------------ */

struct told {
    struct buf notifications, status, profiles;
};

static void tell(struct told *t, bool key_unused, bool present)
{
    const struct txid keys[] = { stage_txid(1), stage_txid(7) };
    const struct iccid iccids[] = { stage_iccid(5), stage_iccid(1) };
    const bool enabled[] = { true, false };

    *t = (struct told){ 0 };
    puppet_put_notifications(&t->notifications, SPAN(NULL, 0));
    puppet_put_status(&t->status, keys, key_unused ? 2 : 1);
    puppet_put_profiles(&t->profiles, iccids, enabled, present ? 2 : 1);
}

static void told_clear(struct told *t)
{
    buf_clear(&t->notifications);
    buf_clear(&t->status);
    buf_clear(&t->profiles);
}

START_TEST(reads_all_three)
{
    bool key_unused = _i & 1, present = _i & 2;
    struct told told;
    const struct stage_row script[] = {
        { TAG_RETRIEVE_NOTIFICATIONS, NULL, &told.notifications, 0 },
        { TAG_IFPP_STATUS, NULL, &told.status, 0 },
        { TAG_PROFILES_INFO, NULL, &told.profiles, 0 },
    };
    const struct txid t = stage_txid(7);
    const struct iccid iccid = stage_iccid(1);
    struct doubt_records r;
    struct doubt_inputs in;
    struct err e = ERR_INIT;
    struct stage s;

    tell(&told, key_unused, present);
    stage_open(&s, script, 3);
    ck_assert_msg(doubt_read(s.card, &r, &e) == 0, "%s", e.msg);
    ck_assert_int_eq(doubt_facts(&r, &t, &iccid, stage_key(0), true, &in, NULL, &e), 0);
    ck_assert_int_eq(in.evidence, EVIDENCE_NONE);
    ck_assert_int_eq(in.key, key_unused ? KEY_UNUSED : KEY_GONE);
    ck_assert_int_eq(in.iccid, present ? ICCID_PRESENT : ICCID_ABSENT);
    ck_assert(in.ours);
    doubt_records_clear(&r);
    stage_close(&s);
    told_clear(&told);
}
END_TEST

/* One answer fails: the others are read all the same, the first failure is
 * told, and what was not read is marked so. */
START_TEST(one_of_three_fails)
{
    struct told told;
    struct stage_row script[] = {
        { TAG_RETRIEVE_NOTIFICATIONS, NULL, &told.notifications, 0 },
        { TAG_IFPP_STATUS, NULL, &told.status, 0 },
        { TAG_PROFILES_INFO, NULL, &told.profiles, 0 },
    };
    const struct txid t = stage_txid(7);
    const struct iccid iccid = stage_iccid(1);
    struct doubt_records r;
    struct doubt_inputs in;
    struct err e = ERR_INIT;
    struct stage s;

    tell(&told, true, false);
    script[_i] = (struct stage_row){ script[_i].tag, NULL, NULL, 0x6F00 };
    stage_open(&s, script, 3);
    ck_assert_int_eq(doubt_read(s.card, &r, &e), -1);
    ck_assert_int_eq(e.code, ERR_CARD);
    ck_assert_uint_eq(e.sw, 0x6F00);
    ck_assert_int_eq(doubt_facts(&r, &t, &iccid, stage_key(0), true, &in, NULL, NULL), 0);
    ck_assert_int_eq(in.evidence, _i == 0 ? EVIDENCE_UNREAD : EVIDENCE_NONE);
    ck_assert_int_eq(in.key, _i == 1 ? KEY_UNREAD : KEY_UNUSED);
    ck_assert_int_eq(in.iccid, _i == 2 ? ICCID_UNREAD : ICCID_ABSENT);
    ck_assert_int_eq(doubt_decide(&in), DOUBT_UNRESOLVED);
    doubt_records_clear(&r);
    stage_close(&s);
    told_clear(&told);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fpa/doubt");
    TCase *t = tcase_create("doubt");

    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, decision, 0, COUNT(rows));
    tcase_add_test(t, table_is_complete);
    tcase_add_loop_test(t, evidence, 0, COUNT(lists));
    tcase_add_test(t, malformed_list_leaves_it_open);
    tcase_add_loop_test(t, reads_all_three, 0, 4);
    tcase_add_loop_test(t, one_of_three_fails, 0, 3);
    suite_add_tcase(suite, t);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}

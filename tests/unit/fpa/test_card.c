#include "station/fpa/card.h"

#include <check.h>
#include <string.h>

#include "station/ifpp/tags.h"
#include "tests/lab/puppet.h"
#include "tests/lab/puppet_words.h"
#include "tests/unit/fpa/stage.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))
#define EID_HEX "89049032777298113660073133622109"

/* --- every function against good, refused and nonsensical answers -------- */

static int call_eid(struct fpa_card *c, struct err *e)
{
    struct eid want = stage_eid(), eid;
    int rc = fpa_card_eid(c, &eid, e);

    ck_assert(rc != 0 || eid_eq(&eid, &want));
    return rc;
}

static int call_info2(struct fpa_card *c, struct err *e)
{
    AUTO(buf_clear) struct buf raw = BUF_INIT;
    struct euicc_info2 info;

    return fpa_card_info2(c, &raw, &info, e);
}

static int call_status(struct fpa_card *c, struct err *e)
{
    AUTO(buf_clear) struct buf raw = BUF_INIT;
    struct ifpp_status s;

    return fpa_card_status(c, &raw, &s, e);
}

static int call_authorise(struct fpa_card *c, struct err *e)
{
    static const uint8_t certificate[] = { 0x30, 0x00 };
    const struct txid t = stage_txid(1);

    return fpa_card_authorise(c, &t, SPAN_ARRAY(certificate), NULL, e);
}

static int call_profiles(struct fpa_card *c, struct err *e)
{
    struct fpa_profiles p;

    return fpa_card_profiles(c, &p, e);
}

static int call_list(struct fpa_card *c, struct err *e)
{
    struct fpa_pending p[4];
    size_t n;

    return fpa_card_list_notifications(c, p, 4, &n, e);
}

static int call_notifications(struct fpa_card *c, struct err *e)
{
    AUTO(buf_clear) struct buf raw = BUF_INIT;
    struct span list;

    return fpa_card_notifications(c, NULL, &raw, &list, e);
}

static int call_remove(struct fpa_card *c, struct err *e)
{
    return fpa_card_remove_notification(c, 7, e);
}

static int call_delete_keys(struct fpa_card *c, struct err *e)
{
    AUTO(buf_clear) struct buf raw = BUF_INIT;
    const struct eid eid = stage_eid();
    struct receipt r;

    return fpa_card_delete_keys(c, stage_key(0), &eid, &raw, &r, e);
}

static int call_close(struct fpa_card *c, struct err *e)
{
    AUTO(buf_clear) struct buf raw = BUF_INIT;
    const struct eid eid = stage_eid();
    struct receipt r;

    return fpa_card_close_services(c, stage_key(0), &eid, &raw, &r, e);
}

static const struct function {
    const char *name;
    int (*call)(struct fpa_card *c, struct err *e);
    uint32_t tag;
} functions[] = {
    { "eid", call_eid, TAG_EUICC_DATA },
    { "info2", call_info2, TAG_INFO2 },
    { "status", call_status, TAG_IFPP_STATUS },
    { "authorise", call_authorise, TAG_AUTHORISE_SMDPF },
    { "profiles", call_profiles, TAG_PROFILES_INFO },
    { "list", call_list, TAG_LIST_NOTIFICATION },
    { "notifications", call_notifications, TAG_RETRIEVE_NOTIFICATIONS },
    { "remove", call_remove, TAG_REMOVE_NOTIFICATION },
    { "delete keys", call_delete_keys, TAG_DELETE_OTK },
    { "close", call_close, TAG_CLOSE_FPA },
};

static void play_one(const struct function *f, const char *hex, uint16_t sw,
                     enum err_code want, uint16_t want_sw)
{
    const struct stage_row row = { f->tag, hex, NULL, sw };
    struct err e = ERR_INIT;
    struct stage s;

    stage_open(&s, &row, 1);
    int rc = f->call(s.card, &e);
    ck_assert_msg(e.code == want && (rc == 0) == (want == ERR_NONE),
                  "%s answered %s: %s: %s", f->name, hex, err_name(e.code), e.msg);
    ck_assert_uint_eq(e.sw, want_sw);
    ck_assert(rc == 0 || e.msg[0] != 0);
    stage_close(&s);
}

/* Octets that answer none of the functions. */
static const char *const nonsense[] = {
    "", "00", "BF", "BF3E", "BF3E80", "FFFFFFFF", "3000", "BF3900", "BF998A0100",
    "BF3E125A1089049032777298113660073133622108", /* EID with a bad check */
    "BF3E125A10" EID_HEX "00",                    /* one octet too many   */
    "BF2D82FFFF", "BF7084FFFFFFFF", "BF2BA00180",
};

START_TEST(nonsense_is_an_error_of_the_card)
{
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++)
        play_one(&functions[_i], nonsense[i], 0, ERR_CARD, 0);
}
END_TEST

START_TEST(status_word_is_kept)
{
    play_one(&functions[_i], "", 0x6985, ERR_CARD, 0x6985);
    play_one(&functions[_i], "", 0x6A88, ERR_CARD, 0x6A88);
}
END_TEST

/* function number, answer, code */
static const struct {
    int function;
    const char *hex;
    enum err_code want;
} answers[] = {
    { 0, "BF3E125A10" EID_HEX, ERR_NONE },
    { 1, "BF22058203020503", ERR_NONE },
    { 2, "BF7008800101810100A200", ERR_NONE },
    { 3, "BF7103800100", ERR_NONE },
    { 3, "BF7103800101", ERR_CARD }, /* invalid certificate */
    { 3, "BF710380017F", ERR_CARD },
    { 4, "BF2D02A000", ERR_NONE },
    { 4, "BF2D03810101", ERR_CARD },
    { 5, "BF2802A000", ERR_NONE },
    { 5, "BF280DA00BBF2F0880010481020780" "0C00", ERR_CARD }, /* too short outside */
    { 5, "BF280EA00CBF2F09800104810207800C00", ERR_NONE },
    { 5, "BF280AA008BF2F058001048100", ERR_CARD },
    { 6, "BF2B02A000", ERR_NONE },
    { 6, "BF2B03810101", ERR_CARD },
    { 7, "BF3003800100", ERR_NONE },
    { 7, "BF3003800101", ERR_NONE }, /* nothing to delete */
    { 7, "BF300380017F", ERR_CARD },
    { 8, "BF720380017F", ERR_CARD },
    { 9, "BF7303800101", ERR_CARD }, /* keys remain */
    { 9, "BF7303800100", ERR_CARD }, /* an error without a code */
};

START_TEST(answer)
{
    play_one(&functions[answers[_i].function], answers[_i].hex, 0,
             answers[_i].want, 0);
}
END_TEST

/* --- what is asked ------------------------------------------------------- */

/* Two BF70 in a row bear two nonces. */
START_TEST(nonces_are_fresh)
{
    const struct stage_row rows[] = {
        { TAG_IFPP_STATUS, "BF7008800101810100A200", NULL, 0 },
        { TAG_IFPP_STATUS, "BF7008800101810100A200", NULL, 0 },
    };
    AUTO(buf_clear) struct buf first = BUF_INIT;
    struct stage s;

    stage_open(&s, rows, 2);
    ck_assert_int_eq(call_status(s.card, NULL), 0);
    ck_assert_uint_eq(s.last.n, 3 + 2 + ES10F_NONCE);
    buf_put_span(&first, buf_span(&s.last));
    ck_assert_int_eq(call_status(s.card, NULL), 0);
    ck_assert(!span_eq(buf_span(&first), buf_span(&s.last)));
    stage_close(&s);
}
END_TEST

START_TEST(authorise_tells_the_code)
{
    const struct stage_row row = { TAG_AUTHORISE_SMDPF, "BF7103800103", NULL, 0 };
    static const uint8_t certificate[] = { 0x30, 0x01, 0x00 };
    const struct txid t = stage_txid(9);
    AUTO(buf_clear) struct buf want = BUF_INIT;
    struct err e = ERR_INIT;
    unsigned result = 0;
    struct stage s;

    stage_open(&s, &row, 1);
    ck_assert_int_eq(fpa_card_authorise(s.card, &t, SPAN_ARRAY(certificate),
                                        &result, &e), -1);
    ck_assert_uint_eq(result, 3);
    ck_assert_ptr_nonnull(strstr(e.msg, es10f_download_error(3)));
    buf_put_hex(&want, "BF71178010" "09090909090909090909090909090909" "A103300100");
    ck_assert(span_eq(buf_span(&s.last), buf_span(&want)));
    stage_close(&s);
}
END_TEST

START_TEST(pending_list)
{
    const struct stage_row rows[] = {
        { TAG_LIST_NOTIFICATION,
          "BF281BA019" "BF2F09800104810207800C00" "BF2F0A8002012C810204400C00", NULL, 0 },
        { TAG_LIST_NOTIFICATION,
          "BF281BA019" "BF2F09800104810207800C00" "BF2F0A8002012C810204400C00", NULL, 0 },
    };
    struct fpa_pending p[2];
    struct err e = ERR_INIT;
    struct stage s;
    size_t n;

    stage_open(&s, rows, 2);
    ck_assert_msg(fpa_card_list_notifications(s.card, p, 2, &n, &e) == 0, "%s", e.msg);
    ck_assert_uint_eq(n, 2);
    ck_assert_uint_eq(p[0].seq, 4);
    ck_assert_uint_eq(p[0].op, 0x80);
    ck_assert_uint_eq(p[1].seq, 300);
    ck_assert_uint_eq(p[1].op, 0x40);
    ck_assert_int_eq(fpa_card_list_notifications(s.card, p, 1, &n, &e), -1);
    ck_assert_int_eq(e.code, ERR_LIMIT);
    stage_close(&s);
}
END_TEST

START_TEST(one_notification_is_asked_by_number)
{
    const struct stage_row row = { TAG_RETRIEVE_NOTIFICATIONS, "BF2B02A000", NULL, 0 };
    AUTO(buf_clear) struct buf raw = BUF_INIT, want = BUF_INIT;
    const uint64_t seq = 300;
    struct span list;
    struct stage s;

    stage_open(&s, &row, 1);
    ck_assert_int_eq(fpa_card_notifications(s.card, &seq, &raw, &list, NULL), 0);
    ck_assert_uint_eq(list.n, 0);
    buf_put_hex(&want, "BF2B06A0048002012C");
    ck_assert(span_eq(buf_span(&s.last), buf_span(&want)));
    stage_close(&s);
}
END_TEST

/* --- acts ---------------------------------------------------------------- */

enum held { ABSENT, DISABLED, ENABLED };
#define NOT_SENT 999
#define SAYS(n) (n)

static const struct act_row {
    const char *name;
    enum fpa_act act;
    enum held before;
    unsigned result; /* of the command; NOT_SENT */
    enum held after;
    enum err_code want;
} act_rows[] = {
    { "enable", FPA_ENABLE, DISABLED, SAYS(0), ENABLED, ERR_NONE },
    { "enable: already", FPA_ENABLE, ENABLED, NOT_SENT, ENABLED, ERR_NONE },
    { "enable: absent", FPA_ENABLE, ABSENT, NOT_SENT, ABSENT, ERR_CARD },
    { "enable: refused", FPA_ENABLE, DISABLED, SAYS(3), DISABLED, ERR_CARD },
    { "enable: unknown error", FPA_ENABLE, DISABLED, SAYS(127), DISABLED, ERR_CARD },
    { "enable: said done, is not", FPA_ENABLE, DISABLED, SAYS(0), DISABLED, ERR_CARD },
    { "enable: said done, is gone", FPA_ENABLE, DISABLED, SAYS(0), ABSENT, ERR_CARD },
    { "disable", FPA_DISABLE, ENABLED, SAYS(0), DISABLED, ERR_NONE },
    { "disable: already", FPA_DISABLE, DISABLED, NOT_SENT, DISABLED, ERR_NONE },
    { "disable: absent", FPA_DISABLE, ABSENT, NOT_SENT, ABSENT, ERR_CARD },
    { "disable: said done, is not", FPA_DISABLE, ENABLED, SAYS(0), ENABLED, ERR_CARD },
    { "delete", FPA_DELETE, DISABLED, SAYS(0), ABSENT, ERR_NONE },
    { "delete: already", FPA_DELETE, ABSENT, NOT_SENT, ABSENT, ERR_NONE },
    { "delete: refused", FPA_DELETE, ENABLED, SAYS(2), ENABLED, ERR_CARD },
    { "delete: said done, is not", FPA_DELETE, DISABLED, SAYS(0), DISABLED, ERR_CARD },
};

static void put_held(struct buf *b, enum held h)
{
    const struct iccid iccids[] = { stage_iccid(1), stage_iccid(2) };
    const bool enabled[] = { false, h == ENABLED };

    puppet_put_profiles(b, iccids, enabled, h == ABSENT ? 1 : 2);
}

START_TEST(act)
{
    static const uint32_t tags[] = { TAG_ENABLE, TAG_DISABLE, TAG_DELETE };
    const struct act_row *a = &act_rows[_i];
    AUTO(buf_clear) struct buf before = BUF_INIT, after = BUF_INIT, said = BUF_INIT;
    const struct stage_row rows[] = {
        { TAG_PROFILES_INFO, NULL, &before, 0 },
        { tags[a->act], NULL, &said, 0 },
        { TAG_PROFILES_INFO, NULL, &after, 0 },
    };
    const struct iccid iccid = stage_iccid(2);
    struct err e = ERR_INIT;
    struct stage s;

    put_held(&before, a->before);
    put_held(&after, a->after);
    size_t m = der_open(&said);
    der_put_uint(&said, 0x80, a->result);
    der_close(&said, tags[a->act], m);
    stage_open(&s, rows, a->result == NOT_SENT ? 1 : a->result != 0 ? 2 : 3);
    int rc = fpa_card_act(s.card, a->act, &iccid, &e);
    ck_assert_msg(e.code == a->want && (rc == 0) == (a->want == ERR_NONE),
                  "%s: %s: %s", a->name, err_name(e.code), e.msg);
    stage_close(&s);
}
END_TEST

/* An IoT eUICC: BF5A names nothing; what it has no command for is refused
 * before anything is sent. */
START_TEST(acts_of_an_iot_euicc)
{
    AUTO(buf_clear) struct buf before = BUF_INIT, after = BUF_INIT, raw = BUF_INIT;
    const struct stage_row rows[] = {
        { TAG_INFO2, "BF22078203020503B400", NULL, 0 },
        { TAG_PROFILES_INFO, NULL, &before, 0 },
        { TAG_ENABLE_IOT, "BF5A03800100", NULL, 0 },
        { TAG_PROFILES_INFO, NULL, &after, 0 },
    };
    const struct iccid iccid = stage_iccid(2);
    struct euicc_info2 info;
    struct err e = ERR_INIT;
    struct stage s;

    put_held(&before, DISABLED);
    put_held(&after, ENABLED);
    stage_open(&s, rows, 4);
    ck_assert_int_eq(fpa_card_info2(s.card, &raw, &info, &e), 0);
    ck_assert_int_eq(info.kind, INFO2_IOT);
    ck_assert_int_eq(fpa_card_act(s.card, FPA_DISABLE, &iccid, &e), -1);
    ck_assert_int_eq(e.code, ERR_WRONG_STATE);
    ck_assert_ptr_nonnull(strstr(e.msg, fpa_act_name(FPA_DISABLE)));
    ck_assert_int_eq(fpa_card_act(s.card, FPA_ENABLE, &iccid, &e), 0);
    stage_close(&s);
}
END_TEST

START_TEST(too_many_profiles)
{
    struct iccid iccids[FPA_PROFILES_MAX + 1];
    bool enabled[FPA_PROFILES_MAX + 1] = { false };
    AUTO(buf_clear) struct buf full = BUF_INIT, over = BUF_INIT;
    const struct stage_row rows[] = { { TAG_PROFILES_INFO, NULL, &full, 0 },
                                      { TAG_PROFILES_INFO, NULL, &over, 0 } };
    struct fpa_profiles p;
    struct err e = ERR_INIT;
    struct stage s;

    for (unsigned i = 0; i <= FPA_PROFILES_MAX; i++)
        iccids[i] = stage_iccid(i);
    puppet_put_profiles(&full, iccids, enabled, FPA_PROFILES_MAX);
    puppet_put_profiles(&over, iccids, enabled, FPA_PROFILES_MAX + 1);
    stage_open(&s, rows, 2);
    ck_assert_int_eq(fpa_card_profiles(s.card, &p, &e), 0);
    ck_assert_uint_eq(p.n, FPA_PROFILES_MAX);
    ck_assert_ptr_nonnull(fpa_profiles_find(&p, &iccids[FPA_PROFILES_MAX - 1]));
    ck_assert_ptr_null(fpa_profiles_find(&p, &iccids[FPA_PROFILES_MAX]));
    ck_assert_int_eq(fpa_card_profiles(s.card, &p, &e), -1);
    ck_assert_int_eq(e.code, ERR_LIMIT);
    stage_close(&s);
}
END_TEST

/* --- receipts ------------------------------------------------------------ */

enum lie { TRUTH, OTHER_KEY, OTHER_EID, OTHER_NONCE, OTHER_FUNCTION };

static const struct {
    const char *name;
    enum lie lie;
    enum err_code want;
} receipts[] = {
    { "true", TRUTH, ERR_NONE },
    { "another eUICC's signature", OTHER_KEY, ERR_SIGNATURE },
    { "another EID", OTHER_EID, ERR_CONFLICT },
    { "an old nonce", OTHER_NONCE, ERR_REPLAY },
    { "the other function", OTHER_FUNCTION, ERR_CARD },
};

static uint16_t give_receipt(void *ctx, struct span chain, struct buf *data)
{
    const enum lie *lie = ctx;
    struct puppet_receipt r = { .eid = stage_eid(), .seq = 5, .deleted = 2 };
    struct tlv cmd, nonce;

    ck_assert_int_eq(der_next(&chain, &cmd), DER_OK);
    ck_assert_int_eq(der_take(&cmd.value, 0x80, &nonce), 0);
    ck_assert_uint_eq(nonce.value.n, sizeof r.nonce);
    memcpy(r.nonce, nonce.value.p, sizeof r.nonce);
    r.tag = cmd.tag;
    if (*lie == OTHER_EID) {
        r.eid.o[4] ^= 0x01;
        eid_complete(&r.eid);
    }
    if (*lie == OTHER_NONCE)
        r.nonce[0] ^= 1;
    if (*lie == OTHER_FUNCTION)
        r.tag ^= TAG_DELETE_OTK ^ TAG_CLOSE_FPA;
    ck_assert_int_eq(puppet_put_receipt(data, stage_key(*lie == OTHER_KEY), &r, NULL), 0);
    return 0x9000;
}

START_TEST(receipt)
{
    enum lie lie = receipts[_i].lie;
    const struct puppet_rules rules = { .answer = give_receipt, .ctx = &lie };
    AUTO(buf_clear) struct buf raw = BUF_INIT;
    const struct eid eid = stage_eid();
    int (*const calls[])(struct fpa_card *, EVP_PKEY *, const struct eid *,
                         struct buf *, struct receipt *, struct err *) = {
        fpa_card_delete_keys, fpa_card_close_services
    };

    for (int i = 0; i < 2; i++) {
        AUTO(fpa_card_close_p) struct fpa_card *c = NULL;
        struct err e = ERR_INIT;
        struct receipt r;
        struct fixture *f;
        ck_assert_int_eq(puppet_new(&rules, &f, NULL), 0);
        ck_assert_int_eq(fpa_card_open(f, NULL, &c, &e), 0);
        int rc = calls[i](c, stage_key(0), &eid, &raw, &r, &e);
        ck_assert_msg(e.code == receipts[_i].want && (rc == 0) == (lie == TRUTH),
                      "%s: %s: %s", receipts[_i].name, err_name(e.code), e.msg);
        if (rc == 0) {
            ck_assert_uint_eq(r.deleted, 2);
            ck_assert_uint_eq(r.function, i ? 0x73 : 0x72);
            ck_assert_ptr_eq(r.whole.p, raw.p);
        }
        fpa_card_close(c);
        c = NULL;
        f->ops->close(f);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fpa/card");
    TCase *t = tcase_create("card");

    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, nonsense_is_an_error_of_the_card, 0, COUNT(functions));
    tcase_add_loop_test(t, status_word_is_kept, 0, COUNT(functions));
    tcase_add_loop_test(t, answer, 0, COUNT(answers));
    tcase_add_test(t, nonces_are_fresh);
    tcase_add_test(t, authorise_tells_the_code);
    tcase_add_test(t, pending_list);
    tcase_add_test(t, one_notification_is_asked_by_number);
    tcase_add_loop_test(t, act, 0, COUNT(act_rows));
    tcase_add_test(t, acts_of_an_iot_euicc);
    tcase_add_test(t, too_many_profiles);
    tcase_add_loop_test(t, receipt, 0, COUNT(receipts));
    suite_add_tcase(suite, t);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}

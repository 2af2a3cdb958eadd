/* Every way a scan can end has a code, a cause and a next step. */
#include "station/line/verdict.h"
#include "tests/unit/support.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void sentence(const char *code, const char *text)
{
    ck_assert_msg(text && strlen(text) > 10, "%s: no text", code);
    ck_assert_msg(text[strlen(text) - 1] == '.', "%s: no sentence: %s", code, text);
    ck_assert_msg(text[0] >= 'A' && text[0] <= 'Z', "%s: no sentence: %s", code, text);
}

START_TEST(is_complete)
{
    const struct verdict_row *r = verdict_row((enum verdict)_i);

    ck_assert_ptr_nonnull(r->code);
    ck_assert(r->code[0] != '\0');
    ck_assert_uint_eq(strspn(r->code, "abcdefghijklmnopqrstuvwxyz-"), strlen(r->code));
    sentence(r->code, r->cause);
    sentence(r->code, r->next);
    for (int i = 0; i < _i; i++)
        ck_assert_str_ne(verdict_row((enum verdict)i)->code, r->code);
    ck_assert_msg(!r->fpa_failure || r->kind == VERDICT_FAIL,
                  "%s: reported, but no failure", r->code);
}
END_TEST

START_TEST(has_one_pass)
{
    for (int i = 0; i < VERDICTS; i++)
        ck_assert_int_eq(verdict_row((enum verdict)i)->kind == VERDICT_PASS, i == V_DONE);
    for (int k = 0; k < VERDICT_KINDS; k++)
        ck_assert_ptr_nonnull(verdict_kind_text((enum verdict_kind)k));
}
END_TEST

START_TEST(refuses_bad_scans)
{
    for (int a = SCAN_OK + 1; a < SCAN_ANSWERS; a++)
        ck_assert_int_eq(verdict_row(verdict_of_scan((enum scan_answer)a))->kind,
                         VERDICT_REFUSED);
}
END_TEST

/* No error of a card or of the station ever reads as a success. */
START_TEST(fails_on_errors)
{
    struct err e = { .code = (enum err_code)_i };

    ck_assert_int_eq(verdict_row(verdict_of_card(&e))->kind, VERDICT_FAIL);
    ck_assert_int_eq(verdict_row(verdict_of_station(&e))->kind, VERDICT_FAIL);
    ck_assert(!verdict_row(verdict_of_station(&e))->fpa_failure);
}
END_TEST

static const struct {
    enum err_code code;
    uint16_t sw;
    enum verdict want;
} cards[] = {
    { ERR_NO_CARD, 0, V_NO_CARD },       { ERR_TIMEOUT, 0, V_SILENT },
    { ERR_FORMAT, 0, V_NONSENSE },       { ERR_LIMIT, 0, V_NONSENSE },
    { ERR_CARD, 0, V_NONSENSE },         { ERR_CARD, 0x6985, V_CARD_REFUSED },
    { ERR_SIGNATURE, 0, V_BAD_EVIDENCE }, { ERR_IO, 0, V_FIXTURE },
    { ERR_INTERNAL, 0, V_MACHINE },
};

START_TEST(names_card_errors)
{
    struct err e = { .code = cards[_i].code, .sw = cards[_i].sw };

    ck_assert_int_eq(verdict_of_card(&e), cards[_i].want);
}
END_TEST

/* The manual explains each. */
START_TEST(is_in_the_manual)
{
    AUTO(buf_clear) struct buf page = BUF_INIT;
    char item[80];

    ck_assert_msg(file_read("docs/man/lineside.1", &page) == 0,
                  "run the tests from the repository's top folder");
    buf_put_u8(&page, 0);
    snprintf(item, sizeof item, ".It Cm %s", verdict_row((enum verdict)_i)->code);
    const char *verdicts = strstr((const char *)page.p, ".Ss Verdicts");
    ck_assert_ptr_nonnull(verdicts);
    const char *at = strstr(verdicts, item);
    while (at && !strchr("\n ", at[strlen(item)])) /* "ledger", "ledger-full" */
        at = strstr(at + 1, item);
    ck_assert_msg(at != NULL, "docs/man/lineside.1 has no '%s'", item);

    /* "No *+": carried by the report, and counts against the fixture. */
    const struct verdict_row *r = verdict_row((enum verdict)_i);
    size_t line = strcspn(at, "\n");
    ck_assert_int_eq(memchr(at, '*', line) != NULL, r->fpa_failure);
    ck_assert_int_eq(memchr(at, '+', line) != NULL, r->says == SAYS_BAD);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("line/verdict");
    TCase *t = tcase_create("verdict");

    tcase_add_loop_test(t, is_complete, 0, VERDICTS);
    tcase_add_loop_test(t, is_in_the_manual, 0, VERDICTS);
    tcase_add_test(t, has_one_pass);
    tcase_add_test(t, refuses_bad_scans);
    tcase_add_loop_test(t, fails_on_errors, 0, ERR_CODES);
    tcase_add_loop_test(t, names_card_errors, 0, sizeof cards / sizeof *cards);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

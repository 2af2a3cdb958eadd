#include "station/base/err.h"
#include "tests/unit/support.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

START_TEST(set_and_wrap)
{
    struct err e = ERR_INIT;

    ck_assert_int_eq(err_set(&e, ERR_FORMAT, "bad tag at +%d", 21), -1);
    ck_assert_int_eq(err_wrap(&e, "segment %d", 2), -1);
    ck_assert_int_eq(err_wrap(&e, "bundle 7f3a"), -1);
    ck_assert_str_eq(e.msg, "bundle 7f3a: segment 2: bad tag at +21");
    ck_assert_int_eq(e.code, ERR_FORMAT);
    ck_assert_int_eq(err_set_sw(&e, 0x6985, "refused"), -1);
    err_wrap(&e, "load");
    ck_assert_int_eq(e.code, ERR_CARD);
    ck_assert_uint_eq(e.sw, 0x6985);
    ck_assert_str_eq(e.msg, "load: refused");
    err_set(&e, ERR_IO, "next");
    ck_assert_uint_eq(e.sw, 0);
}
END_TEST

START_TEST(null_is_fine)
{
    ck_assert_int_eq(err_set(NULL, ERR_IO, "x"), -1);
    ck_assert_int_eq(err_set_sw(NULL, 1, "x"), -1);
    ck_assert_int_eq(err_errno(NULL, "x"), -1);
    ck_assert_int_eq(err_wrap(NULL, "x"), -1);
    ck_assert_int_eq(err_ossl(NULL, ERR_IO, "x"), -1);
}
END_TEST

START_TEST(long_text_is_cut)
{
    struct err e = ERR_INIT;
    char text[1000];

    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    err_set(&e, ERR_IO, "%s", text);
    ck_assert_uint_eq(strlen(e.msg), sizeof e.msg - 1);
    err_wrap(&e, "front");
    ck_assert_uint_eq(strlen(e.msg), sizeof e.msg - 1);
    ck_assert(strncmp(e.msg, "front: aaa", 10) == 0);
    errno = ENOENT;
    err_errno(&e, "%s", text);
    ck_assert_uint_eq(strlen(e.msg), sizeof e.msg - 1);
}
END_TEST

static const struct {
    int no;
    enum err_code want;
} errno_rows[] = {
    { ENOSPC, ERR_FULL }, { EDQUOT, ERR_FULL }, { ENOMEM, ERR_NOMEM },
    { EACCES, ERR_IO },   { ENOENT, ERR_IO },
};

START_TEST(errno_chooses_the_code)
{
    struct err e = ERR_INIT;

    errno = errno_rows[_i].no;
    err_errno(&e, "open %s", "/x");
    ck_assert_msg(e.code == errno_rows[_i].want, "%s",
                  strerror(errno_rows[_i].no));
    ck_assert(strncmp(e.msg, "open /x: ", 9) == 0);
    ck_assert_ptr_nonnull(strstr(e.msg, strerror(errno_rows[_i].no)));
}
END_TEST

START_TEST(every_code_has_a_name_and_an_exit)
{
    enum err_code c = (enum err_code)_i;

    ck_assert(strlen(err_name(c)) > 0 && strcmp(err_name(c), "unknown") != 0);
    for (int other = 0; other < _i; other++)
        ck_assert_str_ne(err_name(c), err_name((enum err_code)other));
    ck_assert_int_eq(err_exit_code(c) == 0, c == ERR_NONE);
    ck_assert_int_le(err_exit_code(c), 4);
}
END_TEST

START_TEST(codes_out_of_range)
{
    ck_assert_str_eq(err_name(ERR_CODES), "unknown");
    ck_assert_int_eq(err_exit_code(ERR_CODES), 3);
    ck_assert_int_eq(err_exit_code(ERR_USAGE), 2);
    ck_assert_int_eq(err_exit_code(ERR_BUSY), 4);
    ck_assert_int_eq(err_exit_code(ERR_TRUST), 1);
}
END_TEST

START_TEST(openssl_reason_is_told_once)
{
    struct err e = ERR_INIT;

    ck_assert_ptr_null(EVP_MD_fetch(NULL, "no-such-digest", NULL));
    err_ossl(&e, ERR_INTERNAL, "hashing");
    ck_assert_int_eq(e.code, ERR_INTERNAL);
    ck_assert_msg(strncmp(e.msg, "hashing (", 9) == 0, "%s", e.msg);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    err_ossl(&e, ERR_INTERNAL, "hashing");
    ck_assert_str_eq(e.msg, "hashing");
}
END_TEST

#define ROWS(a) (int)(sizeof(a) / sizeof *(a))

int main(void)
{
    const struct table_test tests[] = {
        { "set and wrap", set_and_wrap, 1 },
        { "NULL", null_is_fine, 1 },
        { "long text", long_text_is_cut, 1 },
        { "errno", errno_chooses_the_code, ROWS(errno_rows) },
        { "names", every_code_has_a_name_and_an_exit, ERR_CODES },
        { "out of range", codes_out_of_range, 1 },
        { "OpenSSL", openssl_reason_is_told_once, 1 },
    };
    return run_tests("base/err", tests, sizeof tests / sizeof *tests);
}

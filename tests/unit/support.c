#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int file_read(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "rb");
    uint8_t part[8192];
    size_t n;

    if (!f)
        return -1;
    while ((n = fread(part, 1, sizeof part, f)) > 0)
        buf_put(out, part, n);
    int r = ferror(f) || !buf_ok(out) ? -1 : 0;
    fclose(f);
    return r;
}

bool shared_read(const char *name, struct buf *out)
{
    const char *root = getenv("LINESIDE_SHARED");
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", root && *root ? root : "../shared",
             name);
    if (file_read(path, out) == 0)
        return true;
    printf("SKIP: %s is not there (set LINESIDE_SHARED to its folder)\n",
           path);
    return false;
}

struct buf hex(const char *digits)
{
    struct buf b = BUF_INIT;
    char *tight = malloc(strlen(digits) + 1);
    size_t n = 0;

    ck_assert_ptr_nonnull(tight);
    for (; *digits; digits++)
        if (*digits != ' ')
            tight[n++] = *digits;
    tight[n] = '\0';
    buf_put_hex(&b, tight);
    ck_assert_msg(buf_ok(&b), "bad hex in a test: %s", tight);
    free(tight);
    return b;
}

int run_tests(const char *suite, const struct table_test *tests, size_t n)
{
    Suite *s = suite_create(suite);

    for (size_t i = 0; i < n; i++) {
        TCase *c = tcase_create(tests[i].name);
        tcase_set_timeout(c, 60);
        tcase_add_loop_test(c, tests[i].run, 0, tests[i].rows);
        suite_add_tcase(s, c);
    }
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}

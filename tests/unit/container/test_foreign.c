/* A decoder that is not ours reads one container of every kind, with every
 * kind of record in it (tests/foreign-decoder.sh). */
#include "scene.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SKIPPED 77

START_TEST(asn1c_reads_every_kind)
{
    char command[4096] = "sh tests/foreign-decoder.sh";
    struct scene w;

    if (access("tests/foreign-decoder.sh", R_OK) != 0) {
        puts("SKIP: not started from the source folder");
        return;
    }
    scene_make(&w);
    for (int k = 0; k < KIND_COUNT; k++) {
        AUTO(manifest_clear) struct manifest m;
        char *path = scene_container(&w, (enum container_kind)k, 4000, &m, NULL);
        strcat(strcat(command, " "), path);
        free(path);
    }
    strcat(command, " >&2");
    int rc = system(command);
    scene_clear(&w);
    if (WIFEXITED(rc) && WEXITSTATUS(rc) == SKIPPED) {
        puts("SKIP: asn1c, gcc or openssl is not installed");
        return;
    }
    ck_assert_msg(rc == 0, "exit %d of: %s", WEXITSTATUS(rc), command);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("container/foreign");
    TCase *tc = tcase_create("foreign");
    suite_add_tcase(s, tc);
    tcase_set_timeout(tc, 300);
    tcase_add_test(tc, asn1c_reads_every_kind);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}

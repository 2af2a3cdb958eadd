/* tests/unit/support.h: what unit tests of several rooms share. */
#ifndef LINESIDE_TESTS_UNIT_SUPPORT_H
#define LINESIDE_TESTS_UNIT_SUPPORT_H

#include "station/base/span.h"

#include <check.h>

/* The whole file, appended. 0, or -1 when it cannot be read. */
int file_read(const char *path, struct buf *out);

/* A file of the shared test data ("data/vectors/cert-ci.pem"): below the
 * environment's LINESIDE_SHARED, else below ../shared of the repository's
 * root. False after one line "SKIP: ..." when it is not there. */
bool shared_read(const char *name, struct buf *out);

/* Octets from hex; spaces are allowed. Fails the test on bad hex. */
struct buf hex(const char *digits);

/* One test case over `n` table rows, one suite, one program. */
struct table_test {
    const char *name;
    const TTest *run;
    int rows; /* 1: not a loop */
};
int run_tests(const char *suite, const struct table_test *tests, size_t n);

#endif

#include "tests/unit/new_ledger.h"

#include "storage/db.h"
#include "tests/unit/support.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

void new_ledger(const char *data_dir)
{
    static struct buf first = BUF_INIT; /* as it was made */
    char path[4096];
    struct err e = ERR_INIT;

    snprintf(path, sizeof path, "%s/ledger.db", data_dir);
    if (first.n == 0) {
        ck_assert_msg(db_create(data_dir, NULL, &e) == 0, "%s", e.msg);
        ck_assert_int_eq(file_read(path, &first), 0);
        return;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, first.p, first.n), (ssize_t)first.n);
    close(fd);
}

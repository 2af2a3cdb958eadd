#include "tests/bench/slow_disk.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

#include "tests/bench/bench.h"

/* Files stay the default VFS's own; only their table of methods is replaced by
 * a copy in which xSync is ours. Ledger and WAL share one table, or have one
 * each: a handful is enough. */
#define TABLES_MAX 8

struct table {
    sqlite3_io_methods ours; /* what the file points at */
    const sqlite3_io_methods *real;
};

static struct table tables[TABLES_MAX];
static size_t table_count;
static sqlite3_mutex *mutex;
static sqlite3_vfs *real_vfs, vfs;
static struct timespec added;
static atomic_uint_fast64_t syncs;

static int slow_sync(sqlite3_file *f, int flags)
{
    const struct table *t = (const struct table *)(const void *)f->pMethods;
    int rc = t->real->xSync(f, flags);

    atomic_fetch_add(&syncs, 1);
    nanosleep(&added, NULL);
    return rc;
}

static const sqlite3_io_methods *replaced(const sqlite3_io_methods *real)
{
    size_t i = 0;

    sqlite3_mutex_enter(mutex);
    while (i < table_count && tables[i].real != real)
        i++;
    if (i == TABLES_MAX)
        bench_die("slow disk: more kinds of files than expected");
    if (i == table_count) {
        tables[i] = (struct table){ *real, real };
        tables[i].ours.xSync = slow_sync;
        table_count++;
    }
    sqlite3_mutex_leave(mutex);
    return &tables[i].ours;
}

static int slow_open(sqlite3_vfs *v, const char *name, sqlite3_file *f,
                     int flags, int *out_flags)
{
    (void)v;
    int rc = real_vfs->xOpen(real_vfs, name, f, flags, out_flags);

    if (rc == SQLITE_OK && f->pMethods)
        f->pMethods = replaced(f->pMethods);
    return rc;
}

void slow_disk_register(int64_t added_ns)
{
    _Static_assert(offsetof(struct table, ours) == 0, "a file's methods are a table");

    added = (struct timespec){ added_ns / 1000000000, added_ns % 1000000000 };
    if (sqlite3_initialize() != SQLITE_OK || !(real_vfs = sqlite3_vfs_find(NULL)))
        bench_die("slow disk: no VFS to stand on");
    mutex = sqlite3_mutex_alloc(SQLITE_MUTEX_FAST);
    vfs = *real_vfs;
    vfs.zName = SLOW_DISK;
    vfs.pNext = NULL;
    vfs.xOpen = slow_open;
    if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
        bench_die("slow disk: cannot be registered");
}

uint64_t slow_disk_syncs(void)
{
    return atomic_load(&syncs);
}

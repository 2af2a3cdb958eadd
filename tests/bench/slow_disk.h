/* A disk whose every fsync takes longer: an SQLite VFS over the default one. */
#ifndef LINESIDE_TESTS_BENCH_SLOW_DISK_H
#define LINESIDE_TESTS_BENCH_SLOW_DISK_H

#include <stdint.h>

#define SLOW_DISK "slow-disk" /* for db_options.vfs */

/* Once, before the first use. */
void slow_disk_register(int64_t added_ns);
uint64_t slow_disk_syncs(void); /* so far */

#endif

/* The best a plain program could do with the records of a bundle on these
 * cores: the limit for `import`. */
#ifndef LINESIDE_TESTS_BENCH_PLAIN_H
#define LINESIDE_TESTS_BENCH_PLAIN_H

#include <stddef.h>
#include <stdint.h>

/* For `records` of `octets` each: SHA-256 over the octets and three ECDSA
 * P-256 verifications per record on as many threads as there are cores,
 * contexts ready beforehand; beside them one thread that inserts the octets as
 * blobs into a new SQLite file in `dir` (WAL, synchronous=FULL, transactions
 * of as many octets as the station's), and helps the others when it is done.
 * Nothing is read, parsed or looked up. Wall clock from before the file is
 * opened until it is closed. */
int64_t plain_import_ns(const char *dir, size_t records, size_t octets);

#endif

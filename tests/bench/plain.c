#include "tests/bench/plain.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/lab/parallel.h"

#define VERIFICATIONS 3
#define POOL_OCTETS (32u << 20) /* records lie all over it: beyond any cache */
#define BATCH_OCTETS (4u << 20) /* as storage/bundles.c */

struct plain {
    uint8_t *pool;
    size_t records, octets;
    atomic_size_t next;
};

static void need(int ok, const char *what)
{
    if (!ok)
        bench_die("the limit of import: %s failed", what);
}

static const uint8_t *record(const struct plain *p, size_t i)
{
    return p->pool + i * p->octets % (POOL_OCTETS - p->octets);
}

/* --- proving -------------------------------------------------------------------- */

struct prover {
    EVP_MD *sha256;
    EVP_MD_CTX *md;
    EVP_PKEY_CTX *verify[VERIFICATIONS];
    uint8_t signature[VERIFICATIONS][80];
    size_t signature_len[VERIFICATIONS];
    uint8_t digest[32];
};

static void prover_new(struct prover *p)
{
    memset(p, 0, sizeof *p);
    p->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    p->md = EVP_MD_CTX_new();
    need(p->sha256 && p->md, "SHA-256");
    for (int i = 0; i < VERIFICATIONS; i++) {
        EVP_PKEY *key = EVP_EC_gen("P-256");
        EVP_PKEY_CTX *sign = key ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL)
                                 : NULL;
        p->signature_len[i] = sizeof p->signature[i];
        need(sign && EVP_PKEY_sign_init(sign) == 1 &&
             EVP_PKEY_sign(sign, p->signature[i], &p->signature_len[i],
                           p->digest, sizeof p->digest) == 1, "signing");
        p->verify[i] = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
        need(p->verify[i] && EVP_PKEY_verify_init(p->verify[i]) == 1,
             "making a verifier");
        EVP_PKEY_CTX_free(sign);
        EVP_PKEY_free(key);
    }
}

static void prover_clear(struct prover *p)
{
    for (int i = 0; i < VERIFICATIONS; i++)
        EVP_PKEY_CTX_free(p->verify[i]);
    EVP_MD_CTX_free(p->md);
    EVP_MD_free(p->sha256);
}

static void prove(struct prover *p, const uint8_t *octets, size_t n)
{
    uint8_t hash[32];

    need(EVP_DigestInit_ex2(p->md, p->sha256, NULL) == 1 &&
         EVP_DigestUpdate(p->md, octets, n) == 1 &&
         EVP_DigestFinal_ex(p->md, hash, NULL) == 1, "SHA-256");
    for (int i = 0; i < VERIFICATIONS; i++)
        need(EVP_PKEY_verify(p->verify[i], p->signature[i], p->signature_len[i],
                             p->digest, sizeof p->digest) == 1, "verifying");
}

static void prove_the_rest(struct plain *p)
{
    struct prover prover;
    size_t i;

    prover_new(&prover);
    while ((i = atomic_fetch_add(&p->next, 1)) < p->records)
        prove(&prover, record(p, i), p->octets);
    prover_clear(&prover);
}

static void *prover_main(void *ctx)
{
    prove_the_rest(ctx);
    return NULL;
}

/* --- inserting ------------------------------------------------------------------- */

static void sql(sqlite3 *db, const char *text)
{
    char *why = NULL;

    if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
        bench_die("the limit of import: %s: %s", text, why);
}

static sqlite3 *file_open(const char *path)
{
    sqlite3 *db;

    need(sqlite3_open(path, &db) == SQLITE_OK, "opening a file");
    sql(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
        "PRAGMA cache_size = -8192; PRAGMA wal_autocheckpoint = 4000;"
        "CREATE TABLE raw(n INTEGER PRIMARY KEY, octets BLOB)");
    return db;
}

static void insert_all(const struct plain *p, const char *path)
{
    sqlite3 *db = file_open(path);
    sqlite3_stmt *s;
    size_t batch = 0;

    need(sqlite3_prepare_v2(db, "INSERT INTO raw(octets) VALUES(?)", -1, &s,
                            NULL) == SQLITE_OK, "preparing");
    sql(db, "BEGIN");
    for (size_t i = 0; i < p->records; i++) {
        if (batch + p->octets > BATCH_OCTETS) {
            sql(db, "COMMIT; BEGIN");
            batch = 0;
        }
        batch += p->octets;
        sqlite3_bind_blob64(s, 1, record(p, i), p->octets, SQLITE_STATIC);
        need(sqlite3_step(s) == SQLITE_DONE, "inserting");
        sqlite3_reset(s);
    }
    sql(db, "COMMIT");
    sqlite3_finalize(s);
    need(sqlite3_close(db) == SQLITE_OK, "closing the file");
}

/* --- both ------------------------------------------------------------------------- */

int64_t plain_import_ns(const char *dir, size_t records, size_t octets)
{
    struct plain p = { .pool = malloc(POOL_OCTETS), .records = records,
                       .octets = octets };
    pthread_t thread[PARALLEL_MAX];
    unsigned threads = parallel_threads();
    char path[4096];

    need(p.pool && RAND_bytes(p.pool, POOL_OCTETS) == 1, "drawing octets");
    snprintf(path, sizeof path, "%s/plain.db", dir);
    int64_t t0 = bench_now_ns();
    for (unsigned i = 0; i < threads; i++)
        need(pthread_create(&thread[i], NULL, prover_main, &p) == 0,
             "starting a thread");
    insert_all(&p, path);
    prove_the_rest(&p);
    for (unsigned i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    int64_t ns = bench_now_ns() - t0;
    unlink(path);
    free(p.pool);
    return ns;
}

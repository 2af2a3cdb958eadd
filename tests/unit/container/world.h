/* A small world of certificates and one container of every kind, for the
 * tests of this room. Real keys, real chains; made anew for each run. */
#ifndef LINESIDE_TEST_CONTAINER_WORLD_H
#define LINESIDE_TEST_CONTAINER_WORLD_H

#include "station/container/signers.h"
#include "station/container/writer.h"
#include "tests/lab/pki/keys.h"

#define WORLD_OID "2.999.10" /* the SM-DPf      */
#define WORLD_EUM_OID "2.999.20"
#define WORLD_EUM_DATA "eum-data-1"
#define WORLD_STATION "station-1"
#define WORLD_AUTHORITY "authority-1"
#define WORLD_AT 1795473660 /* 2026-11-23 22:41:00Z: in manifests and records */

struct world {
    struct holder ci, eum, dpauth, dppb, euicc_data, euicc;
    struct holder dm, authority, station, own; /* own: self-signed */
    struct trust *ci_trust, *dm_trust;
    struct blobs allowed;
    char dir[64]; /* temporary, removed by world_clear */
};
void world_make(struct world *w);
void world_clear(struct world *w);

/* Trust in both roots, the allow-list, times not judged. */
struct container_trust world_trust(const struct world *w);

/* A filled manifest of this kind without id and segments. */
void world_manifest(const struct world *w, enum container_kind k,
                    struct manifest *m);
/* Who signs this kind. Caller frees s->chain with sk_X509_free. */
struct signer world_signer(const struct world *w, enum container_kind k);
/* Records of this kind: *n of them; record i appended to b. */
size_t world_record_count(enum container_kind k);
void world_record(const struct world *w, enum container_kind k, size_t i,
                  struct buf *b);
/* A whole container in w->dir, segments rolled at `roll` (0: as the writer
 * likes). Returns its path (caller frees); *m keeps the manifest. */
char *world_container(const struct world *w, enum container_kind k,
                      uint64_t roll, struct manifest *m, struct buf *cms);

/* Files. */
struct buf world_file(const char *dir, const char *name);
void world_file_write(const char *dir, const char *name, struct span s);
void world_remove(const char *dir); /* a folder of files */

#endif

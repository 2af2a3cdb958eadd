/* A small world of certificates and one container of every kind, for the
 * tests of this room. Real keys, real chains; made anew for each run. */
#ifndef LINESIDE_TEST_CONTAINER_SCENE_H
#define LINESIDE_TEST_CONTAINER_SCENE_H

#include "station/container/shift_record.h"
#include "station/container/signers.h"
#include "station/container/writer.h"
#include "tests/lab/pki/keys.h"

#define SCENE_OID "2.999.10" /* the SM-DPf      */
#define SCENE_EUM_OID "2.999.20"
#define SCENE_EUM_DATA "eum-data-1"
#define SCENE_STATION "station-1"
#define SCENE_AUTHORITY "authority-1"
#define SCENE_ORDER "orders-1"
#define SCENE_AT 1795473660 /* 2026-11-23 22:41:00Z: in manifests and records */

struct scene {
    struct holder ci, eum, dpauth, dppb, euicc_data, euicc;
    struct holder dm, authority, station, order, own; /* own: self-signed */
    struct trust *ci_trust, *dm_trust;
    struct blobs allowed;
    char dir[64]; /* temporary, removed by scene_clear */
};
void scene_make(struct scene *w);
void scene_clear(struct scene *w);

/* Trust in both roots, the allow-list, times not judged. */
struct container_trust scene_trust(const struct scene *w);

/* A filled manifest of this kind without id and segments. */
void scene_manifest(const struct scene *w, enum container_kind k,
                    struct manifest *m);
/* Who signs this kind. Caller frees s->chain with sk_X509_free. */
struct signer scene_signer(const struct scene *w, enum container_kind k);
/* Records of this kind: *n of them; record i appended to b. */
size_t scene_record_count(enum container_kind k);
void scene_record(const struct scene *w, enum container_kind k, size_t i,
                  struct buf *b);
/* The shift-record's record i as a struct. */
struct shift_record scene_shift_record(size_t i);
/* A whole container in w->dir, segments rolled at `roll` (0: as the writer
 * likes). Returns its path (caller frees); *m keeps the manifest. */
char *scene_container(const struct scene *w, enum container_kind k,
                      uint64_t roll, struct manifest *m, struct buf *cms);

/* Files. */
struct buf scene_file(const char *dir, const char *name);
void scene_file_write(const char *dir, const char *name, struct span s);
void scene_remove(const char *dir); /* a folder of files */

#endif

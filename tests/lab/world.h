/* lab/world.h: one directory that holds everything across the air gap:
 *
 *   world.json             curve, SM-DPfs; written last: without it no world
 *   PARTY.pem, PARTY.key   certificate, and its private key (0600)
 *   euicc/EID.db           the chips
 *   out/                   containers that the EUM gives out
 *   smdpf.db, authority.db the books of the SM-DPfs and of the authority
 *
 * Parties: ci/root; eum/eum, eum/data; dm/root, dm/authority, dm/order,
 * dm/release; and smdpf/NAME/dpauth, smdpf/NAME/dppb for each SM-DPf. */
#ifndef LINESIDE_LAB_WORLD_H
#define LINESIDE_LAB_WORLD_H

#include "station/base/err.h"
#include "station/ifpp/cert.h"
#include "tests/lab/pki/keys.h"

#define WORLD_SMDPF_MAX 90
#define WORLD_NAME_MAX 31
#define WORLD_EIN "89049032" /* what this EUM may certify: EID prefix */
#define WORLD_HOST_ID_LEN 16

struct world_smdpf {
    char name[WORLD_NAME_MAX + 1];
    char oid[REGISTERED_ID_MAX + 1];  /* 2.999.10, 2.999.11, … */
    char fqdn[WORLD_NAME_MAX + 24];   /* NAME.lineside.example */
    uint8_t host_id[WORLD_HOST_ID_LEN];
};

struct world {
    char *dir;
    int curve; /* NID */
    struct world_smdpf smdpf[WORLD_SMDPF_MAX];
    size_t smdpf_count;
};

/* Make the directory (an empty one may be there already; anything else is
 * ERR_CONFLICT), all keys and certificates. It becomes a world with
 * world_finish. names: 1 to WORLD_SMDPF_MAX, each [a-z0-9-]. */
int world_create(const char *dir, int curve_nid, const char *const *names,
                 size_t count, struct world *out, struct err *e);
int world_finish(const struct world *w, struct err *e);
int world_open(const char *dir, struct world *out, struct err *e);
void world_clear(struct world *w);

/* DIR/…, caller frees; NULL only without memory (err set). */
char *world_path(const struct world *w, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void str_free_p(char **s); /* for AUTO */

/* A party by its path; of an SM-DPf by role: "dpauth" or "dppb". */
int world_holder(const struct world *w, const char *party,
                   struct holder *out, struct err *e);
int world_smdpf_holder(const struct world *w, const struct world_smdpf *s,
                         const char *role, struct holder *out,
                         struct err *e);
int world_cert(const struct world *w, const char *party, X509 **out,
               struct err *e);
int world_cert_der(const struct world *w, const char *party, struct buf *out,
                   struct err *e);
/* Trust in one root: "ci/root" or "dm/root". */
int world_trust(const struct world *w, const char *root, struct trust **out,
                struct err *e);
/* By name or OID; NULL when there is none. */
const struct world_smdpf *world_find_smdpf(const struct world *w,
                                           const char *name_or_oid);

#endif

/* smdpf/produce.h: from unused one-time keys to a bpp-bundle: the SM-DPf
 * generates each profile, protects it, binds it, remembers what it issued. */
#ifndef LINESIDE_LAB_SMDPF_PRODUCE_H
#define LINESIDE_LAB_SMDPF_PRODUCE_H

#include "station/ifpp/cert.h"
#include "tests/lab/sql.h"
#include "tests/lab/world.h"

struct given_upp {
    char name[64];     /* what the profile will be called */
    struct buf der;
};

struct produce_order {
    const struct world_smdpf *smdpf;
    /* Recipients: key ids, or a site. */
    const uint8_t (*stations)[32];
    size_t station_count;
    const char *site;          /* used when there are no stations */
    /* For whom. */
    const struct eid *eids;    /* none: all with enough unused keys */
    size_t eid_count;
    size_t count;              /* at most so many eUICCs; 0: no limit */
    size_t per_euicc;          /* profiles for each                 */
    const struct txid *keys;   /* none of that: for just these keys */
    size_t key_count;
    /* What. */
    const struct given_upp *upp; /* round robin; none: generated    */
    size_t upp_count;
    const char *name, *provider; /* of each; NULL: as they fall     */
    size_t target_size;        /* of a generated profile, 0: as it falls */
    bool session_keys;         /* instead of PPKs                   */
    bool keep_upp;             /* remember the clear profile        */
    int64_t valid_s;           /* not-after, from now               */
    const char *out;           /* directory for the container       */
    unsigned threads;
};

struct produced {
    char *container;           /* path, caller frees */
    char id[37];
    size_t bpps, euiccs;
    size_t skipped;            /* eUICCs with too few unused keys left */
};

/* ERR_NOT_FOUND: an EID is not known or has too few unused keys for this
 * SM-DPf, or no eUICC has any. On failure nothing counts as issued. */
int smdpf_produce(const struct world *w, struct sql *book,
                  const struct produce_order *o, struct produced *out,
                  struct err *e);

#endif

/* storage/station.h: who this station is and whom it trusts. One row and its
 * lists, replaced as a whole in one transaction with one event. The private
 * key is not here: it is the file DATA/station.key. */
#ifndef LINESIDE_STORAGE_STATION_H
#define LINESIDE_STORAGE_STATION_H

#include "storage/bundles.h"
#include "storage/db.h"

#define STATION_TEXT_MAX 63

struct station {
    char id[STATION_TEXT_MAX + 1];   /* subject serialNumber of its certificate */
    uint8_t root_sha256[32];         /* pinned at init: of the DM root's DER    */
    uint8_t key_id[32];              /* SHA-256 of its SubjectPublicKeyInfo     */
    bool commissioned;               /* the rest is filled                      */
    char site[STATION_TEXT_MAX + 1]; /* "" if none */
    struct buf chain;                /* station certificate first, DER */
    struct buf dm_root;              /* DER */
    struct buf *ci_roots;            /* DER each */
    size_t ci_root_count;
    char (*allowed_smdp)[STATION_TEXT_MAX + 1]; /* OID text */
    size_t allowed_smdp_count;
    struct buf recovery;             /* recovery certificate first, DER; empty:
                                        the authority gave none */
    uint64_t cert_sequence;          /* of the station-cert in force */
    uint64_t epoch;                  /* 1, and one more with each restore */
};
void station_init_empty(struct station *s);
void station_clear(struct station *s);

/* At `init`, once: event "station-initialised". ERR_CONFLICT when there is a
 * station already. */
int station_create(struct tx *tx, const char *id,
                   const uint8_t root_sha256[32], const uint8_t key_id[32],
                   const char *actor, struct err *e);

/* What a station-cert container brings. All borrowed. */
struct station_trust {
    const char *site; /* NULL or "": none */
    struct span chain, dm_root;
    struct span recovery; /* may be empty */
    const struct span *ci_roots;
    size_t ci_root_count;
    const char *const *allowed_smdp;
    size_t allowed_smdp_count;
};
/* Replace chain, site and trust; remember the container; event
 * "station-cert-imported". ERR_REPLAY: id seen, or its sequence does not rise;
 * ERR_CONFLICT: SHA-256 of dm_root is not the pinned one. */
int station_commission(struct tx *tx, const struct container_seen *c,
                       const struct station_trust *t, const char *actor,
                       struct err *e);

/* *out must be empty or cleared. ERR_NOT_FOUND: init was not finished. */
int station_get(struct db *db, struct station *out, struct err *e);

#endif

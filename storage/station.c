#include "storage/station.h"

#include "storage/containers.h"
#include "storage/inner.h"

#include <stdio.h>
#include <stdlib.h>

void station_init_empty(struct station *s)
{
    *s = (struct station){ .commissioned = false };
}

void station_clear(struct station *s)
{
    buf_clear(&s->chain);
    buf_clear(&s->dm_root);
    buf_clear(&s->recovery);
    for (size_t i = 0; i < s->ci_root_count; i++)
        buf_clear(&s->ci_roots[i]);
    free(s->ci_roots);
    free(s->allowed_smdp);
    station_init_empty(s);
}

static int text_ok(const char *s, bool may_be_empty, const char *what,
                   struct err *e)
{
    size_t n = strlen(s);

    if ((n == 0 && !may_be_empty) || n > STATION_TEXT_MAX ||
        !event_text_ok(SPAN(s, n)))
        return err_set(e, ERR_USAGE, "%s must be plain text of %s%d octets",
                       what, may_be_empty ? "at most " : "1 to ",
                       STATION_TEXT_MAX);
    return 0;
}

/* --- init ---------------------------------------------------------------------- */

static int station_exists(struct db *db, bool *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT 1 FROM station", e) != 0)
        return -1;
    int row = q_step(&q, e);
    *out = row > 0;
    return row < 0 ? -1 : 0;
}

int station_create(struct tx *tx, const char *id,
                   const uint8_t root_sha256[32], const uint8_t key_id[32],
                   const char *actor, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    struct fields f = { .n = 0 };
    struct event_head head;
    char root[65], key[65];
    bool exists;

    if (text_ok(id, false, "the station's id", e) != 0 ||
        station_exists(tx->db, &exists, e) != 0)
        return -1;
    if (exists)
        return err_set(e, ERR_CONFLICT, "this ledger already belongs to a "
                       "station; use another data directory");
    fields_add(&f, "station", id);
    fields_add(&f, "root-sha256", hex_encode(SPAN(root_sha256, 32), root,
                                             sizeof root));
    fields_add(&f, "key-id", hex_encode(SPAN(key_id, 32), key, sizeof key));
    if (event_write(tx, "station-initialised", actor, &f, &head, e) != 0 ||
        q_open(&q, tx->db, "INSERT INTO station(one, id, root_sha256, key_id,"
               " event) VALUES(1, ?, ?, ?, ?)", e) != 0)
        return -1;
    q_text(&q, id);
    q_octets(&q, SPAN(root_sha256, 32));
    q_octets(&q, SPAN(key_id, 32));
    q_int(&q, (int64_t)head.number);
    return q_run(&q, e);
}

/* --- station-cert ---------------------------------------------------------------- */

/* Must rise (binding, clause 5). Sequences are counted per issuer and
 * recipient list; across lists the time of making decides. */
static int must_rise(struct db *db, const struct container_seen *c,
                     struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT coalesce(max(CASE WHEN issuer = ?1 AND"
               " recipients = ?2 THEN sequence END), 0),"
               " coalesce(max(created_at), 0) FROM container"
               " WHERE kind = 3 AND state = 1", e) != 0)
        return -1;
    q_text(&q, c->issuer);
    q_octets(&q, SPAN_ARRAY(c->recipients));
    if (q_step(&q, e) <= 0)
        return -1;
    if (c->sequence <= (uint64_t)q_get_int(&q, 0))
        return err_set(e, ERR_REPLAY, "this station-cert has number %llu, the "
                       "station already has number %lld; ask for a newer one",
                       (unsigned long long)c->sequence,
                       (long long)q_get_int(&q, 0));
    if (c->created_at < q_get_int(&q, 1))
        return err_set(e, ERR_REPLAY, "this station-cert is older than the "
                       "one in force; ask for a newer one");
    return 0;
}

static int root_pinned(struct db *db, struct span dm_root, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    uint8_t hash[EVENT_HASH];
    char want[65], got[65];

    if (q_open(&q, db, "SELECT root_sha256 FROM station", e) != 0)
        return -1;
    int row = q_step(&q, e);
    if (row < 0)
        return -1;
    if (!row)
        return err_set(e, ERR_NOT_FOUND, "the station is not initialised; run "
                       "`lineside init`");
    event_hash(dm_root, hash);
    if (span_eq(q_get_octets(&q, 0), SPAN_ARRAY(hash)))
        return 0;
    return err_set(e, ERR_CONFLICT, "the Device Manufacturer root has SHA-256 "
                   "%s, but %s was given at init",
                   hex_encode(SPAN_ARRAY(hash), got, sizeof got),
                   hex_encode(q_get_octets(&q, 0), want, sizeof want));
}

static int list_empty(struct tx *tx, const char *sql, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    return q_open(&q, tx->db, sql, e) != 0 ? -1 : q_run(&q, e);
}

static int roots_put(struct tx *tx, const struct station_trust *t,
                     struct err *e)
{
    if (list_empty(tx, "DELETE FROM ci_root", e) != 0)
        return -1;
    for (size_t i = 0; i < t->ci_root_count; i++) {
        AUTO(q_close) struct q q = { 0 };
        if (q_open(&q, tx->db, "INSERT INTO ci_root(n, der) VALUES(?, ?)",
                   e) != 0)
            return -1;
        q_int(&q, (int64_t)i);
        q_octets(&q, t->ci_roots[i]);
        if (q_run(&q, e) != 0)
            return -1;
    }
    return 0;
}

static int allowed_put(struct tx *tx, const struct station_trust *t,
                       struct err *e)
{
    if (list_empty(tx, "DELETE FROM allowed_smdp", e) != 0)
        return -1;
    for (size_t i = 0; i < t->allowed_smdp_count; i++) {
        AUTO(q_close) struct q q = { 0 };
        if (text_ok(t->allowed_smdp[i], false, "an SM-DPf's OID", e) != 0 ||
            q_open(&q, tx->db, "INSERT INTO allowed_smdp(n, oid) VALUES(?, ?)"
                   " ON CONFLICT(oid) DO NOTHING", e) != 0)
            return -1;
        q_int(&q, (int64_t)i);
        q_text(&q, t->allowed_smdp[i]);
        if (q_run(&q, e) != 0)
            return -1;
    }
    return 0;
}

static int trust_put(struct tx *tx, int64_t container,
                     const struct station_trust *t, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (roots_put(tx, t, e) != 0 || allowed_put(tx, t, e) != 0 ||
        q_open(&q, tx->db, "UPDATE station SET site = ?, chain = ?,"
               " dm_root = ?, recovery = ?, cert_container = ?", e) != 0)
        return -1;
    q_text(&q, t->site ? t->site : "");
    q_octets(&q, t->chain);
    q_octets(&q, t->dm_root);
    q_octets_or_null(&q, t->recovery);
    q_int(&q, container);
    return q_run(&q, e);
}

static int next_event(struct db *db, uint64_t *out, struct err *e)
{
    struct event_head head;

    if (event_head(db, &head, e) != 0)
        return -1;
    *out = head.number + 1;
    return 0;
}

static int cert_event(struct tx *tx, int64_t container,
                      const struct station_trust *t, const char *actor,
                      struct err *e)
{
    struct fields f = { .n = 0 };
    struct event_head head;
    uint8_t hash[EVENT_HASH];
    char sum[65], recovery[65], roots[NUMBER_TEXT], allowed[NUMBER_TEXT];
    uint64_t missing;

    event_hash(t->chain, hash);
    fields_add(&f, "site", t->site ? t->site : "");
    fields_add(&f, "chain-sha256", hex_encode(SPAN_ARRAY(hash), sum,
                                              sizeof sum));
    fields_add(&f, "ci-roots", number_text((int64_t)t->ci_root_count, roots));
    fields_add(&f, "allowed-smdp", number_text((int64_t)t->allowed_smdp_count,
                                               allowed));
    if (t->recovery.n) {
        event_hash(t->recovery, hash);
        fields_add(&f, "recovery-sha256", hex_encode(SPAN_ARRAY(hash), recovery,
                                                     sizeof recovery));
    }
    return container_event(tx, container, "station-cert-imported", actor, &f,
                           &missing, &head, e);
}

int station_commission(struct tx *tx, const struct container_seen *c,
                       const struct station_trust *t, const char *actor,
                       struct err *e)
{
    uint64_t number;
    int64_t container;

    if (c->kind != SEEN_STATION_CERT)
        return err_set(e, ERR_INTERNAL, "not a station-cert");
    if (container_check(c, e) != 0 || container_fresh(tx->db, c->id, e) != 0 ||
        must_rise(tx->db, c, e) != 0 ||
        root_pinned(tx->db, t->dm_root, e) != 0 ||
        text_ok(t->site ? t->site : "", true, "the site", e) != 0)
        return -1;
    /* As in an import: the row first, for the floor; its event right after. */
    return next_event(tx->db, &number, e) != 0 ||
           container_put(tx, c, CONTAINER_LIVE, NULL, number, &container,
                         e) != 0 ||
           trust_put(tx, container, t, e) != 0 ||
           cert_event(tx, container, t, actor, e) != 0 ? -1 : 0;
}

/* --- reading ----------------------------------------------------------------------- */

static int row_read(struct db *db, struct station *s, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT s.id, s.root_sha256, s.key_id, s.site, s.chain,"
               " s.dm_root, c.sequence, s.recovery, s.epoch FROM station s"
               " LEFT JOIN container c ON c.container = s.cert_container",
               e) != 0)
        return -1;
    int row = q_step(&q, e);
    if (row < 0)
        return -1;
    if (!row)
        return err_set(e, ERR_NOT_FOUND, "the station is not initialised; run "
                       "`lineside init` again");
    q_get_string(&q, 0, s->id, sizeof s->id);
    q_get_fixed(&q, 1, s->root_sha256, sizeof s->root_sha256);
    q_get_fixed(&q, 2, s->key_id, sizeof s->key_id);
    q_get_string(&q, 3, s->site, sizeof s->site);
    s->commissioned = !q_is_null(&q, 4);
    buf_put_span(&s->chain, q_get_octets(&q, 4));
    buf_put_span(&s->dm_root, q_get_octets(&q, 5));
    s->cert_sequence = (uint64_t)q_get_int(&q, 6);
    buf_put_span(&s->recovery, q_get_octets(&q, 7));
    s->epoch = (uint64_t)q_get_int(&q, 8);
    return buf_ok(&s->chain) && buf_ok(&s->dm_root) && buf_ok(&s->recovery) ? 0
         : err_set(e, ERR_NOMEM, "no memory for the station's certificates");
}

static int roots_read(struct db *db, struct station *s, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    int row;

    if (q_open(&q, db, "SELECT der FROM ci_root ORDER BY n", e) != 0)
        return -1;
    while ((row = q_step(&q, e)) > 0) {
        void *v = list_grow(s->ci_roots, s->ci_root_count, sizeof *s->ci_roots, e);
        if (!v)
            return -1;
        s->ci_roots = v;
        struct buf *b = &s->ci_roots[s->ci_root_count++];
        *b = (struct buf)BUF_INIT;
        buf_put_span(b, q_get_octets(&q, 0));
        if (!buf_ok(b))
            return err_set(e, ERR_NOMEM, "no memory for the CI roots");
    }
    return row;
}

static int allowed_read(struct db *db, struct station *s, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    int row;

    if (q_open(&q, db, "SELECT oid FROM allowed_smdp ORDER BY n", e) != 0)
        return -1;
    while ((row = q_step(&q, e)) > 0) {
        void *v = list_grow(s->allowed_smdp, s->allowed_smdp_count,
                            sizeof *s->allowed_smdp, e);
        if (!v)
            return -1;
        s->allowed_smdp = v;
        q_get_string(&q, 0, s->allowed_smdp[s->allowed_smdp_count++],
                     sizeof *s->allowed_smdp);
    }
    return row;
}

static int read_all(struct db *db, void *ctx, struct err *e)
{
    return row_read(db, ctx, e) != 0 || roots_read(db, ctx, e) != 0 ||
           allowed_read(db, ctx, e) != 0 ? -1 : 0;
}

int station_get(struct db *db, struct station *out, struct err *e)
{
    struct station s;

    station_init_empty(&s);
    if (db_snapshot(db, read_all, &s, e) != 0) {
        station_clear(&s);
        return -1;
    }
    *out = s;
    return 0;
}

/* Containers seen, their gaps, and one-time keys the station has heard of. */
#include "storage/containers.h"

#include <stdlib.h>

int container_check(const struct container_seen *c, struct err *e)
{
    size_t id = strlen(c->id), issuer = strlen(c->issuer);

    if (id == 0 || id > 36 || !event_text_ok(SPAN(c->id, id)) ||
        issuer == 0 || issuer > 63 || !event_text_ok(SPAN(c->issuer, issuer)))
        return err_set(e, ERR_FORMAT, "a container without a good id and "
                       "issuer");
    if (c->sequence == 0 || c->sequence > INT64_MAX)
        return err_set(e, ERR_LIMIT, "container %s: sequence numbers are "
                       "counted from 1", c->id);
    return 0;
}

int container_known(struct db *db, const char *id, bool *known, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT 1 FROM container WHERE id = ? AND state = 1",
               e) != 0)
        return -1;
    q_text(&q, id);
    int row = q_step(&q, e);
    *known = row > 0;
    return row < 0 ? -1 : 0;
}

int container_fresh(struct db *db, const char *id, struct err *e)
{
    bool known;

    if (container_known(db, id, &known, e) != 0)
        return -1;
    return !known ? 0
         : err_set(e, ERR_REPLAY, "container %s was imported before; nothing "
                   "was changed", id);
}

int container_put(struct tx *tx, const struct container_seen *c, int state,
                  const char *smdp_oid, uint64_t event, int64_t *out,
                  struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "INSERT INTO container(id, kind, state, issuer,"
               " sequence, recipients, manifest_sha256, created_at, not_after,"
               " smdp_oid, event) VALUES(?,?,?,?, ?,?,?,?,?, ?,?)", e) != 0)
        return -1;
    q_text(&q, c->id);
    q_int(&q, c->kind);
    q_int(&q, state);
    q_text(&q, c->issuer);
    q_int(&q, (int64_t)c->sequence);
    q_octets(&q, SPAN_ARRAY(c->recipients));
    q_octets(&q, SPAN_ARRAY(c->manifest_sha256));
    q_int(&q, c->created_at);
    q_int(&q, c->not_after);
    q_text(&q, smdp_oid);
    q_int_or_null(&q, (int64_t)event);
    if (q_run(&q, e) != 0)
        return -1;
    if (out)
        *out = sqlite3_last_insert_rowid(tx->db->sql);
    return 0;
}

int container_remember(struct tx *tx, const struct container_seen *c,
                       uint64_t event, struct err *e)
{
    return container_check(c, e) != 0 ||
           container_fresh(tx->db, c->id, e) != 0 ||
           container_put(tx, c, CONTAINER_LIVE, NULL, event, NULL, e) != 0
         ? -1 : 0;
}

int container_highest(struct db *db, enum seen_kind k, const char *issuer,
                      uint64_t *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT coalesce(max(sequence), 0) FROM container"
               " WHERE issuer = ? AND kind = ? AND state = 1", e) != 0)
        return -1;
    q_text(&q, issuer);
    q_int(&q, k);
    if (q_step(&q, e) <= 0)
        return -1;
    *out = (uint64_t)q_get_int(&q, 0);
    return 0;
}

/* --- the event of an arrival --------------------------------------------------------- */

struct arrival {
    char issuer[64], sequence[NUMBER_TEXT], missing[NUMBER_TEXT];
    char sum[2 * EVENT_HASH + 1];
};

/* Its row, and how many with lower numbers have not come. */
static int arrival_read(struct db *db, int64_t container, struct arrival *a,
                        uint64_t *missing, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT c.issuer, c.sequence, c.manifest_sha256,"
               " c.sequence - 1 - (SELECT count(DISTINCT o.sequence)"
               "  FROM container o WHERE o.issuer = c.issuer AND"
               "  o.recipients = c.recipients AND o.sequence < c.sequence AND"
               "  o.state = 1) FROM container c WHERE c.container = ?", e) != 0)
        return -1;
    q_int(&q, container);
    if (q_step(&q, e) <= 0)
        return err_set(e, ERR_INTERNAL, "the container's row is gone");
    q_get_string(&q, 0, a->issuer, sizeof a->issuer);
    number_text(q_get_int(&q, 1), a->sequence);
    hex_encode(q_get_octets(&q, 2), a->sum, sizeof a->sum);
    *missing = (uint64_t)q_get_int(&q, 3);
    number_text((int64_t)*missing, a->missing);
    return 0;
}

int container_event(struct tx *tx, int64_t container, const char *kind,
                    const char *actor, struct fields *f, uint64_t *missing,
                    struct event_head *out, struct err *e)
{
    struct arrival a;

    if (arrival_read(tx->db, container, &a, missing, e) != 0)
        return -1;
    fields_add(f, "issuer", a.issuer);
    fields_add(f, "sequence", a.sequence);
    fields_add(f, "manifest-sha256", a.sum);
    if (*missing)
        fields_add(f, "missing-before", a.missing);
    return event_write(tx, kind, actor, f, out, e);
}

/* --- gaps ------------------------------------------------------------------------------ */

void container_gaps_clear(struct container_gaps *g)
{
    free(g->v);
    *g = (struct container_gaps){ NULL, 0 };
}

static int gap_add(struct container_gaps *g, struct q *q, struct err *e)
{
    void *p = list_grow(g->v, g->n, sizeof *g->v, e);

    if (!p)
        return -1;
    g->v = p;
    struct container_gap *to = &g->v[g->n++];
    q_get_string(q, 0, to->issuer, sizeof to->issuer);
    q_get_fixed(q, 1, to->recipients, sizeof to->recipients);
    to->first = (uint64_t)q_get_int(q, 2);
    to->last = (uint64_t)q_get_int(q, 3);
    to->kind = (enum seen_kind)q_get_int(q, 4);
    return 0;
}

/* A station-cert that was left out can never come: they must rise. */
int container_gaps(struct db *db, const char *issuer,
                   struct container_gaps *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    struct container_gaps g = { NULL, 0 };
    int row;

    if (q_open(&q, db, "WITH s AS (SELECT issuer, recipients, sequence, kind,"
               " lag(sequence, 1, 0) OVER (PARTITION BY issuer, recipients"
               " ORDER BY sequence) AS before FROM container"
               " WHERE state = 1 AND kind <> 3 AND (?1 IS NULL OR issuer = ?1))"
               " SELECT issuer, recipients, before + 1, sequence - 1, kind FROM s"
               " WHERE sequence > before + 1"
               " ORDER BY issuer, recipients, sequence", e) != 0)
        return -1;
    q_text(&q, issuer);
    while ((row = q_step(&q, e)) > 0)
        if (gap_add(&g, &q, e) != 0) {
            row = -1;
            break;
        }
    if (row < 0) {
        container_gaps_clear(&g);
        return -1;
    }
    container_gaps_clear(out);
    *out = g;
    return 0;
}

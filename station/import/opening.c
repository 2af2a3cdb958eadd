#include "station/import/opening.h"

#include "station/import/accept.h"
#include "storage/events.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int trust_of(const struct station *s, int64_t at,
                    struct import_trust *t, struct err *e)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);

    memset(t, 0, sizeof *t);
    memcpy(t->root_sha256, s->root_sha256, sizeof t->root_sha256);
    buf_put_span(&t->dm_root, buf_span(&s->dm_root));
    for (size_t i = 0; i < s->ci_root_count; i++)
        if (blobs_add(&t->ci_roots, buf_span(&s->ci_roots[i])) != 0)
            goto nomem;
    for (size_t i = 0; i < s->allowed_smdp_count; i++)
        if (blobs_add(&t->allowed_smdp, SPAN_STR(s->allowed_smdp[i])) != 0)
            goto nomem;
    if (!buf_ok(&t->dm_root))
        goto nomem;
    t->at = at;
    t->threads = cpus < 1 ? 1 : cpus > 8 ? 8 : (unsigned)cpus;
    return 0;
nomem:
    import_trust_clear(t);
    return err_set(e, ERR_NOMEM, "out of memory");
}

void opening_clear(struct opening *o)
{
    manifest_clear(&o->m);
    buf_clear(&o->dm_root);
}

static int opening_parse(struct span in, struct opening *o, struct err *e)
{
    if (in.n < 36)
        goto bad;
    memcpy(o->cms_sha256, in.p, 32);
    size_t n = (size_t)in.p[32] << 24 | (size_t)in.p[33] << 16 |
               (size_t)in.p[34] << 8 | in.p[35];
    if (n > in.n - 36)
        goto bad;
    buf_put_span(&o->dm_root, span_sub(in, 36, n));
    if (!buf_ok(&o->dm_root))
        return err_set(e, ERR_NOMEM, "out of memory");
    return manifest_decode(span_sub(in, 36 + n, in.n), &o->m, e);
bad:
    return err_set(e, ERR_INTERNAL, "import process: bad manifest frame");
}

int opening_child(struct db *db, const struct station *s, const char *path,
                  struct import_child *c, struct err *e)
{
    struct ledger_clock clock;
    struct import_trust t;

    if (ledger_clock(db, &clock, e) != 0 || trust_of(s, clock.now, &t, e) != 0)
        return -1;
    int bad = import_child_start(c, path, &t, e);
    import_trust_clear(&t);
    return bad;
}

int opening_trusts(const struct station *s, struct err *e)
{
    return s->commissioned ? 0
         : err_set(e, ERR_WRONG_STATE,
                   "this station has no certificate yet and trusts nobody; "
                   "import its station-cert first (`lineside station-cert`)");
}

int opening_read(struct db *db, const struct station *s, struct import_child *c,
                 struct opening *o, struct err *e)
{
    enum frame_type type;
    struct span payload;
    struct ledger_clock clock;

    if (import_child_next(c, &type, &payload, e) != 0)
        return -1;
    if (type != FRAME_MANIFEST)
        return err_set(e, ERR_INTERNAL, "import process: frame out of order");
    if (opening_parse(payload, o, e) != 0 || ledger_clock(db, &clock, e) != 0)
        return -1;
    return accept_manifest(&o->m, s, &clock, e);
}

int opening_is_all(struct import_child *c, struct err *e)
{
    enum frame_type type;
    struct span payload;

    if (import_child_next(c, &type, &payload, e) != 0)
        return -1;
    return type == FRAME_END ? 0
         : err_set(e, ERR_INTERNAL, "import process: frame out of order");
}

const char *opening_actor(const struct import_child *c)
{
    return c->watch && c->watch->actor ? c->watch->actor : IMPORT_ACTOR;
}

int opening_still(const struct import_child *c, struct tx *tx, struct err *e)
{
    const struct import_watch *w = c->watch;

    return w && w->still ? w->still(tx, w->ctx, e) : 0;
}

struct container_seen opening_seen(const struct opening *o, enum seen_kind kind)
{
    struct container_seen c = {
        .kind = kind, .id = o->m.id, .issuer = o->m.issuer,
        .sequence = o->m.sequence, .created_at = o->m.created_at,
        .not_after = o->m.not_after,
    };
    memcpy(c.manifest_sha256, o->cms_sha256, sizeof c.manifest_sha256);
    accept_recipients_hash(&o->m.recipients, c.recipients);
    return c;
}

void opening_result(const struct opening *o, struct import_result *r)
{
    r->kind = o->m.kind;
    memcpy(r->id, o->m.id, sizeof r->id);
    memcpy(r->issuer, o->m.issuer, sizeof r->issuer);
    r->sequence = o->m.sequence;
    r->not_after = o->m.not_after;
}

struct span *blobs_spans(const struct blobs *b)
{
    struct span *v = calloc(b->n ? b->n : 1, sizeof *v);

    for (size_t i = 0; v && i < b->n; i++)
        v[i] = buf_span(&b->v[i]);
    return v;
}

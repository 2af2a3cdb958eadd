#include "tests/lab/pki/orders.h"

#include "station/base/clock.h"
#include "station/container/writer.h"
#include "tests/lab/sql.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

static int fill(const struct desk_order *o, struct manifest *m, struct err *e)
{
    bool full = false;

    m->kind = KIND_WORK_ORDER;
    m->created_at = clock_system();
    m->not_after = m->created_at + o->valid_s;
    m->recipients.kind = o->site ? RCPT_SITE : RCPT_STATIONS;
    if (o->site)
        full |= blobs_add(&m->recipients.list, SPAN_STR(o->site)) != 0;
    for (size_t i = 0; !o->site && i < o->station_count; i++)
        full |= blobs_add(&m->recipients.list, SPAN(o->stations[i], 32)) != 0;
    m->order = malloc(sizeof *m->order);
    if (full || !m->order)
        return err_set(e, ERR_NOMEM, "out of memory");
    *m->order = *o->spec;
    return 0;
}

/* Counted per recipient list. */
static int next_sequence(const struct world *w, struct manifest *m, struct err *e)
{
    AUTO(str_free_p) char *path = world_path(w, e, "authority.db");
    AUTO(sql_close_p) struct sql *book = NULL;
    AUTO(buf_clear) struct buf list = BUF_INIT;
    uint8_t hash[32];
    char name[80] = "order ";
    int64_t n;

    for (size_t i = 0; i < m->recipients.list.n; i++)
        buf_put_span(&list, buf_span(&m->recipients.list.v[i]));
    SHA256(list.p, list.n, hash);
    hex_encode(SPAN_ARRAY(hash), name + strlen(name), 65);
    if (!path || sql_open(path, SEQUENCE_SCHEMA, &book, e) != 0 ||
        sequence_take(book, name, 1, &n, e) != 0)
        return -1;
    m->sequence = (uint64_t)n;
    return 0;
}

int orders_issue(const struct world *w, const struct desk_order *o,
                 char **container, struct err *e)
{
    AUTO(holder_clear) struct holder desk = { NULL, NULL };
    AUTO(manifest_clear) struct manifest m;
    struct container_writer *cw;

    manifest_init(&m);
    if (world_holder(w, "dm/order", &desk, e) != 0 || fill(o, &m, e) != 0)
        return -1;
    if (cert_registered_id(desk.cert, m.issuer) != 0)
        return err_set(e, ERR_FORMAT, "dm/order.pem names no id");
    if (next_sequence(w, &m, e) != 0 ||
        container_writer_open(o->out, &m, &cw, e) != 0)
        return -1;
    struct signer s = { desk.key, desk.cert, NULL };
    return container_writer_seal(cw, &s, NULL, container, e);
}

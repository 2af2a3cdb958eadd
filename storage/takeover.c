/* A restored ledger changes hands (storage/backups.h). */
#include "storage/backups.h"

#include "storage/inner.h"
#include "storage/station.h"

static int retire(struct tx *tx, const struct station *was,
                  const struct takeover *t, const struct event_head *head,
                  uint64_t event, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "INSERT INTO retired_station(epoch, id, key_id, backup,"
               " last_event, event) VALUES(?,?,?,?,?,?)", e) != 0)
        return -1;
    q_int(&q, (int64_t)was->epoch);
    q_text(&q, was->id);
    q_octets(&q, SPAN_ARRAY(was->key_id));
    q_text(&q, t->backup);
    q_int(&q, (int64_t)head->number);
    q_int(&q, (int64_t)event);
    return q_run(&q, e);
}

static int begin_epoch(struct tx *tx, const struct takeover *t, uint64_t epoch,
                       struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "UPDATE station SET id = ?, key_id = ?, epoch = ?,"
               " chain = NULL, cert_container = NULL", e) != 0)
        return -1;
    q_text(&q, t->station);
    q_octets(&q, SPAN_ARRAY(t->key_id));
    q_int(&q, (int64_t)epoch);
    return q_run(&q, e);
}

static int restored_event(struct tx *tx, const struct station *was,
                          const struct takeover *t, const struct event_head *head,
                          const char *actor, uint64_t *event, struct err *e)
{
    struct fields f = { .n = 0 };
    struct event_head now;
    char epoch[NUMBER_TEXT], last[NUMBER_TEXT], sum[65], before[65], key[65];

    fields_add(&f, "backup", t->backup);
    fields_add(&f, "epoch", number_text((int64_t)was->epoch + 1, epoch));
    fields_add(&f, "station", t->station);
    fields_add(&f, "key-id", hex_encode(SPAN_ARRAY(t->key_id), key, sizeof key));
    fields_add(&f, "station-before", was->id);
    fields_add(&f, "key-id-before", hex_encode(SPAN_ARRAY(was->key_id), before,
                                               sizeof before));
    fields_add(&f, "last-event", number_text((int64_t)head->number, last));
    fields_add(&f, "head", hex_encode(SPAN_ARRAY(head->hash), sum, sizeof sum));
    if (event_write(tx, "restored", actor, &f, &now, e) != 0)
        return -1;
    *event = now.number;
    return 0;
}

int ledger_take_over(struct tx *tx, const struct takeover *t, const char *actor,
                     uint64_t *epoch, struct err *e)
{
    AUTO(station_clear) struct station was;
    struct event_head head;
    uint64_t event;

    station_init_empty(&was);
    if (station_get(tx->db, &was, e) != 0 || event_head(tx->db, &head, e) != 0)
        return -1;
    if (memcmp(was.key_id, t->key_id, sizeof was.key_id) == 0 ||
        strcmp(was.id, t->station) == 0)
        return err_set(e, ERR_CONFLICT, "%s is the station that the backup is "
                       "of; a restored ledger needs a new id and a new key",
                       was.id);
    if (restored_event(tx, &was, t, &head, actor, &event, e) != 0 ||
        retire(tx, &was, t, &head, event, e) != 0)
        return -1;
    *epoch = was.epoch + 1;
    return begin_epoch(tx, t, *epoch, e);
}

int retired_last(struct db *db, struct retired_station *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT r.epoch, r.id, r.backup, r.last_event, v.at"
               " FROM retired_station r JOIN event v ON v.number = r.event"
               " ORDER BY r.epoch DESC LIMIT 1", e) != 0)
        return -1;
    int row = q_step(&q, e);
    if (row < 0)
        return -1;
    if (!row)
        return err_set(e, ERR_NOT_FOUND, "this ledger was never restored");
    *out = (struct retired_station){ .epoch = (uint64_t)q_get_int(&q, 0),
                                     .last_event = (uint64_t)q_get_int(&q, 3),
                                     .restored_at = q_get_int(&q, 4) };
    q_get_string(&q, 1, out->id, sizeof out->id);
    q_get_string(&q, 2, out->backup, sizeof out->backup);
    return 0;
}

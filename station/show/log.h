/* show/log.h: the ledger's events, a page at a time. */
#ifndef LINESIDE_SHOW_LOG_H
#define LINESIDE_SHOW_LOG_H

#include "storage/queries.h"

#include <jansson.h>

struct show_log {
    struct log_filter f;
    bool has_since, has_until;
    int64_t since, until;
};
/* The times become numbers of events in f: the ledger's times never fall. */
int show_log_times(struct db *db, struct show_log *o, struct err *e);

/* Newest first, with the head of the hash chain; all of one moment.
 * {"events":[...],"lookedTo":N|null,"chain":{"event","hash"}}. f.limit is not 0. */
int show_log(struct db *db, struct show_log *o, json_t **out, struct err *e);

#endif

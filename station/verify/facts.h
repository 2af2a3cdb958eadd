/* verify/facts.h: what must stand both in a loading-report and in the events
 * that it reports: one fact for each record, one for each event that makes
 * one. Their numbers are the same, and so is the hash of the evidence. */
#ifndef LINESIDE_VERIFY_FACTS_H
#define LINESIDE_VERIFY_FACTS_H

#include "station/container/report_record.h"
#include "station/ifpp/event.h"

struct fact {
    uint64_t event;
    enum report_kind kind;
    bool has_sha256;              /* of the octets the eUICC signed */
    uint8_t sha256[EVENT_HASH];
};
/* In the order of events. Zeroed: empty. */
struct facts {
    struct fact *v;
    size_t n, cap;
};
void facts_clear(struct facts *f);
/* 0, or -1 without memory. */
int facts_add(struct facts *f, const struct fact *x);

/* The one of this event, or NULL. */
const struct fact *facts_find(const struct facts *f, uint64_t event);

struct fact fact_of_record(const struct report_record *r);
/* False: an event that no report carries. */
bool fact_of_event(const struct event *ev, struct fact *out);
bool fact_eq(const struct fact *a, const struct fact *b);

#endif

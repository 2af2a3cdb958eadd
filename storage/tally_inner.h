/* storage/tally_inner.h: what one event adds, for tally.c and its check. */
#ifndef LINESIDE_STORAGE_TALLY_INNER_H
#define LINESIDE_STORAGE_TALLY_INNER_H

#include "storage/inner.h"
#include "storage/tally.h"

struct tally_entry {
    bool counts;
    struct tally_count count;
    bool moves;
    const char *bundle;    /* whose balance; NULL: positions'         */
    const char *from, *to; /* from "": it was not there before        */
    int64_t n;             /* how many moved                          */
};
/* An event as tally_of_event takes it. */
struct tally_text {
    char kind[EVENT_WORD_MAX + 1], actor[EVENT_ACTOR_MAX + 1];
    char text[4096]; /* what f points into */
    struct fields f;
};
void tally_fields(const struct event *ev, struct tally_text *out);

/* All borrowed from the arguments. False: this event adds nothing. */
bool tally_of_event(const char *kind, const char *actor,
                    const struct fields *f, struct tally_entry *out);

#endif

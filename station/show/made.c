#include "station/show/made.h"

json_t *show_made(const struct report_made *r)
{
    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "kind",
                     report_kind(r->kind), "id", r->id, "container", r->path,
                     "sequence", (json_int_t)r->sequence, "records",
                     (json_int_t)r->records, "firstEvent",
                     (json_int_t)r->first_event, "lastEvent",
                     (json_int_t)r->last_event);
}

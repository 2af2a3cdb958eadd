#include "station/cmd/made_out.h"

#include "station/cmd/json_line.h"
#include "station/show/made.h"

#include <stdio.h>

static void print_text(const struct report_made *r)
{
    printf("%s %llu: %llu ", report_kind(r->kind), (unsigned long long)r->sequence,
           (unsigned long long)r->records);
    if (r->kind == EXPORT_BPP_REQUEST)
        printf("keys\n  %s\n", r->path);
    else
        printf("records, events %llu to %llu\n  %s\n",
               (unsigned long long)r->first_event,
               (unsigned long long)r->last_event, r->path);
}

void made_print(const struct report_list *made, bool json)
{
    for (size_t i = 0; i < made->n; i++)
        if (json)
            json_line(show_made(&made->v[i]));
        else
            print_text(&made->v[i]);
}

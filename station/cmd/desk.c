#include "station/cmd/desk.h"

#include <jansson.h>
#include <stdio.h>
#include <sys/stat.h>

int desk_folder(const char *to, struct err *e)
{
    struct stat st;

    return stat(to, &st) == 0 && S_ISDIR(st.st_mode)
               ? 0 : err_set(e, ERR_IO, "%s is not a folder; is the stick mounted?",
                             to);
}

int desk_open(struct desk *d, const char *data_dir, const char *to, struct err *e)
{
    if (desk_folder(to, e) != 0 ||
        db_open(data_dir, DB_WRITE, NULL, &d->db, e) != 0 ||
        station_get(d->db, &d->s, e) != 0)
        return -1;
    if (!d->s.commissioned)
        return err_set(e, ERR_WRONG_STATE, "this station has no certificate to "
                       "sign with; import its station-cert first");
    return identity_open(data_dir, buf_span(&d->s.chain), &d->id, e);
}

void desk_close(struct desk *d)
{
    identity_close(&d->id);
    station_clear(&d->s);
    lock_release(d->lock);
    db_close(d->db);
    *d = (struct desk)DESK_EMPTY;
}

static void print_json(const struct report_made *r)
{
    json_t *j = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "kind",
                          report_kind(r->kind), "id", r->id, "container", r->path,
                          "sequence", (json_int_t)r->sequence, "records",
                          (json_int_t)r->records, "firstEvent",
                          (json_int_t)r->first_event, "lastEvent",
                          (json_int_t)r->last_event);

    json_dumpf(j, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(j);
}

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

void desk_print_made(const struct report_list *made, bool json)
{
    for (size_t i = 0; i < made->n; i++)
        (json ? print_json : print_text)(&made->v[i]);
}

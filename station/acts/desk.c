#include "station/acts/desk.h"

#include <stdio.h>
#include <sys/stat.h>

/* What lies in the outbox has not arrived; what would be written there for a stick
 * would be taken for that, and cleared away. */
static bool is_outbox(const char *data_dir, const struct stat *to)
{
    char path[4096];
    struct stat st;

    return snprintf(path, sizeof path, "%s/%s", data_dir, REPORT_OUTBOX) <
               (int)sizeof path && stat(path, &st) == 0 &&
           st.st_dev == to->st_dev && st.st_ino == to->st_ino;
}

int desk_folder(const char *data_dir, const char *to, struct err *e)
{
    struct stat st;

    if (stat(to, &st) != 0 || !S_ISDIR(st.st_mode))
        return err_set(e, ERR_IO, "%s is not a folder; is the stick mounted?", to);
    return is_outbox(data_dir, &st)
         ? err_set(e, ERR_USAGE, "%s is where the station keeps what has not arrived "
                   "anywhere; name the stick's folder", to) : 0;
}

int desk_open(struct desk *d, const char *data_dir, const char *to, struct err *e)
{
    if ((to && desk_folder(data_dir, to, e) != 0) ||
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

#include "station/acts/desk.h"

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
    if ((to && desk_folder(to, e) != 0) ||
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

#include "station/acts/media.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int inbox_open(struct inbox *b, const char *data_dir, struct err *e)
{
    *b = (struct inbox)INBOX_EMPTY;
    station_init_empty(&b->s);
    return db_open(data_dir, DB_WRITE, NULL, &b->db, e) != 0 ||
           lock_take(data_dir, LOCK_IMPORT, &b->lock, e) != 0 ||
           import_leftovers(b->db, b->lock, NULL, e) != 0 ||
           station_get(b->db, &b->s, e) != 0 ? -1 : 0;
}

void inbox_close(struct inbox *b)
{
    if (b->db)
        station_clear(&b->s);
    lock_release(b->lock);
    db_close(b->db);
    *b = (struct inbox)INBOX_EMPTY;
}

int inbox_take(struct inbox *b, const char *path, const struct import_watch *w,
               struct import_result *out, struct err *e)
{
    return import_container_watched(b->db, b->lock, &b->s, path, w, out, e);
}

int inbox_take_order(struct inbox *b, const char *path, const struct import_watch *w,
                     struct import_result *out, char number[ORDER_NUMBER_MAX + 1],
                     struct err *e)
{
    return import_work_order_watched(b->db, &b->s, path, w, out, number, e);
}

static const char *const next_steps[ERR_CODES] = {
    [ERR_FORMAT] = "copy the container again; if it is refused again, ask its "
                   "issuer for a new one",
    [ERR_LIMIT] = "ask its issuer for a new one within that limit",
    [ERR_SIGNATURE] = "copy the container again; if it is refused again, ask "
                      "its issuer for a new one",
    [ERR_TRUST] = "keep it out and show this message to its issuer",
    [ERR_REPLAY] = "nothing, if what it brings is known already; else ask its "
                   "issuer for a new one",
    [ERR_CONFLICT] = "show this message to its issuer and ask for a new one",
};

const char *inbox_next_step(enum err_code code)
{
    return next_steps[code];
}

/* --- what lies there ------------------------------------------------------------- */

static bool uuid_ok(const char *s)
{
    return strlen(s) == UUID_LEN && strspn(s, "0123456789abcdef-") == UUID_LEN;
}

/* KIND-UUID, and a folder. */
static bool item_of(int dir, const char *name, struct media_item *out)
{
    size_t n = strlen(name);
    struct stat st;
    char kind[32];

    if (n <= UUID_LEN + 1 || n - UUID_LEN - 1 >= sizeof kind ||
        name[n - UUID_LEN - 1] != '-' || !uuid_ok(name + n - UUID_LEN))
        return false;
    snprintf(kind, sizeof kind, "%.*s", (int)(n - UUID_LEN - 1), name);
    memcpy(out->id, name + n - UUID_LEN, UUID_LEN + 1);
    return kind_parse(kind, &out->kind) == 0 &&
           fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static int by_name(const void *a, const void *b)
{
    const struct media_item *x = a, *y = b;
    int kinds = strcmp(kind_name(x->kind), kind_name(y->kind));

    return kinds ? kinds : strcmp(x->id, y->id);
}

static int list_in(DIR *d, struct media_list *out, struct err *e)
{
    struct media_item item;
    struct dirent *de;

    while ((de = readdir(d))) {
        if (!item_of(dirfd(d), de->d_name, &item))
            continue;
        if (out->n == MEDIA_MAX) {
            out->more = true;
            return 0;
        }
        struct media_item *v = realloc(out->v, (out->n + 1) * sizeof *v);
        if (!v)
            return err_set(e, ERR_NOMEM, "no memory for what lies there");
        out->v = v;
        v[out->n++] = item;
    }
    return 0;
}

int media_list(const char *folder, struct media_list *out, struct err *e)
{
    DIR *d = opendir(folder);

    *out = (struct media_list){ NULL, 0, false };
    if (!d)
        return err_errno(e, "%s cannot be looked into; is the stick mounted?", folder);
    int bad = list_in(d, out, e);
    closedir(d);
    if (!bad && out->n)
        qsort(out->v, out->n, sizeof *out->v, by_name);
    return bad;
}

void media_list_clear(struct media_list *l)
{
    free(l->v);
    *l = (struct media_list){ NULL, 0, false };
}

/* --- out ----------------------------------------------------------------------- */

/* Needs no certificate: what is written was signed when it was made. */
static int again(struct desk *d, const char *data_dir, const char *to, const char *id,
                 struct report_list *made, struct err *e)
{
    return desk_folder(data_dir, to, e) != 0 ||
           db_open(data_dir, DB_WRITE, NULL, &d->db, e) != 0 ||
           lock_take(data_dir, LOCK_EXPORT, &d->lock, e) != 0 ||
           report_send(d->db, d->lock, data_dir, id, to, made, e) != 0 ? -1 : 0;
}

int act_export(struct desk *d, const char *data_dir, const char *to, const char *id,
               const struct report_watch *w, struct report_list *made, struct err *e)
{
    if (id)
        return again(d, data_dir, to, id, made, e);
    return desk_open(d, data_dir, to, e) != 0 ||
           lock_take(data_dir, LOCK_EXPORT, &d->lock, e) != 0 ||
           report_export_watched(d->db, d->lock, data_dir, &d->s, &d->id, to, w, made,
                                 e) != 0 ? -1 : 0;
}

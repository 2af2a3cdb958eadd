/* The way out of everything that is exported. */
#include "station/report/inner.h"

#include "station/base/folder.h"
#include "station/container/reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum container_kind delivery_kind(enum export_kind k)
{
    return k == EXPORT_AUDIT_LOG     ? KIND_AUDIT_LOG
           : k == EXPORT_BPP_REQUEST ? KIND_BPP_REQUEST
           : k == EXPORT_SHIFT_RECORD ? KIND_SHIFT_RECORD
                                     : KIND_LOADING_REPORT;
}

const char *report_kind(enum export_kind k)
{
    return kind_name(delivery_kind(k));
}

/* The number that people know it by: a request counts per SM-DPf, the ledger
 * counts all requests. */
static uint64_t sequence_of(const struct export_info *x)
{
    AUTO(manifest_clear) struct manifest m;
    struct err ignored = ERR_INIT;

    manifest_init(&m);
    return x->kind == EXPORT_BPP_REQUEST &&
           manifest_peek(buf_span(&x->manifest), &m, &ignored) == 0
               ? m.sequence : x->sequence;
}

void report_list_clear(struct report_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->v[i].path);
    free(l->v);
    *l = (struct report_list){ NULL, 0 };
}

/* --- to a medium -------------------------------------------------------------- */

struct delivery {
    const struct export_info *x;
    const char *to_dir;
    char *path;
    uint64_t records;
};

static int write_again(struct db *db, struct delivery *d, struct sink *k,
                       struct err *e)
{
    if (d->x->kind == EXPORT_BPP_REQUEST)
        return request_write(db, d->x->id, k->w, &k->records, e);
    if (d->x->kind == EXPORT_SHIFT_RECORD)
        return report_write_shift(db, d->x->sequence, k->w, &k->records, e);
    return records_write(db, d->x->kind, d->x->first_event, d->x->last_event, k,
                         e);
}

static int deliver_in_snapshot(struct db *db, void *ctx, struct err *e)
{
    struct delivery *d = ctx;
    struct container_writer *w = NULL;
    struct manifest m;

    manifest_init(&m);
    m.kind = delivery_kind(d->x->kind);
    memcpy(m.id, d->x->id, sizeof m.id);
    int bad = container_writer_open(d->to_dir, &m, &w, e);
    if (!bad) {
        struct sink k = { .w = w, .m = &m };
        bad = write_again(db, d, &k, e);
        d->records = k.records;
        if (bad)
            container_writer_abort(w);
        else
            bad = container_writer_reissue(w, buf_span(&d->x->manifest),
                                           &d->path, e);
    }
    manifest_clear(&m);
    return bad;
}

/* The export stopped between its arrival and its leaving the outbox: the very
 * same container lies there, every octet of it. */
static bool arrived_before(struct delivery *d)
{
    AUTO(buf_clear) struct buf cms = BUF_INIT;
    AUTO(manifest_clear) struct manifest m;
    struct err why = ERR_INIT;
    char path[4096];

    manifest_init(&m);
    snprintf(path, sizeof path, "%s/%s", d->to_dir, d->x->directory);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool same = container_read_manifest(fd, &cms, &why) == 0 &&
                span_eq(buf_span(&cms), buf_span(&d->x->manifest)) &&
                manifest_peek(buf_span(&cms), &m, &why) == 0 &&
                container_check_names(fd, &m, &why) == 0 &&
                container_read_segments(fd, &m, NULL, NULL, &why) == 0 &&
                (d->path = strdup(path)) != NULL;
    close(fd);
    for (size_t i = 0; same && i < m.segment_count; i++)
        d->records += m.segments[i].records;
    return same;
}

/* Takes over path. */
static int list_add(struct report_list *l, const struct export_info *x,
                    uint64_t records, char *path, struct err *e)
{
    struct report_made *v = realloc(l->v, (l->n + 1) * sizeof *v);

    if (!v) {
        free(path);
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    l->v = v;
    struct report_made *r = &v[l->n++];
    *r = (struct report_made){ .kind = x->kind, .sequence = sequence_of(x),
                               .first_event = x->first_event,
                               .last_event = x->last_event,
                               .records = records, .path = path };
    memcpy(r->id, x->id, sizeof r->id);
    return 0;
}

static int deliver(struct db *db, const struct export_info *x,
                   const char *to_dir, struct report_list *out, struct err *e)
{
    struct delivery d = { .x = x, .to_dir = to_dir };

    if (!arrived_before(&d) &&
        db_snapshot(db, deliver_in_snapshot, &d, e) != 0)
        return -1;
    return list_add(out, x, d.records, d.path, e);
}

/* Remove a container's folder: flat, our own. */
static void remove_container(const char *outbox, const char *name)
{
    char dir[4096];

    snprintf(dir, sizeof dir, "%s/%s", outbox, name);
    folder_remove(dir);
}

static bool waits(const char *outbox, const struct export_info *x)
{
    char dir[4096];

    return snprintf(dir, sizeof dir, "%s/%s", outbox, x->directory) <
               (int)sizeof dir && access(dir, F_OK) == 0;
}

int delivery_send(struct db *db, const struct export_info *x, const char *outbox,
                  const char *to_dir, struct report_list *out, struct err *e)
{
    if (deliver(db, x, to_dir, out, e) != 0)
        return err_wrap(e, waits(outbox, x)
                        ? "%s %llu is made, but did not reach %s; run `lineside "
                          "export` again with a good medium"
                        : "%s %llu did not reach %s; do it again with a good "
                          "medium", report_kind(x->kind),
                        (unsigned long long)sequence_of(x), to_dir);
    remove_container(outbox, x->directory);
    return 0;
}

/* --- the outbox ------------------------------------------------------------------ */

/* The export that this name in the outbox stands for: 1, or 0: none that the
 * ledger knows (then it was never more than a draft), or -1. */
static int export_named(struct db *db, const char *name,
                        struct export_info *x, struct err *e)
{
    struct err why = ERR_INIT;
    size_t n = strlen(name);

    if (n <= UUID_LEN)
        return 0;
    if (export_by_id(db, name + n - UUID_LEN, x, &why) == 0)
        return 1;
    if (why.code == ERR_NOT_FOUND)
        return 0;
    *e = why;
    return -1;
}

/* Calls fn for every name in the outbox; x is NULL for a draft. */
typedef int outbox_fn(void *ctx, const char *name, const struct export_info *x,
                      struct err *e);
static int outbox_walk(struct db *db, const char *outbox, outbox_fn *fn,
                       void *ctx, struct err *e)
{
    struct dirent *de;
    int bad = 0;
    DIR *d = opendir(outbox);

    if (!d)
        return errno == ENOENT ? 0 : err_errno(e, "%s", outbox);
    while (!bad && (de = readdir(d))) {
        struct export_info x = { 0 };
        if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
            continue;
        int known = export_named(db, de->d_name, &x, e);
        bad = known < 0 ? -1 : fn(ctx, de->d_name, known ? &x : NULL, e);
        export_clear(&x);
    }
    closedir(d);
    return bad;
}

struct emptying {
    struct db *db;
    const char *outbox, *to_dir;
    struct report_list *out;
};

static int empty_one(void *ctx, const char *name, const struct export_info *x,
                     struct err *e)
{
    const struct emptying *m = ctx;

    if (x)
        return delivery_send(m->db, x, m->outbox, m->to_dir, m->out, e);
    remove_container(m->outbox, name);
    return 0;
}

int delivery_empty(struct db *db, const char *outbox, const char *to_dir,
                   struct report_list *out, struct err *e)
{
    struct emptying m = { db, outbox, to_dir, out };

    return outbox_walk(db, outbox, empty_one, &m, e);
}

static int list_one(void *ctx, const char *name, const struct export_info *x,
                    struct err *e)
{
    (void)name;
    return x ? list_add(ctx, x, 0, NULL, e) : 0;
}

static void outbox_path(const char *data_dir, char *out, size_t cap)
{
    snprintf(out, cap, "%s/%s", data_dir, REPORT_OUTBOX);
}

int report_waiting(struct db *db, const char *data_dir,
                   struct report_list *out, struct err *e)
{
    char outbox[4096];

    outbox_path(data_dir, outbox, sizeof outbox);
    return outbox_walk(db, outbox, list_one, out, e);
}

int report_outbox(const char *data_dir, char *out, size_t cap, struct err *e)
{
    outbox_path(data_dir, out, cap);
    return mkdir(out, 0700) == 0 || errno == EEXIST ? 0 : err_errno(e, "%s", out);
}

int report_send(struct db *db, const struct lock *lock, const char *data_dir,
                const char *id, const char *to_dir, struct report_list *out,
                struct err *e)
{
    struct export_info x = { 0 };
    char outbox[4096];

    if (!lock)
        return err_set(e, ERR_INTERNAL, "an export needs the export lock");
    outbox_path(data_dir, outbox, sizeof outbox);
    int bad = export_by_id(db, id, &x, e);
    if (!bad)
        bad = delivery_send(db, &x, outbox, to_dir, out, e);
    export_clear(&x);
    return bad;
}

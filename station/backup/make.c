#include "station/backup/make.h"

#include "station/backup/child.h"
#include "station/base/folder.h"
#include "station/container/reader.h"
#include "station/ifpp/cert.h"
#include "storage/events.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void backup_made_clear(struct backup_made *m)
{
    free(m->path);
    *m = (struct backup_made){ .path = NULL };
}

struct work {
    const struct backup_job *j;
    char tmp[PATH_MAX];      /* folder of the copy                 */
    int copy_fd;             /* the copy, already without a name   */
    X509 *recovery;          /* borrowed from chain                */
    STACK_OF(X509) *chain;
    struct manifest m;
    struct backup_made *out;
};

static void work_clear(struct work *w)
{
    if (w->copy_fd >= 0)
        close(w->copy_fd);
    folder_remove(w->tmp);
    cert_stack_free(&w->chain);
    manifest_clear(&w->m);
}

/* --- the copy ------------------------------------------------------------------ */

/* What is copied must be whole: the day it is needed is too late to see that
 * it is not. And its own head is what the manifest names. */
static int prove_copy(struct work *w, struct err *e)
{
    AUTO(db_close_p) struct db *db = NULL;
    struct event_head head;

    if (db_open(w->tmp, DB_READ, NULL, &db, e) != 0 ||
        event_verify(db, &head, e) != 0 || stock_cross_check(db, e) != 0)
        return err_wrap(e, "the ledger is not whole, so that no backup was made; "
                           "keep it as it is and see docs/backup.md");
    w->m.first_event = 1;
    w->m.last_event = head.number;
    memcpy(w->m.head_after, head.hash, sizeof w->m.head_after);
    return 0;
}

/* Without a name from here on, so that a killed backup leaves no second ledger
 * lying about. */
static int take_copy(struct work *w, struct err *e)
{
    char path[PATH_MAX + 16];

    snprintf(path, sizeof path, "%s/%s", w->tmp, LEDGER_FILE);
    w->copy_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (w->copy_fd < 0)
        return err_errno(e, "%s", path);
    folder_remove(w->tmp);
    return 0;
}

static int hash_copy(struct work *w, struct err *e)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    uint8_t some[65536];
    ssize_t n = -1;

    if (md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1)
        while ((n = read(w->copy_fd, some, sizeof some)) > 0) {
            w->m.ledger_size += (uint64_t)n;
            if (EVP_DigestUpdate(md, some, (size_t)n) != 1)
                break;
        }
    int ok = n == 0 && EVP_DigestFinal_ex(md, w->m.ledger_sha256, NULL) == 1;
    EVP_MD_CTX_free(md);
    return ok ? 0 : err_errno(e, "reading the copy of the ledger");
}

static int make_copy(struct work *w, struct err *e)
{
    int n = snprintf(w->tmp, sizeof w->tmp, "%s/%s", w->j->data_dir, BACKUP_TMP);

    if (n < 0 || n >= (int)sizeof w->tmp)
        return err_set(e, ERR_USAGE, "the data directory's name is too long");
    folder_remove(w->tmp); /* of one that was killed */
    if (mkdir(w->tmp, 0700) != 0)
        return err_errno(e, "%s", w->tmp);
    if (backup_copy(w->j->db, w->tmp, e) != 0 || prove_copy(w, e) != 0)
        return -1;
    return take_copy(w, e) != 0 ? -1 : hash_copy(w, e);
}

/* --- the container --------------------------------------------------------------- */

static int open_recovery(struct work *w, struct err *e)
{
    const struct station *s = w->j->s;
    char name[REGISTERED_ID_MAX + 1];

    if (s->recovery.n == 0)
        return err_set(e, ERR_WRONG_STATE, "this station's certificate came "
                       "without a recovery certificate, so that nobody could "
                       "open its backups: ask the Device Manufacturer's "
                       "authority for a station-cert that has one");
    if (cert_chain_decode(buf_span(&s->recovery), &w->chain, e) != 0)
        return -1;
    w->recovery = sk_X509_value(w->chain, 0);
    if (cert_serial_number(w->recovery, name) != 0)
        return err_set(e, ERR_FORMAT, "the recovery certificate names nobody");
    cert_key_id(w->recovery, w->m.recovery_key_id);
    w->m.recipients.kind = RCPT_PARTIES;
    return blobs_add(&w->m.recipients.list, SPAN_STR(name)) == 0
               ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

static int describe(struct work *w, struct err *e)
{
    struct backup_info last = { .sequence = 0 };
    struct err why = ERR_INIT;
    struct ledger_clock clock;

    if (backup_last(w->j->db, &last, &why) != 0 && why.code != ERR_NOT_FOUND) {
        *e = why;
        return -1;
    }
    if (ledger_clock(w->j->db, &clock, e) != 0)
        return -1;
    w->m.kind = KIND_BACKUP;
    uuid_make(w->m.id);
    snprintf(w->m.issuer, sizeof w->m.issuer, "%s", w->j->s->id);
    w->m.sequence = last.sequence + 1;
    w->m.epoch = w->j->s->epoch;
    w->m.created_at = clock.now;
    w->m.not_after = clock.now + BACKUP_VALID_S;
    return 0;
}

static int write_records(struct work *w, struct container_writer *cw, struct err *e)
{
    AUTO(backup_child_end) struct backup_child c = { .fd = -1 };
    AUTO(buf_clear) struct buf cert = BUF_INIT;
    struct span record;
    unsigned char *der = NULL;
    int n = i2d_X509(w->recovery, &der);

    if (n > 0)
        buf_put(&cert, der, (size_t)n);
    OPENSSL_free(der);
    if (n <= 0 || !buf_ok(&cert))
        return err_ossl(e, ERR_NOMEM, "the recovery certificate");
    if (backup_child_start(&c, w->copy_fd, buf_span(&cert), e) != 0)
        return -1;
    for (;;) {
        int got = backup_child_next(&c, &record, e);
        if (got <= 0)
            return got;
        if (container_writer_add(cw, record, e) != 0)
            return -1;
    }
}

/* What a medium took is not always what it gives back. */
static int read_back(const struct work *w, const char *path, struct err *e)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int bad = fd < 0 ? err_errno(e, "%s", path)
                     : container_read_segments(fd, &w->m, NULL, NULL, e);

    if (fd >= 0)
        close(fd);
    return bad ? err_wrap(e, "what was written to the medium cannot be read "
                             "again; use another one") : 0;
}

/* A whole folder that turned out to be bad, or that the ledger could not be
 * told of. */
static void take_off(const char *path)
{
    folder_remove(path);
}

static int write_container(struct work *w, struct err *e)
{
    AUTO(buf_clear) struct buf cms = BUF_INIT;
    struct container_writer *cw = NULL;

    if (container_writer_open(w->j->to_dir, &w->m, &cw, e) != 0)
        return -1;
    if (w->j->roll)
        container_writer_roll(cw, w->j->roll);
    if (write_records(w, cw, e) != 0) {
        container_writer_abort(cw);
        return -1;
    }
    if (container_writer_seal(cw, &w->j->self->signer, &cms, &w->out->path, e) != 0)
        return -1;
    EVP_Digest(cms.p, cms.n, w->out->info.manifest_sha256, NULL, EVP_sha256(), NULL);
    if (read_back(w, w->out->path, e) == 0)
        return 0;
    take_off(w->out->path);
    return -1;
}

/* --- the record of it -------------------------------------------------------------- */

static int enter(struct tx *tx, void *ctx, struct err *e)
{
    const struct work *w = ctx;

    return w->j->guard(tx, w->j->guard_ctx, e) != 0
               ? -1 : backup_add(tx, &w->out->info, w->j->actor, e);
}

static int record(struct work *w, struct err *e)
{
    struct backup_info *b = &w->out->info;

    memcpy(b->id, w->m.id, sizeof b->id);
    b->sequence = w->m.sequence;
    b->epoch = w->m.epoch;
    b->last_event = w->m.last_event;
    b->created_at = w->m.created_at;
    w->out->ledger_octets = w->m.ledger_size;
    w->out->segments = w->m.segment_count;
    for (size_t i = 0; i < w->m.segment_count; i++)
        w->out->octets += w->m.segments[i].size;
    if (db_write(w->j->db, enter, w, e) == 0)
        return 0;
    take_off(w->out->path);
    return err_wrap(e, "the backup was removed again, since the ledger could not "
                       "be told of it");
}

int backup_make(const struct backup_job *j, struct backup_made *out, struct err *e)
{
    AUTO(work_clear) struct work w = { .j = j, .copy_fd = -1, .out = out };

    *out = (struct backup_made){ .path = NULL };
    manifest_init(&w.m);
    if (!j->lock)
        return err_set(e, ERR_INTERNAL, "a backup needs the backup lock");
    if (open_recovery(&w, e) != 0 || describe(&w, e) != 0 ||
        make_copy(&w, e) != 0 || write_container(&w, e) != 0 ||
        record(&w, e) != 0) {
        backup_made_clear(out);
        return err_wrap(e, "no backup was made");
    }
    return 0;
}

#include "station/restore/restore.h"

#include "station/base/folder.h"
#include "station/container/reader.h"
#include "station/container/signers.h"
#include "station/restore/ledger.h"
#include "station/restore/unseal.h"
#include "storage/db.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct work {
    const struct restore_job *j;
    struct manifest m;
    X509 *signer;
    int dir_fd;            /* of the container */
    char tmp[PATH_MAX];    /* where the data directory is made */
    int out_fd;            /* its ledger.db    */
    EVP_MD_CTX *md;
    uint64_t written;
    struct buf plain;
};

static void work_clear(struct work *w)
{
    if (w->out_fd >= 0)
        close(w->out_fd);
    if (w->dir_fd >= 0)
        close(w->dir_fd);
    if (w->tmp[0])
        folder_remove(w->tmp);
    EVP_MD_CTX_free(w->md);
    X509_free(w->signer);
    OPENSSL_cleanse(w->plain.p, w->plain.n);
    buf_clear(&w->plain);
    manifest_clear(&w->m);
}

/* --- whose it is -------------------------------------------------------------------- */

/* Certificates are judged at the time that the backup says it was made: one
 * that has ended since does not make it worthless. */
static int prove_manifest(struct work *w, struct err *e)
{
    AUTO(buf_clear) struct buf cms = BUF_INIT;
    AUTO(manifest_clear) struct manifest claimed;
    struct container_trust t = { NULL, w->j->root, NULL, 0 };

    manifest_init(&claimed);
    w->dir_fd = open(w->j->backup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (w->dir_fd < 0)
        return err_errno(e, "not a container's folder that can be read");
    if (container_read_manifest(w->dir_fd, &cms, e) != 0 ||
        manifest_peek(buf_span(&cms), &claimed, e) != 0)
        return -1;
    if (claimed.kind != KIND_BACKUP)
        return err_set(e, ERR_USAGE, "its kind is %s, not a backup",
                       kind_name(claimed.kind));
    t.at = claimed.created_at;
    return manifest_verify(buf_span(&cms), &t, &w->m, &w->signer, e) != 0
               ? -1 : container_check_names(w->dir_fd, &w->m, e);
}

static int prove_recovery(struct work *w, struct err *e)
{
    X509 *mine = sk_X509_value(w->j->recovery, 0);
    uint8_t id[32];
    char want[65], have[65];

    cert_key_id(mine, id);
    if (memcmp(id, w->m.recovery_key_id, sizeof id) != 0)
        return err_set(e, ERR_TRUST, "it is sealed to the recovery key %s, and "
                       "the certificate given is of key %s",
                       hex_encode(SPAN_ARRAY(w->m.recovery_key_id), want, sizeof want),
                       hex_encode(SPAN_ARRAY(id), have, sizeof have));
    if (X509_check_private_key(mine, w->j->key) != 1)
        return err_ossl(e, ERR_TRUST, "the recovery key given is not that of the "
                        "certificate given");
    if (cert_verify(w->j->root, w->j->recovery, ROLE_RECOVERY, 0, e) != 0)
        return err_wrap(e, "the recovery certificate");
    return 0;
}

/* --- its octets --------------------------------------------------------------------- */

static int write_all(int fd, struct span s, struct err *e)
{
    while (s.n) {
        ssize_t n = write(fd, s.p, s.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, "writing the ledger");
        s.p += n;
        s.n -= (size_t)n;
    }
    return 0;
}

static int on_record(void *ctx, uint64_t number, struct span record, struct err *e)
{
    struct work *w = ctx;

    (void)number; /* the reader names it */
    if (unseal(w->j->key, sk_X509_value(w->j->recovery, 0), record, &w->plain,
               e) != 0)
        return -1;
    w->written += w->plain.n;
    if (w->written > w->m.ledger_size)
        return err_set(e, ERR_CONFLICT, "it holds more than its manifest says");
    if (EVP_DigestUpdate(w->md, w->plain.p, w->plain.n) != 1)
        return err_ossl(e, ERR_INTERNAL, "cannot hash");
    return write_all(w->out_fd, buf_span(&w->plain), e);
}

static int check_octets(struct work *w, struct err *e)
{
    uint8_t hash[32];

    if (EVP_DigestFinal_ex(w->md, hash, NULL) != 1)
        return err_ossl(e, ERR_INTERNAL, "cannot hash");
    if (w->written != w->m.ledger_size ||
        memcmp(hash, w->m.ledger_sha256, sizeof hash) != 0)
        return err_set(e, ERR_CONFLICT, "what it holds is not the ledger that its "
                       "manifest names");
    return 0;
}

static int unpack(struct work *w, struct err *e)
{
    char path[PATH_MAX + 16];

    snprintf(path, sizeof path, "%s/%s", w->tmp, LEDGER_FILE);
    w->md = EVP_MD_CTX_new();
    if (!w->md || EVP_DigestInit_ex(w->md, EVP_sha256(), NULL) != 1)
        return err_ossl(e, ERR_INTERNAL, "cannot hash");
    w->out_fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                     0600);
    if (w->out_fd < 0)
        return err_errno(e, "%s", path);
    if (container_read_segments(w->dir_fd, &w->m, on_record, w, e) != 0 ||
        check_octets(w, e) != 0)
        return -1;
    return fsync(w->out_fd) == 0 ? 0 : err_errno(e, "%s", path);
}

/* --- the data directory ---------------------------------------------------------------- */

/* Not there, or an empty folder, which the new one then takes the place of. */
static int check_free(const char *data_dir, struct err *e)
{
    struct dirent *de;
    DIR *d = opendir(data_dir);
    bool used = false;

    if (!d)
        return errno == ENOENT ? 0 : err_errno(e, "%s", data_dir);
    while ((de = readdir(d)) != NULL)
        used |= strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0;
    closedir(d);
    return used ? err_set(e, ERR_CONFLICT, "%s is in use; a backup is restored into "
                          "a new data directory", data_dir)
                : 0;
}

static int make_tmp(struct work *w, struct err *e)
{
    char path[PATH_MAX];
    size_t n = strlen(w->j->data_dir);

    while (n > 1 && w->j->data_dir[n - 1] == '/')
        n--;
    if (snprintf(path, sizeof path, "%.*s.part", (int)n, w->j->data_dir) >=
        (int)sizeof path)
        return err_set(e, ERR_USAGE, "the data directory's name is too long");
    if (check_free(w->j->data_dir, e) != 0)
        return -1;
    if (mkdir(path, 0700) != 0)
        return errno == EEXIST
                   ? err_set(e, ERR_CONFLICT, "%s is there: a restore that was cut "
                             "short, or one at work; remove it, then try again",
                             path)
                   : err_errno(e, "%s", path);
    memcpy(w->tmp, path, sizeof w->tmp); /* ours to remove, from here on */
    return 0;
}

static int sync_parent(const char *path, struct err *e)
{
    char parent[PATH_MAX];

    snprintf(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    if (!slash)
        return folder_sync(".", e);
    slash[slash == parent] = '\0';
    return folder_sync(parent, e);
}

/* The name it gets is the hidden one's without its end. */
static int appear(struct work *w, struct err *e)
{
    char name[PATH_MAX];

    snprintf(name, sizeof name, "%.*s", (int)(strlen(w->tmp) - strlen(".part")),
             w->tmp);
    if (folder_sync(w->tmp, e) != 0)
        return -1;
    if (rename(w->tmp, name) != 0)
        return err_errno(e, "naming %s", name);
    w->tmp[0] = '\0';
    return sync_parent(name, e);
}

int restore(const struct restore_job *j, struct restore_result *out, struct err *e)
{
    AUTO(work_clear) struct work w = { .j = j, .dir_fd = -1, .out_fd = -1 };
    uint8_t signer[32];

    *out = (struct restore_result){ .epoch = 0 };
    manifest_init(&w.m);
    if (prove_manifest(&w, e) != 0 || prove_recovery(&w, e) != 0 ||
        make_tmp(&w, e) != 0 || unpack(&w, e) != 0)
        return -1;
    cert_key_id(w.signer, signer);
    if (restore_prove_ledger(w.tmp, &w.m, j, signer, e) != 0)
        return err_wrap(e, "the ledger in it");
    return restore_take_over(w.tmp, &w.m, j, out, e) != 0 ? -1 : appear(&w, e);
}

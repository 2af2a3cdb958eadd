#include "station/container/writer.h"

#include "station/container/cms.h"
#include "station/container/signers.h"
#include "station/ifpp/tlv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANIFEST_NAME "manifest.cms"
#define WRITE_BUFFER (256 * 1024)
#define NAME_SIZE 64 /* "<kind>-<uuid>" */

struct container_writer {
    char *parent;
    int parent_fd;
    int dir_fd;            /* the hidden directory                    */
    char hidden[NAME_SIZE + 8];
    char name[NAME_SIZE];
    bool made, renamed, manifest_made;
    struct manifest *m;    /* borrowed */
    uint64_t roll;
    /* the open segment */
    int seg_fd;            /* -1: none is open */
    EVP_MD_CTX *md;
    struct buf pending;    /* hashed, not yet written */
};

void uuid_make(char out[UUID_LEN + 1])
{
    uint8_t r[16];
    char hex[33];

    /* No randomness means no identity: nothing sensible can follow. */
    if (RAND_bytes(r, sizeof r) != 1)
        abort();
    r[6] = (r[6] & 0x0f) | 0x40;
    r[8] = (r[8] & 0x3f) | 0x80;
    hex_encode(SPAN_ARRAY(r), hex, sizeof hex);
    snprintf(out, UUID_LEN + 1, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8,
             hex + 12, hex + 16, hex + 20);
}

/* --- undoing ------------------------------------------------------------------- */

static void fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void writer_free(struct container_writer *w)
{
    fd_close(&w->seg_fd);
    fd_close(&w->dir_fd);
    fd_close(&w->parent_fd);
    EVP_MD_CTX_free(w->md);
    buf_clear(&w->pending);
    free(w->parent);
    free(w);
}

/* Remove exactly what this writer made. */
static void writer_remove(struct container_writer *w)
{
    char name[24];

    for (size_t i = 0; i < w->m->segment_count; i++)
        unlinkat(w->dir_fd, segment_name(i, name), 0);
    if (w->manifest_made)
        unlinkat(w->dir_fd, MANIFEST_NAME, 0);
    if (w->made)
        unlinkat(w->parent_fd, w->renamed ? w->name : w->hidden, AT_REMOVEDIR);
}

void container_writer_abort(struct container_writer *w)
{
    if (!w)
        return;
    writer_remove(w);
    writer_free(w);
}

/* --- files ----------------------------------------------------------------------- */

static int write_all(int fd, struct span s, const char *what, struct err *e)
{
    while (s.n) {
        ssize_t n = write(fd, s.p, s.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, "cannot write %s", what);
        s.p += n;
        s.n -= (size_t)n;
    }
    return 0;
}

static int sync_fd(int fd, const char *what, struct err *e)
{
    /* Some file systems of removable media know no fsync of a directory. */
    if (fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP)
        return err_errno(e, "cannot bring %s to the medium", what);
    return 0;
}

static int file_create(struct container_writer *w, const char *name, int *fd,
                       struct err *e)
{
    *fd = openat(w->dir_fd, name,
                 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    return *fd >= 0 ? 0 : err_errno(e, "cannot create %s", name);
}

/* --- segments ---------------------------------------------------------------------- */

static struct segment_entry *segment_of(struct container_writer *w)
{
    return &w->m->segments[w->m->segment_count - 1];
}

static int segment_open(struct container_writer *w, struct err *e)
{
    struct manifest *m = w->m;

    if (m->segment_count == MANIFEST_SEGMENTS_MAX)
        return err_set(e, ERR_LIMIT, "the container would need more than %d "
                       "segments. Make two", MANIFEST_SEGMENTS_MAX);
    struct segment_entry *s =
        realloc(m->segments, (m->segment_count + 1) * sizeof *s);
    if (!s)
        return err_set(e, ERR_NOMEM, "no memory for a segment");
    m->segments = s;
    s += m->segment_count;
    memset(s, 0, sizeof *s);
    segment_name(m->segment_count, s->name);
    if (file_create(w, s->name, &w->seg_fd, e) != 0)
        return -1;
    m->segment_count++; /* from here on it is ours to remove */
    if (EVP_DigestInit_ex(w->md, EVP_sha256(), NULL) != 1)
        return err_ossl(e, ERR_INTERNAL, "cannot hash");
    return 0;
}

static int segment_flush(struct container_writer *w, struct err *e)
{
    struct span s = buf_span(&w->pending);

    if (EVP_DigestUpdate(w->md, s.p, s.n) != 1)
        return err_ossl(e, ERR_INTERNAL, "cannot hash");
    if (write_all(w->seg_fd, s, segment_of(w)->name, e) != 0)
        return -1;
    buf_reset(&w->pending);
    return 0;
}

static int segment_close(struct container_writer *w, struct err *e)
{
    struct segment_entry *s;

    if (w->seg_fd < 0)
        return 0;
    s = segment_of(w);
    if (segment_flush(w, e) != 0)
        return -1;
    if (EVP_DigestFinal_ex(w->md, s->sha256, NULL) != 1)
        return err_ossl(e, ERR_INTERNAL, "cannot hash");
    if (sync_fd(w->seg_fd, s->name, e) != 0)
        return -1;
    int rc = close(w->seg_fd);
    w->seg_fd = -1;
    return rc == 0 ? 0 : err_errno(e, "cannot write %s", s->name);
}

int container_writer_add(struct container_writer *w, struct span record,
                         struct err *e)
{
    struct span in = record;
    struct tlv t;

    if (record.n > RECORD_MAX)
        return err_set(e, ERR_LIMIT, "a record of %zu octets, at most %d fit",
                       record.n, RECORD_MAX);
    if (der_next(&in, &t) != DER_OK || in.n != 0)
        return err_set(e, ERR_FORMAT, "a record that is not one DER value");
    if (w->seg_fd >= 0 && segment_of(w)->size + record.n > w->roll &&
        segment_close(w, e) != 0)
        return -1;
    if (w->seg_fd < 0 && segment_open(w, e) != 0)
        return -1;
    buf_put_span(&w->pending, record);
    if (!buf_ok(&w->pending))
        return err_set(e, ERR_NOMEM, "no memory to write a record");
    segment_of(w)->size += record.n;
    segment_of(w)->records++;
    return w->pending.n >= WRITE_BUFFER ? segment_flush(w, e) : 0;
}

/* --- opening ------------------------------------------------------------------------- */

/* A writer that was killed leaves its hidden folder. The same report may be
 * made again under the same id, so what is in the way is cleared: only names
 * that a writer makes; anything else stays, and mkdir says so. */
static void leftover_remove(int parent_fd, const char *hidden)
{
    int fd = openat(parent_fd, hidden,
                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *de;

    if (!d) {
        fd_close(&fd);
        return;
    }
    while ((de = readdir(d)) != NULL)
        if (strcmp(de->d_name, MANIFEST_NAME) == 0 ||
            strncmp(de->d_name, "segment-", 8) == 0)
            unlinkat(fd, de->d_name, 0);
    closedir(d);
    unlinkat(parent_fd, hidden, AT_REMOVEDIR);
}

static int writer_start(struct container_writer *w, const char *parent_dir,
                        struct err *e)
{
    struct stat st;

    w->parent = strdup(parent_dir);
    w->md = EVP_MD_CTX_new();
    if (!w->parent || !w->md)
        return err_set(e, ERR_NOMEM, "no memory to write a container");
    w->parent_fd = open(parent_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (w->parent_fd < 0)
        return err_errno(e, "cannot open folder %s", parent_dir);
    if (fstatat(w->parent_fd, w->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return err_set(e, ERR_CONFLICT, "%s/%s is there already. Remove it, or "
                       "write elsewhere", parent_dir, w->name);
    leftover_remove(w->parent_fd, w->hidden);
    if (mkdirat(w->parent_fd, w->hidden, 0755) != 0)
        return err_errno(e, "cannot make folder %s/%s", parent_dir, w->hidden);
    w->made = true;
    w->dir_fd = openat(w->parent_fd, w->hidden,
                       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (w->dir_fd < 0)
        return err_errno(e, "cannot open folder %s/%s", parent_dir, w->hidden);
    return 0;
}

int container_writer_open(const char *parent_dir, struct manifest *m,
                          struct container_writer **out, struct err *e)
{
    struct container_writer *w = calloc(1, sizeof *w);

    if (!w)
        return err_set(e, ERR_NOMEM, "no memory to write a container");
    if (!m->id[0])
        uuid_make(m->id);
    free(m->segments);
    m->segments = NULL;
    m->segment_count = 0;
    w->m = m;
    w->roll = SEGMENT_ROLL;
    w->parent_fd = w->dir_fd = w->seg_fd = -1;
    snprintf(w->name, sizeof w->name, "%s-%s", kind_name(m->kind), m->id);
    snprintf(w->hidden, sizeof w->hidden, ".%s.part", w->name);
    if (writer_start(w, parent_dir, e) != 0) {
        container_writer_abort(w);
        return -1;
    }
    *out = w;
    return 0;
}

void container_writer_roll(struct container_writer *w, uint64_t octets)
{
    w->roll = octets < SEGMENT_MAX ? octets : SEGMENT_MAX;
}

/* --- sealing --------------------------------------------------------------------------- */

static void cms_free_p(CMS_ContentInfo **c)
{
    CMS_ContentInfo_free(*c);
}

static void bio_free_p(BIO **b)
{
    BIO_free(*b);
}

static bool is_root(X509 *x)
{
    return X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)) == 0;
}

/* The chain above the signer; the root only where its kind wants it. */
static int add_chain(CMS_ContentInfo *cms, const struct signer *s,
                     const struct signer_rule *rule)
{
    bool root = false;

    for (int i = 0; i < sk_X509_num(s->chain); i++) {
        X509 *x = sk_X509_value(s->chain, i);
        if (is_root(x) && !rule->root_included)
            continue;
        root = root || is_root(x);
        if (CMS_add1_cert(cms, x) != 1)
            return -1;
    }
    return root == rule->root_included ? 0 : -1;
}

static int cms_sign(const struct manifest *m, struct span content,
                    const struct signer *s, struct buf *out, struct err *e)
{
    const unsigned flags = CMS_PARTIAL | CMS_BINARY | CMS_NOSMIMECAP;
    AUTO(cms_free_p) CMS_ContentInfo *cms =
        CMS_sign(NULL, NULL, NULL, NULL, flags);
    AUTO(bio_free_p) BIO *in = BIO_new_mem_buf(content.p, (int)content.n);

    if (!cms || !in ||
        !CMS_add1_signer(cms, s->cert, s->key, EVP_sha256(), flags))
        return err_ossl(e, ERR_INTERNAL, "cannot sign the manifest");
    if (add_chain(cms, s, signer_rule(m->kind)) != 0)
        return err_ossl(e, ERR_TRUST, "the signer's chain of a %s does not end "
                        "as it must: give it with its root",
                        kind_name(m->kind));
    if (CMS_final(cms, in, NULL, CMS_BINARY) != 1)
        return err_ossl(e, ERR_INTERNAL, "cannot sign the manifest");
    unsigned char *p = NULL;
    int n = i2d_CMS_ContentInfo(cms, &p);
    if (n < 0)
        return err_ossl(e, ERR_INTERNAL, "cannot encode the manifest");
    buf_put(out, p, (size_t)n);
    OPENSSL_free(p);
    return buf_ok(out) ? 0 : err_set(e, ERR_NOMEM, "no memory for a manifest");
}

/* What a reader would refuse must not leave: a wrong certificate or a chain
 * with a gap shows here, not at the other end of a journey. */
static int cms_own_check(struct span cms, struct err *e)
{
    AUTO(cert_stack_free) STACK_OF(X509) *chain = NULL;
    struct cms c;

    if (cms_parse(cms, &c, e) != 0 || cms_chain(&c, &chain, e) != 0 ||
        cms_check(&c, sk_X509_value(chain, 0), e) != 0)
        return err_wrap(e, "the container just signed would not be accepted");
    return 0;
}

static int manifest_write(struct container_writer *w, struct span cms,
                          struct err *e)
{
    int fd;

    if (file_create(w, MANIFEST_NAME, &fd, e) != 0)
        return -1;
    w->manifest_made = true;
    int rc = write_all(fd, cms, MANIFEST_NAME, e);
    if (rc == 0)
        rc = sync_fd(fd, MANIFEST_NAME, e);
    if (close(fd) != 0 && rc == 0)
        rc = err_errno(e, "cannot write %s", MANIFEST_NAME);
    return rc;
}

/* Never over something else. Where the file system cannot promise that in
 * one step (old FAT), rename refuses a non-empty folder by itself. */
static int rename_new(struct container_writer *w)
{
    if (renameat2(w->parent_fd, w->hidden, w->parent_fd, w->name,
                  RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP)
        return -1;
    return renameat(w->parent_fd, w->hidden, w->parent_fd, w->name);
}

static int appear(struct container_writer *w, char **path, struct err *e)
{
    char *full = NULL;

    if (path && asprintf(&full, "%s/%s", w->parent, w->name) < 0)
        return err_set(e, ERR_NOMEM, "no memory for a path");
    if (sync_fd(w->dir_fd, w->name, e) != 0) {
        free(full);
        return -1;
    }
    if (rename_new(w) != 0) {
        free(full);
        return err_errno(e, "cannot name %s/%s", w->parent, w->name);
    }
    w->renamed = true;
    if (sync_fd(w->parent_fd, w->parent, e) != 0) {
        free(full);
        return -1;
    }
    if (path)
        *path = full;
    return 0;
}

static int seal(struct container_writer *w, const struct signer *s,
                struct buf *cms, struct err *e)
{
    AUTO(buf_clear) struct buf der = BUF_INIT;

    if (segment_close(w, e) != 0 || manifest_encode(w->m, &der, e) != 0 ||
        cms_sign(w->m, buf_span(&der), s, cms, e) != 0 ||
        cms_own_check(buf_span(cms), e) != 0)
        return -1;
    return manifest_write(w, buf_span(cms), e);
}

int container_writer_seal(struct container_writer *w, const struct signer *s,
                          struct buf *cms, char **path, struct err *e)
{
    AUTO(buf_clear) struct buf own = BUF_INIT;

    if (seal(w, s, &own, e) != 0 || appear(w, path, e) != 0) {
        container_writer_abort(w);
        return -1;
    }
    writer_free(w);
    if (cms) {
        buf_clear(cms);
        *cms = own;
        own = (struct buf)BUF_INIT;
    }
    return 0;
}

/* --- the same again ------------------------------------------------------------------------ */

static int same_segments(const struct manifest *a, const struct manifest *b,
                         struct err *e)
{
    bool same = a->kind == b->kind && strcmp(a->id, b->id) == 0 &&
                a->segment_count == b->segment_count;

    for (size_t i = 0; same && i < a->segment_count; i++) {
        const struct segment_entry *x = &a->segments[i], *y = &b->segments[i];
        same = x->size == y->size && x->records == y->records &&
               memcmp(x->sha256, y->sha256, sizeof x->sha256) == 0;
    }
    return same ? 0 : err_set(e, ERR_CONFLICT, "%s %s: the records are not those "
                              "it was sealed with", kind_name(a->kind), a->id);
}

static int reissue(struct container_writer *w, struct span cms, struct err *e)
{
    AUTO(manifest_clear) struct manifest old;

    manifest_init(&old);
    if (segment_close(w, e) != 0 || manifest_peek(cms, &old, e) != 0 ||
        same_segments(&old, w->m, e) != 0)
        return -1;
    return manifest_write(w, cms, e);
}

int container_writer_reissue(struct container_writer *w, struct span cms,
                             char **path, struct err *e)
{
    if (reissue(w, cms, e) != 0 || appear(w, path, e) != 0) {
        container_writer_abort(w);
        return -1;
    }
    writer_free(w);
    return 0;
}

#include "station/container/reader.h"

#include "station/ifpp/event.h"
#include "station/ifpp/tlv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANIFEST_NAME "manifest.cms"
#define WINDOW (256 * 1024)
#define AGAIN "Copy the container again"

static void fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* A regular file, followed through no link. O_NONBLOCK: a pipe of that name
 * must not hold the importer. */
static int file_open(int dirfd, const char *name, int *fd, uint64_t *size,
                     struct err *e)
{
    struct stat st;

    *fd = openat(dirfd, name,
                 O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*fd < 0 && errno == ENOENT)
        return err_set(e, ERR_FORMAT, "%s is missing. " AGAIN, name);
    if (*fd < 0 && errno == ELOOP)
        return err_set(e, ERR_FORMAT, "%s is a link, not a file. " AGAIN, name);
    if (*fd < 0)
        return err_errno(e, "cannot open %s", name);
    if (fstat(*fd, &st) != 0)
        return err_errno(e, "cannot look at %s", name);
    if (!S_ISREG(st.st_mode))
        return err_set(e, ERR_FORMAT, "%s is not a file. " AGAIN, name);
    *size = (uint64_t)st.st_size;
    return 0;
}

/* Up to n octets; less only at the end of the file. -1: error. */
static ssize_t read_some(int fd, uint8_t *to, size_t n)
{
    ssize_t got;

    do
        got = read(fd, to, n);
    while (got < 0 && errno == EINTR);
    return got;
}

int container_read_manifest(int dirfd, struct buf *cms, struct err *e)
{
    AUTO(fd_close) int fd = -1;
    uint64_t size;

    if (file_open(dirfd, MANIFEST_NAME, &fd, &size, e) != 0)
        return -1;
    if (size == 0 || size > MANIFEST_MAX)
        return err_set(e, ERR_LIMIT, MANIFEST_NAME " has %llu octets; 1 to %d "
                       "are read. " AGAIN, (unsigned long long)size,
                       MANIFEST_MAX);
    size_t before = cms->n;
    while (cms->n - before < size) {
        size_t want = (size_t)size - (cms->n - before);
        uint8_t *to = buf_reserve(cms, want);
        if (!to)
            return err_set(e, ERR_NOMEM, "no memory for a manifest");
        ssize_t n = read_some(fd, to, want);
        if (n <= 0) {
            cms->n = before;
            return n < 0 ? err_errno(e, "cannot read " MANIFEST_NAME)
                         : err_set(e, ERR_FORMAT, MANIFEST_NAME " became shorter "
                                   "while it was read. " AGAIN);
        }
        cms->n += (size_t)n;
    }
    return 0;
}

/* --- names ----------------------------------------------------------------------- */

/* What systems put on removable media by themselves, without being asked. A
 * trailing star stands for anything. Only these; another name is a question
 * that a person must answer. */
static const char *const medium_names[] = {
    "System Volume Information", /* Windows                      */
    ".Trashes",                  /* macOS, and the three below   */
    ".fseventsd",
    ".DS_Store",
    "._*",
};

static bool of_the_medium(const char *name)
{
    for (size_t i = 0; i < sizeof medium_names / sizeof *medium_names; i++) {
        const char *m = medium_names[i];
        size_t n = strlen(m);
        if (m[n - 1] == '*' ? strncmp(name, m, n - 1) == 0
                            : strcmp(name, m) == 0)
            return true;
    }
    return false;
}

static bool named(const struct manifest *m, const char *name)
{
    if (strcmp(name, MANIFEST_NAME) == 0)
        return true;
    for (size_t i = 0; i < m->segment_count; i++)
        if (strcmp(name, m->segments[i].name) == 0)
            return true;
    return false;
}

static int entries_check(DIR *d, const struct manifest *m, struct err *e)
{
    size_t found = 0;
    struct dirent *de;

    while ((errno = 0, de = readdir(d)) != NULL) {
        if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
            continue;
        if (named(m, de->d_name))
            found++;
        else if (!of_the_medium(de->d_name))
            return err_set(e, ERR_FORMAT, "the container's folder holds \"%s\", "
                           "which its manifest does not name. Remove it, or "
                           "copy the container again",
                           event_text_ok(SPAN_STR(de->d_name))
                               ? de->d_name : "(a name that is not text)");
    }
    if (errno)
        return err_errno(e, "cannot list the container's folder");
    if (found != m->segment_count + 1)
        return err_set(e, ERR_FORMAT, "of %zu segments only %zu are there. "
                       AGAIN, m->segment_count, found ? found - 1 : 0);
    return 0;
}

int container_check_names(int dirfd, const struct manifest *m, struct err *e)
{
    int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

    if (!d) {
        err_errno(e, "cannot list the container's folder");
        fd_close(&fd);
        return -1;
    }
    int rc = entries_check(d, m, e);
    closedir(d);
    return rc;
}

/* --- segments ---------------------------------------------------------------------- */

/* The octets read and not yet handed over: p[start..end). What comes in is
 * hashed as it comes in, and parsed from the same memory. */
struct window {
    int fd;
    uint64_t unread; /* of the size the manifest states */
    uint8_t *p;
    size_t cap, start, end;
    EVP_MD_CTX *md;
};

static void window_clear(struct window *w)
{
    fd_close(&w->fd);
    EVP_MD_CTX_free(w->md);
    free(w->p);
}

static int window_grow(struct window *w, size_t need, struct err *e)
{
    memmove(w->p, w->p + w->start, w->end - w->start);
    w->end -= w->start;
    w->start = 0;
    if (need > w->cap) {
        uint8_t *p = realloc(w->p, need);
        if (!p)
            return err_set(e, ERR_NOMEM, "no memory for a record");
        w->p = p;
        w->cap = need;
    }
    return 0;
}

/* Bring at least `need` octets into the window, as far as the segment has
 * them; takes what fits, so that small records cost no call each. */
static int window_fill(struct window *w, size_t need, struct err *e)
{
    if (w->start + need > w->cap && window_grow(w, need, e) != 0)
        return -1;
    while (w->end - w->start < need && w->unread) {
        size_t want = w->cap - w->end;
        if (want > w->unread)
            want = (size_t)w->unread;
        ssize_t n = read_some(w->fd, w->p + w->end, want);
        if (n < 0)
            return err_errno(e, "cannot read");
        if (n == 0)
            return err_set(e, ERR_FORMAT, "it became shorter while it was read. "
                           AGAIN);
        if (EVP_DigestUpdate(w->md, w->p + w->end, (size_t)n) != 1)
            return err_ossl(e, ERR_INTERNAL, "cannot hash");
        w->end += (size_t)n;
        w->unread -= (uint64_t)n;
    }
    return 0;
}

static struct span window_span(const struct window *w)
{
    return SPAN(w->p + w->start, w->end - w->start);
}

#define HEADER_MAX 8 /* der_header asks for no more */

/* The next whole record: 1, 0 at the end of the segment, or -1. */
static int record_next(struct window *w, struct span *record, struct err *e)
{
    size_t head, len;
    uint32_t tag;

    if (w->end - w->start < HEADER_MAX && window_fill(w, HEADER_MAX, e) != 0)
        return -1;
    struct span s = window_span(w);
    if (s.n == 0)
        return 0;
    if (der_header(s, &tag, &head, &len) != DER_OK)
        return err_set(e, ERR_FORMAT, "not a DER record. " AGAIN);
    if (len > RECORD_MAX - head)
        return err_set(e, ERR_LIMIT, "longer than %d octets. " AGAIN,
                       RECORD_MAX);
    if (head + len > s.n && window_fill(w, head + len, e) != 0)
        return -1;
    s = window_span(w);
    if (head + len > s.n)
        return err_set(e, ERR_FORMAT, "cut short. " AGAIN);
    *record = SPAN(s.p, head + len);
    w->start += head + len;
    return 1;
}

static int window_open(int dirfd, const struct segment_entry *s,
                       struct window *w, struct err *e)
{
    uint64_t size;

    if (file_open(dirfd, s->name, &w->fd, &size, e) != 0)
        return -1;
    if (size != s->size)
        return err_set(e, ERR_FORMAT, "it has %llu octets, the manifest says "
                       "%llu. " AGAIN, (unsigned long long)size,
                       (unsigned long long)s->size);
    w->unread = size;
    w->cap = WINDOW;
    w->p = malloc(w->cap);
    w->md = EVP_MD_CTX_new();
    if (!w->p || !w->md)
        return err_set(e, ERR_NOMEM, "no memory to read a segment");
    if (EVP_DigestInit_ex(w->md, EVP_sha256(), NULL) != 1)
        return err_ossl(e, ERR_INTERNAL, "cannot hash");
    return 0;
}

static int segment_close(struct window *w, const struct segment_entry *s,
                         uint64_t records, struct err *e)
{
    uint8_t digest[32];

    if (EVP_DigestFinal_ex(w->md, digest, NULL) != 1)
        return err_ossl(e, ERR_INTERNAL, "cannot hash");
    if (records != s->records)
        return err_set(e, ERR_FORMAT, "it holds %llu records, the manifest says "
                       "%llu. " AGAIN, (unsigned long long)records,
                       (unsigned long long)s->records);
    if (!span_eq(SPAN_ARRAY(digest), SPAN_ARRAY(s->sha256)))
        return err_set(e, ERR_SIGNATURE, "its SHA-256 is not the one in the "
                       "manifest. " AGAIN);
    return 0;
}

static int segment_read(int dirfd, const struct segment_entry *s,
                        uint64_t *number, record_fn *fn, void *ctx,
                        struct err *e)
{
    AUTO(window_clear) struct window w = { .fd = -1 };
    uint64_t records = 0;
    struct span record;
    int more;

    if (window_open(dirfd, s, &w, e) != 0)
        return -1;
    while ((more = record_next(&w, &record, e)) == 1) {
        if (fn && fn(ctx, *number, record, e) != 0)
            return err_wrap(e, "record %llu", (unsigned long long)records + 1);
        records++;
        ++*number;
    }
    if (more < 0)
        return err_wrap(e, "record %llu", (unsigned long long)records + 1);
    return segment_close(&w, s, records, e);
}

int container_read_segments(int dirfd, const struct manifest *m, record_fn *fn,
                            void *ctx, struct err *e)
{
    uint64_t number = 1;

    for (size_t i = 0; i < m->segment_count; i++)
        if (segment_read(dirfd, &m->segments[i], &number, fn, ctx, e) != 0)
            return err_wrap(e, "%s", m->segments[i].name);
    return 0;
}

#include "tests/lab/world.h"

#include "tests/lab/pki/parties.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/rand.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORLD_VERSION 1

void str_free_p(char **s)
{
    free(*s);
    *s = NULL;
}

char *world_path(const struct world *w, struct err *e, const char *fmt, ...)
{
    char *tail = NULL, *path = NULL;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&tail, fmt, ap) < 0)
        tail = NULL;
    va_end(ap);
    if (!tail || asprintf(&path, "%s/%s", w->dir, tail) < 0) {
        path = NULL;
        err_set(e, ERR_NOMEM, "out of memory");
    }
    free(tail);
    return path;
}

void world_clear(struct world *w)
{
    free(w->dir);
    w->dir = NULL;
}

/* --- parties ------------------------------------------------------------------ */

int world_holder(const struct world *w, const char *party,
                   struct holder *out, struct err *e)
{
    AUTO(str_free_p) char *path = world_path(w, e, "%s", party);

    return path ? holder_load(path, out, e) : -1;
}

int world_smdpf_holder(const struct world *w, const struct world_smdpf *s,
                         const char *role, struct holder *out, struct err *e)
{
    AUTO(str_free_p) char *path =
        world_path(w, e, "smdpf/%s/%s", s->name, role);

    return path ? holder_load(path, out, e) : -1;
}

int world_cert(const struct world *w, const char *party, X509 **out,
               struct err *e)
{
    AUTO(str_free_p) char *path = world_path(w, e, "%s", party);

    return path ? holder_load_cert(path, out, e) : -1;
}

int world_cert_der(const struct world *w, const char *party, struct buf *out,
                   struct err *e)
{
    AUTO(x509_free_p) X509 *c = NULL;

    return world_cert(w, party, &c, e) == 0 ? cert_put(c, out, e) : -1;
}

int world_trust(const struct world *w, const char *root, struct trust **out,
                struct err *e)
{
    AUTO(buf_clear) struct buf der = BUF_INIT;

    if (world_cert_der(w, root, &der, e) != 0)
        return -1;
    struct trust *t = trust_new();
    if (!t)
        return err_set(e, ERR_NOMEM, "out of memory");
    if (trust_add_root(t, buf_span(&der), e) != 0) {
        trust_free(t);
        return -1;
    }
    *out = t;
    return 0;
}

const struct world_smdpf *world_find_smdpf(const struct world *w,
                                           const char *name_or_oid)
{
    for (size_t i = 0; i < w->smdpf_count; i++)
        if (strcmp(w->smdpf[i].name, name_or_oid) == 0 ||
            strcmp(w->smdpf[i].oid, name_or_oid) == 0)
            return &w->smdpf[i];
    return NULL;
}

/* --- making ------------------------------------------------------------------- */

static bool empty_directory(const char *dir)
{
    DIR *d = opendir(dir);
    int entries = 0;

    if (!d)
        return false;
    while (readdir(d))
        entries++;
    closedir(d);
    return entries <= 2; /* . and .. */
}

static int make_sub(const struct world *w, const char *name, struct err *e)
{
    AUTO(str_free_p) char *path = world_path(w, e, "%s", name);

    if (!path)
        return -1;
    return mkdir(path, 0755) == 0 ? 0 : err_errno(e, "%s", path);
}

static int make_directories(const struct world *w, struct err *e)
{
    static const char *const subs[] = { "ci", "eum", "dm", "smdpf", "euicc",
                                        "out" };

    if (mkdir(w->dir, 0755) != 0 &&
        (errno != EEXIST || !empty_directory(w->dir)))
        return errno == EEXIST
                   ? err_set(e, ERR_CONFLICT, "%s is there already and not "
                             "empty; name a new directory", w->dir)
                   : err_errno(e, "%s", w->dir);
    for (size_t i = 0; i < sizeof subs / sizeof *subs; i++)
        if (make_sub(w, subs[i], e) != 0)
            return -1;
    for (size_t i = 0; i < w->smdpf_count; i++) {
        char name[WORLD_NAME_MAX + 8];
        snprintf(name, sizeof name, "smdpf/%s", w->smdpf[i].name);
        if (make_sub(w, name, e) != 0)
            return -1;
    }
    return 0;
}

static int set_smdpf(struct world *w, size_t i, const char *name, struct err *e)
{
    struct world_smdpf *s = &w->smdpf[i];
    size_t n = strlen(name);

    if (n < 1 || n > WORLD_NAME_MAX ||
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != n)
        return err_set(e, ERR_USAGE, "SM-DPf name \"%.40s\": 1 to %d of "
                       "a-z, 0-9 and -", name, WORLD_NAME_MAX);
    if (world_find_smdpf(w, name))
        return err_set(e, ERR_USAGE, "SM-DPf name \"%s\" twice", name);
    snprintf(s->name, sizeof s->name, "%s", name);
    snprintf(s->oid, sizeof s->oid, "2.999.%zu", 10 + i);
    snprintf(s->fqdn, sizeof s->fqdn, "%s.lineside.example", name);
    if (RAND_bytes(s->host_id, sizeof s->host_id) != 1)
        return err_ossl(e, ERR_INTERNAL, "no random octets");
    w->smdpf_count = i + 1;
    return 0;
}

int world_create(const char *dir, int curve_nid, const char *const *names,
                 size_t count, struct world *out, struct err *e)
{
    struct world w = { .dir = strdup(dir), .curve = curve_nid };
    int got = 0;

    if (!w.dir)
        return err_set(e, ERR_NOMEM, "out of memory");
    if (count < 1 || count > WORLD_SMDPF_MAX)
        got = err_set(e, ERR_USAGE, "%zu SM-DPfs; 1 to %d are possible", count,
                      WORLD_SMDPF_MAX);
    for (size_t i = 0; got == 0 && i < count; i++)
        got = set_smdpf(&w, i, names[i], e);
    if (got != 0 || make_directories(&w, e) != 0 || parties_create(&w, e) != 0) {
        world_clear(&w);
        return -1;
    }
    *out = w;
    return 0;
}

/* The chips were made without an fsync each. */
static int sync_world(const struct world *w, struct err *e)
{
    int fd = open(w->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int got = fd < 0 || syncfs(fd) != 0 ? err_errno(e, "%s", w->dir) : 0;

    if (fd >= 0)
        close(fd);
    return got;
}

int world_finish(const struct world *w, struct err *e)
{
    AUTO(str_free_p) char *path = world_path(w, e, "world.json");
    json_t *list = json_array();

    for (size_t i = 0; i < w->smdpf_count; i++) {
        const struct world_smdpf *s = &w->smdpf[i];
        char host[2 * WORLD_HOST_ID_LEN + 1];
        hex_encode(SPAN_ARRAY(s->host_id), host, sizeof host);
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "name",
                                              s->name, "oid", s->oid, "fqdn",
                                              s->fqdn, "host_id", host));
    }
    json_t *o = json_pack("{s:i, s:s, s:s, s:o}", "version", WORLD_VERSION,
                          "curve", ec_curve_name(w->curve), "ein", WORLD_EIN,
                          "smdpf", list);
    int got = !path || !o ? err_set(e, ERR_NOMEM, "out of memory")
              : json_dump_file(o, path, JSON_INDENT(2)) != 0
                  ? err_errno(e, "%s", path)
                  : 0;
    json_decref(o);
    return got == 0 ? sync_world(w, e) : -1;
}

/* --- opening ------------------------------------------------------------------ */

static bool copy_text(json_t *o, const char *key, char *out, size_t cap)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s && (size_t)snprintf(out, cap, "%s", s) < cap;
}

static bool read_world(json_t *o, struct world *w)
{
    char curve[16], host[2 * WORLD_HOST_ID_LEN + 1];
    json_t *list = json_object_get(o, "smdpf");
    size_t n = json_array_size(list);

    if (json_integer_value(json_object_get(o, "version")) != WORLD_VERSION ||
        !copy_text(o, "curve", curve, sizeof curve) || n < 1 ||
        n > WORLD_SMDPF_MAX)
        return false;
    w->curve = ec_curve_parse(curve);
    for (size_t i = 0; i < n; i++) {
        struct world_smdpf *s = &w->smdpf[i];
        json_t *one = json_array_get(list, i);
        if (!copy_text(one, "name", s->name, sizeof s->name) ||
            !copy_text(one, "oid", s->oid, sizeof s->oid) ||
            !copy_text(one, "fqdn", s->fqdn, sizeof s->fqdn) ||
            !copy_text(one, "host_id", host, sizeof host) ||
            hex_decode(host, s->host_id, sizeof s->host_id) != 0)
            return false;
    }
    w->smdpf_count = n;
    return w->curve != NID_undef;
}

int world_open(const char *dir, struct world *out, struct err *e)
{
    struct world w = { .dir = strdup(dir) };
    AUTO(str_free_p) char *path = w.dir ? world_path(&w, e, "world.json") : NULL;
    json_error_t why;

    if (!path) {
        world_clear(&w);
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    json_t *o = json_load_file(path, 0, &why);
    bool ok = o && read_world(o, &w);
    json_decref(o);
    if (!ok) {
        world_clear(&w);
        return access(path, F_OK) != 0
                   ? err_set(e, ERR_NOT_FOUND, "%s is no world; make one with "
                             "`lineside-lab new %s --euiccs N --keys K`", dir,
                             dir)
                   : err_set(e, ERR_FORMAT, "%s is not what `lineside-lab "
                             "new` writes", path);
    }
    *out = w;
    return 0;
}

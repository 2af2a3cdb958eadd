#include "tests/bench/site.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <openssl/obj_mac.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/lab/pki/authority.h"

#define STATION "build/bin/lineside"
#define LOOK_EVERY_NS 2000000

extern char **environ;

/* --- programs --------------------------------------------------------------- */

/* What it prints would stand among the figures. */
static pid_t start(char *const argv[])
{
    posix_spawn_file_actions_t fa;
    pid_t pid;

    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&fa, 1, "/dev/null", O_WRONLY, 0);
    int rc = posix_spawnp(&pid, argv[0], &fa, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&fa);
    if (rc != 0)
        bench_die("%s: %s; run make first", argv[0], strerror(rc));
    return pid;
}

static void check_end(const char *name, int status)
{
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        bench_die("%s failed (status %d)", name, status);
}

static void run(char *const argv[])
{
    int status;

    pid_t pid = start(argv);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            bench_die("%s: %s", argv[0], strerror(errno));
    check_end(argv[0], status);
}

#define RUN(...) run((char *const[]){ __VA_ARGS__, NULL })

static char *text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static char *text(const char *fmt, ...)
{
    va_list ap;
    char *out;

    va_start(ap, fmt);
    if (vasprintf(&out, fmt, ap) < 0)
        bench_die("no memory");
    va_end(ap);
    return out;
}

void site_remove(char *path)
{
    RUN("rm", "-rf", path);
    free(path);
}

/* --- the site --------------------------------------------------------------- */

static char *found(const char *dir, const char *kind)
{
    AUTO(str_free_p) char *pattern = text("%s/%s-*", dir, kind);
    glob_t g;

    if (glob(pattern, 0, NULL, &g) != 0 || g.gl_pathc != 1)
        bench_die("no %s in %s", kind, dir);
    char *path = text("%s", g.gl_pathv[0]);
    globfree(&g);
    return path;
}

static void make_world(struct site *s)
{
    static const char *const names[] = { "bench" };
    AUTO(str_free_p) char *dir = text("%s/world", s->dir);
    struct err e = ERR_INIT;

    if (world_create(dir, NID_X9_62_prime256v1, names, 1, &s->world, &e) != 0 ||
        world_finish(&s->world, &e) != 0)
        bench_die("%s", e.msg);
    s->smdpf = &s->world.smdpf[0];
}

static void make_station(struct site *s)
{
    AUTO(str_free_p) char *stick = text("%s/stick", s->dir);
    AUTO(x509_free_p) X509 *root = NULL;
    uint8_t sha256[32];
    char hex[65];
    struct err e = ERR_INIT;

    if (world_cert(&s->world, "dm/root", &root, &e) != 0)
        bench_die("%s", e.msg);
    cert_sha256(root, sha256);
    hex_encode(SPAN_ARRAY(sha256), hex, sizeof hex);
    s->data = text("%s/commissioned", s->dir);
    RUN("mkdir", s->data, stick);
    RUN(STATION, "init", "--data", s->data, "--root", hex);
    RUN(STATION, "station-csr", "--data", s->data, "--to", stick);
    AUTO(str_free_p) char *csr = found(stick, "station-csr");
    AUTO(str_free_p) char *cert = NULL;
    struct station_grant grant = { .csr = csr, .out = stick };
    if (authority_grant(&s->world, &grant, &cert, s->key_id, &e) != 0)
        bench_die("%s", e.msg);
    RUN(STATION, "station-cert", "--data", s->data, cert);
}

void site_open(struct site *s)
{
    memset(s, 0, sizeof *s);
    s->dir = bench_scratch();
    make_world(s);
    make_station(s);
}

void site_close(struct site *s)
{
    world_clear(&s->world);
    free(s->data);
    bench_scratch_remove(s->dir);
}

char *site_station(const struct site *s)
{
    static unsigned n;
    char *data = text("%s/station-%u", s->dir, ++n);

    RUN("cp", "-a", s->data, data);
    return data;
}

/* --- import ------------------------------------------------------------------- */

/* The peak of this process's own memory. Not ru_maxrss: that begins with the
 * memory of whoever started the process, which here is a bench. */
static long peak_kib(pid_t pid)
{
    char path[64], line[256];
    long kib = 0;

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmHWM: %ld", &kib) == 1)
            break;
    if (f)
        fclose(f);
    return kib;
}

static pid_t only_child(pid_t pid)
{
    char path[64];
    int child = 0;

    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *f = fopen(path, "re");
    if (f && fscanf(f, "%d", &child) != 1)
        child = 0;
    if (f)
        fclose(f);
    return child;
}

/* Peaks only rise: the last look before the end is at most one interval old. */
static void look(pid_t pid, struct site_import *out)
{
    pid_t child = only_child(pid);
    long station = peak_kib(pid), importer = child ? peak_kib(child) : 0;

    if (station > out->station_kib)
        out->station_kib = station;
    if (importer > out->importer_kib)
        out->importer_kib = importer;
}

void site_import(const char *data, const char *container,
                 struct site_import *out)
{
    const struct timespec pause = { 0, LOOK_EVERY_NS };
    siginfo_t ended;
    int status;

    *out = (struct site_import){ .ns = 0 };
    int64_t t0 = bench_now_ns();
    pid_t pid = start((char *const[]){ STATION, "import", "--data",
                                       (char *)(uintptr_t)data,
                                       (char *)(uintptr_t)container, NULL });
    do {
        look(pid, out);
        nanosleep(&pause, NULL);
        ended.si_pid = 0;
    } while (waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
             ended.si_pid == 0);
    out->ns = bench_now_ns() - t0;
    if (waitpid(pid, &status, 0) != pid)
        bench_die("waiting for the import: %s", strerror(errno));
    check_end("lineside import", status);
    if (!out->station_kib || !out->importer_kib)
        bench_die("the import's memory could not be seen in /proc");
}

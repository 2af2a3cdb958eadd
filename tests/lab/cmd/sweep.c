/* The hostile stick: every single-octet change of a container, one at a time.
 * Each changed copy is given to a command, which must refuse it (exit 1) and
 * say why, naming the copy. Jobs share the octets: job j takes every octet whose
 * place modulo the number of jobs is j, on copies of its own. */
#include "tests/lab/cmd/lab.h"

#include "station/base/span.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILES_MAX 64
#define ARGS_MAX 64
#define TOGETHER_MAX 16
#define PATH_ROOM 4096
#define SAID_MAX 65536

struct options {
    const char *copies, *command;
    uint64_t jobs, step, together;
};

static const struct opt opts[] = {
    { "--copies", OPT_TEXT, offsetof(struct options, copies), "DIR",
      "where the changed copies are made (DIR/0.00, DIR/0.01, ...)" },
    { "--command", OPT_TEXT, offsetof(struct options, command), "WORDS",
      "what refuses: words split at spaces, @J the job's number; the copy's "
      "path is added" },
    { "--jobs", OPT_NUMBER, offsetof(struct options, jobs), "N",
      "at once (default: 1)" },
    { "--together", OPT_NUMBER, offsetof(struct options, together), "N",
      "so many changed copies are given to one command (default: 1, at most 16)" },
    { "--step", OPT_NUMBER, offsetof(struct options, step), "N",
      "every Nth octet (default: 1, every one)" },
    OPT_END
};

struct sweep {
    const struct options *o;
    const char *container;
    char copies[TOGETHER_MAX][PATH_ROOM];
    char words[PATH_ROOM]; /* the command, split */
    char *argv[ARGS_MAX + TOGETHER_MAX + 1];
    size_t word_count;
    uint64_t refused;
};

/* One octet of one copy that is another now. */
struct change {
    int fd;
    uint64_t at;
    unsigned char was, is;
};

static int copy_file(const char *from, const char *to, struct err *e)
{
    char chunk[65536];
    ssize_t n;
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (out < 0) {
        if (in >= 0)
            close(in);
        return err_errno(e, "%s to %s", from, to);
    }
    while ((n = read(in, chunk, sizeof chunk)) > 0)
        if (write(out, chunk, (size_t)n) != n) {
            n = -1;
            break;
        }
    close(in);
    if (close(out) != 0 || n < 0)
        return err_errno(e, "%s", to);
    return 0;
}

/* The container's files; names are borrowed from `names`. */
static int list_files(const char *dir, char names[][256], size_t *n,
                      struct err *e)
{
    struct dirent *de;
    DIR *d = opendir(dir);

    *n = 0;
    if (!d)
        return err_errno(e, "%s", dir);
    while ((de = readdir(d)) && *n < FILES_MAX)
        if (de->d_name[0] != '.')
            snprintf(names[(*n)++], 256, "%s", de->d_name);
    closedir(d);
    return *n ? 0 : err_set(e, ERR_NOT_FOUND, "%s is empty", dir);
}

static int make_copy(const struct sweep *s, const char *copy, char names[][256],
                     size_t n, struct err *e)
{
    char from[4400], to[4400];

    if (mkdir(copy, 0700) != 0 && errno != EEXIST)
        return err_errno(e, "%s", copy);
    for (size_t i = 0; i < n; i++) {
        snprintf(from, sizeof from, "%s/%.255s", s->container, names[i]);
        snprintf(to, sizeof to, "%s/%.255s", copy, names[i]);
        if (copy_file(from, to, e) != 0)
            return -1;
    }
    return 0;
}

/* All that comes, whole; what is too much is read and forgotten. */
static void hear(int fd, char said[SAID_MAX])
{
    char more[4096];
    size_t n = 0;
    ssize_t got;

    while ((got = n + 1 < SAID_MAX ? read(fd, said + n, SAID_MAX - 1 - n)
                                   : read(fd, more, sizeof more)) > 0)
        if (n + 1 < SAID_MAX)
            n += (size_t)got;
    said[n] = '\0';
}

/* Run the command on the first n copies as they are: it must exit with `want`
 * and, when it refuses, name each of them. */
static int run_on_copies(struct sweep *s, size_t n, int want, struct err *e)
{
    static char said[SAID_MAX];
    int pipes[2], status;

    for (size_t i = 0; i < n; i++)
        s->argv[s->word_count + i] = s->copies[i];
    s->argv[s->word_count + n] = NULL;
    if (pipe2(pipes, O_CLOEXEC) != 0)
        return err_errno(e, "pipe");
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(null, 1);
        dup2(pipes[1], 2);
        execvp(s->argv[0], s->argv);
        _exit(126);
    }
    close(pipes[1]);
    said[0] = '\0';
    if (pid > 0)
        hear(pipes[0], said);
    close(pipes[0]);
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return err_errno(e, "%s", s->argv[0]);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != want)
        return err_set(e, ERR_CONFLICT, "the command ended with %s %d instead "
                                        "of %d: %.400s",
                       WIFEXITED(status) ? "exit code" : "signal",
                       WIFEXITED(status) ? WEXITSTATUS(status)
                                         : WTERMSIG(status), want, said);
    for (size_t i = 0; want != 0 && i < n; i++)
        if (!strstr(said, s->copies[i]))
            return err_set(e, ERR_CONFLICT, "the command did not refuse copy "
                           "%zu of %zu by name: %.400s", i, n, said);
    return 0;
}

static int change_one(const struct sweep *s, const char *name, size_t copy,
                      uint64_t at, struct change *c, struct err *e)
{
    char path[PATH_ROOM + 300];

    snprintf(path, sizeof path, "%s/%.255s", s->copies[copy], name);
    c->fd = open(path, O_RDWR | O_CLOEXEC);
    c->at = at;
    if (c->fd < 0)
        return err_errno(e, "%s", path);
    if (pread(c->fd, &c->was, 1, (off_t)at) != 1)
        return err_errno(e, "%s", path);
    /* Another bit at each place: all eight are met all over the file. */
    c->is = (unsigned char)(c->was ^ 1u << (at % 8));
    return pwrite(c->fd, &c->is, 1, (off_t)at) == 1 ? 0 : err_errno(e, "%s", path);
}

/* As it was. */
static int change_back(const struct change *c, struct err *e)
{
    bool bad = pwrite(c->fd, &c->was, 1, (off_t)c->at) != 1;

    if (close(c->fd) != 0 || bad)
        return err_errno(e, "a copy");
    return 0;
}

/* Places from *at on, one in each copy; *at is the next one then. */
static int change_some(struct sweep *s, const char *name, uint64_t *at,
                       uint64_t size, struct err *e)
{
    struct change c[TOGETHER_MAX];
    size_t n = 0;

    for (; n < s->o->together && *at < size; *at += s->o->jobs * s->o->step, n++)
        if (change_one(s, name, n, *at, &c[n], e) != 0)
            return -1;
    if (run_on_copies(s, n, 1, e) != 0)
        return err_wrap(e, "%s: octets %llu to %llu", name,
                        (unsigned long long)c[0].at,
                        (unsigned long long)c[n - 1].at);
    for (size_t i = 0; i < n; i++)
        if (change_back(&c[i], e) != 0)
            return -1;
    s->refused += n;
    return 0;
}

static int change_each(struct sweep *s, const char *name, unsigned job,
                       struct err *e)
{
    char path[PATH_ROOM + 300];
    struct stat st;

    snprintf(path, sizeof path, "%s/%.255s", s->copies[0], name);
    if (stat(path, &st) != 0)
        return err_errno(e, "%s", path);
    for (uint64_t at = job * s->o->step; at < (uint64_t)st.st_size;)
        if (change_some(s, name, &at, (uint64_t)st.st_size, e) != 0)
            return -1;
    return 0;
}

/* "import --data D@J" -> argv; copies' paths come behind. */
static void make_argv(struct sweep *s, unsigned job)
{
    size_t o = 0, n = 0;

    for (const char *c = s->o->command; *c && o + 16 < sizeof s->words; c++)
        if (c[0] == '@' && c[1] == 'J') {
            o += (size_t)snprintf(s->words + o, 12, "%u", job);
            c++;
        } else {
            s->words[o++] = *c;
        }
    s->words[o] = '\0';
    for (char *w = strtok(s->words, " "); w && n < ARGS_MAX;
         w = strtok(NULL, " "))
        s->argv[n++] = w;
    s->word_count = n;
}

static int sweep_job(const struct options *o, const char *container,
                     unsigned job, uint64_t *refused, struct err *e)
{
    static char names[FILES_MAX][256];
    static struct sweep s;
    size_t n;

    s.o = o;
    s.container = container;
    make_argv(&s, job);
    if (list_files(container, names, &n, e) != 0)
        return -1;
    for (size_t i = 0; i < o->together; i++) {
        snprintf(s.copies[i], PATH_ROOM, "%s/%u.%02zu", o->copies, job, i);
        if (make_copy(&s, s.copies[i], names, n, e) != 0)
            return -1;
    }
    for (size_t i = 0; i < n; i++)
        if (change_each(&s, names[i], job, e) != 0)
            return -1;
    *refused = s.refused;
    /* Unchanged, the same copy must be taken, or nothing was proven. */
    return run_on_copies(&s, 1, 0, e) != 0
               ? err_wrap(e, "the unchanged container") : 0;
}

static int run(int argc, char **argv, struct err *e)
{
    struct options o = { .jobs = 1, .step = 1, .together = 1 };
    struct words rest = { 0 };
    int bad = opts_parse(&cmd_sweep, argc, argv, &o, &rest, 1, 1, e);

    if (!bad && (!o.copies || !o.command || o.jobs < 1 || o.jobs > 64 ||
                 o.step < 1 || o.together < 1 || o.together > TOGETHER_MAX))
        bad = err_set(e, ERR_USAGE, "--copies and --command are needed, --jobs "
                                    "is 1 to 64, --together 1 to %d", TOGETHER_MAX);
    for (unsigned j = 0; !bad && j < o.jobs; j++) {
        fflush(stdout);
        pid_t pid = fork();
        if (pid < 0) {
            bad = err_errno(e, "fork");
        } else if (pid == 0) {
            uint64_t refused = 0;
            int failed = sweep_job(&o, rest.v[0], j, &refused, e);
            if (failed)
                fprintf(stderr, "lineside-lab sweep: %s\n", e->msg);
            else
                printf("refused %llu\n", (unsigned long long)refused);
            fflush(stdout);
            _exit(failed ? 1 : 0);
        }
    }
    for (int status; wait(&status) > 0;)
        if (!bad && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
            bad = err_set(e, ERR_CONFLICT, "a changed container was not refused "
                                           "as it must be (see above)");
    words_clear(&rest);
    return bad;
}

const struct command cmd_sweep = {
    "sweep", "CONTAINER",
    "Change every octet of a container, one at a time: a command must refuse "
    "each.",
    opts, run
};

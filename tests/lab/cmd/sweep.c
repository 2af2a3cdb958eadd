/* The hostile stick: every single-octet change of a container, one at a time.
 * Each changed copy is given to a command, which must refuse it (exit 1) and
 * say why. Jobs share the octets: job j takes every octet whose place modulo
 * the number of jobs is j, on a copy of its own. */
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

struct options {
    const char *copies, *command;
    uint64_t jobs, step;
};

static const struct opt opts[] = {
    { "--copies", OPT_TEXT, offsetof(struct options, copies), "DIR",
      "where the changed copies are made (DIR/0, DIR/1, ...)" },
    { "--command", OPT_TEXT, offsetof(struct options, command), "WORDS",
      "what refuses: words split at spaces, @J the job's number; the copy's "
      "path is added" },
    { "--jobs", OPT_NUMBER, offsetof(struct options, jobs), "N",
      "at once (default: 1)" },
    { "--step", OPT_NUMBER, offsetof(struct options, step), "N",
      "every Nth octet (default: 1, every one)" },
    OPT_END
};

struct sweep {
    const struct options *o;
    const char *container;
    char copy[4096];
    char words[4096];      /* the command, split */
    char *argv[ARGS_MAX];
    uint64_t refused;
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

static int make_copy(struct sweep *s, char names[][256], size_t n,
                     struct err *e)
{
    char from[4400], to[4400];

    if (mkdir(s->copy, 0700) != 0 && errno != EEXIST)
        return err_errno(e, "%s", s->copy);
    for (size_t i = 0; i < n; i++) {
        snprintf(from, sizeof from, "%s/%.255s", s->container, names[i]);
        snprintf(to, sizeof to, "%s/%.255s", s->copy, names[i]);
        if (copy_file(from, to, e) != 0)
            return -1;
    }
    return 0;
}

/* Run the command on the copy as it is: it must exit with `want` and, when it
 * refuses, say something. */
static int run_on_copy(const struct sweep *s, int want, struct err *e)
{
    int said[2], status;
    char text[512];

    if (pipe2(said, O_CLOEXEC) != 0)
        return err_errno(e, "pipe");
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(null, 1);
        dup2(said[1], 2);
        execvp(s->argv[0], s->argv);
        _exit(126);
    }
    close(said[1]);
    ssize_t n = pid > 0 ? read(said[0], text, sizeof text - 1) : 0;
    text[n > 0 ? n : 0] = '\0';
    close(said[0]);
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return err_errno(e, "%s", s->argv[0]);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != want)
        return err_set(e, ERR_CONFLICT, "the command ended with %s %d instead "
                                        "of %d: %s",
                       WIFEXITED(status) ? "exit code" : "signal",
                       WIFEXITED(status) ? WEXITSTATUS(status)
                                         : WTERMSIG(status), want, text);
    if (want != 0 && n <= 0)
        return err_set(e, ERR_CONFLICT, "the command refused without a word");
    return 0;
}

static int change_each(struct sweep *s, const char *name, unsigned job,
                       struct err *e)
{
    char path[4400];
    struct stat st;
    unsigned char octet, changed;
    uint64_t stride = s->o->jobs * s->o->step;

    snprintf(path, sizeof path, "%s/%.255s", s->copy, name);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        return err_errno(e, "%s", path);
    for (uint64_t at = job * s->o->step; at < (uint64_t)st.st_size; at += stride) {
        /* Another bit at each place: all eight are met all over the file. */
        if (pread(fd, &octet, 1, (off_t)at) != 1)
            break;
        changed = (unsigned char)(octet ^ 1u << (at % 8));
        if (pwrite(fd, &changed, 1, (off_t)at) != 1)
            break;
        if (run_on_copy(s, 1, e) != 0) {
            close(fd);
            return err_wrap(e, "%s: octet %llu, %02x for %02x", name,
                            (unsigned long long)at, changed, octet);
        }
        if (pwrite(fd, &octet, 1, (off_t)at) != 1)
            break;
        s->refused++;
    }
    close(fd);
    return 0;
}

/* "import --data D@J" -> argv, with the copy's path behind. */
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
    for (char *w = strtok(s->words, " "); w && n + 2 < ARGS_MAX;
         w = strtok(NULL, " "))
        s->argv[n++] = w;
    s->argv[n++] = s->copy;
    s->argv[n] = NULL;
}

static int sweep_job(const struct options *o, const char *container,
                     unsigned job, uint64_t *refused, struct err *e)
{
    static char names[FILES_MAX][256];
    struct sweep s = { .o = o, .container = container };
    size_t n;

    snprintf(s.copy, sizeof s.copy, "%s/%u", o->copies, job);
    make_argv(&s, job);
    if (list_files(container, names, &n, e) != 0 ||
        make_copy(&s, names, n, e) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (change_each(&s, names[i], job, e) != 0)
            return -1;
    *refused = s.refused;
    /* Unchanged, the same copy must be taken, or nothing was proven. */
    return run_on_copy(&s, 0, e) != 0
               ? err_wrap(e, "the unchanged container") : 0;
}

static int run(int argc, char **argv, struct err *e)
{
    struct options o = { .jobs = 1, .step = 1 };
    struct words rest = { 0 };
    int bad = opts_parse(&cmd_sweep, argc, argv, &o, &rest, 1, 1, e);

    if (!bad && (!o.copies || !o.command || o.jobs < 1 || o.jobs > 64 ||
                 o.step < 1))
        bad = err_set(e, ERR_USAGE, "--copies and --command are needed, --jobs "
                                    "is 1 to 64");
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

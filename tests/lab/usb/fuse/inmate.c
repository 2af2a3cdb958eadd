#include "tests/lab/usb/fuse/inmate.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS_NOT_STARTED 126 /* as a shell says it */
#define STATUS_NOT_FOUND 127
#define STATUS_SIGNAL 128

static void watched(sigset_t *s)
{
    sigemptyset(s);
    sigaddset(s, SIGINT);
    sigaddset(s, SIGTERM);
    sigaddset(s, SIGCHLD);
}

static int exit_code(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status)
                             : STATUS_SIGNAL + WTERMSIG(status);
}

/* Reaps until `pid` has ended (every orphan of the namespace is ours, when we
 * are its first process). The first SIGTERM is handed on; the next one kills.
 * SIGINT comes from a terminal, which tells the command itself. */
static int watch(pid_t pid)
{
    sigset_t set;
    int sig, status;
    bool asked = false;

    watched(&set);
    for (;;) {
        pid_t ended;
        while ((ended = waitpid(-1, &status, WNOHANG)) > 0)
            if (ended == pid)
                return exit_code(status);
        if (ended < 0 && errno == ECHILD)
            return STATUS_NOT_STARTED;
        if (sigwait(&set, &sig) != 0 || sig != SIGTERM)
            continue;
        kill(pid, asked ? SIGKILL : sig);
        asked = true;
    }
}

static _Noreturn void be_command(char *const argv[])
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvp(argv[0], argv);
    fprintf(stderr, "lineside-lab: cannot start %s: %s\n", argv[0],
            strerror(errno));
    _exit(errno == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_STARTED);
}

/* The first process of the namespace: with it all others end. */
static _Noreturn void be_first(char *const argv[])
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* /proc shows the namespace of who mounted it. */
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
              NULL) != 0) {
        fprintf(stderr, "lineside-lab: cannot mount /proc: %s\n",
                strerror(errno));
        _exit(STATUS_NOT_STARTED);
    }
    pid_t command = fork();
    if (command == 0)
        be_command(argv);
    _exit(command < 0 ? STATUS_NOT_STARTED : watch(command));
}

static _Noreturn void be_keeper(char *const argv[], int go)
{
    char c;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (read(go, &c, 1) != 1)
        _exit(STATUS_NOT_STARTED); /* the bus could not be made */
    if (unshare(CLONE_NEWPID | CLONE_NEWNS) != 0) {
        fprintf(stderr, "lineside-lab: no namespace for processes: %s\n",
                strerror(errno));
        _exit(STATUS_NOT_STARTED);
    }
    pid_t first = fork();
    if (first == 0)
        be_first(argv);
    _exit(first < 0 ? STATUS_NOT_STARTED : watch(first));
}

int inmate_prepare(char *const argv[], struct inmate *out, struct err *e)
{
    sigset_t set;
    int ends[2];

    watched(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fflush(NULL); /* or a child would write it again */
    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_errno(e, "cannot make a pipe");
    pid_t keeper = fork();
    if (keeper == 0) {
        close(ends[1]);
        be_keeper(argv, ends[0]);
    }
    close(ends[0]);
    if (keeper < 0) {
        close(ends[1]);
        return err_errno(e, "cannot start a process");
    }
    *out = (struct inmate){ keeper, ends[1] };
    return 0;
}

int inmate_go(struct inmate *m, struct err *e)
{
    ssize_t n = write(m->go, "g", 1);

    close(m->go);
    m->go = -1;
    return n == 1 ? 0 : err_set(e, ERR_INTERNAL, "the command's process has "
                                                 "ended by itself");
}

int inmate_wait(struct inmate *m)
{
    int code = watch(m->keeper);

    m->keeper = -1;
    return code;
}

void inmate_drop(struct inmate *m)
{
    if (m->go >= 0)
        close(m->go);
    m->go = -1;
    if (m->keeper > 0)
        waitpid(m->keeper, NULL, 0);
    m->keeper = -1;
}

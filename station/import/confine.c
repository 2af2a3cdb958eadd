#include "station/import/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#else
#error "confine.c: name this machine's AUDIT_ARCH"
#endif

/* All a verifier of octets does: read, hash, compute, wait for its threads,
 * write down one pipe. Anything else fails. */
static const int allowed[] = {
    __NR_read, __NR_readv, __NR_pread64, __NR_write, __NR_writev, __NR_close,
    __NR_fstat, __NR_newfstatat, __NR_statx, __NR_lseek, __NR_getdents64,
    __NR_fcntl, __NR_mmap, __NR_munmap, __NR_mremap, __NR_mprotect,
    __NR_madvise, __NR_brk, __NR_futex, __NR_clone, __NR_clone3,
    __NR_set_robust_list, __NR_get_robust_list, __NR_rseq, __NR_gettid,
    __NR_getpid, __NR_exit, __NR_exit_group, __NR_rt_sigaction,
    __NR_rt_sigprocmask, __NR_rt_sigreturn, __NR_sigaltstack, __NR_tgkill,
    __NR_getrandom, __NR_clock_gettime, __NR_clock_nanosleep, __NR_nanosleep,
    __NR_gettimeofday, __NR_sched_yield, __NR_sched_getaffinity,
    __NR_sysinfo, __NR_getrusage, __NR_restart_syscall, __NR_ppoll,
#ifdef __NR_poll
    __NR_poll,
#endif
};

static int confine_files(int dirfd, struct err *e)
{
    struct landlock_ruleset_attr all = {
        .handled_access_fs =
            LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
            LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
            LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
            LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
            LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
            LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
            LANDLOCK_ACCESS_FS_MAKE_SYM,
    };
    struct landlock_path_beneath_attr here = {
        .allowed_access =
            LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
        .parent_fd = dirfd,
    };
    int fd = (int)syscall(__NR_landlock_create_ruleset, &all, sizeof all, 0);

    if (fd < 0)
        return errno == ENOSYS || errno == EOPNOTSUPP
                   ? 0
                   : err_errno(e, "import process: Landlock");
    int bad = syscall(__NR_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH,
                      &here, 0) != 0 ||
              syscall(__NR_landlock_restrict_self, fd, 0) != 0;
    if (bad)
        err_errno(e, "import process: Landlock");
    close(fd);
    return bad ? -1 : 0;
}

#define ALLOWED (sizeof allowed / sizeof *allowed)
#define LOAD(field) \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RET(v) BPF_STMT(BPF_RET | BPF_K, (v))

static int confine_calls(struct err *e)
{
    struct sock_filter f[ALLOWED * 2 + 16];
    unsigned short n = 0;
    const struct sock_filter head[] = {
        LOAD(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCH, 1, 0),
        RET(SECCOMP_RET_KILL_PROCESS),
        LOAD(nr),
        /* openat: reading only. Its flags are argument 2. */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_openat, 0, 4),
        LOAD(args[2]),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K,
                 O_WRONLY | O_RDWR | O_CREAT | O_TRUNC, 1, 0),
        RET(SECCOMP_RET_ALLOW),
        RET(SECCOMP_RET_ERRNO | EPERM),
    };

    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        f[n++] = head[i];
    for (size_t i = 0; i < ALLOWED; i++) {
        f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                                              (unsigned)allowed[i], 0, 1);
        f[n++] = (struct sock_filter)RET(SECCOMP_RET_ALLOW);
    }
    f[n++] = (struct sock_filter)RET(SECCOMP_RET_ERRNO | EPERM);

    struct sock_fprog prog = { n, f };
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) != 0)
        return err_errno(e, "import process: seccomp");
    return 0;
}

int confine_to_dir(int dirfd, struct err *e)
{
    const struct rlimit none = { 0, 0 };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        setrlimit(RLIMIT_CORE, &none) != 0 ||
        setrlimit(RLIMIT_FSIZE, &none) != 0)
        return err_errno(e, "import process: cannot give up rights");
    return confine_files(dirfd, e) != 0 ? -1 : confine_calls(e);
}

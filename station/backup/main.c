/* lineside-backup: seals what comes in on standard input. `lineside backup`
 * starts it, so that the station's own program has no cipher in it
 * (tests/e2e/no_secrets.sh); nobody else has a use for it.
 *
 * In: standard input, any number of octets; descriptor 3, one certificate
 * (DER). Out: for each piece of at most SEAL_PLAIN_MAX octets, 4 octets of
 * length and what was sealed; at the end a length of 0. */
#include "station/backup/child.h"
#include "station/backup/seal.h"
#include "station/ifpp/cert.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int read_some(int fd, uint8_t *to, size_t n, size_t *got, struct err *e)
{
    *got = 0;
    while (*got < n) {
        ssize_t r = read(fd, to + *got, n - *got);
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return err_errno(e, "reading what is to be sealed");
        if (r == 0)
            break;
        *got += (size_t)r;
    }
    return 0;
}

static int write_all(struct span s, struct err *e)
{
    while (s.n) {
        ssize_t n = write(STDOUT_FILENO, s.p, s.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, "handing over what was sealed");
        s.p += n;
        s.n -= (size_t)n;
    }
    return 0;
}

static int write_frame(struct buf *frame, struct span sealed, struct err *e)
{
    buf_reset(frame);
    buf_put_u32(frame, (uint32_t)sealed.n);
    buf_put_span(frame, sealed);
    return buf_ok(frame) ? write_all(buf_span(frame), e)
                         : err_set(e, ERR_NOMEM, "out of memory");
}

static int read_certificate(X509 **out, struct err *e)
{
    uint8_t der[CERT_MAX + 1];
    size_t n;

    if (read_some(BACKUP_CERT_FD, der, sizeof der, &n, e) != 0)
        return -1;
    return cert_decode(SPAN(der, n), out, e);
}

static int seal_all(X509 *to, struct err *e)
{
    AUTO(buf_clear) struct buf plain = BUF_INIT, sealed = BUF_INIT;
    AUTO(buf_clear) struct buf frame = BUF_INIT;
    size_t n;

    if (!buf_reserve(&plain, SEAL_PLAIN_MAX))
        return err_set(e, ERR_NOMEM, "out of memory");
    for (;;) {
        if (read_some(STDIN_FILENO, plain.p, SEAL_PLAIN_MAX, &n, e) != 0)
            return -1;
        if (n == 0)
            return write_frame(&frame, SPAN(NULL, 0), e);
        if (seal_to(to, SPAN(plain.p, n), &sealed, e) != 0 ||
            write_frame(&frame, buf_span(&sealed), e) != 0)
            return -1;
    }
}

int main(int argc, char **argv)
{
    struct err e = ERR_INIT;
    X509 *to = NULL;

    (void)argv;
    signal(SIGPIPE, SIG_IGN);
    if (argc != 1 || isatty(STDIN_FILENO)) {
        fputs("lineside-backup is not for people: `lineside backup` starts "
              "it.\n", stderr);
        return 2;
    }
    int bad = read_certificate(&to, &e) != 0 || seal_all(to, &e) != 0;
    X509_free(to);
    if (bad)
        fprintf(stderr, "lineside-backup: %s\n", e.msg);
    return bad ? err_exit_code(e.code) : 0;
}

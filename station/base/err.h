/* base/err.h: how a failure travels.
 *
 * A code for the machine, a sentence for the person. The sentence says what
 * is wrong and, where a person can act, what to do next. It is set once, at
 * the fault, and prefixed at each boundary it crosses ("bundle 7f3a: segment
 * 2: bad tag at +21"). Records and reports use code and sw, never msg. */
#ifndef LINESIDE_BASE_ERR_H
#define LINESIDE_BASE_ERR_H

#include <stddef.h>
#include <stdint.h>

enum err_code {
    ERR_NONE = 0,
    ERR_USAGE,     /* the caller's words are wrong (command line, scan line) */
    ERR_IO,        /* the system refused: open, read, write, fsync, socket   */
    ERR_FULL,      /* no space left; nothing was changed                     */
    ERR_NOMEM,
    ERR_BUSY,      /* another process or unit holds it                       */
    ERR_FORMAT,    /* bytes that are not what the binding says they are      */
    ERR_LIMIT,     /* well-formed, but beyond a stated bound                 */
    ERR_SIGNATURE, /* a signature or MAC does not hold                       */
    ERR_TRUST,     /* chain, role, issuer, EIN, allow-list                   */
    ERR_EXPIRED,   /* outside its time, or clock in doubt                    */
    ERR_REPLAY,    /* seen before, or older than what is held                */
    ERR_CONFLICT,  /* disagrees with what the ledger or another record holds */
    ERR_NOT_FOUND,
    ERR_WRONG_STATE,     /* not allowed in this state                              */
    ERR_CARD,      /* the card answered, but not as it must (see sw)         */
    ERR_NO_CARD,   /* no card, no ATR, or it went away                       */
    ERR_TIMEOUT,
    ERR_CLOSED,    /* the peer (socket, pipe) is gone                        */
    ERR_INTERNAL,  /* a bug or a library that failed without a reason        */
    ERR_CODES
};

struct err {
    enum err_code code;
    uint16_t sw;   /* status word when code is ERR_CARD, else 0 */
    char msg[400];
};

#define ERR_INIT { ERR_NONE, 0, "" }

/* Set code and text. A NULL err is fine. Always returns -1, so that
 * `return err_set(e, ...)` reads as the failure it is. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* As err_set for ERR_CARD with the card's status word. */
int err_set_sw(struct err *e, uint16_t sw, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Append ": <strerror(errno)>" and choose the code from errno (ENOSPC and
 * EDQUOT: ERR_FULL, ENOMEM: ERR_NOMEM, else ERR_IO). Returns -1. */
int err_errno(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Prefix the text: "prefix: old text". Code and sw stay. Returns -1. */
int err_wrap(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Set code and text, then append the oldest OpenSSL reason if there is one
 * and empty OpenSSL's queue. Returns -1. Declared here, defined in ossl.c. */
int err_ossl(struct err *e, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Stable lower-case name of a code ("trust"), for records and --json. */
const char *err_name(enum err_code code);

/* Exit code of a program that ends with this error:
 * 0 none; 2 usage; 3 the machine or its files (io, full, nomem, internal);
 * 4 busy; 1 everything else, that is: the input was refused. */
int err_exit_code(enum err_code code);

#endif

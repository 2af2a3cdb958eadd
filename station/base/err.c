#include "station/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int exit_code;
} codes[ERR_CODES] = {
    [ERR_NONE] = { "none", 0 },
    [ERR_USAGE] = { "usage", 2 },
    [ERR_IO] = { "io", 3 },
    [ERR_FULL] = { "full", 3 },
    [ERR_NOMEM] = { "nomem", 3 },
    [ERR_BUSY] = { "busy", 4 },
    [ERR_FORMAT] = { "format", 1 },
    [ERR_LIMIT] = { "limit", 1 },
    [ERR_SIGNATURE] = { "signature", 1 },
    [ERR_TRUST] = { "trust", 1 },
    [ERR_EXPIRED] = { "expired", 1 },
    [ERR_REPLAY] = { "replay", 1 },
    [ERR_CONFLICT] = { "conflict", 1 },
    [ERR_NOT_FOUND] = { "not-found", 1 },
    [ERR_WRONG_STATE] = { "state", 1 },
    [ERR_CARD] = { "card", 1 },
    [ERR_NO_CARD] = { "no-card", 1 },
    [ERR_TIMEOUT] = { "timeout", 1 },
    [ERR_CLOSED] = { "closed", 1 },
    [ERR_INTERNAL] = { "internal", 3 },
};

static void set_text(struct err *e, enum err_code code, uint16_t sw,
                     const char *fmt, va_list ap)
{
    e->code = code;
    e->sw = sw;
    vsnprintf(e->msg, sizeof e->msg, fmt, ap);
}

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
    if (e) {
        va_list ap;
        va_start(ap, fmt);
        set_text(e, code, 0, fmt, ap);
        va_end(ap);
    }
    return -1;
}

int err_set_sw(struct err *e, uint16_t sw, const char *fmt, ...)
{
    if (e) {
        va_list ap;
        va_start(ap, fmt);
        set_text(e, ERR_CARD, sw, fmt, ap);
        va_end(ap);
    }
    return -1;
}

int err_errno(struct err *e, const char *fmt, ...)
{
    int no = errno;

    if (e) {
        enum err_code code = no == ENOSPC || no == EDQUOT ? ERR_FULL
                           : no == ENOMEM                 ? ERR_NOMEM
                                                          : ERR_IO;
        va_list ap;
        va_start(ap, fmt);
        set_text(e, code, 0, fmt, ap);
        va_end(ap);
        size_t n = strlen(e->msg);
        snprintf(e->msg + n, sizeof e->msg - n, ": %s", strerror(no));
    }
    return -1;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
    if (e) {
        char old[sizeof e->msg];
        memcpy(old, e->msg, sizeof old);
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(e->msg, sizeof e->msg, fmt, ap);
        va_end(ap);
        size_t n = strlen(e->msg);
        snprintf(e->msg + n, sizeof e->msg - n, ": %s", old);
    }
    return -1;
}

const char *err_name(enum err_code code)
{
    return (unsigned)code < ERR_CODES ? codes[code].name : "unknown";
}

int err_exit_code(enum err_code code)
{
    return (unsigned)code < ERR_CODES ? codes[code].exit_code : 3;
}

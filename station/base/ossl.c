/* The one place that turns OpenSSL's error queue into our text. */
#include "station/base/err.h"

#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_ossl(struct err *e, enum err_code code, const char *fmt, ...)
{
    unsigned long reason = ERR_peek_error();

    if (e) {
        va_list ap;
        e->code = code;
        e->sw = 0;
        va_start(ap, fmt);
        vsnprintf(e->msg, sizeof e->msg, fmt, ap);
        va_end(ap);
        const char *text = reason ? ERR_reason_error_string(reason) : NULL;
        if (text) {
            size_t n = strlen(e->msg);
            snprintf(e->msg + n, sizeof e->msg - n, " (%s)", text);
        }
    }
    ERR_clear_error();
    return -1;
}

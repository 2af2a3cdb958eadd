/* ui/sheet/code128: text as the bars of one Code 128 symbol. The one file that
 * knows libzint. */
#ifndef LINESIDE_UI_CODE128_H
#define LINESIDE_UI_CODE128_H

#include "station/base/err.h"

#define CODE128_TEXT_MAX 64 /* as of a scan */
#define CODE128_BARS_MAX 256

struct code128 {
    int modules; /* its width, without the quiet zones */
    int bars;
    struct {
        int at, width; /* in modules */
    } bar[CODE128_BARS_MAX];
};
#define CODE128_QUIET 10 /* modules that stay white on each side (ISO/IEC 15417) */

/* ERR_FORMAT: not of printable ASCII, which every scanner types; ERR_LIMIT: too
 * long. */
int code128_make(const char *text, struct code128 *out, struct err *e);

#endif

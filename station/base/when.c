#include "station/base/when.h"

#include "station/base/clock.h"

#include <stdio.h>
#include <string.h>

/* Digits where the pattern has a 0, else the pattern's own character. */
static bool looks_like(const char *s, const char *pattern)
{
    size_t n = strlen(pattern);

    if (strlen(s) != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (pattern[i] == '0' ? s[i] < '0' || s[i] > '9'
            : pattern[i] == 'T' ? s[i] != 'T' && s[i] != ' '
                                : s[i] != pattern[i])
            return false;
    }
    return true;
}

int when_parse(const char *s, int64_t *out, struct err *e)
{
    static const char *const patterns[] = {
        "0000-00-00", "0000-00-00T00:00", "0000-00-00T00:00Z",
        "0000-00-00T00:00:00", "0000-00-00T00:00:00Z", "00000000000000Z",
    };
    char text[GTIME_LEN + 1] = "00000000000000Z";
    size_t n = 0;
    int64_t at;

    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        if (!looks_like(s, patterns[i]))
            continue;
        for (const char *p = s; *p; p++)
            if (*p >= '0' && *p <= '9')
                text[n++] = *p;
        if (gtime_parse(text, &at) != 0)
            break;
        *out = at;
        return 0;
    }
    return err_set(e, ERR_USAGE, "'%.40s' is no time; write it as 2026-11-28 or "
                   "2026-11-28T06:00, in UTC", s);
}

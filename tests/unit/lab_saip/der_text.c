#include "tests/unit/lab_saip/der_text.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "station/ifpp/tlv.h"

static const char *hex_put(struct buf *b, const char *t)
{
    size_t n = strspn(t, "0123456789ABCDEFabcdef");
    char *one = strndup(t, n);

    ck_assert_ptr_nonnull(one);
    buf_put_hex(b, one);
    free(one);
    return t + n;
}

/* Members until ')' or the end. */
static const char *members(struct buf *b, const char *t)
{
    for (;;) {
        t += strspn(t, " ");
        if (*t == '\0' || *t == ')')
            return t;
        if (strncmp(t, "RAW:", 4) == 0) {
            t = hex_put(b, t + 4);
            continue;
        }
        char *end;
        uint32_t tag = (uint32_t)strtoul(t, &end, 16);
        ck_assert_msg(end > t && (*end == ':' || *end == '('), "at %s", t);
        size_t m = der_open(b);
        if (*end == ':') {
            t = hex_put(b, end + 1);
        } else {
            t = members(b, end + 1);
            ck_assert_msg(*t == ')', "at %s", end);
            t++;
        }
        der_close(b, tag, m);
    }
}

void der_text(struct buf *b, const char *text)
{
    ck_assert_msg(*members(b, text) == '\0', "%s", text);
    ck_assert_msg(buf_ok(b), "%s", text);
}

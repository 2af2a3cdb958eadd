/* Values against the tables of saip_grammar.c. */
#include "tests/lab/saip/saip_pass.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "station/ifpp/tlv.h"

int saip_bad(struct saip_pass *p, const uint8_t *at, const char *fmt, ...)
{
    char text[200];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return err_set(p->e, ERR_FORMAT, "profile package: PE %zu (%s), octet %td: "
                   "%s", p->element.index, p->element.name, at - p->upp.p,
                   text);
}

/* RFC 3629, without U+0000: what follows is a C string. */
static bool utf8_valid(struct span s)
{
    static const uint32_t least[] = { 1, 0x80, 0x800, 0x10000 };

    for (size_t i = 0; i < s.n;) {
        uint8_t o = s.p[i++];
        size_t more = o < 0x80 ? 0 : o >> 5 == 6 ? 1 : o >> 4 == 14 ? 2 :
                      o >> 3 == 30 ? 3 : SIZE_MAX;
        if (more > s.n - i)
            return false;
        uint32_t u = more ? o & (0x3fu >> more) : o;
        for (size_t k = 0; k < more; k++, i++) {
            if (s.p[i] >> 6 != 2)
                return false;
            u = u << 6 | (s.p[i] & 0x3f);
        }
        if (u < least[more] || u > 0x10ffff || (u >= 0xd800 && u < 0xe000))
            return false;
    }
    return true;
}

static bool oid_valid(struct span s)
{
    bool first = true; /* octet of an arc */

    for (size_t i = 0; i < s.n; i++) {
        if (first && s.p[i] == 0x80)
            return false;
        first = !(s.p[i] & 0x80);
    }
    return s.n > 0 && first;
}

static int check_run(struct saip_pass *p, const struct saip_field *f,
                     struct span value)
{
    struct tlv t;
    size_t count = 0;

    for (struct span in = value; in.n > 0; count++) {
        const uint8_t *at = in.p;
        if (der_next(&in, &t) != DER_OK)
            return saip_bad(p, at, "not a TLV inside %s", f->name);
        const struct saip_field *m = f->members;
        while (m->name && m->tag != t.tag)
            m++;
        if (!m->name)
            return saip_bad(p, at, "tag %" PRIX32 " does not belong into %s",
                            t.tag, f->name);
        if (saip_check_field(p, m, t.value) != 0)
            return -1;
    }
    if (count < f->min || count > f->max)
        return saip_bad(p, value.p, "%zu entries in %s, %" PRIu32
                        " to %" PRIu32 " allowed", count, f->name, f->min,
                        f->max);
    return 0;
}

int saip_check_field(struct saip_pass *p, const struct saip_field *f,
                     struct span v)
{
    uint64_t number;

    switch (f->type) {
    case SAIP_T_NULL:
        return v.n == 0 ? 0 : saip_bad(p, v.p, "%s is not NULL", f->name);
    case SAIP_T_OCTETS:
    case SAIP_T_UTF8:
        if (v.n < f->min || v.n > f->max)
            return saip_bad(p, v.p, "%s has %zu octets, %" PRIu32 " to %"
                            PRIu32 " allowed", f->name, v.n, f->min, f->max);
        if (f->type == SAIP_T_UTF8 && !utf8_valid(v))
            return saip_bad(p, v.p, "%s is not UTF-8", f->name);
        return 0;
    case SAIP_T_UINT:
        if (der_uint(v, &number) != 0 || number < f->min || number > f->max)
            return saip_bad(p, v.p, "%s is not a number from %" PRIu32
                            " to %" PRIu32, f->name, f->min, f->max);
        return 0;
    case SAIP_T_OID:
        return oid_valid(v) ? 0
                            : saip_bad(p, v.p, "%s is not an OID", f->name);
    case SAIP_T_SEQ:
        return saip_check_seq(p, f->members, v);
    case SAIP_T_RUN:
        return check_run(p, f, v);
    }
    return saip_bad(p, v.p, "%s", f->name);
}

int saip_check_seq(struct saip_pass *p, const struct saip_field *members,
                   struct span in)
{
    struct tlv t;

    for (const struct saip_field *m = members; m->name; m++) {
        const uint8_t *at = in.p;
        int there = der_take_optional(&in, m->tag, &t);
        if (there < 0)
            return saip_bad(p, at, "not a TLV where %s may come", m->name);
        if (there == 0 && !m->optional)
            return saip_bad(p, at, "%s is missing", m->name);
        if (there == 1 && saip_check_field(p, m, t.value) != 0)
            return -1;
    }
    return in.n == 0 ? 0 : saip_bad(p, in.p, "tag %02X is unknown, out of "
                                    "order or there twice", in.p[0]);
}

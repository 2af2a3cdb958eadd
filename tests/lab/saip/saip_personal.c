/* Where a package keeps what is one subscriber's, and putting it there. */
#include "tests/lab/saip/saip_pass.h"

#include <string.h>

#include "station/ifpp/tlv.h"

/* --- EF.IMSI (TS 31.102, 4.2.2) ------------------------------------------ */

#define IMSI_ODD 9  /* low nibble of the first identity octet */
#define IMSI_EVEN 1

static bool imsi_valid(const char *imsi)
{
    return strlen(imsi) == SAIP_IMSI_DIGITS &&
           strspn(imsi, "0123456789") == SAIP_IMSI_DIGITS;
}

int saip_imsi_encode(const char *imsi, uint8_t out[SAIP_IMSI_LEN])
{
    if (!imsi_valid(imsi))
        return -1;
    out[0] = SAIP_IMSI_LEN - 1;
    out[1] = (uint8_t)((imsi[0] - '0') << 4 | IMSI_ODD);
    for (int i = 1; i < SAIP_IMSI_DIGITS; i += 2)
        out[(i + 3) / 2] =
            (uint8_t)((imsi[i + 1] - '0') << 4 | (imsi[i] - '0'));
    return 0;
}

int saip_imsi_decode(struct span ef, char out[SAIP_IMSI_DIGITS + 1])
{
    char digits[SAIP_IMSI_DIGITS + 1];
    size_t n = 0;

    if (ef.n < 2 || ef.p[0] < 1 || ef.p[0] >= SAIP_IMSI_LEN ||
        ef.p[0] >= ef.n)
        return -1;
    uint8_t sort = ef.p[1] & 15;
    if (sort != IMSI_ODD && sort != IMSI_EVEN)
        return -1;
    size_t want = 2u * ef.p[0] - (sort == IMSI_ODD ? 1 : 2);
    for (size_t i = 0; i < want; i++) {
        uint8_t o = ef.p[(i + 3) / 2];
        uint8_t d = i % 2 ? o & 15 : o >> 4;
        if (d > 9)
            return -1;
        digits[n++] = (char)('0' + d);
    }
    if (sort == IMSI_EVEN && ef.p[ef.p[0]] >> 4 != 15)
        return -1;
    digits[n] = '\0';
    memcpy(out, digits, n + 1);
    return 0;
}

/* --- places -------------------------------------------------------------- */

#define VALUE_MAX 10

enum value { VALUE_NONE, VALUE_ICCID, VALUE_IMSI };

static const struct {
    size_t len;
    const char *what;
} values[] = {
    [VALUE_ICCID] = { 10, "EF.ICCID" },
    [VALUE_IMSI] = { SAIP_IMSI_LEN, "EF.IMSI" },
};
static const char header_iccid[] = "header ICCID"; /* not a file */

struct places {
    struct span upp;
    struct saip_ranges *out;
    size_t found[3];                  /* files, by enum value            */
    const uint8_t *octet[VALUE_MAX];  /* of the file being read: where
                                         each octet of it is spelt       */
};

static enum value value_of(const struct saip_file *f, bool in_usim)
{
    static const uint8_t iccid[] = { 0x2f, 0xe2 };
    static const uint8_t gsm_imsi[] = { 0x7f, 0x20, 0x6f, 0x07 };
    struct span path = SPAN(f->path, f->path_len);

    if (f->kind != SAIP_TRANSPARENT)
        return VALUE_NONE;
    if (span_eq(path, SPAN_ARRAY(iccid)))
        return VALUE_ICCID;
    if (span_eq(path, SPAN_ARRAY(gsm_imsi)) ||
        (in_usim && f->path[f->path_len - 2] == 0x6f &&
         f->path[f->path_len - 1] == 0x07))
        return VALUE_IMSI;
    return VALUE_NONE;
}

static int range_add(struct saip_ranges *out, struct saip_range r,
                     struct err *e)
{
    if (out->n == SAIP_RANGES_MAX)
        return err_set(e, ERR_LIMIT, "profile package: ICCID and IMSI are "
                       "spelt in more than %d pieces", SAIP_RANGES_MAX);
    size_t i = out->n++;
    for (; i > 0 && out->r[i - 1].at > r.at; i--)
        out->r[i] = out->r[i - 1];
    out->r[i] = r;
    return 0;
}

static int on_piece(void *ctx, const struct saip_piece *s, struct err *e)
{
    struct places *p = ctx;
    enum value v = value_of(s->file, s->in_usim);

    (void)e;
    for (size_t i = 0; v && i < s->octets.n; i++)
        if (s->file_at + i < values[v].len)
            p->octet[s->file_at + i] = s->octets.p + i;
    return 0;
}

static int on_end(void *ctx, const struct saip_file *f, bool in_usim,
                  struct err *e)
{
    struct places *p = ctx;
    enum value v = value_of(f, in_usim);
    size_t covered = 0;

    if (v == VALUE_NONE)
        return 0;
    for (size_t i = 0; i < values[v].len; i++)
        covered += p->octet[i] != NULL;
    if (covered == 0 && v == VALUE_IMSI && !in_usim)
        return 0; /* a DF.GSM without its own */
    if (covered < values[v].len)
        return err_set(e, ERR_NOT_FOUND, "profile package: PE %zu writes only "
                       "%zu of the %zu octets of %s, so it cannot be "
                       "personalised; let it write all of them", f->element,
                       covered, values[v].len, values[v].what);
    for (size_t i = 0, n; i < values[v].len; i += n) {
        for (n = 1; i + n < values[v].len &&
                    p->octet[i + n] == p->octet[i] + n; n++)
            ;
        struct saip_range r = { (size_t)(p->octet[i] - p->upp.p), n, i,
                                values[v].what };
        if (range_add(p->out, r, e) != 0)
            return -1;
    }
    p->found[v]++;
    memset(p->octet, 0, sizeof p->octet);
    return 0;
}

int saip_personal_ranges(struct span upp, struct saip_ranges *out,
                         struct err *e)
{
    struct saip_ranges ranges = { .n = 0 };
    struct places p = { .upp = upp, .out = &ranges };
    struct saip_pieces pieces = { on_piece, on_end, &p };
    struct tlv header, iccid;
    struct span in = upp;

    if (saip_pass(upp, NULL, NULL, &pieces, NULL, e) != 0)
        return -1;
    for (enum value v = VALUE_ICCID; v <= VALUE_IMSI; v++)
        if (p.found[v] == 0)
            return err_set(e, ERR_NOT_FOUND, "profile package: it has no %s, "
                           "so it cannot be personalised", values[v].what);
    if (der_take(&in, SAIP_PE_HEADER, &header) != 0 ||
        der_find(header.value, 0x83, &iccid) != 1)
        return err_set(e, ERR_FORMAT, "profile package: no header");
    struct saip_range r = { (size_t)(iccid.value.p - upp.p), iccid.value.n, 0,
                            header_iccid };
    if (range_add(&ranges, r, e) != 0)
        return -1;
    *out = ranges;
    return 0;
}

/* --- personalising ------------------------------------------------------- */

int saip_personalise(struct span upp, const struct iccid *iccid,
                     const char *imsi, struct buf *out, struct err *e)
{
    struct saip_ranges ranges;
    uint8_t ef_imsi[SAIP_IMSI_LEN], straight[sizeof iccid->o];
    const struct {
        const char *what;
        const uint8_t *value;
    } put[] = {
        { header_iccid, straight },
        { values[VALUE_ICCID].what, iccid->o },
        { values[VALUE_IMSI].what, ef_imsi },
    };

    if (!iccid_valid(iccid))
        return err_set(e, ERR_USAGE, "personalise: not an ICCID (19 or 20 "
                       "digits, the last a Luhn digit)");
    if (saip_imsi_encode(imsi, ef_imsi) != 0)
        return err_set(e, ERR_USAGE, "personalise: IMSI \"%.20s\" is not %d "
                       "digits", imsi, SAIP_IMSI_DIGITS);
    for (size_t i = 0; i < sizeof straight; i++)
        straight[i] = (uint8_t)(iccid->o[i] << 4 | iccid->o[i] >> 4);
    if (saip_personal_ranges(upp, &ranges, e) != 0)
        return -1;
    size_t start = out->n;
    buf_put_span(out, upp);
    if (!buf_ok(out))
        return err_set(e, ERR_NOMEM, "personalise: no memory for %zu octets",
                       upp.n);
    for (size_t i = 0; i < ranges.n; i++) {
        const struct saip_range *r = &ranges.r[i];
        for (size_t k = 0; k < sizeof put / sizeof *put; k++)
            if (put[k].what == r->what)
                memcpy(out->p + start + r->at, put[k].value + r->from, r->n);
    }
    return 0;
}

int saip_compare(struct span a, struct span b, struct saip_ranges *personal,
                 struct err *e)
{
    struct saip_ranges ranges;
    size_t next = 0;

    if (saip_personal_ranges(a, &ranges, e) != 0)
        return -1;
    if (a.n != b.n)
        return err_set(e, ERR_CONFLICT, "profile packages differ in length: "
                       "%zu and %zu octets", a.n, b.n);
    for (size_t i = 0; i < a.n; i++) {
        if (next < ranges.n && i == ranges.r[next].at) {
            i += ranges.r[next++].n - 1;
            continue;
        }
        if (a.p[i] != b.p[i])
            return err_set(e, ERR_CONFLICT, "profile packages differ at octet "
                           "%zu, which is not personal: %02X and %02X", i,
                           a.p[i], b.p[i]);
    }
    if (personal)
        *personal = ranges;
    return 0;
}

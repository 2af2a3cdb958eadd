#include "station/base/ids.h"

#include <string.h>

static int digit_at(const struct eid *e, int i)
{
    return i % 2 ? e->o[i / 2] & 15 : e->o[i / 2] >> 4;
}

static int eid_mod97(const struct eid *e)
{
    int rest = 0;

    for (int i = 0; i < EID_DIGITS; i++)
        rest = (rest * 10 + digit_at(e, i)) % 97;
    return rest;
}

bool eid_valid(const struct eid *e)
{
    for (int i = 0; i < EID_DIGITS; i++)
        if (digit_at(e, i) > 9)
            return false;
    return eid_mod97(e) == 1;
}

bool eid_from_span(struct span s, struct eid *out)
{
    struct eid e;

    if (s.n != sizeof e.o)
        return false;
    memcpy(e.o, s.p, sizeof e.o);
    if (!eid_valid(&e))
        return false;
    *out = e;
    return true;
}

int eid_parse(const char *digits, struct eid *out)
{
    struct eid e;

    if (strlen(digits) != EID_DIGITS ||
        strspn(digits, "0123456789") != EID_DIGITS ||
        hex_decode(digits, e.o, sizeof e.o) != 0 || !eid_valid(&e))
        return -1;
    *out = e;
    return 0;
}

char *eid_format(const struct eid *e, char out[EID_DIGITS + 1])
{
    return hex_encode(SPAN_ARRAY(e->o), out, EID_DIGITS + 1);
}

bool eid_eq(const struct eid *a, const struct eid *b)
{
    return memcmp(a->o, b->o, sizeof a->o) == 0;
}

void eid_complete(struct eid *e)
{
    e->o[15] = 0;
    int check = 98 - eid_mod97(e);
    e->o[15] = (uint8_t)(check / 10 << 4 | check % 10);
}

/* Luhn over digits, rightmost first; `dbl` says whether that one doubles. */
static int luhn_sum(const char *digits, size_t n, bool dbl)
{
    int sum = 0;

    while (n-- > 0) {
        int d = digits[n] - '0';
        if (dbl) {
            d *= 2;
            if (d > 9)
                d -= 9;
        }
        sum += d;
        dbl = !dbl;
    }
    return sum;
}

char luhn_digit(const char *digits)
{
    return (char)('0' + (10 - luhn_sum(digits, strlen(digits), true) % 10) % 10);
}

char *iccid_format(const struct iccid *i, char out[ICCID_DIGITS + 1])
{
    int n = 0;

    for (int k = 0; k < ICCID_DIGITS; k++) {
        int d = k % 2 ? i->o[k / 2] >> 4 : i->o[k / 2] & 15;
        out[n++] = d < 10 ? (char)('0' + d) : 'F';
    }
    if (out[n - 1] == 'F')
        n--;
    out[n] = '\0';
    return out;
}

bool iccid_valid(const struct iccid *i)
{
    char d[ICCID_DIGITS + 1];

    iccid_format(i, d);
    size_t n = strlen(d);
    /* format shows any non-digit as F; the only padding there is is F. */
    if (n == 19 && i->o[9] >> 4 != 15)
        return false;
    return n >= 19 && strspn(d, "0123456789") == n &&
           luhn_sum(d, n, false) % 10 == 0;
}

int iccid_parse(const char *digits, struct iccid *out)
{
    size_t n = strlen(digits);
    struct iccid v;

    if ((n != 19 && n != 20) || strspn(digits, "0123456789") != n)
        return -1;
    for (int k = 0; k < ICCID_DIGITS; k++) {
        uint8_t d = (size_t)k < n ? (uint8_t)(digits[k] - '0') : 15;
        if (k % 2)
            v.o[k / 2] |= (uint8_t)(d << 4);
        else
            v.o[k / 2] = d;
    }
    if (!iccid_valid(&v))
        return -1;
    *out = v;
    return 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool imei_digits(const char *text, char out[IMEI_DIGITS + 1])
{
    size_t n = 0;

    for (const char *c = text; *c; c++) {
        bool parts = (*c == '-' || *c == '/' || *c == ' ') && c > text &&
                     is_digit(c[-1]) && is_digit(c[1]);
        if (parts)
            continue;
        if (!is_digit(*c) || n == IMEI_DIGITS)
            return false;
        out[n++] = *c;
    }
    out[n] = '\0';
    return n == IMEI_DIGITS;
}

bool imei_valid(struct span digits)
{
    if (digits.n != IMEI_DIGITS)
        return false;
    for (size_t i = 0; i < digits.n; i++)
        if (!is_digit((char)digits.p[i]))
            return false;
    return luhn_sum((const char *)digits.p, digits.n, false) % 10 == 0;
}

bool txid_from_span(struct span s, struct txid *out)
{
    if (s.n != sizeof out->o)
        return false;
    memcpy(out->o, s.p, sizeof out->o);
    return true;
}

bool txid_eq(const struct txid *a, const struct txid *b)
{
    return memcmp(a->o, b->o, sizeof a->o) == 0;
}

char *txid_format(const struct txid *t, char out[TXID_HEX + 1])
{
    return hex_encode(SPAN_ARRAY(t->o), out, TXID_HEX + 1);
}

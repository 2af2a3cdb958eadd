#include "station/ifpp/serials.h"

#include <string.h>

#define RANGE_DIGITS_MAX 18 /* fits 64 bits */

enum element { E_END, E_DIGIT, E_LETTER, E_ANY, E_RUN, E_RANGE, E_SELF, E_BAD };

struct piece {
    enum element is;
    char self;       /* E_SELF */
    size_t digits;   /* E_RANGE */
    uint64_t from, to;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_printable(char c)
{
    return c >= ' ' && c <= '~';
}

/* Digits at *p up to `end`; false: none, or too many. */
static bool number(const char **p, char end, size_t *digits, uint64_t *out)
{
    size_t n = 0;

    *out = 0;
    for (; is_digit((*p)[n]) && n <= RANGE_DIGITS_MAX; n++)
        *out = *out * 10 + (uint64_t)((*p)[n] - '0');
    if (n == 0 || n > RANGE_DIGITS_MAX || (*p)[n] != end)
        return false;
    *p += n + 1;
    *digits = n;
    return true;
}

static struct piece range(const char **p)
{
    struct piece r = { .is = E_RANGE };
    size_t second;

    if (!number(p, '-', &r.digits, &r.from) || !number(p, '}', &second, &r.to) ||
        second != r.digits || r.from > r.to)
        r.is = E_BAD;
    return r;
}

/* The next element of a pattern. */
static struct piece take(const char **p)
{
    char c = **p;

    if (c == '\0')
        return (struct piece){ .is = E_END };
    ++*p;
    switch (c) {
    case '#':
        return (struct piece){ .is = E_DIGIT };
    case '@':
        return (struct piece){ .is = E_LETTER };
    case '?':
        return (struct piece){ .is = E_ANY };
    case '*':
        return (struct piece){ .is = E_RUN };
    case '{':
        return range(p);
    case '}':
        return (struct piece){ .is = E_BAD };
    case '\\':
        c = **p;
        if (!is_printable(c))
            return (struct piece){ .is = E_BAD };
        ++*p;
        break;
    default:
        break;
    }
    return is_printable(c) ? (struct piece){ .is = E_SELF, .self = c }
                           : (struct piece){ .is = E_BAD };
}

int serials_check(const char *pattern, struct err *e)
{
    const char *p = pattern;
    struct piece one;
    size_t runs = 0;

    if (*pattern == '\0' || strlen(pattern) > SERIALS_MAX)
        return err_set(e, ERR_FORMAT, "a serial pattern has 1 to %d characters",
                       SERIALS_MAX);
    while ((one = take(&p)).is != E_END) {
        runs += one.is == E_RUN;
        if (one.is == E_BAD || runs > 1)
            return err_set(e, ERR_FORMAT, "the serial pattern is wrong at its "
                           "character %d: printable ASCII, # a digit, @ a letter, "
                           "? any character, one * at most, {A-B} a number (A and "
                           "B of equally many digits, A first), \\ before one of "
                           "these to mean itself", (int)(p - pattern));
    }
    return 0;
}

/* Octets that an element takes; a run takes what is left over. */
static size_t width(const struct piece *p)
{
    return p->is == E_RANGE ? p->digits : p->is == E_RUN ? 0 : 1;
}

static size_t width_of(const char *pattern)
{
    struct piece one;
    size_t n = 0;

    while ((one = take(&pattern)).is != E_END && one.is != E_BAD)
        n += width(&one);
    return n;
}

static bool in_range(const struct piece *p, const char *s)
{
    uint64_t n = 0;

    for (size_t i = 0; i < p->digits; i++) {
        if (!is_digit(s[i]))
            return false;
        n = n * 10 + (uint64_t)(s[i] - '0');
    }
    return n >= p->from && n <= p->to;
}

static bool fits(const struct piece *p, const char *s)
{
    switch (p->is) {
    case E_DIGIT:
        return is_digit(*s);
    case E_LETTER:
        return is_letter(*s);
    case E_ANY:
        return is_printable(*s);
    case E_RANGE:
        return in_range(p, s);
    case E_SELF:
        return *s == p->self;
    default:
        return p->is == E_RUN;
    }
}

bool serials_match(const char *pattern, const char *serial)
{
    size_t need = width_of(pattern), have = strlen(serial);
    bool run = false;
    struct piece one;

    if (have < need)
        return false;
    while ((one = take(&pattern)).is != E_END) {
        if (!fits(&one, serial))
            return false;
        run |= one.is == E_RUN;
        serial += one.is == E_RUN ? have - need : width(&one);
    }
    return run || have == need;
}

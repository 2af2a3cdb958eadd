#include "station/line/scan.h"

#include "station/ifpp/event.h"

#include <string.h>
#include <strings.h>

static struct span trim_cr(struct span s)
{
    if (s.n && s.p[s.n - 1] == '\r')
        s.n--;
    return s;
}

/* Cut `line` at the separator. False: there is none. */
static bool split(struct span line, int separator, struct span *first,
                  struct span *rest)
{
    const uint8_t *at = line.n ? memchr(line.p, separator, line.n) : NULL;

    if (!at)
        return false;
    *first = SPAN(line.p, (size_t)(at - line.p));
    *rest = SPAN(at + 1, line.n - first->n - 1);
    return true;
}

static bool copy_text(struct span s, char *out, size_t max)
{
    if (s.n > max)
        return false;
    if (s.n)
        memcpy(out, s.p, s.n);
    out[s.n] = '\0';
    return true;
}

/* A TAB is the one control character a line may have, and only as separator. */
static bool text_ok(struct span line)
{
    struct span first, rest;

    if (!split(line, '\t', &first, &rest))
        return event_text_ok(line);
    return event_text_ok(first) && event_text_ok(rest);
}

static bool all_digits(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

static enum scan_answer parse_barcode(struct span s, struct scan *out)
{
    if (s.n > SCAN_BARCODE_MAX)
        return SCAN_TOO_LONG;
    /* A blank at either end is a scanner's prefix or suffix set wrongly:
     * kept, it would make a second serial number for the same unit. */
    if (s.n && (s.p[0] == ' ' || s.p[s.n - 1] == ' '))
        return SCAN_MISREAD;
    copy_text(s, out->barcode, SCAN_BARCODE_MAX);
    if (s.n == 0)
        return SCAN_NO_BARCODE;
    if (s.n != EID_DIGITS || !all_digits(s))
        return SCAN_OK;
    if (eid_parse(out->barcode, &out->eid) != 0)
        return SCAN_MISREAD;
    out->is_eid = true;
    return SCAN_OK;
}

enum scan_answer scan_parse(struct span line, scan_known_fn *known, void *ctx,
                            struct scan *out)
{
    struct span name, rest;

    memset(out, 0, sizeof *out);
    line = trim_cr(line);
    if (line.n == 0)
        return SCAN_EMPTY;
    if (line.n > SCAN_LINE_MAX)
        return SCAN_TOO_LONG;
    if (!text_ok(line))
        return SCAN_BINARY;
    bool separated = split(line, '\t', &name, &rest) || split(line, ' ', &name, &rest);
    if (!separated) {
        name = line;
        rest = SPAN(line.p + line.n, 0);
    }
    if (!copy_text(name, out->fixture, FIXTURE_NAME_MAX) ||
        !known(ctx, out->fixture))
        return SCAN_UNKNOWN_FIXTURE;
    return separated ? parse_barcode(rest, out) : SCAN_NO_BARCODE;
}

const char *scan_imei(const char *barcode)
{
    size_t n = strlen(IMEI_SCAN_PREFIX);

    return strncasecmp(barcode, IMEI_SCAN_PREFIX, n) == 0 ? barcode + n : NULL;
}

static bool command_char(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

bool scan_command(struct span line, char out[COMMAND_SCAN_MAX + 1])
{
    const uint8_t *tab = line.n ? memchr(line.p, '\t', line.n) : NULL;
    size_t from = tab ? (size_t)(tab - line.p) + 1 : 0, n = strlen(COMMAND_SCAN_PREFIX);

    if (line.n > from && line.p[line.n - 1] == '\r')
        line.n--;
    if (line.n - from <= n || line.n - from > n + COMMAND_SCAN_MAX ||
        strncasecmp((const char *)line.p + from, COMMAND_SCAN_PREFIX, n) != 0)
        return false;
    size_t k = 0;
    for (size_t i = from + n; i < line.n; i++, k++) {
        if (!command_char(line.p[i]))
            return false;
        out[k] = (char)line.p[i];
    }
    out[k] = '\0';
    return true;
}

static void hand_over(struct scan_lines *s, scan_line_fn *line, void *ctx)
{
    line(ctx, SPAN(s->line, s->n));
    s->n = 0;
}

void scan_lines_feed(struct scan_lines *s, struct span octets,
                     scan_line_fn *line, void *ctx)
{
    for (size_t i = 0; i < octets.n; i++) {
        if (octets.p[i] == '\n')
            hand_over(s, line, ctx);
        else if (s->n < sizeof s->line)
            s->line[s->n++] = octets.p[i];
    }
}

void scan_lines_end(struct scan_lines *s, scan_line_fn *line, void *ctx)
{
    if (s->n)
        hand_over(s, line, ctx);
}

#include "ui/cells/cells.h"

struct range {
    uint32_t first, last;
};

/* East Asian Width W and F (Unicode 15, UAX 11), merged over what is not
 * assigned: a gap inside a wide block is wide on terminals too. */
static const struct range wide[] = {
    { 0x1100, 0x115F },   { 0x231A, 0x231B },   { 0x2329, 0x232A },
    { 0x23E9, 0x23EC },   { 0x2E80, 0x303E },   { 0x3041, 0x33FF },
    { 0x3400, 0x4DBF },   { 0x4E00, 0xA4CF },   { 0xA960, 0xA97F },
    { 0xAC00, 0xD7A3 },   { 0xF900, 0xFAFF },   { 0xFE10, 0xFE19 },
    { 0xFE30, 0xFE6F },   { 0xFF01, 0xFF60 },   { 0xFFE0, 0xFFE6 },
    { 0x16FE0, 0x18CFF }, { 0x1B000, 0x1B2FF }, { 0x1F300, 0x1F64F },
    { 0x1F680, 0x1F6FF }, { 0x1F900, 0x1F9FF }, { 0x20000, 0x3FFFD },
};

/* Marks that combine, joiners, and what turns the direction of writing. */
static const struct range nothing[] = {
    { 0x00AD, 0x00AD },   { 0x0300, 0x036F },   { 0x0483, 0x0489 },
    { 0x0591, 0x05BD },   { 0x05BF, 0x05C7 },   { 0x0610, 0x061C },
    { 0x064B, 0x065F },   { 0x0670, 0x0670 },   { 0x06D6, 0x06ED },
    { 0x0900, 0x0903 },   { 0x093A, 0x094F },   { 0x0E31, 0x0E31 },
    { 0x0E34, 0x0E3A },   { 0x0E47, 0x0E4E },   { 0x1160, 0x11FF },
    { 0x1AB0, 0x1AFF },   { 0x1DC0, 0x1DFF },   { 0x200B, 0x200F },
    { 0x2028, 0x202E },   { 0x2060, 0x206F },   { 0x20D0, 0x20FF },
    { 0x302A, 0x302F },   { 0x3099, 0x309A },   { 0xFE00, 0xFE0F },
    { 0xFE20, 0xFE2F },   { 0xFEFF, 0xFEFF },   { 0xFFF0, 0xFFFB },
    { 0xD800, 0xDFFF },   { 0x1F3FB, 0x1F3FF }, { 0xE0000, 0xE0FFF },
};

static bool is_in(const struct range *v, size_t n, uint32_t ch)
{
    for (size_t i = 0; i < n; i++)
        if (ch >= v[i].first && ch <= v[i].last)
            return true;
    return false;
}

int text_char_width(uint32_t ch)
{
    if (ch < 0x20 || (ch >= 0x7F && ch < 0xA0) || ch > 0x10FFFF ||
        (ch >= 0xE000 && ch <= 0xF8FF))
        return 0;
    if (ch < 0xAD)
        return 1;
    if (is_in(nothing, sizeof nothing / sizeof *nothing, ch))
        return 0;
    return is_in(wide, sizeof wide / sizeof *wide, ch) ? 2 : 1;
}

/* One sequence of UTF-8, or one octet that begins none. */
static uint32_t decode(const uint8_t **p)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint8_t c = *(*p)++;
    int n = c < 0x80 ? 1 : (c & 0xE0) == 0xC0 ? 2 : (c & 0xF0) == 0xE0 ? 3
          : (c & 0xF8) == 0xF0 ? 4 : 0;

    if (n == 1)
        return c;
    uint32_t ch = n ? c & (0x7Fu >> n) : 0;
    for (int i = 1; i < n; i++) {
        if (((*p)[i - 1] & 0xC0) != 0x80) /* the end is none either */
            return '?';
        ch = ch << 6 | ((*p)[i - 1] & 0x3F);
    }
    if (n == 0 || ch < least[n] || ch > 0x10FFFF || (ch >= 0xD800 && ch < 0xE000))
        return '?';
    *p += n - 1;
    return ch;
}

uint32_t text_next(const char **s)
{
    const uint8_t *p = (const uint8_t *)*s;
    uint32_t ch = 0;

    while (*p) {
        ch = decode(&p);
        if (ch == '\t' || ch == '\n' || ch == '\r')
            ch = ' ';
        else if (ch < 0x20 || (ch >= 0x7F && ch < 0xA0) || (ch >= 0xE000 && ch <= 0xF8FF))
            ch = '?';
        if (text_char_width(ch) > 0)
            break;
        ch = 0;
    }
    *s = (const char *)p;
    return ch;
}

int text_width(const char *s)
{
    int w = 0;

    for (uint32_t ch; (ch = text_next(&s));)
        w += text_char_width(ch);
    return w;
}

#define ELLIPSIS 0x2026

/* The next one before `end` (NULL: the text's own). */
static uint32_t next_before(const char **s, const char *end)
{
    const char *at = *s;

    if (end && at >= end)
        return 0;
    uint32_t ch = text_next(&at);
    if (end && at > end)
        return 0;
    *s = at;
    return ch;
}

/* From s to `end`, in at most w columns; cut: more would follow. */
static int put(struct grid *g, int x, int y, int w, enum tone t, const char *s,
               const char *end, bool cut)
{
    const char *at = s;
    int total = 0, used = 0;

    for (uint32_t ch; total <= w && (ch = next_before(&at, end));)
        total += text_char_width(ch);
    bool whole = !cut && total <= w;
    int room = whole ? w : w - 1;
    for (uint32_t ch; (ch = next_before(&s, end)) &&
                      used + text_char_width(ch) <= room;) {
        grid_put(g, x + used, y, ch, t);
        used += text_char_width(ch);
    }
    if (!whole && used < w)
        grid_put(g, x + used++, y, ELLIPSIS, t);
    return used;
}

int grid_text(struct grid *g, int x, int y, int w, enum tone t, const char *s)
{
    return w > 0 ? put(g, x, y, w, t, s, NULL, false) : 0;
}

int grid_text_right(struct grid *g, struct area row, enum tone t, const char *s)
{
    int w = text_width(s);

    w = w < row.w ? w : row.w;
    return row.h > 0 ? grid_text(g, row.x + row.w - w, row.y, w, t, s) : 0;
}

int grid_text_middle(struct grid *g, struct area row, enum tone t, const char *s)
{
    int w = text_width(s);

    w = w < row.w ? w : row.w;
    return row.h > 0 ? grid_text(g, row.x + (row.w - w) / 2, row.y, w, t, s) : 0;
}

/* --- lines --------------------------------------------------------------------------- */

/* What may not begin a line: closing signs of Chinese text. */
static bool clings(uint32_t ch)
{
    static const uint32_t v[] = { 0x3001, 0x3002, 0xFF0C, 0xFF01, 0xFF1A, 0xFF1B,
                                  0xFF1F, 0xFF09, 0x300B, 0x300D, 0x201D };

    for (size_t i = 0; i < sizeof v / sizeof *v; i++)
        if (v[i] == ch)
            return true;
    return false;
}

/* The end of the line that begins at s, and where the next one begins. */
static const char *line_end(const char *s, int w, const char **next)
{
    const char *at = s, *end = NULL, *go = NULL;
    int used = 0;
    uint32_t before = 0;

    for (;;) {
        const char *here = at;
        uint32_t ch = text_next(&at);
        if (!ch) {
            *next = at;
            return here;
        }
        int width = text_char_width(ch);
        if (ch == ' ') {
            end = here;
            go = at;
        } else if (used > 0 && before != ' ' && !clings(ch) &&
                   (width == 2 || (before && text_char_width(before) == 2))) {
            end = go = here;
        }
        if (used + width > w && ch != ' ') {
            if (!end || end == s)
                end = go = used > 0 ? here : at;
            *next = go;
            return end;
        }
        used += width;
        before = ch;
    }
}

static const char *skip_blanks(const char *s)
{
    while (*s == ' ')
        s++;
    return s;
}

int text_rows(const char *s, int w)
{
    int n = 0;

    if (w <= 0)
        return 0;
    for (s = skip_blanks(s); *s; s = skip_blanks(s), n++)
        line_end(s, w, &s);
    return n;
}

int grid_wrap(struct grid *g, struct area a, enum tone t, const char *s)
{
    int n = 0;

    if (a.w <= 0)
        return 0;
    for (s = skip_blanks(s); *s && n < a.h; n++) {
        const char *next, *end = line_end(s, a.w, &next);
        next = skip_blanks(next);
        put(g, a.x, a.y + n, a.w, t, s, end, n == a.h - 1 && *next);
        s = next;
    }
    return n;
}

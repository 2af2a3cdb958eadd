/* lineside-screenshot GOLDEN HEADING: a golden screen (tests/unit/ui/golden) as
 * a picture in SVG, in the colours of the screen's palette, to standard output.
 * docs/screens/ is made of them; tests/e2e/docs.sh compares. */
#include "station/base/span.h"
#include "ui/cells/dump.h"
#include "ui/cells/palette.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CELL_W 8
#define CELL_H 17
#define ASCENT 13

/* Eight, the bold ones in front, and a terminal's own. */
static const char *const colours[16] = {
    "#000000", "#b02020", "#18802c", "#c8a010", "#1c4fa8", "#8a2a9c", "#2aa0b0", "#d0d0d0",
    "#606060", "#ff6060", "#60ff60", "#ffe060", "#80a0ff", "#ff80ff", "#70ffff", "#ffffff",
};
#define OWN_FORE "#d0d0d0"
#define OWN_FORE_BOLD "#ffffff"
#define OWN_BACK "#101418"

static const char *fore_of(enum tone t)
{
    const struct tone_look *l = &tone_looks[t];
    bool bold = l->colour & BOLD;

    return l->fore == OWN ? bold ? OWN_FORE_BOLD : OWN_FORE : colours[l->fore + (bold ? 8 : 0)];
}

/* --- the golden file ------------------------------------------------------------------ */

static int columns_of(const char *row)
{
    int n = 0;

    for (uint32_t ch; *row != '\n' && (ch = text_next(&row)) != 0;)
        n += text_char_width(ch);
    return n;
}

static int tones_columns(const char *at)
{
    int n = 0;

    for (; *at && *at != '\n'; at++) /* behind each number its letter */
        n += (int)strtol(at, (char **)&at, 10);
    return n;
}

/* "3 25P55.": the tones of row 3. False: no such line, or one that does not fit. */
static bool take_tones(struct grid *g, const char *line)
{
    char *at;
    long y = strtol(line, &at, 10), x = 0;

    if (at == line || *at++ != ' ' || y < 0 || y >= g->rows)
        return false;
    while (*at != '\n' && *at) {
        long n = strtol(at, &at, 10);
        int t = 0;
        while (t < TONES && tone_letter((enum tone)t) != *at)
            t++;
        if (t == TONES || n < 1 || x + n > g->cols)
            return false;
        for (at++; n > 0; n--, x++)
            g->v[y * g->cols + x].tone = (uint8_t)t;
    }
    return true;
}

static void take_row(struct grid *g, int y, const char *row)
{
    uint32_t ch;

    for (int x = 0; *row != '\n' && (ch = text_next(&row)) != 0; x += text_char_width(ch))
        grid_put(g, x, y, ch, TONE_PLAIN);
}

static struct grid *read_golden(const char *text)
{
    int rows = 0, cols = 0;

    for (const char *l = text; *l; l = strchr(l, '\n') + 1) {
        int n = *l == '|' ? columns_of(l + 1) : strchr(l, ' ') ? tones_columns(strchr(l, ' ') + 1) : 0;
        rows += *l == '|';
        cols = n > cols ? n : cols;
        if (!strchr(l, '\n'))
            return NULL;
    }
    struct grid *g = rows > 0 && cols > 0 ? grid_new(cols, rows) : NULL;
    int y = 0;
    for (const char *l = text; g && *l; l = strchr(l, '\n') + 1) {
        if (*l == '|')
            take_row(g, y++, l + 1);
        else if (!take_tones(g, l))
            return NULL;
    }
    return g;
}

/* --- the picture ------------------------------------------------------------------------ */

static void put_rect(double x, double y, double w, double h, const char *fill)
{
    printf("<rect x=\"%g\" y=\"%g\" width=\"%g\" height=\"%g\" fill=\"%s\"/>\n", x, y, w, h, fill);
}

/* Blocks are drawn, so that no font has gaps between them: how much of the
 * cell, in eighths from the top; 0: it is none. */
static bool block(uint32_t ch, int *top, int *height)
{
    *top = ch == 0x2584 ? 4 : 0;
    *height = ch == 0x2588 || ch == 0x2591 ? 8 : ch == 0x2580 || ch == 0x2584 ? 4 : 0;
    return *height > 0;
}

static void put_blocks(const struct grid *g, int y)
{
    int top, h;

    for (int x = 0; x < g->cols; x++) {
        const struct cell *c = grid_at(g, x, y);
        if (!block(c->ch, &top, &h))
            continue;
        int n = 1;
        while (x + n < g->cols && grid_at(g, x + n, y)->ch == c->ch && grid_at(g, x + n, y)->tone == c->tone)
            n++;
        const char *fill = fore_of((enum tone)c->tone);
        double at = y * CELL_H + top * CELL_H / 8.0;
        if (c->ch == 0x2591)
            printf("<rect x=\"%d\" y=\"%g\" width=\"%d\" height=\"%d\" fill=\"%s\" opacity=\"0.25\"/>\n",
                   x * CELL_W, at, n * CELL_W, CELL_H, fill);
        else
            put_rect(x * CELL_W, at, n * CELL_W, h * CELL_H / 8.0, fill);
        x += n - 1;
    }
}

static bool is_text(const struct cell *c)
{
    int top, h;

    return c->ch != ' ' && !block(c->ch, &top, &h);
}

static void put_char(uint32_t ch)
{
    char c[4];

    if (ch == '&' || ch == '<' || ch == '>')
        printf("&#%u;", (unsigned)ch);
    else
        fwrite(c, 1, dump_char(ch, c), stdout);
}

/* What is written together is set together, and stretched to its cells. */
static void put_text(const struct grid *g, int y)
{
    for (int x = 0; x < g->cols; x++) {
        const struct cell *c = grid_at(g, x, y);
        int n = 0;
        if (!is_text(c))
            continue;
        while (x + n < g->cols && grid_at(g, x + n, y)->tone == c->tone && is_text(grid_at(g, x + n, y)))
            n++;
        printf("<text x=\"%d\" y=\"%d\" textLength=\"%d\" fill=\"%s\"%s>", x * CELL_W,
               y * CELL_H + ASCENT, n * CELL_W, fore_of((enum tone)c->tone),
               tone_looks[c->tone].colour & BOLD ? " class=\"b\"" : "");
        for (int i = 0; i < n; i++)
            if (grid_at(g, x + i, y)->width > 0)
                put_char(grid_at(g, x + i, y)->ch);
        printf("</text>\n");
        x += n - 1;
    }
}

static void put_backs(const struct grid *g, int y)
{
    for (int x = 0, n; x < g->cols; x += n) {
        uint8_t tone = grid_at(g, x, y)->tone;
        for (n = 1; x + n < g->cols && grid_at(g, x + n, y)->tone == tone;)
            n++;
        if (tone_looks[tone].back != OWN)
            put_rect(x * CELL_W, y * CELL_H, n * CELL_W, CELL_H, colours[(int)tone_looks[tone].back]);
    }
}

static void put_picture(const struct grid *g)
{
    int w = g->cols * CELL_W, h = g->rows * CELL_H;

    printf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n"
           "<style>text { font: 13px monospace; white-space: pre } .b { font-weight: bold }</style>\n",
           w, h, w, h);
    put_rect(0, 0, w, h, OWN_BACK);
    for (int y = 0; y < g->rows; y++) {
        put_backs(g, y);
        put_blocks(g, y);
        put_text(g, y);
    }
    printf("</svg>\n");
}

/* What stands under that heading, and no more. NULL: nothing. */
static char *section(char *text, const char *heading)
{
    size_t n = strlen(heading);

    for (char *l = text; (l = strstr(l, "== ")); l++) {
        if ((l != text && l[-1] != '\n') || strncmp(l + 3, heading, n) != 0 || l[3 + n] != '\n')
            continue;
        char *end = strstr(l + 3 + n, "\n== ");
        if (end)
            end[1] = '\0';
        return l + 4 + n;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    static char text[1 << 20];
    FILE *f = argc == 3 ? fopen(argv[1], "rb") : NULL;

    if (!f) {
        fprintf(stderr, "usage: lineside-screenshot tests/unit/ui/golden/SCREEN.txt HEADING\n");
        return 2;
    }
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    const char *golden = section(text, argv[2]);
    struct grid *g = golden ? read_golden(golden) : NULL;
    if (!g) {
        fprintf(stderr, "lineside-screenshot: %s has no golden screen %s\n", argv[1], argv[2]);
        return 1;
    }
    put_picture(g);
    grid_free(g);
    return fflush(stdout) == 0 ? 0 : 3;
}

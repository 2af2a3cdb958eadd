#include "ui/sheet/sheet.h"

#include <stdio.h>
#include <string.h>

static void put(struct buf *b, const char *text)
{
    buf_put(b, text, strlen(text));
}

/* Nothing that a sheet names can become markup. */
static void put_escaped(struct buf *b, const char *text)
{
    for (const char *c = text; *c; c++) {
        const char *as = *c == '&' ? "&amp;" : *c == '<' ? "&lt;" : *c == '>' ? "&gt;"
                       : *c == '"' ? "&quot;" : *c == '\'' ? "&#39;" : NULL;
        if (as)
            put(b, as);
        else
            buf_put(b, c, 1);
    }
}

static void put_mark(struct buf *b, const struct mark *m)
{
    static const char *const classes[] = {
        [MARK_HEAD] = "head", [MARK_TITLE] = "title", [MARK_CODE] = "code", [MARK_SMALL] = "small",
    };
    char text[160];

    if (m->kind == MARK_BAR) {
        snprintf(text, sizeof text, "<rect x=\"%.3f\" y=\"%.3f\" width=\"%.3f\" height=\"%.3f\"/>\n",
                 m->x, m->y, m->w, m->h);
        put(b, text);
        return;
    }
    snprintf(text, sizeof text, "<text class=\"%s\" x=\"%.3f\" y=\"%.3f\" font-size=\"%.2f\">",
             classes[m->kind], m->x, m->y, m->h);
    put(b, text);
    put_escaped(b, m->text);
    put(b, "</text>\n");
}

void svg_write(const struct sheet *s, int page, struct buf *out)
{
    char text[256];

    snprintf(text, sizeof text,
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0fmm\" height=\"%.0fmm\" "
             "viewBox=\"0 0 %.0f %.0f\" xml:lang=\"%s\">\n", SHEET_W, SHEET_H, SHEET_W, SHEET_H,
             lang_code(s->lang));
    put(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    put(out, text);
    put(out, "<style>text { font-family: sans-serif } .head, .title { font-weight: bold } "
             ".code { font-family: monospace }</style>\n"
             "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
    for (size_t i = 0; i < s->n; i++)
        if (s->v[i].page == page)
            put_mark(out, &s->v[i]);
    put(out, "</svg>\n");
}

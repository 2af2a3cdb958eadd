/* PDF 1.4 (ISO 32000-1), as little of it as a sheet needs: pages of filled
 * rectangles, and text in the fonts that every reader has. */
#include "ui/cells/cells.h"
#include "ui/sheet/sheet.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POINT (72.0 / 25.4) /* in a mm */
enum { CATALOG = 1, PAGES, HELVETICA, BOLD, COURIER, FIRST_PAGE }; /* then page, contents, page, ... */

static void put(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(struct buf *b, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    buf_put(b, text, n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

/* A string object in WinAnsiEncoding, in hexadecimal: nothing needs escaping. */
static int put_string(struct buf *b, const char *text, struct err *e)
{
    const char *at = text;

    put(b, "<");
    for (uint32_t ch; (ch = text_next(&at)) != 0;) {
        unsigned code = ch == 0x2026 ? 0x85 : ch == 0x20AC ? 0x80 : ch;
        if (code > 0xFF || (ch >= 0x7F && ch < 0xA0))
            return err_set(e, ERR_FORMAT, "'%.60s' has letters that the fonts of a PDF lack: "
                           "write a file named .svg", text);
        put(b, "%02X", code);
    }
    put(b, ">");
    return 0;
}

static int put_mark(struct buf *b, const struct mark *m, struct err *e)
{
    if (m->kind == MARK_BAR) {
        put(b, "%.3f %.3f %.3f %.3f re f\n", m->x * POINT, (SHEET_H - m->y - m->h) * POINT,
            m->w * POINT, m->h * POINT);
        return 0;
    }
    put(b, "BT /F%d %.2f Tf %.3f %.3f Td ", m->kind == MARK_CODE ? COURIER
        : m->kind == MARK_SMALL ? HELVETICA : BOLD, m->h * POINT, m->x * POINT,
        (SHEET_H - m->y) * POINT);
    if (put_string(b, m->text, e) != 0)
        return -1;
    put(b, " Tj ET\n");
    return 0;
}

static int put_page(const struct sheet *s, int page, struct buf *out, size_t *at, struct err *e)
{
    AUTO(buf_clear) struct buf marks = BUF_INIT;
    int self = FIRST_PAGE + 2 * page;

    for (size_t i = 0; i < s->n; i++)
        if (s->v[i].page == page && put_mark(&marks, &s->v[i], e) != 0)
            return -1;
    if (!buf_ok(&marks))
        return err_set(e, ERR_NOMEM, "no memory for the sheet");
    at[self] = out->n;
    put(out, "%d 0 obj\n<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %.3f %.3f] /Contents %d 0 R "
             "/Resources << /Font << /F%d %d 0 R /F%d %d 0 R /F%d %d 0 R >> >> >>\nendobj\n",
        self, PAGES, SHEET_W * POINT, SHEET_H * POINT, self + 1, HELVETICA, HELVETICA, BOLD, BOLD,
        COURIER, COURIER);
    at[self + 1] = out->n;
    put(out, "%d 0 obj\n<< /Length %zu >>\nstream\n", self + 1, marks.n);
    buf_put(out, marks.p, marks.n);
    put(out, "endstream\nendobj\n");
    return 0;
}

static void put_frame(const struct sheet *s, struct buf *out, size_t *at)
{
    static const char *const fonts[] = {
        [HELVETICA] = "Helvetica", [BOLD] = "Helvetica-Bold", [COURIER] = "Courier",
    };

    put(out, "%%PDF-1.4\n");
    at[CATALOG] = out->n;
    put(out, "%d 0 obj\n<< /Type /Catalog /Pages %d 0 R >>\nendobj\n", CATALOG, PAGES);
    at[PAGES] = out->n;
    put(out, "%d 0 obj\n<< /Type /Pages /Count %d /Kids [", PAGES, s->pages);
    for (int i = 0; i < s->pages; i++)
        put(out, " %d 0 R", FIRST_PAGE + 2 * i);
    put(out, " ] >>\nendobj\n");
    for (int f = HELVETICA; f <= COURIER; f++) {
        at[f] = out->n;
        put(out, "%d 0 obj\n<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding "
                 "/WinAnsiEncoding >>\nendobj\n", f, fonts[f]);
    }
}

int pdf_write(const struct sheet *s, struct buf *out, struct err *e)
{
    int objects = FIRST_PAGE + 2 * s->pages, bad = 0;
    size_t *at = calloc((size_t)objects, sizeof *at);

    if (!at)
        return err_set(e, ERR_NOMEM, "no memory for the sheet");
    put_frame(s, out, at);
    for (int i = 0; i < s->pages && !bad; i++)
        bad = put_page(s, i, out, at, e);
    size_t table = out->n;
    put(out, "xref\n0 %d\n0000000000 65535 f \n", objects);
    for (int i = 1; i < objects; i++)
        put(out, "%010zu 00000 n \n", at[i]);
    put(out, "trailer\n<< /Size %d /Root %d 0 R >>\nstartxref\n%zu\n%%%%EOF\n", objects, CATALOG,
        table);
    free(at);
    return bad;
}

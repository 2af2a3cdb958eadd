/* ui/sheet: barcodes to be printed on A4, laid out as marks; what a file of
 * them looks like is svg.c's and pdf.c's business. */
#ifndef LINESIDE_UI_SHEET_H
#define LINESIDE_UI_SHEET_H

#include "station/base/err.h"
#include "station/base/span.h"
#include "ui/words/words.h"

#define SHEET_W 210.0 /* mm */
#define SHEET_H 297.0

enum mark_kind { MARK_BAR, MARK_HEAD, MARK_TITLE, MARK_CODE, MARK_SMALL };
struct mark {
    enum mark_kind kind;
    int page;
    double x, y, w, h; /* mm from the upper left; of text: where its line stands, h: its size */
    char *text;        /* UTF-8, nothing in it but what can be shown; NULL: a bar */
};
struct sheet {
    enum lang lang;
    int pages;
    struct mark *v;
    size_t n, cap;
    double y;     /* what is free of the last page begins here */
    int column;   /* of the row at y: 0 or 1 */
    const char *group;
    bool broken;  /* no memory */
};
void sheet_init(struct sheet *s, enum lang l);
void sheet_clear(struct sheet *s);

/* What follows begins a page of its own, under this heading (in English). */
void sheet_group(struct sheet *s, const char *title);
/* One symbol; note: a sentence, or "". code128_make's errors: nothing was added. */
int sheet_add(struct sheet *s, const char *title, const char *code, const char *note,
              struct err *e);
/* Keys' and screens' command barcodes, from their tables. */
int sheet_commands(struct sheet *s, struct err *e);

/* One page (from 0). Appended. */
void svg_write(const struct sheet *s, int page, struct buf *out);
/* All of it. ERR_FORMAT: letters that PDF's own fonts lack (western Europe's are
 * there). */
int pdf_write(const struct sheet *s, struct buf *out, struct err *e);

#endif

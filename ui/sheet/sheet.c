#include "ui/sheet/sheet.h"

#include "ui/cells/dump.h"
#include "ui/screens/screens.h"
#include "ui/sheet/code128.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All in mm. */
#define MARGIN 12.0
#define GAP 4.0
#define COLUMN ((SHEET_W - 2 * MARGIN - GAP) / 2)
#define HEAD 12.0
#define ROW 25.0
#define BARS_H 10.0
/* A module's width: what any scanner reads from where it is held; and the least
 * that office printers print. */
#define MODULE 0.33
#define MODULE_MIN 0.24
#define NOTE_COLS 66 /* of small text in a column */
#define TITLE_COLS 48

void sheet_init(struct sheet *s, enum lang l)
{
    *s = (struct sheet){ .lang = l };
}

void sheet_clear(struct sheet *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->v[i].text);
    free(s->v);
    *s = (struct sheet){ .lang = s->lang };
}

static void put(struct sheet *s, struct mark m)
{
    if (s->n == s->cap) {
        size_t cap = s->cap ? 2 * s->cap : 1024;
        struct mark *v = realloc(s->v, cap * sizeof *v);
        if (!v) {
            free(m.text);
            s->broken = true;
            return;
        }
        s->v = v;
        s->cap = cap;
    }
    m.page = s->pages - 1;
    s->v[s->n++] = m;
}

/* Text in at most `rows` rows of so many columns, broken and made harmless as
 * on the screen. */
static void put_text(struct sheet *s, enum mark_kind kind, double x, double y, double size,
                     int cols, int rows, const char *text)
{
    struct grid *g = grid_new(cols, rows);

    if (!g) {
        s->broken = true;
        return;
    }
    int used = grid_wrap(g, (struct area){ 0, 0, cols, rows }, TONE_PLAIN, text);
    for (int i = 0; i < used; i++) {
        AUTO(buf_clear) struct buf b = BUF_INIT;
        dump_text(g, i, &b);
        buf_put(&b, "", 1);
        char *copy = buf_ok(&b) ? strdup((const char *)b.p) : NULL;
        if (copy)
            put(s, (struct mark){ .kind = kind, .x = x, .y = y + i * size * 1.25, .h = size, .text = copy });
        else
            s->broken = true;
    }
    grid_free(g);
}

/* --- pages ------------------------------------------------------------------------- */

static void new_page(struct sheet *s)
{
    char text[128];

    s->pages++;
    s->y = MARGIN + HEAD;
    s->column = 0;
    snprintf(text, sizeof text, "Lineside  %s  %d", tr(s->lang, s->group), s->pages);
    put_text(s, MARK_HEAD, MARGIN, MARGIN + 4, 5, 80, 1, text);
}

void sheet_group(struct sheet *s, const char *title)
{
    s->group = title;
    new_page(s);
}

static void next_row(struct sheet *s)
{
    s->column = 0;
    s->y += ROW;
}

/* Room for one of so many columns: its place. */
static double take_place(struct sheet *s, int columns)
{
    if (s->column + columns > 2)
        next_row(s);
    if (s->y + ROW > SHEET_H - MARGIN)
        new_page(s);
    double x = MARGIN + s->column * (COLUMN + GAP);
    s->column += columns;
    return x;
}

int sheet_add(struct sheet *s, const char *title, const char *code, const char *note,
              struct err *e)
{
    struct code128 c;

    if (code128_make(code, &c, e) != 0)
        return -1;
    int all = c.modules + 2 * CODE128_QUIET;
    int columns = all * MODULE_MIN <= COLUMN ? 1 : 2;
    double room = columns == 1 ? COLUMN : 2 * COLUMN + GAP;
    double module = all * MODULE <= room ? MODULE : room / all;
    double x = take_place(s, columns), bars = x + CODE128_QUIET * module;

    put_text(s, MARK_TITLE, bars, s->y + 3.5, 3.6, columns * TITLE_COLS, 1, title);
    for (int i = 0; i < c.bars; i++)
        put(s, (struct mark){ .kind = MARK_BAR, .x = bars + c.bar[i].at * module, .y = s->y + 4.8,
                              .w = c.bar[i].width * module, .h = BARS_H });
    put_text(s, MARK_CODE, bars, s->y + 4.8 + BARS_H + 3, 2.8, CODE128_TEXT_MAX, 1, code);
    put_text(s, MARK_SMALL, bars, s->y + 4.8 + BARS_H + 5.8, 2.2, columns * NOTE_COLS, 2, note);
    return s->broken ? err_set(e, ERR_NOMEM, "no memory for the sheet") : 0;
}

/* --- what there is to be commanded -------------------------------------------------- */

static int add_command(struct sheet *s, const char *title, const char *word, const char *key,
                       const char *help, struct err *e)
{
    char code[CODE128_TEXT_MAX + 1], text[96];

    snprintf(code, sizeof code, "%s%s", COMMAND_PREFIX, word);
    for (char *c = code; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    /* The arrows' keys are called as what they do. */
    bool named = *key && (unsigned char)*key < 0x80;
    snprintf(text, sizeof text, named ? "%s (%s)" : "%s", tr(s->lang, title), key);
    return sheet_add(s, text, code, tr(s->lang, help), e);
}

int sheet_commands(struct sheet *s, struct err *e)
{
    sheet_group(s, N_("Command barcodes"));
    for (size_t i = 0; i < action_count; i++)
        if (add_command(s, actions[i].label, actions[i].barcode, actions[i].key_name,
                        actions[i].help, e) != 0)
            return -1;
    for (size_t i = 0; i < screen_count; i++) /* some have a key, and are there */
        if (!action_of_command(screens[i]->name) &&
            add_command(s, screens[i]->title, screens[i]->name, "", screens[i]->help, e) != 0)
            return -1;
    return 0;
}

#include "ui/term/term.h"

#include "ui/cells/palette.h"

#define NCURSES_WIDECHAR 1
#include <langinfo.h>
#include <linux/kd.h>
#include <locale.h>
#include <ncurses.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

struct term {
    SCREEN *screen;
    struct grid *shown; /* what the terminal has; NULL: not known */
    bool utf8, colours;
    uint8_t *glyphs; /* of the kernel's console, a bit each; NULL: nobody can tell */
    attr_t attr[TONES];
};

/* --- looks ------------------------------------------------------------------------ */

static attr_t attribute(unsigned char how)
{
    return (how & BOLD ? A_BOLD : 0) | (how & REVERSE ? A_REVERSE : 0) |
           (how & UNDERLINE ? A_UNDERLINE : 0);
}

static void set_looks(struct term *t)
{
    t->colours = has_colors() && start_color() == OK;
    if (t->colours)
        use_default_colors();
    for (int i = 0; i < TONES; i++) {
        if (t->colours)
            init_pair((short)(i + 1), tone_looks[i].fore, tone_looks[i].back);
        t->attr[i] = attribute(t->colours ? tone_looks[i].colour : tone_looks[i].mono);
    }
}

/* --- its life ----------------------------------------------------------------------- */

/* Wide characters need a UTF-8 locale; an appliance has none set, and the C
 * library always has this one. */
static bool set_locale(void)
{
    setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "ANSI_X3.4-1968") == 0)
        setlocale(LC_CTYPE, "C.UTF-8");
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* The kernel's console has a font of 512 glyphs at most, and says which. */
static uint8_t *console_glyphs(void)
{
    struct unimapdesc d = { .entry_ct = 0 };

    if (ioctl(STDOUT_FILENO, GIO_UNIMAP, &d) == 0 || d.entry_ct == 0)
        return NULL; /* no console of the kernel's, or one without a map */
    d.entries = calloc(d.entry_ct, sizeof *d.entries);
    uint8_t *bits = d.entries ? calloc(1, 0x10000 / 8) : NULL;
    if (bits && ioctl(STDOUT_FILENO, GIO_UNIMAP, &d) == 0) {
        for (unsigned i = 0; i < d.entry_ct; i++)
            bits[d.entries[i].unicode / 8] |= (uint8_t)(1 << d.entries[i].unicode % 8);
    } else {
        free(bits);
        bits = NULL;
    }
    free(d.entries);
    return bits;
}

/* One that only goes on from line to line is no screen. */
static bool has_cursor(void)
{
    const char *cup = tigetstr("cup");

    return cup && cup != (const char *)-1;
}

int term_open(struct term **out, struct err *e)
{
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return err_set(e, ERR_USAGE, "the operator's screen needs a terminal; start it at one");
    struct term *t = calloc(1, sizeof *t);
    if (!t)
        return err_set(e, ERR_NOMEM, "no memory for a terminal");
    t->utf8 = set_locale();
    t->screen = newterm(NULL, stdout, stdin);
    if (!t->screen || !has_cursor()) {
        if (t->screen)
            endwin();
        free(t);
        return err_set(e, ERR_USAGE, "this kind of terminal (TERM) is not known "
                       "here; set TERM to what it is, such as linux or xterm");
    }
    set_term(t->screen);
    raw();
    noecho();
    nonl();
    nodelay(stdscr, TRUE);
    keypad(stdscr, TRUE);
    set_escdelay(25);
    curs_set(0);
    set_looks(t);
    t->glyphs = console_glyphs();
    *out = t;
    return 0;
}

void term_close(struct term *t)
{
    if (!t)
        return;
    endwin();
    delscreen(t->screen);
    grid_free(t->shown);
    free(t->glyphs);
    free(t);
}

void term_size(const struct term *t, int *cols, int *rows)
{
    (void)t;
    *cols = COLS;
    *rows = LINES;
}

void term_forget(struct term *t)
{
    grid_free(t->shown);
    t->shown = NULL;
    clearok(stdscr, TRUE);
}

/* --- output --------------------------------------------------------------------------- */

/* Fonts that lack the eighths of a block have its half. */
static uint32_t nearest(const struct term *t, uint32_t ch)
{
    uint32_t block = ch > 0x2583 && ch < 0x2587 ? 0x2584 : ch == 0x2587 ? 0x2588 : ch;

    return term_has_glyph(t, ch) || !term_has_glyph(t, block) ? ch : block;
}

/* For a terminal that is not UTF-8, or whose font lacks it: the nearest of ASCII. */
static uint32_t plainer(uint32_t ch)
{
    static const struct {
        uint32_t ch;
        char plain;
    } v[] = {
        { 0x2581, '_' }, { 0x2582, '_' }, { 0x2583, '_' }, { 0x2585, '=' }, { 0x2586, '=' },
        { 0x2587, '#' }, { 0x2588, '#' }, { 0x2580, '"' }, { 0x2584, '_' }, { 0x2591, '.' },
        { 0x2592, '%' }, { 0x25A0, '#' }, { 0x25CB, 'o' }, { 0x25BA, '>' },
        { 0x25BC, 'v' }, { 0x221A, 'v' }, { 0x00B7, '-' }, { 0x2026, '~' },
        { 0x00A0, ' ' }, { 0x2190, '<' }, { 0x2191, '^' }, { 0x2192, '>' }, { 0x2193, 'v' },
    };

    if (ch < 0x7F)
        return ch;
    for (size_t i = 0; i < sizeof v / sizeof *v; i++)
        if (v[i].ch == ch)
            return (uint32_t)v[i].plain;
    return '?';
}

static void put(const struct term *t, int x, int y, const struct cell *c)
{
    uint32_t ch = nearest(t, c->ch);
    /* What the C library takes for another width would move the rest of the row. */
    bool plain = !term_has_glyph(t, ch) || wcwidth((wchar_t)ch) != c->width;
    wchar_t text[2] = { (wchar_t)(plain ? plainer(ch) : ch), 0 };
    cchar_t cc;

    if (c->width == 0) /* the terminal has written it with its left half */
        return;
    if (setcchar(&cc, text, t->attr[c->tone], t->colours ? (short)(c->tone + 1) : 0, NULL) != OK)
        return;
    mvadd_wch(y, x, &cc);
    if (c->width == 2 && plain) {
        text[0] = ' ';
        setcchar(&cc, text, t->attr[c->tone], t->colours ? (short)(c->tone + 1) : 0, NULL);
        mvadd_wch(y, x + 1, &cc);
    }
}

static bool same(const struct cell *a, const struct cell *b)
{
    return a->ch == b->ch && a->tone == b->tone && a->width == b->width;
}

int term_show(struct term *t, const struct grid *g)
{
    if (t->shown && (t->shown->cols != g->cols || t->shown->rows != g->rows))
        term_forget(t);
    bool all = !t->shown;
    if (all && !(t->shown = grid_new(g->cols, g->rows)))
        return -1;
    for (int y = 0; y < g->rows; y++)
        for (int x = 0; x < g->cols; x++) {
            const struct cell *c = grid_at(g, x, y);
            if (all || !same(c, grid_at(t->shown, x, y)))
                put(t, x, y, c);
        }
    memcpy(t->shown->v, g->v, (size_t)g->cols * (size_t)g->rows * sizeof *g->v);
    refresh();
    return 0;
}

void term_bell(struct term *t)
{
    (void)t;
    beep();
}

bool term_has_glyph(const struct term *t, uint32_t ch)
{
    if (!t->utf8)
        return ch < 0x7F;
    return !t->glyphs || ch < 0x7F || (ch <= 0xFFFF && t->glyphs[ch / 8] >> ch % 8 & 1);
}

/* --- input ------------------------------------------------------------------------------ */

static enum key key_of(wint_t code)
{
    static const struct {
        wint_t code;
        enum key key;
    } v[] = {
        { KEY_UP, K_UP },          { KEY_DOWN, K_DOWN },   { KEY_LEFT, K_LEFT },
        { KEY_RIGHT, K_RIGHT },    { KEY_PPAGE, K_PAGE_UP }, { KEY_NPAGE, K_PAGE_DOWN },
        { KEY_ENTER, K_ENTER },    { KEY_BACKSPACE, K_ERASE }, { KEY_RESIZE, K_RESIZE },
    };

    if (code >= (wint_t)KEY_F(1) && code <= (wint_t)KEY_F(10))
        return (enum key)(K_F1 + (int)(code - (wint_t)KEY_F(1)));
    for (size_t i = 0; i < sizeof v / sizeof *v; i++)
        if (v[i].code == code)
            return v[i].key;
    return KEY_NONE;
}

bool term_key(struct term *t, enum key *k, uint32_t *ch)
{
    wint_t code;
    int what = get_wch(&code);

    (void)t;
    *k = KEY_NONE;
    *ch = 0;
    if (what == ERR)
        return false;
    if (what == KEY_CODE_YES)
        *k = key_of(code);
    else if (code == '\r' || code == '\n')
        *k = K_ENTER;
    else if (code == 27)
        *k = K_ESCAPE;
    else if (code == 8 || code == 127)
        *k = K_ERASE;
    else
        *ch = (uint32_t)code;
    return true;
}

/* The line: what is on all day. One tile a fixture. */
#include "ui/screens/screens.h"
#include "ui/widgets/facts.h"
#include "ui/widgets/layout.h"
#include "ui/widgets/parts.h"
#include "ui/widgets/tile.h"

#include <stdio.h>
#include <string.h>

#define TILE_MIN_W 10
#define TILE_MIN_H 1

static const struct {
    const char *word; /* NULL: its verdict's */
    enum tone tone;
    uint32_t sign; /* all of them in the console's own font */
} looks[LOOKS] = {
    [LOOK_GONE] = { N_("GONE"), TONE_GONE, 0x00B7 },
    [LOOK_STOPPED] = { N_("STOPPED"), TONE_STOPPED, 0x25A0 },
    [LOOK_BUSY] = { N_("BUSY"), TONE_BUSY, 0x2592 },
    [LOOK_SCAN] = { N_("SCAN"), TONE_SCAN, 0x25BC },
    [LOOK_CHECK] = { N_("CHECK"), TONE_CHECK, '?' },
    [LOOK_FAIL] = { NULL, TONE_FAIL, 'X' },
    [LOOK_PASS] = { NULL, TONE_PASS, 0x221A },
    [LOOK_DONE] = { NULL, TONE_READY, '=' },
    [LOOK_READY] = { N_("READY"), TONE_READY, 0x25CB },
};

/* --- one tile ------------------------------------------------------------------------- */

struct texts { /* made for one tile */
    char right[160];
    char unit[2 * NAME_CAP];
    char code[2 * WORD_CAP];
};

static const char *big_word(const struct slot *s, enum look look)
{
    return look == LOOK_FAIL ? "FAIL" : look == LOOK_CHECK ? "CHECK"
         : look == LOOK_DONE ? "DONE" : look != LOOK_PASS ? NULL
         : strcmp(s->last.verdict, "PASS") == 0 ? "PASS" : "OK";
}

/* The unit, and how long it took. */
static void unit_text(const struct ending *e, char *out, size_t cap)
{
    if (e->ms > 0)
        snprintf(out, cap, "%s  %lld.%lld s", e->serial, e->ms / 1000, e->ms % 1000 / 100);
    else
        snprintf(out, cap, "%s", e->serial);
}

static void fill_busy(struct tile *t, const struct view *v, const struct slot *s,
                      struct texts *x)
{
    const char *step = step_words(v->d->lang, s->step, &t->percent);

    snprintf(x->unit, sizeof x->unit, "%s", s->serial);
    if (s->busy_since)
        snprintf(x->right, sizeof x->right, "%lld s", (long long)(v->s->now - s->busy_since));
    t->line[0] = (struct tile_line){ step, TONE_PLAIN };
    t->line[1] = (struct tile_line){ x->unit, TONE_DIM };
}

static void fill_end(struct tile *t, const struct view *v, const struct slot *s,
                     enum look look, struct texts *x)
{
    enum lang l = v->d->lang;
    int n = 0;

    t->big = big_word(s, look);
    unit_text(&s->last, x->unit, sizeof x->unit);
    snprintf(x->code, sizeof x->code, "(%s)", s->last.code);
    if (look != LOOK_PASS) {
        t->line[n++] = (struct tile_line){ tr(l, s->last.next), TONE_BOLD };
        t->line[n++] = (struct tile_line){ tr(l, s->last.cause), TONE_PLAIN };
        t->line[n++] = (struct tile_line){ x->code, TONE_DIM };
    }
    t->line[n] = (struct tile_line){ x->unit, TONE_DIM };
}

static void fill_rest(struct tile *t, const struct view *v, const struct slot *s,
                      enum look look)
{
    if (look == LOOK_STOPPED) {
        t->line[0] = (struct tile_line){ say(v, N_("Use another fixture. A line engineer releases this one.")), TONE_BOLD };
        t->line[1] = (struct tile_line){ s->stopped_why, TONE_DIM };
    } else if (look == LOOK_GONE) {
        t->line[0] = (struct tile_line){ state_word(v->d->lang, s->state), TONE_PLAIN };
        t->line[1] = (struct tile_line){ s->reason, TONE_DIM };
    } else if (look == LOOK_SCAN) {
        t->line[0] = (struct tile_line){ say(v, N_("Scan the unit in it.")), TONE_BOLD };
    } else {
        t->line[0] = (struct tile_line){ s->order, TONE_PLAIN };
    }
    if (*s->maintenance)
        t->line[2] = (struct tile_line){ say(v, N_("Due for maintenance")), TONE_WARN };
}

void slot_draw(struct grid *g, struct area a, const struct view *v, const struct slot *s)
{
    struct texts x = { .right = "" };
    enum look look = slot_look(s, v->s->now);
    bool waits = strcmp(v->d->fixture, s->name) == 0;

    if (waits && look != LOOK_GONE && look != LOOK_BUSY && look != LOOK_STOPPED)
        look = LOOK_SCAN;
    struct tile t = { .tone = looks[look].tone, .sign = looks[look].sign, .name = s->name,
                      .word = looks[look].word ? say(v, looks[look].word)
                                               : verdict_word(v->d->lang, s->last.verdict),
                      .percent = -1, .selected = strcmp(v->d->selected, s->name) == 0 };
    snprintf(x.right, sizeof x.right, "%s", s->person);
    if (look == LOOK_BUSY)
        fill_busy(&t, v, s, &x);
    else if (look == LOOK_FAIL || look == LOOK_PASS || look == LOOK_DONE ||
             look == LOOK_CHECK)
        fill_end(&t, v, s, look, &x);
    else
        fill_rest(&t, v, s, look);
    t.right = x.right;
    tile_draw(g, a, &t);
}

/* --- all of them ------------------------------------------------------------------------ */

static size_t index_of(const struct snapshot *s, const char *name)
{
    const struct slot *f = *name ? snapshot_slot(s, name) : NULL;

    return f ? (size_t)(f - s->slot) : SNAPSHOT_SLOTS;
}

static void draw_tiles(struct grid *g, struct area a, const struct view *v)
{
    struct layout l;

    if (v->s->slots == 0) {
        grid_wrap(g, (struct area){ a.x + 2, a.y + a.h / 2, a.w - 4, 2 }, TONE_BOLD,
                  say(v, N_("There is no fixture yet. Plug one in, or ask a line engineer.")));
        return;
    }
    layout_of(v->s, a.w, a.h, TILE_MIN_W, TILE_MIN_H, &l);
    size_t page = v->d->at < l.pages ? v->d->at : l.pages - 1;
    for (size_t i = 0; i < v->s->slots; i++)
        if (layout_page(&l, i) == page)
            slot_draw(g, layout_area(&l, a, i), v, &v->s->slot[i]);
    if (l.pages > 1) {
        char text[96];
        snprintf(text, sizeof text, say(v, N_("Page %zu of %zu: PgUp, PgDn")), page + 1, l.pages);
        grid_text_right(g, area_row(a, a.h - 1), TONE_HELP, text);
    }
}

/* --- figures --------------------------------------------------------------------------- */

enum { FACT_ORDER, FACT_YIELD, FACT_NOW, FACT_SHIFT, FACT_UNITS, FACT_STOCK, FACT_EXPORT,
       FACT_REPORTS, FACTS };

static void order_fact(const struct view *v, struct fact *f)
{
    const struct order_row *o = &v->s->order[0];
    char more[24] = "";

    f->label = say(v, N_("Order"));
    if (v->s->orders == 0)
        return;
    if (v->s->orders > 1)
        snprintf(more, sizeof more, " +%zu", v->s->orders - 1);
    snprintf(f->value, sizeof f->value, say(v, N_("%s: %lld of %lld, %lld to go%s")), o->number,
             o->passed + o->stocked, o->quantity, o->left, more);
}

static void yield_fact(const struct view *v, struct fact *f)
{
    const struct shift_row *t = &v->s->shift;
    const struct counts *c = &v->s->counts;
    long long good = t->number ? t->passed + t->stocked : c->pass + c->stocked;
    long long bad = t->number ? t->failed : c->fail;

    f->label = t->number ? say(v, N_("Yield of the shift")) : say(v, N_("Yield"));
    if (good + bad > 0)
        snprintf(f->value, sizeof f->value, "%.1f %%", 100.0 * (double)good / (double)(good + bad));
}

static void pace_facts(const struct view *v, struct fact *f)
{
    const struct shift_row *t = &v->s->shift;
    int64_t took = v->s->now - t->since;

    f[FACT_NOW].label = say(v, N_("Units/h now"));
    if (v->s->has_stock && v->s->stock.hours_left >= 0)
        snprintf(f[FACT_NOW].value, sizeof f->value, "%.0f", v->s->stock.units_per_hour);
    f[FACT_SHIFT].label = say(v, N_("this shift"));
    if (t->number && took >= 60)
        snprintf(f[FACT_SHIFT].value, sizeof f->value, "%.0f",
                 (double)(t->passed + t->stocked) * 3600.0 / (double)took);
}

static void stock_facts(const struct view *v, struct fact *f)
{
    const struct stock *k = &v->s->stock;

    f[FACT_STOCK].label = say(v, N_("Stock"));
    if (!v->s->has_stock) {
        f[FACT_STOCK].tone = TONE_WARN;
        snprintf(f[FACT_STOCK].value, sizeof f->value, "%s", say(v, N_("cannot be read now")));
        return;
    }
    f[FACT_STOCK].tone = k->low ? TONE_WARN : TONE_BOLD;
    if (k->hours_left >= 0)
        snprintf(f[FACT_STOCK].value, sizeof f->value,
                 k->low ? say(v, N_("%lld, LOW: %.1f h left")) : say(v, N_("%lld, %.1f h left")),
                 k->left, k->hours_left);
    else
        snprintf(f[FACT_STOCK].value, sizeof f->value, "%lld", k->left);
    f[FACT_REPORTS].label = say(v, N_("Reports without receipt"));
    if (k->not_acknowledged > 0)
        snprintf(f[FACT_REPORTS].value, sizeof f->value, "%lld", k->not_acknowledged);
}

static void all_facts(const struct view *v, struct fact f[FACTS])
{
    const struct counts *c = &v->s->counts;

    for (int i = 0; i < FACTS; i++)
        f[i] = (struct fact){ .label = "", .tone = TONE_BOLD };
    order_fact(v, &f[FACT_ORDER]);
    yield_fact(v, &f[FACT_YIELD]);
    pace_facts(v, f);
    stock_facts(v, f);
    f[FACT_UNITS].label = say(v, N_("PASS/FAIL"));
    snprintf(f[FACT_UNITS].value, sizeof f->value, "%lld/%lld", c->pass, c->fail);
    f[FACT_EXPORT].label = say(v, N_("To export"));
    if (v->s->has_work)
        snprintf(f[FACT_EXPORT].value, sizeof f->value, "%lld", v->s->waiting);
}

static void draw_facts(struct grid *g, struct area a, const struct view *v)
{
    struct fact f[FACTS];

    all_facts(v, f);
    facts_draw(g, a, f, FACTS);
}

#define FACT_ROWS_MAX 3
static int facts_height(const struct view *v, int cols, int rows)
{
    struct fact f[FACTS];

    (void)rows;
    all_facts(v, f);
    int n = facts_rows(f, FACTS, cols);
    return n > FACT_ROWS_MAX ? FACT_ROWS_MAX : n;
}

/* --- choosing -------------------------------------------------------------------------- */

static bool act(struct desk *d, const struct snapshot *s, int cols, int rows, enum act a)
{
    const struct view v = { s, d, screen_line.name, screen_line.title };
    int h = screen_rest(&screen_line, &v, cols, rows);
    size_t at = index_of(s, d->selected);
    struct layout l;

    layout_of(s, cols, h, TILE_MIN_W, TILE_MIN_H, &l);
    if (d->at >= l.pages)
        d->at = l.pages - 1;
    if (a == ACT_CANCEL) {
        d->selected[0] = '\0';
        return true;
    }
    if (a == ACT_BACK || a == ACT_FORTH) {
        d->at = a == ACT_BACK ? (d->at ? d->at - 1 : 0) : d->at + 1 < l.pages ? d->at + 1 : d->at;
        return true;
    }
    if (a < ACT_UP || a > ACT_RIGHT || s->slots == 0)
        return false;
    at = at < s->slots ? layout_next(&l, at, a) : layout_first(&l, d->at);
    if (at >= s->slots) /* nothing stands on this page */
        return true;
    memcpy(d->selected, s->slot[at].name, sizeof d->selected);
    d->at = layout_page(&l, at);
    return true;
}

static const struct part parts[] = {
    { head_draw, one_row },
    { draw_tiles, NULL },
    { message_draw, message_height },
    { draw_facts, facts_height },
    { ticker_draw, ticker_height },
    { keyline_draw, one_row },
};
const struct screen screen_line = {
    "line", N_("Line"), N_("The fixtures and the units in them."), parts,
    sizeof parts / sizeof *parts, NULL, 0, false, true, act, NULL
};

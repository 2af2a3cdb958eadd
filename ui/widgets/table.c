#include "ui/widgets/table.h"
#include "ui/words/told.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define GAP 1

static void widths(const struct column *c, size_t n, int all, int *w)
{
    int used = 0, shares = 0;

    for (size_t i = 0; i < n; i++) {
        used += c[i].least + (i + 1 < n ? GAP : 0);
        shares += c[i].share;
    }
    int spare = all > used ? all - used : 0;
    for (size_t i = 0; i < n; i++)
        w[i] = c[i].least + (shares ? spare * c[i].share / shares : 0);
}

static void draw_cell(struct grid *g, struct area a, bool right, enum tone t, const char *s)
{
    if (right)
        grid_text_right(g, a, t, s);
    else
        grid_text(g, a.x, a.y, a.w, t, s);
}

/* Column i of the row y; the last one has all that is left. */
static struct area cell_area(struct area a, int y, const int *w, size_t n, size_t i)
{
    int x = 0;

    for (size_t k = 0; k < i; k++)
        x += w[k] + GAP;
    int left = a.w - x > 0 ? a.w - x : 0;
    return (struct area){ a.x + x, a.y + y, i + 1 == n || w[i] > left ? left : w[i], 1 };
}

struct table {
    const struct column *c;
    size_t columns, rows, first, chosen; /* first: that is seen; chosen: rows, if none is */
    table_row_fn *fn;
    const void *ctx;
    const char *none;
};

static void draw_row(struct grid *g, struct area a, const struct view *v, const struct table *t,
                     const int *w, int y, size_t row)
{
    struct cell_text cells[TABLE_COLUMNS];
    bool chosen = row == t->chosen;

    for (size_t i = 0; i < t->columns; i++)
        cells[i] = (struct cell_text){ .text = "", .tone = TONE_PLAIN };
    t->fn(v, t->ctx, row, cells);
    if (chosen)
        grid_fill(g, area_row(a, y), ' ', TONE_INPUT);
    for (size_t i = 0; i < t->columns; i++)
        draw_cell(g, cell_area(a, y, w, t->columns, i), t->c[i].right,
                  chosen ? TONE_INPUT : cells[i].tone, cells[i].text);
}

static void draw_table(struct grid *g, struct area a, const struct view *v, const struct table *t)
{
    int w[TABLE_COLUMNS];

    widths(t->c, t->columns, a.w, w);
    grid_fill(g, area_row(a, 0), ' ', TONE_HELP);
    for (size_t i = 0; i < t->columns && a.h > 0; i++)
        draw_cell(g, cell_area(a, 0, w, t->columns, i), t->c[i].right, TONE_HELP,
                  say(v, t->c[i].title));
    if (t->rows == 0 && a.h > 1)
        grid_text(g, a.x + 1, a.y + 1, a.w - 1, TONE_DIM, say(v, t->none));
    for (int y = 1; y < a.h && t->first + (size_t)y <= t->rows; y++)
        draw_row(g, a, v, t, w, y, t->first + (size_t)y - 1);
}

void table_draw(struct grid *g, struct area a, const struct view *v,
                const struct column *c, size_t columns, size_t rows,
                table_row_fn *fn, const void *ctx, const char *none)
{
    draw_table(g, a, v, &(struct table){ c, columns, rows, v->d->at, rows, fn, ctx, none });
}

void list_draw(struct grid *g, struct area a, const struct view *v,
               const struct column *c, size_t columns, size_t rows,
               table_row_fn *fn, const void *ctx, const char *none)
{
    size_t page = a.h > 1 ? (size_t)a.h - 1 : 1;
    size_t at = v->d->at < rows ? v->d->at : rows > 0 ? rows - 1 : 0;

    draw_table(g, a, v, &(struct table){ c, columns, rows, at - at % page, at, fn, ctx, none });
}

bool list_act(struct desk *d, size_t n, size_t shown, enum act a)
{
    size_t last = n > 0 ? n - 1 : 0;

    return table_act(d, last + shown, shown, a);
}

bool table_act(struct desk *d, size_t n, size_t shown, enum act a)
{
    size_t last = n > shown ? n - shown : 0;

    switch (a) {
    case ACT_UP:
        d->at -= d->at > 0;
        break;
    case ACT_DOWN:
        d->at++;
        break;
    case ACT_BACK:
        d->at = d->at > shown ? d->at - shown : 0;
        break;
    case ACT_FORTH:
        d->at += shown;
        break;
    default:
        return false;
    }
    d->at = d->at < last ? d->at : last;
    return true;
}

const char *json_word(const json_t *j, const char *name)
{
    const char *s = json_string_value(json_object_get(j, name));

    return s ? s : "";
}

long long json_count(const json_t *j, const char *name)
{
    return (long long)json_integer_value(json_object_get(j, name));
}

void json_time(const json_t *j, const char *name, char *out, size_t cap)
{
    const char *s = json_word(j, name);

    if (strlen(s) == 15 && strspn(s, "0123456789") == 14)
        snprintf(out, cap, "%.4s-%.2s-%.2s %.2s:%.2s", s, s + 4, s + 6, s + 8, s + 10);
    else
        snprintf(out, cap, "%s", s);
}

int64_t json_when(const json_t *j, const char *name)
{
    const char *s = json_word(j, name);
    struct tm t = { .tm_mday = 1 };

    if (strlen(s) != 15 || strspn(s, "0123456789") != 14 ||
        sscanf(s, "%4d%2d%2d%2d%2d%2d", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour, &t.tm_min,
               &t.tm_sec) != 6)
        return 0;
    t.tm_year -= 1900;
    t.tm_mon--;
    time_t at = timegm(&t);
    return at > 0 ? at : 0;
}

const struct column event_columns[EVENT_COLUMNS] = {
    { N_("When"), 16, 0, false }, { N_("Event"), 7, 0, true },
    { N_("What"), 20, 1, false }, { N_("Who"), 12, 1, false },
    { N_("Details"), 18, 4, false },
};

static void fields_text(const json_t *fields, char *out, size_t cap)
{
    const json_t *one;
    const char *name;
    size_t n = 0;

    json_object_foreach((json_t *)fields, name, one)
        if (json_is_string(one) && n < cap)
            n += (size_t)snprintf(out + n, cap - n, "%s%s %s", n ? ", " : "", name,
                                  json_string_value(one));
}

void event_cells(const json_t *event, struct cell_text out[EVENT_COLUMNS])
{
    json_time(event, "at", out[0].text, sizeof out[0].text);
    snprintf(out[1].text, sizeof out[1].text, "%lld", json_count(event, "event"));
    snprintf(out[2].text, sizeof out[2].text, "%s", json_word(event, "kind"));
    out[2].tone = TONE_BOLD;
    snprintf(out[3].text, sizeof out[3].text, "%s", json_word(event, "actor"));
    fields_text(json_object_get(event, "fields"), out[4].text, sizeof out[4].text);
    out[4].tone = TONE_DIM;
}

bool no_answer(struct grid *g, struct area a, const struct view *v)
{
    const struct snapshot *s = v->s;
    bool mine = strcmp(s->answer_to, v->screen) == 0;
    struct area in = { a.x + 1, a.y + 1, a.w - 2, a.h - 1 };
    char text[2 * SENTENCE_CAP];

    if (snapshot_answer(s, v->screen))
        return false;
    grid_wrap(g, in, mine && *s->answer_error ? TONE_WARN : TONE_DIM,
              !s->linked ? say(v, N_("The line is not there; it alone can tell."))
              : mine && *s->answer_error ? told(v->d->lang, s->answer_code, s->answer_error, text, sizeof text)
                                         : say(v, N_("The line is asked ...")));
    return true;
}

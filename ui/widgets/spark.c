#include "ui/widgets/spark.h"

#include <stdio.h>

#define LOWEST 0x2581 /* an eighth of a row; then two, ... */
#define DOT 0x00B7

/* Of `steps`, at least one; 0: nothing is known. */
static int level(const struct spark *s, size_t i, int steps)
{
    double of = (double)s->most - (double)s->least;

    if (s->v[i] < 0)
        return 0;
    double share = of > 0 ? ((double)s->v[i] - (double)s->least) / of : 0;
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    return 1 + (int)(share * (steps - 1) + 0.5);
}

void spark_text(const struct spark *s, size_t chars, char *out, size_t cap)
{
    static const char *const text[] = { "·", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
    size_t n = 0;

    *out = '\0';
    for (size_t i = s->n > chars ? s->n - chars : 0; i < s->n && n + 4 < cap; i++)
        n += (size_t)snprintf(out + n, cap - n, "%s", text[level(s, i, 8)]);
}

static void bar(struct grid *g, struct area a, enum tone t, int eighths)
{
    for (int y = a.h - 1; y >= 0; y--, eighths -= 8) {
        uint32_t ch = eighths >= 8 ? LOWEST + 7 : (uint32_t)(LOWEST + eighths - 1);
        for (int x = 0; x < a.w && eighths > 0; x++)
            grid_put(g, a.x + x, a.y + y, ch, t);
    }
}

void spark_bars(struct grid *g, struct area a, enum tone t, const struct spark *s, int full)
{
    int most = full < a.w ? full : a.w, n = most > 0 && s->n > (size_t)most ? most : (int)s->n;
    int each = most > 0 ? a.w / most : 0, gap = each > 2;

    if (a.h <= 0 || each == 0)
        return;
    a.x += (most - n) * each;
    for (int i = 0; i < n; i++) {
        size_t at = s->n - (size_t)n + (size_t)i;
        struct area one = { a.x + i * each, a.y, each - gap, a.h };
        int l = level(s, at, 8 * a.h);
        if (l)
            bar(g, one, t, l);
        else
            grid_put(g, one.x, a.y + a.h - 1, DOT, TONE_DIM);
    }
}

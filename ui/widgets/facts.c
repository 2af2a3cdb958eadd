#include "ui/widgets/facts.h"

#define GAP 3

/* One after the other; a fact is never broken. g NULL: only counted. */
static int flow(struct grid *g, struct area a, const struct fact *v, size_t n)
{
    int x = 0, row = 0;

    for (size_t i = 0; i < n; i++) {
        if (!*v[i].value)
            continue;
        int label = text_width(v[i].label), w = label + 1 + text_width(v[i].value);
        if (x > 0 && x + w > a.w) {
            x = 0;
            row++;
        }
        if (g && row < a.h) {
            int at = a.x + x, room = a.w - x;
            grid_text(g, at, a.y + row, room, TONE_DIM, v[i].label);
            grid_text(g, at + label + 1, a.y + row, room - label - 1, v[i].tone, v[i].value);
        }
        x += w + GAP;
    }
    return x > 0 ? row + 1 : row;
}

int facts_rows(const struct fact *v, size_t n, int w)
{
    return flow(NULL, (struct area){ 0, 0, w, 0 }, v, n);
}

void facts_draw(struct grid *g, struct area a, const struct fact *v, size_t n)
{
    flow(g, a, v, n);
}

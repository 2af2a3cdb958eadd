#include "ui/widgets/bar.h"

#define FULL 0x2588
#define SHADE 0x2591

void bar_draw(struct grid *g, struct area a, enum tone t, long long part,
              long long whole)
{
    double share = whole > 0 && part > 0 ? (double)part / (double)whole : 0;
    int full = (int)((share > 1 ? 1 : share) * a.w + 0.5);

    for (int x = 0; x < a.w && a.h > 0; x++)
        grid_put(g, a.x + x, a.y, x < full ? FULL : SHADE, t);
}

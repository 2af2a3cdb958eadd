#include "ui/cells/dump.h"

#include <stdio.h>

size_t dump_char(uint32_t ch, char out[4])
{
    size_t n = ch < 0x80 ? 1 : ch < 0x800 ? 2 : ch < 0x10000 ? 3 : 4;
    static const uint8_t first[] = { 0, 0, 0xC0, 0xE0, 0xF0 };

    for (size_t i = n; i-- > 1; ch >>= 6)
        out[i] = (char)(0x80 | (ch & 0x3F));
    out[0] = (char)(first[n] | ch);
    return n;
}

void dump_text(const struct grid *g, int y, struct buf *out)
{
    int end = g->cols;
    char c[4];

    while (end > 0 && grid_at(g, end - 1, y)->ch == ' ' && grid_at(g, end - 1, y)->width == 1)
        end--;
    for (int x = 0; x < end; x++)
        if (grid_at(g, x, y)->width > 0)
            buf_put(out, c, dump_char(grid_at(g, x, y)->ch, c));
}

void dump_tones(const struct grid *g, int y, struct buf *out)
{
    int from = 0;
    char run[16];

    for (int x = 1; x <= g->cols; x++) {
        uint8_t tone = grid_at(g, from, y)->tone;
        if (x < g->cols && grid_at(g, x, y)->tone == tone)
            continue;
        if (from == 0 && x == g->cols && tone == TONE_PLAIN)
            return;
        int n = snprintf(run, sizeof run, "%d%c", x - from, tone_letter((enum tone)tone));
        buf_put(out, run, (size_t)n);
        from = x;
    }
}

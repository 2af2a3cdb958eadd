#include "ui/widgets/bigtext.h"

#include <string.h>

#define FULL 0x2588
#define UPPER 0x2580
#define LOWER 0x2584

struct glyph {
    char letter;
    const char *small[5]; /* 3 by 5 pixels */
    const char *large[7]; /* 5 by 7        */
};

static const struct glyph glyphs[] = {
    { 'A', { " # ", "# #", "###", "# #", "# #" },
      { " ### ", "#   #", "#   #", "#####", "#   #", "#   #", "#   #" } },
    { 'C', { " ##", "#  ", "#  ", "#  ", " ##" },
      { " ####", "#    ", "#    ", "#    ", "#    ", "#    ", " ####" } },
    { 'D', { "## ", "# #", "# #", "# #", "## " },
      { "#### ", "#   #", "#   #", "#   #", "#   #", "#   #", "#### " } },
    { 'E', { "###", "#  ", "## ", "#  ", "###" },
      { "#####", "#    ", "#    ", "#### ", "#    ", "#    ", "#####" } },
    { 'F', { "###", "#  ", "## ", "#  ", "#  " },
      { "#####", "#    ", "#    ", "#### ", "#    ", "#    ", "#    " } },
    { 'H', { "# #", "# #", "###", "# #", "# #" },
      { "#   #", "#   #", "#   #", "#####", "#   #", "#   #", "#   #" } },
    { 'I', { "###", " # ", " # ", " # ", "###" },
      { "#####", "  #  ", "  #  ", "  #  ", "  #  ", "  #  ", "#####" } },
    { 'K', { "# #", "# #", "## ", "# #", "# #" },
      { "#   #", "#  # ", "# #  ", "##   ", "# #  ", "#  # ", "#   #" } },
    { 'L', { "#  ", "#  ", "#  ", "#  ", "###" },
      { "#    ", "#    ", "#    ", "#    ", "#    ", "#    ", "#####" } },
    { 'N', { "## ", "# #", "# #", "# #", "# #" },
      { "#   #", "##  #", "# # #", "# # #", "#  ##", "#   #", "#   #" } },
    { 'O', { "###", "# #", "# #", "# #", "###" },
      { " ### ", "#   #", "#   #", "#   #", "#   #", "#   #", " ### " } },
    { 'P', { "## ", "# #", "## ", "#  ", "#  " },
      { "#### ", "#   #", "#   #", "#### ", "#    ", "#    ", "#    " } },
    { 'S', { " ##", "#  ", " # ", "  #", "## " },
      { " ####", "#    ", "#    ", " ### ", "    #", "    #", "#### " } },
    { 'T', { "###", " # ", " # ", " # ", " # " },
      { "#####", "  #  ", "  #  ", "  #  ", "  #  ", "  #  ", "  #  " } },
    { 'X', { "# #", "# #", " # ", "# #", "# #" },
      { "#   #", "#   #", " # # ", "  #  ", " # # ", "#   #", "#   #" } },
};

static const struct glyph *glyph_of(char letter)
{
    for (size_t i = 0; i < sizeof glyphs / sizeof *glyphs; i++)
        if (glyphs[i].letter == letter)
            return &glyphs[i];
    return NULL;
}

bool bigtext_has(const char *word)
{
    for (; *word; word++)
        if (!glyph_of(*word))
            return false;
    return true;
}

/* Pixels are about square: a column, and half a row. */
struct size {
    bool large;
    int scale, w, h; /* in pixels */
};

static bool fits(const char *word, int w, int h, struct size *out)
{
    int n = (int)strlen(word);

    *out = (struct size){ .scale = 0 };
    for (int scale = 1; n > 0 && scale <= 40; scale++)
        for (int large = 0; large < 2; large++) {
            int pw = (n * (large ? 6 : 4) - 1) * scale, ph = (large ? 7 : 5) * scale;
            if (pw <= w && (ph + 1) / 2 <= h && ph > out->h)
                *out = (struct size){ large, scale, pw, ph };
        }
    return out->scale > 0 && bigtext_has(word);
}

int bigtext_rows(const char *word, int w, int h)
{
    struct size s;

    return fits(word, w, h, &s) ? (s.h + 1) / 2 : 0;
}

static bool pixel(const char *word, const struct size *s, int x, int y)
{
    int col = x / s->scale, row = y / s->scale, wide = s->large ? 6 : 4;
    const struct glyph *g = glyph_of(word[col / wide]);

    if (y >= s->h || col % wide == wide - 1)
        return false;
    return (s->large ? g->large[row] : g->small[row])[col % wide] == '#';
}

void bigtext_draw(struct grid *g, struct area a, enum tone t, const char *word)
{
    struct size s;

    if (!fits(word, a.w, a.h, &s))
        return;
    int x0 = a.x + (a.w - s.w) / 2, y0 = a.y + (a.h - (s.h + 1) / 2) / 2;
    for (int y = 0; y < s.h; y += 2)
        for (int x = 0; x < s.w; x++) {
            bool up = pixel(word, &s, x, y), down = pixel(word, &s, x, y + 1);
            if (up || down)
                grid_put(g, x0 + x, y0 + y / 2, up && down ? FULL : up ? UPPER : LOWER, t);
        }
}

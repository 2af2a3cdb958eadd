/* ui/cells/palette: what tones look like: the sixteen colours of a console,
 * which are eight, and bold ones in front. Without any, words, signs and
 * letters of blocks say the same. */
#ifndef LINESIDE_UI_PALETTE_H
#define LINESIDE_UI_PALETTE_H

#include "ui/cells/cells.h"

/* As ECMA-48 numbers them. */
enum colour { OWN = -1 /* the terminal's own */, BLACK, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, WHITE };
enum { BOLD = 1, REVERSE = 2, UNDERLINE = 4 };
struct tone_look {
    signed char fore, back;
    unsigned char colour, mono; /* how, where there are colours, and where not */
};
extern const struct tone_look tone_looks[TONES];

#endif

/* ui/screens: a screen is a table of parts, drawn one below the other; one
 * file a screen, one table of them all (registry.c). Drawing is a function of
 * the view and the size alone. */
#ifndef LINESIDE_UI_SCREENS_H
#define LINESIDE_UI_SCREENS_H

#include "ui/scan/actions.h"
#include "ui/widgets/view.h"

struct part {
    void (*draw)(struct grid *g, struct area a, const struct view *v);
    /* Rows that it wants; NULL: what the others leave, once a screen. */
    int (*height)(const struct view *v, int cols, int rows);
};

struct screen {
    const char *name;  /* "log"; its command barcode is LINESIDE-LOG */
    const char *title; /* in English */
    const char *help;  /* one sentence, for the menu */
    const struct part *parts;
    size_t count;
    /* What it asks of the line, when it is opened and every so often; NULL: nothing. */
    const char *verb;
    int every_s; /* 0: only when it is opened, or another thing is searched */
    bool searches; /* what is scanned or typed here is searched for, as `what` */
    bool everybody; /* shown while the screen is locked, too */
    /* What an action does here besides what it does everywhere; NULL: nothing.
     * True: it is done. */
    bool (*act)(struct desk *d, const struct snapshot *s, int cols, int rows, enum act a);
};

extern const struct screen screen_line, screen_keys, screen_menu, screen_events, screen_stock,
    screen_unit, screen_fixtures, screen_quarantine, screen_log, screen_about;
/* Shown in place of the line while that is not there. */
extern const struct screen screen_gone;

extern const struct screen *const screens[];
extern const size_t screen_count;
const struct screen *screen_of(const char *name); /* in any case; NULL: none */

void screen_draw(const struct screen *s, struct grid *g, const struct snapshot *now,
                 const struct desk *d);
/* Rows that the one part without a height of its own has. */
int screen_rest(const struct screen *s, const struct view *v, int cols, int rows);

#endif

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

/* What can be done at a screen. Enter asks whether it is meant, Enter again does
 * it, in the name of who is logged in at the station. */
struct deed {
    const char *verb;  /* of the control socket */
    const char *label; /* in English, as all below */
    const char *sure;  /* what comes of it, in a sentence */
    bool (*can)(const struct snapshot *s); /* whether it is offered now */
};
/* What some screens have besides. */
struct doings {
    const char *member; /* what `what` is called in question and deeds; NULL: "what" */
    const char *prefix; /* of its barcodes, which is no part of it; NULL: none */
    const struct deed *deed;
    size_t deeds;
    const struct screen *opens; /* Enter opens it, about the chosen row; NULL: none */
    bool (*chosen)(const struct desk *d, const struct snapshot *s, char what[NAME_CAP]);
};
/* The i-th deed that is offered now; NULL: there are not so many. */
const struct deed *screen_deed(const struct screen *sc, const struct snapshot *s, size_t i);
void deeds_draw(struct grid *g, struct area a, const struct view *v);
int deeds_height(const struct view *v, int cols, int rows);

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
    const struct doings *does; /* NULL: nothing more */
};

extern const struct screen screen_line, screen_keys, screen_menu, screen_events, screen_stock,
    screen_unit, screen_fixtures, screen_quarantine, screen_log, screen_about,
    screen_orders, screen_order, screen_shift;
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

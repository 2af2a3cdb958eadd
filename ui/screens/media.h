/* ui/screens/media: what the screens have in common that work on a medium. */
#ifndef LINESIDE_UI_MEDIA_H
#define LINESIDE_UI_MEDIA_H

#include "ui/screens/screens.h"

/* Which medium it is; where there is none, or one is to be chosen, says so and shows them,
 * and is true: nothing else is to be drawn. Takes its rows from a. */
bool media_draw(struct grid *g, struct area *a, const struct view *v);
#define MEDIA_ROWS 2
/* Up, down and pages among media; escape goes back to them. */
bool media_act(struct desk *d, const struct snapshot *s, enum act a);
/* The chosen one, while one is to be chosen. */
bool media_chosen(const struct desk *d, const struct snapshot *s, char what[WHAT_CAP]);

/* The word for a container of that kind. */
const char *container_word(const struct view *v, const char *kind);

#endif

/* ui/term: the terminal, and the only file that knows ncurses. Cells that are
 * as they were are not written again, so nothing flickers. One a process. */
#ifndef LINESIDE_UI_TERM_H
#define LINESIDE_UI_TERM_H

#include "station/base/err.h"
#include "ui/cells/cells.h"
#include "ui/scan/actions.h"

struct term;

/* ERR_USAGE: standard input or output is no terminal that can be used. */
int term_open(struct term **out, struct err *e);
void term_close(struct term *t); /* as it was before; NULL is fine */

void term_size(const struct term *t, int *cols, int *rows);
/* -1: no memory. */
int term_show(struct term *t, const struct grid *g);
/* Everything is written anew at the next term_show. */
void term_forget(struct term *t);
/* What was pressed: a key, or KEY_NONE and a character in *ch. false: nothing. */
bool term_key(struct term *t, enum key *k, uint32_t *ch);
void term_bell(struct term *t);
/* The console's font has this character; true where nobody can tell. */
bool term_has_glyph(const struct term *t, uint32_t ch);

#endif

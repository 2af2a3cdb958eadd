/* line/floor: the line's places on the bus. What is plugged in becomes a
 * fixture of the line or a scanner of it, by what the line engineer has said
 * of its place (storage/places.h): a reader at an allowed place is a fixture,
 * called by its label or else by its place; a scanner starts the fixture it
 * is bound to, or takes fixture label and unit label in turn. Everything else
 * is left alone and told as not ours.
 *
 *     floor_start(&settings, line, &floor, e);
 *     ... LINE_FIXTURE, LINE_SCANNER, LINE_CHOSEN and verdicts arrive ...
 *     floor_quiet(floor); line_end(line); floor_stop(floor); line_free(line); */
#ifndef LINESIDE_LINE_FLOOR_H
#define LINESIDE_LINE_FLOOR_H

#include "station/line/line.h"
#include "storage/places.h"

struct floor;

/* settings are copied; l outlives the floor. ERR_IO: this machine has no USB,
 * or may not use it. */
int floor_start(const struct places *settings, struct line *l,
                struct floor **out, struct err *e);
/* No scan comes from a scanner any more; those that had come were handed on. */
void floor_quiet(struct floor *f);
/* After line_end. Gives every device back. NULL is fine. */
void floor_stop(struct floor *f);
void floor_stop_p(struct floor **f); /* for AUTO */

#endif

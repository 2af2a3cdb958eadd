/* ui/widgets/parts: what every screen has: the first line, what is asked or
 * said, the keys. Each draws itself into the area it is given. */
#ifndef LINESIDE_UI_PARTS_H
#define LINESIDE_UI_PARTS_H

#include "ui/widgets/view.h"

void head_draw(struct grid *g, struct area a, const struct view *v);

/* What is typed, what was answered, or else the last trouble: what happened
 * and what to do now. */
void message_draw(struct grid *g, struct area a, const struct view *v);
int message_height(const struct view *v, int cols, int rows);

/* The last events, the newest first; from the first-newest on. */
void notes_draw(struct grid *g, struct area a, const struct view *v, size_t first);
void ticker_draw(struct grid *g, struct area a, const struct view *v);
int ticker_height(const struct view *v, int cols, int rows);

/* The function keys, from the table of actions. */
void keyline_draw(struct grid *g, struct area a, const struct view *v);

int one_row(const struct view *v, int cols, int rows);

/* A moment on the wall's clock: "10:42:07", or with its day. */
void wall_text(const struct snapshot *s, int64_t at, bool day, char *out, size_t cap);
/* How long ago that was: "3 h ago". */
void ago_text(const struct view *v, int64_t at, char *out, size_t cap);
/* One event in words. */
void note_text(const struct view *v, const struct note *n, char *out, size_t cap);
enum tone note_tone(const struct note *n);

/* The word of a verdict in this language, and of a fixture's state. */
const char *verdict_word(enum lang l, const char *verdict);
const char *state_word(enum lang l, const char *state);
const char *order_state_word(enum lang l, const char *state);
/* A step of a unit's work in plain words, and how far it is, of 100. */
const char *step_words(enum lang l, const char *step, int *percent);

#endif

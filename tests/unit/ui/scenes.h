/* tests/unit/ui/scenes: states of a line, told as the control socket tells
 * them. */
#ifndef LINESIDE_UNIT_UI_SCENES_H
#define LINESIDE_UNIT_UI_SCENES_H

#include "ui/model/model.h"

#define SCENE_NOW 1796041627 /* 2026-11-30 12:27:07 UTC */

enum scene { SCENE_EMPTY, SCENE_NORMAL, SCENE_FULL, SCENE_WORST, SCENES };
extern const char *const scene_names[SCENES];

/* Owned; the clock stands. */
struct model *scene_model(enum scene s);

/* The line has answered this screen's question, if it has one. */
void scene_answer(struct model *m, const char *screen, enum scene s);
/* ... the answer itself, owned; NULL: that screen asks nothing. */
json_t *scene_reply(const char *screen, enum scene s);

/* One message in JSON text; fails the test when it is none. */
void scene_tell(struct model *m, const char *text);

#endif

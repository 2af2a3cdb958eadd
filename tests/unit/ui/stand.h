/* Somebody who stands before a screen of 80x24. */
#ifndef LINESIDE_TESTS_STAND_H
#define LINESIDE_TESTS_STAND_H

#include "tests/unit/ui/scenes.h"
#include "ui/scan/hands.h"

struct stand {
    struct model *m;
    struct hands h;
    struct request r; /* what the last key asked for */
};
struct stand stand_at(enum scene s, int lock_s);
struct stand stand_on(enum scene s, const char *command); /* scanned first */
void press(struct stand *t, enum key k);
void scan(struct stand *t, const char *text); /* with its Enter */
void later(struct stand *t, int seconds);     /* than the scene's moment */
/* text stands nowhere in what is kept. */
bool kept_nowhere(const struct stand *t, const char *text);

#endif

/* show/stands.h: where fixtures stand on the bench. */
#ifndef LINESIDE_SHOW_STANDS_H
#define LINESIDE_SHOW_STANDS_H

#include "storage/places.h"
#include "storage/stands.h"

#include <jansson.h>

/* What a fixture is called now: its label, else its place or its name. Borrowed of
 * both. */
const char *show_stand_name(const struct places *said, const struct stand *s);
/* As the member "positions" of `fixtures --json`. */
json_t *show_stands(const struct places *said, const struct stands *all);

#endif

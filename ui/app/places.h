/* ui/app/places: where media may be. */
#ifndef LINESIDE_UI_PLACES_H
#define LINESIDE_UI_PLACES_H

#include "ui/model/snapshot.h"

/* The folders in `media`, by their names, those that are mounted first; `media` itself where
 * it is a medium: something is mounted there, or a container lies in it. How many. */
size_t places_look(const char *media, struct place out[SNAPSHOT_PLACES]);

#endif

/* show/quarantine.h: what is held back, and why. */
#ifndef LINESIDE_SHOW_QUARANTINE_H
#define LINESIDE_SHOW_QUARANTINE_H

#include "storage/quarantine.h"

#include <jansson.h>

json_t *show_quarantine(const struct quarantine *q); /* as `quarantine --json` */

#endif

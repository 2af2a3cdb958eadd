/* show/done.h: what an act came to, as its command prints it with --json. */
#ifndef LINESIDE_SHOW_DONE_H
#define LINESIDE_SHOW_DONE_H

#include "station/acts/units.h"

#include <jansson.h>

json_t *show_held(const struct act_held *h);
json_t *show_voided(size_t found, size_t voided);
json_t *show_replaced(const struct act_replaced *r);
json_t *show_imei(const struct position *was, const char *imei);

#endif

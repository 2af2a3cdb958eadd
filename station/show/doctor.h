/* show/doctor.h: what the doctor finds. */
#ifndef LINESIDE_SHOW_DOCTOR_H
#define LINESIDE_SHOW_DOCTOR_H

#include "station/doctor/doctor.h"

#include <jansson.h>

/* One finding, as a line of `doctor --json`. */
json_t *show_finding(const char *check, const struct doctor_finding *f);

#endif

/* show/people.h: who works here, and what each role may do. Never a badge. */
#ifndef LINESIDE_SHOW_PEOPLE_H
#define LINESIDE_SHOW_PEOPLE_H

#include "station/people/rights.h"
#include "storage/people.h"
#include "storage/sessions.h"

#include <jansson.h>

json_t *show_people(const struct people *p); /* as `people --json` */
json_t *show_rights(void);                   /* as `people rights --json` */

json_t *show_login_rules(const struct login_rules *r); /* as `people rules --json` */

#endif

/* Real messages against docs/formats/control.schema.json: as much of JSON
 * Schema as that file uses. Failures fail the test. */
#ifndef LINESIDE_UNIT_CONTROL_SCHEMA_H
#define LINESIDE_UNIT_CONTROL_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>

/* A message of the line to a client: a reply or an event. */
void schema_check(const json_t *message);
/* A reply to this verb that was not refused. */
void schema_check_answer(const char *verb, const json_t *reply);
/* Whether a request may ask for this. */
bool schema_knows_verb(const char *verb);

#endif

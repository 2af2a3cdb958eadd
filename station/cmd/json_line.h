/* cmd/json_line.h: what --json prints. */
#ifndef LINESIDE_CMD_JSON_LINE_H
#define LINESIDE_CMD_JSON_LINE_H

#include <jansson.h>

/* One line on standard output; j is taken over. */
void json_line(json_t *j);

#endif

#include "station/cmd/json_line.h"

#include <stdio.h>

void json_line(json_t *j)
{
    json_dumpf(j, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(j);
}

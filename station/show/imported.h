/* show/imported.h: what an import brought. */
#ifndef LINESIDE_SHOW_IMPORTED_H
#define LINESIDE_SHOW_IMPORTED_H

#include "station/import/import.h"

#include <jansson.h>

/* As a line of `import --json`; path: the container's, as it was named. */
json_t *show_imported(const struct import_result *r, const char *path);

#endif

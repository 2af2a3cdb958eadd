/* container/manifest_check.h: what one manifest can show by itself (binding,
 * clause 5). The same for a manifest about to be written and one just read,
 * so that this program never seals what it would refuse. */
#ifndef LINESIDE_CONTAINER_MANIFEST_CHECK_H
#define LINESIDE_CONTAINER_MANIFEST_CHECK_H

#include "station/container/manifest.h"

/* 0, or -1 with ERR_FORMAT (malformed, or not a shape this kind may have) or
 * ERR_LIMIT (a bound of manifest.h). m is only looked at. */
int manifest_check(const struct manifest *m, struct err *e);

#endif

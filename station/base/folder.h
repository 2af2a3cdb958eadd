/* base/folder.h: flat folders of our own. */
#ifndef LINESIDE_BASE_FOLDER_H
#define LINESIDE_BASE_FOLDER_H

#include "station/base/err.h"

/* Remove the folder and the files in it. What cannot be removed, and what is
 * in folders below, stays. */
void folder_remove(const char *path);

/* fsync of the folder itself: what was made or renamed in it stays so. */
int folder_sync(const char *path, struct err *e);

#endif

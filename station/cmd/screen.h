/* cmd/screen: what the operator's screen shows, for tests and auditors. */
#ifndef LINESIDE_CMD_SCREEN_H
#define LINESIDE_CMD_SCREEN_H

#include "station/base/err.h"

#include <stdbool.h>

/* Prints it: its rows, or the JSON object as it came. ERR_IO: there is none. */
int cmd_screen_print(const char *data_dir, bool json, struct err *e);

#endif

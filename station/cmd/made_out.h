/* cmd/made_out.h: what was written to the stick. */
#ifndef LINESIDE_CMD_MADE_OUT_H
#define LINESIDE_CMD_MADE_OUT_H

#include "station/report/report.h"

void made_print(const struct report_list *made, bool json);

#endif

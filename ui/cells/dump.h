/* ui/cells/dump: a grid as text, for tests and for `lineside ctl screen`. */
#ifndef LINESIDE_UI_DUMP_H
#define LINESIDE_UI_DUMP_H

#include "station/base/span.h"
#include "ui/cells/cells.h"

/* One row in UTF-8, blanks at its end left out. Appended. */
void dump_text(const struct grid *g, int y, struct buf *out);
/* Its tones, as runs: "3P77." is three cells of PASS and 77 plain ones; nothing
 * when all are plain. Appended. */
void dump_tones(const struct grid *g, int y, struct buf *out);

/* One code point in UTF-8; octets written (at most 4). */
size_t dump_char(uint32_t ch, char out[4]);

#endif

/* line/two_scans: a scanner that belongs to the station and not to a fixture:
 * its operator scans the fixture's label, then the unit's. One of these per
 * scanner; used by one thread at a time. */
#ifndef LINESIDE_LINE_TWO_SCANS_H
#define LINESIDE_LINE_TWO_SCANS_H

#include "drivers/fixture.h"
#include "station/line/scan.h"

/* How long a fixture that was scanned waits for its unit: longer, and the
 * operator has gone on to something else. */
#define TWO_SCANS_MS 60000

struct two_scans {
    char fixture[FIXTURE_NAME_MAX + 1]; /* "": none yet */
    int64_t at_ms;
    uint8_t line[FIXTURE_NAME_MAX + 1 + SCAN_LINE_MAX];
};

enum two_scans_answer {
    TWO_SCANS_CHOSEN, /* a fixture's label: ->fixture, its unit is awaited   */
    TWO_SCANS_LINE,   /* *line is a scan line, FIXTURE TAB UNIT; borrowed    */
    TWO_SCANS_WHICH   /* a unit's label, and no fixture was chosen (lately)  */
};

/* One scan. Of more than SCAN_LINE_MAX octets so many are kept that the line
 * refuses it as too long. now_ms: a monotonic clock. */
enum two_scans_answer two_scans_take(struct two_scans *t, struct span text,
                                     int64_t now_ms, scan_known_fn *known,
                                     void *ctx, struct span *line);
/* A scan was lost: what was chosen is not trusted any more. */
void two_scans_forget(struct two_scans *t);

#endif

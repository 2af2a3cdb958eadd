/* line/scan: what a scanner says (or a file, or a robot): `FIXTURE TAB
 * BARCODE`, one line each. Everything here is untrusted text of bounded
 * length; nothing is ever guessed. */
#ifndef LINESIDE_LINE_SCAN_H
#define LINESIDE_LINE_SCAN_H

#include "drivers/fixture.h"
#include "station/base/ids.h"
#include "station/base/span.h"

#define SCAN_LINE_MAX 256    /* octets of a line without its end */
#define SCAN_BARCODE_MAX 64  /* octets of a barcode, as of a serial */

enum scan_answer {
    SCAN_OK,
    SCAN_EMPTY,
    SCAN_TOO_LONG,        /* the line, or its barcode                    */
    SCAN_BINARY,          /* control characters, or not UTF-8            */
    SCAN_NO_BARCODE,      /* a known fixture and nothing after it        */
    SCAN_UNKNOWN_FIXTURE, /* ->fixture says which                        */
    SCAN_MISREAD,         /* 32 digits that are no EID: check digits bad */
    SCAN_ANSWERS
};

struct scan {
    char fixture[FIXTURE_NAME_MAX + 1]; /* as far as it was understood */
    char barcode[SCAN_BARCODE_MAX + 1];
    bool is_eid; /* the barcode is an EID */
    struct eid eid;
};

/* A barcode that begins so, in any case of letters, is an IMEI's: of the unit that
 * is scanned at the same fixture next. */
#define IMEI_SCAN_PREFIX "imei:"
/* The rest of it, or NULL: it is none. */
const char *scan_imei(const char *barcode);

/* A barcode that begins so, in any case of letters, and goes on with 1 to 32
 * letters, digits and hyphens is a command for the operator's screen. */
#define COMMAND_SCAN_PREFIX "LINESIDE-"
#define COMMAND_SCAN_MAX 32
/* A scan line's command, with or without a fixture and a TAB before it; false: it
 * has none. */
bool scan_command(struct span line, char out[COMMAND_SCAN_MAX + 1]);

/* Is there a fixture of this name? */
typedef bool scan_known_fn(void *ctx, const char *fixture);

/* One line without its line end (a CR at its end is taken for part of one).
 * The first TAB separates; where there is none, the first space does, if what
 * stands before it is a known fixture. *out is set as far as the line was
 * understood, whatever the answer. */
enum scan_answer scan_parse(struct span line, scan_known_fn *known, void *ctx,
                            struct scan *out);

/* Cuts a stream into lines. What is longer than a line may be is dropped to
 * its end; what was kept is still too long for scan_parse. Zero-initialised is
 * ready. */
struct scan_lines {
    uint8_t line[SCAN_LINE_MAX + 2]; /* one octet too many, and a CR */
    size_t n;
};
typedef void scan_line_fn(void *ctx, struct span line);
void scan_lines_feed(struct scan_lines *s, struct span octets,
                     scan_line_fn *line, void *ctx);
/* The stream has ended: a last line without a line end counts. */
void scan_lines_end(struct scan_lines *s, scan_line_fn *line, void *ctx);

#endif

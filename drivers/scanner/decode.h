/* drivers/scanner/decode: reports in, scans out. A scan is never lost,
 * doubled, cut or joined to another: what cannot be told for certain comes
 * out as a refusal in words. Knows no USB, no clock, no thread. */
#ifndef LINESIDE_DRIVERS_SCANNER_DECODE_H
#define LINESIDE_DRIVERS_SCANNER_DECODE_H

#include "drivers/scanner/hid.h"
#include "drivers/scanner/layout.h"

#define SCANNER_TEXT_MAX 256 /* octets of a scan, without prefix and suffix */
#define SCANNER_PREFIX_MAX 16
#define SCANNER_GAP_MS 500

enum scanner_suffix {
    SCANNER_SUFFIX_CR,
    SCANNER_SUFFIX_LF,
    SCANNER_SUFFIX_TAB,
    SCANNER_SUFFIX_CRLF,
    SCANNER_SUFFIXES
};
const char *scanner_suffix_name(enum scanner_suffix s); /* "crlf" */
bool scanner_suffix_find(const char *name, enum scanner_suffix *out);

/* How a scanner was set up. All zero is valid: US, CR, no prefix, 500 ms. */
struct scanner_settings {
    enum layout layout; /* of one that plays a keyboard */
    enum scanner_suffix suffix; /* what ends a scan; one that speaks HID POS
                                   needs none, and it is taken off if there */
    char prefix[SCANNER_PREFIX_MAX + 1]; /* "": none. What has it not is refused */
    unsigned gap_ms; /* a scan without suffix is cut after that silence; 0: 500 */
};

/* What became of a scan. Everything but OK is a refusal: scan again. */
enum scanner_scan {
    SCANNER_OK,
    SCANNER_CUT,         /* no suffix came, or the scanner went away        */
    SCANNER_TOO_LONG,    /* more than SCANNER_TEXT_MAX octets               */
    SCANNER_UNDECODABLE, /* keys that mean no certain text, a report lost   */
    SCANNER_NO_PREFIX,
    SCANNER_OVERFLOW,    /* scans came faster than they were taken; lost    */
    SCANNER_SCANS
};
const char *scanner_scan_name(enum scanner_scan s); /* "no-prefix" */

/* text: UTF-8 of the scan for SCANNER_OK, without prefix and suffix; else a
 * sentence: what is wrong and what to do. Borrowed for the call. */
typedef void decode_scan_fn(void *ctx, enum scanner_scan what, struct span text);

struct decode {
    const struct hid_scanner *hid;
    struct scanner_settings settings;
    decode_scan_fn *scan;
    void *ctx;

    /* keys */
    uint8_t pressed[HID_KEY_REPORTS_MAX][32]; /* a bit for each usage */
    uint8_t modifiers[HID_KEY_REPORTS_MAX];
    bool caps;
    uint32_t accent; /* a dead key waits for the next; 0: none */

    /* the scan so far */
    uint8_t text[SCANNER_PREFIX_MAX + SCANNER_TEXT_MAX + 2];
    size_t n;
    bool open;       /* something of it has come                            */
    bool too_long;
    const char *bad; /* why it will be refused; NULL: good so far           */
    bool cut;        /* what comes now is the rest of a scan that was cut   */
    bool ended_cr;   /* the last character of all was a CR                  */
    int64_t last_ms; /* when something came                                 */
    int64_t lost_ms; /* a report was lost then; 0: none                     */
};

/* hid and what ctx points to are borrowed and outlive d. */
void decode_init(struct decode *d, const struct hid_scanner *hid,
                 const struct scanner_settings *s, decode_scan_fn *scan,
                 void *ctx);
/* One input report. now_ms: a monotonic clock, above 0. */
void decode_report(struct decode *d, struct span report, int64_t now_ms);
/* A report may have been lost (a failed transfer): the scan that it could be
 * part of is refused. */
void decode_lost(struct decode *d, int64_t now_ms);
/* When decode_tick is due; -1: nothing is waited for. */
int64_t decode_deadline(const struct decode *d);
void decode_tick(struct decode *d, int64_t now_ms);
/* The scanner is gone: what is unfinished is cut. Ready for a new start. */
void decode_end(struct decode *d);

#endif

/* drivers/scanner/hid: what a HID report descriptor (HID 1.11, 6.2.2) says
 * about where a barcode scanner puts its data. Everything in it is untrusted
 * and bounded; what lies or nests without end is refused with a reason.
 *
 * Two kinds of scanner are known: one that plays a keyboard (usages of page
 * 07 in an application 01:06 or 01:07), and one that says what it is (HID
 * Point of Sale Usage Tables: application on page 8C with Decoded Data,
 * 8C:FE). Nothing is at a fixed offset. */
#ifndef LINESIDE_DRIVERS_SCANNER_HID_H
#define LINESIDE_DRIVERS_SCANNER_HID_H

#include "station/base/err.h"
#include "station/base/span.h"

#define HID_DESCRIPTOR_MAX 4096  /* octets of a report descriptor          */
#define HID_REPORT_MAX 4096      /* octets of one report, without its ID   */
#define HID_ITEMS_MAX 2048
#define HID_NEST_MAX 16          /* collections in collections             */
#define HID_COLLECTIONS_MAX 256
#define HID_PUSH_MAX 8
#define HID_USAGE_RANGES_MAX 64  /* local usages before one main item      */
#define HID_PIECES_MAX 32        /* runs of key fields                     */
#define HID_KEY_REPORTS_MAX 4    /* reports that keys are in               */
#define HID_KEY_USAGES_MAX 2048  /* usages of all key fields together      */
#define HID_PRESSED_MAX 256      /* keys that one report can hold          */

enum hid_kind { HID_NEITHER, HID_KEYBOARD, HID_POS, HID_KINDS };
const char *hid_kind_name(enum hid_kind k); /* "keyboard" */

/* Bits of a report, counted behind the octet of its ID. */
struct hid_field {
    uint32_t at;
    uint16_t count;
    uint8_t size; /* bits each, 1 to 32; 0: there is no such field */
};

/* A run of key fields. array: each holds the index of a pressed key; else
 * each is one key, not 0 while it is pressed. */
struct hid_piece {
    struct hid_field field;
    uint8_t report;  /* index into hid_scanner.reports */
    bool array;
    int32_t lowest;  /* array: the value that means the first usage */
    uint16_t first, usages; /* in hid_scanner.usage */
};

struct hid_scanner {
    enum hid_kind kind;
    bool has_ids;      /* each report starts with the octet of its ID       */
    size_t report_max; /* octets of the longest input report, with its ID   */

    /* HID_KEYBOARD */
    uint8_t reports[HID_KEY_REPORTS_MAX]; /* their IDs; 0 without IDs */
    size_t report_count;
    struct hid_piece pieces[HID_PIECES_MAX];
    size_t piece_count;
    uint8_t usage[HID_KEY_USAGES_MAX]; /* page 07 */
    size_t usage_count;

    /* HID_POS: all in one report */
    uint8_t pos_report;         /* its ID; 0 without IDs             */
    struct hid_field data;      /* octets                            */
    struct hid_field length;    /* how many of them count, if it says */
    struct hid_field continued; /* not 0: more reports of this scan  */

    char verdict[160]; /* what it is, in words */
};

/* 0 also for a device that is neither (kind, verdict). ERR_FORMAT or
 * ERR_LIMIT: a descriptor that lies; the message says where and how. *out is
 * untouched then. */
int hid_parse(struct span descriptor, struct hid_scanner *out, struct err *e);

/* --- one report --------------------------------------------------------------- */

enum hid_read {
    HID_READ_OK,
    HID_READ_OTHER, /* another report of this device: nothing for us        */
    HID_READ_SHORT, /* it ends before its fields do                         */
    HID_READ_PHANTOM, /* keyboard: ErrorRollOver; the state is unknown      */
    HID_READ_FAULT  /* keyboard: POSTFail, ErrorUndefined; POS: more data
                       announced than fit                                   */
};

struct hid_keys {
    size_t report; /* which of hid_scanner.reports */
    uint8_t modifiers; /* bit n: usage E0 + n */
    uint8_t key[HID_PRESSED_MAX]; /* usages, 04 to DF, as the report has them */
    size_t n;
    size_t ordered; /* the first of them stand in an array, whose order is that
                       of pressing; the rest in bitmaps, which have none */
};
enum hid_read hid_keys(const struct hid_scanner *h, struct span report,
                       struct hid_keys *out);

struct hid_data {
    uint8_t octets[HID_REPORT_MAX];
    size_t n;
    bool continued;
};
enum hid_read hid_data(const struct hid_scanner *h, struct span report,
                       struct hid_data *out);

#endif

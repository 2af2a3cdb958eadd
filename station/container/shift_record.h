/* container/shift_record.h: the records of a shift-record (ShiftRecord in
 * docs/formats/lineside.asn1): the positions' and each bundle's balance when
 * the shift was opened and when it was closed, the moves between, and how
 * often what came about, where and by whom. */
#ifndef LINESIDE_CONTAINER_SHIFT_RECORD_H
#define LINESIDE_CONTAINER_SHIFT_RECORD_H

#include "station/container/manifest.h"

#define SHIFT_STATES_MAX 32
#define SHIFT_MOVES 256
#define SHIFT_STATE_NAME_MAX 31
#define SHIFT_OUTCOME_MAX 64
#define SHIFT_TEXT_MAX 512

enum shift_record_kind {
    SHIFT_POSITIONS, /* [0] */
    SHIFT_BUNDLE,    /* [1] */
    SHIFT_COUNT,     /* [2] */
    SHIFT_RECORD_KINDS
};

/* What a count is of. Also the number in the record. */
enum shift_what {
    SHIFT_UNIT,    /* a position's change of state, by the verdict's code */
    SHIFT_BPP,     /* a BPP's, by its cause                               */
    SHIFT_FAILURE, /* a failure that a loading-report carries             */
    SHIFT_REFUSED, /* a verdict that no report carries                    */
    SHIFT_WHATS
};
const char *shift_what_name(enum shift_what w); /* "unit" */

/* All spans are borrowed; text is UTF-8 without control characters. */
struct shift_state {
    struct span name; /* "passed" */
    uint64_t before, after;
};
struct shift_step {
    struct span from, to; /* from empty: came in */
    uint64_t n;
};
enum { FIGURE_RECEIVED, FIGURE_IN_STOCK, FIGURE_RESERVED, FIGURE_LOADING,
       FIGURE_INSTALLED, FIGURE_FAILED, FIGURE_QUARANTINED, FIGURE_VOIDED,
       FIGURE_DELETED, FIGURES };
extern const char *const shift_figure_names[FIGURES]; /* "in-stock" */

struct shift_record {
    enum shift_record_kind kind;

    /* positions */
    struct shift_state states[SHIFT_STATES_MAX];
    size_t state_count;

    /* bundle */
    struct span bundle_id, smdp, manifest_sha256; /* 32 octets */
    uint64_t before[FIGURES], after[FIGURES];

    /* positions, bundle */
    struct shift_step steps[SHIFT_MOVES];
    size_t step_count;

    /* count */
    struct span fixture, person, outcome, code; /* any but person may be "" */
    enum shift_what what;
    uint64_t n;
};

/* Append the record's DER. ERR_FORMAT: it is not what shift_record_decode
 * takes; *out then holds what it held before. */
int shift_record_encode(const struct shift_record *r, struct buf *out,
                        struct err *e);
/* Exactly one record, nothing after it. Spans point into der; *out untouched
 * on failure. What one record can show is checked: it is well-formed, and
 * before and the moves come to after. */
int shift_record_decode(struct span der, struct shift_record *out,
                        struct err *e);

#endif

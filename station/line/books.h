/* line/books: what a unit writes into the ledger, one operation per act of
 * the recipe. Each is submitted to the writer and waited for where the
 * binding asks for it, not before: between two durable points the card works
 * while the disk does.
 *
 * An operation is a struct that its owner keeps until book_end was called on
 * it. Zero-initialised is an operation that was never submitted: waiting for
 * it succeeds at once. */
#ifndef LINESIDE_LINE_BOOKS_H
#define LINESIDE_LINE_BOOKS_H

#include "station/fpa/doubt.h"
#include "station/line/duty.h"
#include "station/line/verdict.h"
#include "storage/health.h"
#include "storage/stock.h"
#include "storage/units.h"
#include "storage/writer.h"

/* Where a unit's operations go, and in whose name. */
struct books {
    struct writer *writer;
    struct act act; /* position: 0 until book_unit has been executed */
};

struct book {
    struct ticket *ticket;
    struct books where;
    bool submitted;
};
/* fn on the writer's thread, ctx until book_end. */
void book_submit(struct book *b, const struct books *w, tx_fn *fn, void *ctx);
/* fn has run: 0, or its error. */
int book_executed(struct book *b, struct err *e);
/* It is on the disk: 0, or why nothing of it is. */
int book_durable(struct book *b, struct err *e);
/* Waits for fn if it has not run. Harmless twice. */
void book_end(struct book *b);

/* What a unit leaves behind about the fixture it was in (line/health.h). It
 * goes along with the last of the unit's operations; said again by another one
 * only when that one came to nothing. */
struct visit {
    const char *fixture;      /* fixture_health.fixture; borrowed until book_end */
    struct contacts contacts;
    enum verdict verdict;
    int64_t ms;               /* since its unit was begun */
    bool changed;             /* out, once executed: stopped, released, or due
                                 for maintenance */
};

/* Register the unit, and reserve all that is in stock for its eUICC. What an
 * earlier try left reserved (its release failed) is taken over. */
struct book_unit {
    struct book b;
    const char *serial;       /* borrowed until book_unit_end */
    const char *name;         /* the position's, likewise     */
    const struct duty *duty;  /* likewise: with an order only what its recipe
                                 asks for is reserved, and comes first in all */
    const char *imei;         /* likewise: that was scanned for it; NULL: none */
    struct eid eid;
    enum verdict verdict;     /* out, when it failed: the order's word;
                                 V_DONE: the ledger's                       */
    struct position position; /* out, once executed */
    struct bpp_list all;      /* out, once executed; owned: every BPP of this
                                 eUICC in bundle order, ours are reserved */
};
void book_unit(struct book_unit *o, const struct books *w, const char *serial,
               const char *name, const struct duty *duty, const struct eid *eid,
               const char *imei);
void book_unit_end(struct book_unit *o);

/* A position that is known has this IMEI. */
struct book_imei {
    struct book b;
    const char *imei; /* borrowed until book_end */
};
void book_imei(struct book_imei *o, const struct books *w, const char *imei);

/* Durable point 1. */
struct book_load {
    struct book b;
    int64_t bpp;
};
void book_load(struct book_load *o, const struct books *w, int64_t bpp);

/* Durable point 2. bf37 is borrowed until book_end. */
struct book_result {
    struct book b;
    int64_t bpp;
    bool installed;
    struct span bf37;
};
void book_result(struct book_result *o, const struct books *w, int64_t bpp,
                 bool installed, struct span bf37);

/* What the card's records say about one BPP (doubt.h). bf37 is borrowed.
 * DOUBT_UNRESOLVED writes nothing. */
struct book_doubt {
    struct book b;
    int64_t bpp;
    enum doubt_verdict verdict;
    struct span bf37;
};
void book_doubt(struct book_doubt *o, const struct books *w, int64_t bpp,
                enum doubt_verdict verdict, struct span bf37);

/* The card's verified notifications, before their BF30. `installed`, when not
 * 0, is a BPP whose result was submitted before: the operation fails unless
 * the ledger has it as installed, so that its being durable proves that of the
 * result too. Items are borrowed until book_end. */
struct book_evidence {
    struct book b;
    int64_t installed;
    const struct notification_info *v;
    size_t n;
    enum euicc_kind kind; /* what BF22 said */
};
void book_evidence(struct book_evidence *o, const struct books *w,
                   int64_t installed, const struct notification_info *v,
                   size_t n, enum euicc_kind kind);

/* A receipt; with a visit it is the last one and ends the unit: passed.
 * Borrows the octets. */
struct book_receipt {
    struct book b;
    struct receipt_info receipt;
    struct visit *visit; /* NULL: more is to come */
};
void book_receipt(struct book_receipt *o, const struct books *w,
                  const struct receipt_info *r, struct visit *visit);

/* The end of a unit that keeps its keys: stocked. */
struct book_stocked {
    struct book b;
    enum euicc_kind kind;
    int64_t keys_left;
    struct visit *visit;
};
void book_stocked(struct book_stocked *o, const struct books *w,
                  enum euicc_kind kind, int64_t keys_left,
                  struct visit *visit);

/* The end of a unit that did not pass: what is still reserved goes back to
 * stock, the position says why, the failure is kept for the report. */
struct failure {
    enum verdict verdict;
    const char *step;        /* of the recipe; NULL: not begun */
    const char *detail;
    const char *serial;
    const char *position;
    const char *order;       /* ""; none          */
    const struct eid *eid;   /* NULL: not read    */
    const struct txid *txid; /* NULL: of no BPP   */
    bool contacts_lost;      /* whatever the verdict */
    int64_t started_at;
};
struct book_failure {
    struct book b;
    struct failure f;
    struct visit *visit;
};
void book_failure(struct book_failure *o, const struct books *w,
                  const struct failure *f, struct visit *visit);

/* The end of a unit of which there is nothing else to write. */
struct book_visit {
    struct book b;
    struct visit *visit;
};
void book_visit(struct book_visit *o, const struct books *w, struct visit *visit);

/* A golden unit's self-test has ended. t is borrowed until book_end. */
struct book_golden {
    struct book b;
    const struct golden_test *test;
    struct visit *visit;
};
void book_golden(struct book_golden *o, const struct books *w,
                 const struct golden_test *t, struct visit *visit);

/* A BPP whose `loading` was committed and of which no octet was sent. */
struct book_unsent {
    struct book b;
    int64_t bpp;
};
void book_unsent(struct book_unsent *o, const struct books *w, int64_t bpp);

#endif

/* line/run: what the steps of one unit share. Inside this room only. */
#ifndef LINESIDE_LINE_RUN_H
#define LINESIDE_LINE_RUN_H

#include "station/fpa/load.h"
#include "station/line/books.h"
#include "station/line/unit.h"

/* One BPP on its way. Two of them take turns, so that the result of one may
 * reach the disk while the card is being authorised for the next. */
struct job {
    int64_t bpp;
    struct book_load begin;   /* durable point 1 */
    struct load_result load;
    struct book_result result; /* durable point 2 */
    bool settled;              /* decided by the card's records instead */
};

struct run {
    const struct unit_env *env;
    const struct scan *scan;
    struct unit_result *out;
    struct err *e; /* &out->why */
    enum step step;
    int64_t started_at, started_ms;

    struct fpa_card *card; /* NULL: no power */
    struct eid eid;
    bool eid_read;
    struct buf status_raw;
    struct ifpp_status status; /* into status_raw */
    bool keys_deleted;         /* were told to be, so that it holds no more */
    bool contacts_lost;        /* is what left a BPP in doubt */
    enum euicc_kind kind;

    struct duty duty;    /* of the fixture's order */
    char position[POSITION_NAME_MAX + 1]; /* of the unit, that is worked on */
    bool golden;               /* the eUICC, or the label of one that is silent */
    struct golden_test test;   /* its self-test                                 */
    struct contacts contacts;  /* of this unit, so far                          */
    struct visit visit;

    struct books books;
    struct book_unit unit;
    struct bpp_list all; /* this eUICC's BPPs in bundle order, as this run has
                            left them; reserved: still to be loaded. By an
                            order: first those of its recipe, in its order */
    size_t wanted;       /* so many of them, from the first, are wanted; all
                            of them without an order */
    size_t at;           /* the one being loaded */
    struct job job[2];
    unsigned turn;       /* job[turn] is the one being loaded */
    int64_t unproven;    /* BPP whose result is written but not yet waited for */

    /* The record that was read last, and the eUICC's key from it. */
    int64_t record_of;
    struct buf record, dp_chain;
    struct bpp_record rec; /* into record */
    EVP_PKEY *key;
};

/* Each returns 0, or -1 with out->verdict and *e set. */
int step_identify(struct run *r);
int step_settle(struct run *r);
int step_authorise(struct run *r);
int step_load(struct run *r);
int step_record(struct run *r);
int step_enable(struct run *r);
int step_notifications(struct run *r);
int step_delete_keys(struct run *r);
int step_close(struct run *r);
int step_keep(struct run *r);

int run_fail(struct run *r, enum verdict v);
int run_card_failed(struct run *r);    /* by *e, as the recipe says  */
int run_station_failed(struct run *r); /* by *e                      */

/* Nothing is missing that was used up in vain. */
int run_check_replaced(struct run *r);
/* Installed, and not deleted since. */
unsigned run_installed(const struct bpp_list *all);
/* *out says already what it came to (run_set), or is made anew (run_init). */
void run_set(struct run *r, const struct unit_env *env, const struct scan *scan,
             struct unit_result *out);
void run_init(struct run *r, const struct unit_env *env, const struct scan *scan,
              struct unit_result *out);
void run_clear(struct run *r);
/* No position of the unit that the label names is held back. */
int run_check_label(struct run *r);
/* The step begins, and whoever watches sees it; not while it is open whether
 * this scan starts anything. */
void run_show(struct run *r, const struct recipe_step *s);
int run_read_eid(struct run *r);
/* Label, eUICC and ledger agree, and this fixture alone has the unit. known->id
 * 0: the ledger does not know it. */
int run_identify(struct run *r, struct position *known);
/* BF70 and BF22; kind may be NULL. */
int run_card_status(struct run *r, enum info2_kind *kind);
/* The card is asked what became of each BPP that is `loading`, or reserved
 * without its key; the answers are committed. */
int run_settle(struct run *r);
/* Why the unit was not finished, for the report. position: whose state tells
 * it too; 0: none's. */
void run_write_failure(struct run *r, int64_t position, const struct txid *txid);

/* Read the record of r->all.v[i], unless it is the one at hand. */
int run_read_record(struct run *r, size_t i);
/* Register and reserve; r->all follows when it was executed. */
void run_reserve(struct run *r);
int run_reserved(struct run *r);
/* Power on and read the EID; the unit's time goes on counting. */
int run_power_on(struct run *r, struct eid *eid);
void run_power_off(struct run *r); /* harmless twice */
/* What the fixture is told of this unit now, borrowed. */
struct visit *run_visit(struct run *r, enum verdict v);

/* The recipe was done: the verdict is the unit's. */
void run_end_well(struct run *r);
/* By out->verdict. */
void run_end_badly(struct run *r);
/* What the contacts did, of a unit that was left as it is or went well. */
void run_end_untouched(struct run *r);

/* Keeps what the card has said of its unused keys; of a unit that has no BPP
 * it asks. Before the power goes off. */
void run_note_keys(struct run *r);

/* Waits for what is still on its way. */
void job_end(struct job *j);

#endif

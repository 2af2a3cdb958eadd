/* A whole line on the desk: a chip with everybody who has a say in it
 * (lab_euicc/chip.h), a ledger with its profiles, and a line of fixtures in
 * this process. Failures fail the test. */
#ifndef LINESIDE_UNIT_LINE_SHOP_H
#define LINESIDE_UNIT_LINE_SHOP_H

#include "station/line/line.h"
#include "storage/stock.h"
#include "tests/lab/euicc/card.h"
#include "tests/unit/lab_euicc/chip.h"

#include <pthread.h>

struct shop_verdict {
    char fixture[FIXTURE_NAME_MAX + 1];
    char serial[160], eid[EID_DIGITS + 1];
    char code[64], detail[400];
    char order[64], position[64];
    enum verdict_kind kind;
    char person[64]; /* in whose name */
    unsigned installed;
};

#define SHOP_PLACES 64

struct shop {
    struct desk d;
    char data[96];
    char barcode[160]; /* "F1 TAB EID" of the desk's chip */
    const char *smdp_oid; /* of the next bundle */
    const char *names[DESK_KEYS]; /* of profiles; NULL: "Test" */
    uint64_t bundles;
    struct line *line;
    int apdu_ms; /* of the next line; 0: as usual */
    bool unprovable; /* the next bundle's profiles tell nobody when deleted */

    pthread_mutex_t lock;
    pthread_cond_t told;
    struct shop_verdict last;
    struct db *books; /* shop.c's */
    unsigned verdicts, unresolved;
    char health[256]; /* LINE_HEALTH since shop_start: "stopped, released, " */
    char steps[1024]; /* of all units: "read EID, identify, " */
    char codes[512]; /* of all verdicts: "F1 done, " */
    /* NULL: none. Called for each LINE_BUSY, in its fixture's thread, which it
     * may hold up; not under lock. */
    void (*at_step)(const char *step);
    char sessions[1024]; /* LINE_SESSION, all: "opened F1 Bob, " */
    struct {
        char place[64], state[16], why[256];
    } places[SHOP_PLACES]; /* LINE_FIXTURE and LINE_SCANNER, the last of each */
};

/* A chip with this many keys, and a ledger that knows nothing yet. */
void shop_open(struct shop *s, size_t keys);
void shop_open_kind(struct shop *s, size_t keys, enum info2_kind kind);
void shop_close(struct shop *s);

/* Import a bundle with profiles first..first+n-1, each bound for the key of
 * that number. */
void shop_stock(struct shop *s, unsigned first, unsigned n);
/* ... or with these octets in place of one BPP. */
void shop_stock_bpp(struct shop *s, unsigned k, struct span bpp);

/* The station gets a certificate, and trusts the chip's CI. */
void shop_commission(struct shop *s);

/* A line of one fixture, F1. */
void shop_start(struct shop *s, const struct fixture_ops *ops, const char *where);
/* ... or of these. */
void shop_start_all(struct shop *s, const struct line_fixture *f, size_t n);
void shop_stop(struct shop *s);

/* Say one scan line and wait for its verdict. */
struct shop_verdict shop_scan(struct shop *s, const char *line);
/* Fails the test unless the verdict has this code. */
void shop_expect(struct shop *s, const char *line, const char *code);

/* What was told of this place on the bus last; "": nothing yet. Under lock. */
const char *shop_place_state(const struct shop *s, const char *place);

/* BPPs in this state, after checking that all the books balance. */
uint64_t shop_count(struct shop *s, enum bpp_state state);
/* Failures in the ledger that a report would carry. */
uint64_t shop_failures(struct shop *s);
/* Waits until this is in `sessions`. */
void shop_wait_session(struct shop *s, const char *words);

/* Whose the last event of this kind is. */
void shop_actor(struct shop *s, const char *kind, char out[129]);
/* The unit in F1 is returned; its verdict. */
struct shop_verdict shop_return(struct shop *s, const char *serial);
/* Events of this kind. */
unsigned shop_events(struct shop *s, const char *kind);

/* The chip in a fixture: `where` is "FAULT@N:PATH", FAULT an enum card_fault's
 * number, N the APDU it strikes at (0: never). It strikes once, but for
 * SHOP_UNPLUG: gone from that call (drivers/fault.h) until the line ends. */
#define SHOP_UNPLUG 99
extern const struct fixture_ops fixture_shop;
void shop_where(const struct shop *s, int fault, unsigned at, char out[160]);
/* Before the n-th APDU from now leaves, someone else takes the ledger's write
 * lock and keeps it: every commit fails. */
void shop_lock_ledger_at(struct shop *s, unsigned n);
/* It is given back; true if it had been taken. */
bool shop_unlock_ledger(void);
/* APDUs that all chips in fixture_shop fixtures have seen. */
unsigned shop_apdus(void);
/* ... without the GET RESPONSEs, whose number is that of the answers' lengths:
 * signatures, and so certificates, are an octet longer at times. */
unsigned shop_commands(void);

#endif

/* line/line: all fixtures of a line at work, one thread each. A waiting
 * worker costs no CPU, and a dead fixture delays nobody: what fixtures share
 * is the writer, and no lock is held while a card is spoken to.
 *
 *     line_new(&options, &line, e);
 *     line_scan(line, SPAN_STR("F1\tSN-1"));    any thread, never blocks
 *     ... events arrive ...
 *     line_stop(line); line_free(line);
 *
 * Every line given to line_scan is answered by exactly one LINE_VERDICT,
 * sooner or later; a badge that is let in or waits for its PIN, by a
 * LINE_SESSION; a command of the operator's screen, by a LINE_COMMAND. */
#ifndef LINESIDE_LINE_LINE_H
#define LINESIDE_LINE_LINE_H

#include "drivers/fixture.h"
#include "station/fpa/apdu.h"
#include "station/line/verdict.h"
#include "storage/db.h"
#include "storage/writer.h"

#define LINE_FIXTURES_MAX 1024
#define LINE_ACTOR "line" /* who acts, in the ledger's events, when nobody is
                             logged in */

struct line_fixture {
    const char *name; /* as scans say it: no blanks, at most FIXTURE_NAME_MAX */
    const struct fixture_ops *ops;
    void *env;         /* for ops->open, as is */
    const char *where; /* for ops->open; scans may say it too, in place of
                          the name: a label never looks like a place */
};

enum line_event_kind {
    LINE_READY,      /* once, before line_new returns                       */
    LINE_UNRESOLVED, /* at start, one per BPP that is left `loading`        */
    LINE_BUSY,       /* a unit has come to this step                        */
    LINE_VERDICT,
    LINE_FIXTURE,    /* a fixture on the bus: state, detail is why          */
    LINE_SCANNER,    /* a scanner: place, state, detail is why              */
    LINE_CHOSEN,     /* a station's scanner chose this fixture; its unit is
                        awaited                                             */
    LINE_SESSION,    /* state: "opened", "closed", or "pin": a badge was
                        scanned and waits for its PIN. fixture "": the whole
                        station. detail: why it was closed                  */
    LINE_COMMAND,    /* a command barcode was scanned: state is the command. It
                        is the screens' to obey: the line does nothing      */
    LINE_HEALTH,     /* a fixture was stopped, released, is due for
                        maintenance or had it (line/health.h): state, detail
                        is why, place where it is on the bus                */
    LINE_STANDS      /* where a fixture stands on the bench: row, column, both 0
                        where nothing is said of it any more                */
};

/* All borrowed for the call. Whoever tells leaves out what it has nothing to
 * say of; whoever listens finds "" there, never NULL. */
struct line_event {
    enum line_event_kind kind;
    const char *fixture;
    const char *serial;
    const char *eid;            /* 32 digits */
    const char *step;           /* LINE_BUSY: recipe_step.name       */
    const char *txid;           /* LINE_UNRESOLVED: hex              */
    const char *iccid;          /* LINE_UNRESOLVED: digits           */
    const struct verdict_row *verdict; /* LINE_VERDICT, else NULL    */
    bool taken;                 /* LINE_VERDICT: the fixture had taken the scan,
                                   and is free now                   */
    const char *order;          /* LINE_BUSY, LINE_VERDICT: its work order */
    const char *position;       /* ... and which eUICC of the unit, with one */
    const char *detail;         /* LINE_VERDICT: the technical why   */
    uint16_t sw;                /* LINE_VERDICT: status word, 0 none */
    unsigned installed;         /* LINE_VERDICT: profiles in the unit */
    uint64_t apdus;             /* LINE_VERDICT: sent to the eUICC   */
    int64_t ms;                 /* LINE_VERDICT: from scan to now    */
    const char *place;          /* LINE_FIXTURE, SCANNER, CHOSEN, HEALTH: where
                                   on the bus (CHOSEN: the scanner)   */
    const char *state;          /* LINE_FIXTURE, SCANNER, HEALTH: "card"; SESSION */
    const char *person;         /* LINE_SESSION; LINE_VERDICT: in whose name
                                   the unit was worked on             */
    unsigned row, column;       /* LINE_STANDS                       */
    size_t fixtures;            /* LINE_READY: how many              */
    const struct line_fixture *list; /* LINE_READY                   */
};
/* Called from the fixtures' threads, several at once, and from line_scan's
 * caller for scans that start nothing. When a unit's verdict is told, its
 * fixture takes the next scan already. Must not call line_stop or line_free. */
typedef void line_event_fn(void *ctx, const struct line_event *ev);

struct line_options {
    const char *data_dir;
    const struct db_options *db; /* NULL: defaults */
    struct apdu_limits limits;   /* APDU_LIMITS_DEFAULT */
    const struct line_fixture *fixtures; /* copied */
    size_t fixture_count;
    bool grows; /* more may come by line_add, so that none is no mistake */
    line_event_fn *event; /* NULL: nobody listens */
    void *event_ctx;
};

struct line;

/* Takes the data directory's run lock, puts the ledger in order (what an
 * import that died left goes; reserved BPPs go back to stock; units left
 * `loading` become unresolved) and starts the workers. No fixture is touched
 * before its first scan. ERR_BUSY: another line runs on this data.
 * ERR_USAGE: a name is doubled, empty, too long or has blanks; no fixture, and
 * it does not grow. */
int line_new(const struct line_options *o, struct line **out, struct err *e);

/* One more fixture, for as long as the line runs: one that was unplugged is
 * still there, and says so when it is scanned. f is copied. Any thread.
 * ERR_USAGE as above; ERR_LIMIT. */
int line_add(struct line *l, const struct line_fixture *f, struct err *e);
/* The fixture at this place goes slower now: counted as a contact problem. Any
 * thread. */
void line_slower(struct line *l, const char *place);
/* Looks what the ledger says of fixtures that were stopped, released, maintained or
 * moved on the bench by others, and tells what is new. Any thread. */
void line_look(struct line *l);
/* There is a fixture that bears this name or lies at this place. */
bool line_has(const struct line *l, const char *name);
/* ... its own name; NULL: there is none. As long as the line. */
const char *line_fixture_name(const struct line *l, const char *name);
/* ... what its health is kept under (storage/health.h); likewise. */
const char *line_fixture_key(const struct line *l, const char *name);

/* One scan line without its end. Answers at once, or a worker does later.
 * Longer than SCAN_LINE_MAX is answered as too long. A line that is nothing
 * but a badge logs in at the whole station, FIXTURE TAB BADGE at a fixture. */
void line_scan(struct line *l, struct span text);
/* ... which came by this connection of the control socket: who is logged in on
 * it stands behind the scan. */
void line_scan_from(struct line *l, struct span text, uint64_t connection);
/* The unit in this fixture gives its profiles back (giveback.h), in `actor`'s
 * name, for this reason; answered by one LINE_VERDICT. Otherwise nothing
 * happens: ERR_NOT_FOUND no such fixture; ERR_USAGE serial or reason cannot be;
 * ERR_BUSY it has a unit at work; ERR_WRONG_STATE the line is being stopped. */
int line_return(struct line *l, const char *fixture, const char *serial,
                const char *reason, const char *actor, struct err *e);

/* The text of a scan is a command's: it is told, and nothing else is to be done. */
bool line_command(struct line *l, struct span text);

/* Who is logged in (roster.h); as long as the line. */
struct roster;
struct roster *line_roster(const struct line *l);

/* Tells those who listen to this line. Any thread. */
void line_tell(const struct line *l, const struct line_event *ev);
/* A scan that came to nothing before it was a line (a scanner's was cut off):
 * answered as line_scan would. */
void line_refuse(struct line *l, const char *fixture, const char *barcode,
                 enum verdict v);

size_t line_busy(struct line *l); /* fixtures with a unit at work */
/* Becomes readable (8 octets, an eventfd's count) when units have ended. */
int line_fd(const struct line *l);
void line_writer_stats(struct line *l, struct writer_stats *out);

/* From now on every scan is refused; units at work go on. */
void line_stop(struct line *l);
/* line_stop, wait for the units at work (each is bounded by limits.unit_ms)
 * and end the fixtures' threads: after it no driver is called any more, and
 * what they worked on may be given back before line_free. Harmless twice. */
void line_end(struct line *l);
/* line_end, commit, give everything back. NULL is fine. */
void line_free(struct line *l);
void line_free_p(struct line **l); /* for AUTO */

#endif

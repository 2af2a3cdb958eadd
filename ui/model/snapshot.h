/* ui/model/snapshot: how the line stands, as far as screens show it. Whoever
 * draws has it const; only model.c makes it, from the control socket's
 * messages. Text is UTF-8 of whatever origin: the cells make it harmless. */
#ifndef LINESIDE_UI_SNAPSHOT_H
#define LINESIDE_UI_SNAPSHOT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAME_CAP 64    /* of fixtures, people, serials */
#define WORD_CAP 40    /* of codes, steps, states, orders */
#define SENTENCE_CAP 256
#define WHAT_CAP 320   /* of what is searched for, and of paths */

#define SNAPSHOT_SLOTS 1024
#define SNAPSHOT_ORDERS 32
#define SNAPSHOT_NOTES 200
#define SNAPSHOT_SCANNERS 64
#define SNAPSHOT_PLACES 16
#define CHOSEN_S 60 /* a chosen fixture's unit is awaited for so long */

struct ending { /* of a unit, or of a scan that was refused */
    char fixture[NAME_CAP], serial[NAME_CAP], eid[WORD_CAP];
    char verdict[WORD_CAP], code[WORD_CAP];
    char cause[SENTENCE_CAP], next[SENTENCE_CAP], detail[SENTENCE_CAP];
    long long installed, ms;
};

/* What a fixture's tile says; in the order of what goes before what. */
enum look {
    LOOK_GONE,    /* unplugged, or cannot be used */
    LOOK_STOPPED,
    LOOK_BUSY,
    LOOK_SCAN,    /* chosen: its unit is awaited; or its next position */
    LOOK_CHECK,   /* quarantine */
    LOOK_FAIL,
    LOOK_PASS,
    LOOK_DONE,    /* it was finished before */
    LOOK_READY,
    LOOKS
};

struct slot {
    char name[NAME_CAP], person[NAME_CAP], order[WORD_CAP];
    char place[NAME_CAP], state[WORD_CAP], reason[SENTENCE_CAP]; /* on the bus */
    bool stopped;
    char stopped_why[SENTENCE_CAP];
    char maintenance[SENTENCE_CAP]; /* why it is due; "": it is not */
    bool busy;
    char step[WORD_CAP], serial[NAME_CAP], eid[WORD_CAP];
    int64_t busy_since; /* seconds since 1970; 0: not seen */
    int64_t chosen_at;  /* 0: it is not */
    unsigned row, column; /* where it stands on the bench; 0: that is not known */
    bool ended; /* there is a last one: a unit that ended, or was refused as one that is */
    struct ending last; /* to be set aside                                           */
};
enum look slot_look(const struct slot *s, int64_t now);

struct order_row {
    char number[WORD_CAP], product[NAME_CAP];
    long long quantity, passed, stocked, failed, left;
};

enum note_kind {
    NOTE_VERDICT, /* fixture, what: serial, word: verdict, code */
    NOTE_FIXTURE, /* fixture, word: state, what: reason         */
    NOTE_SCANNER, /* fixture: place, word: state                */
    NOTE_SESSION, /* fixture, what: person, word: state, code: reason */
    NOTE_UNRESOLVED, /* fixture, what: serial                   */
    NOTE_LINE     /* word: "up", "lost", "ended"                */
};
struct note {
    int64_t at;
    enum note_kind kind;
    char fixture[NAME_CAP], what[NAME_CAP], word[WORD_CAP], code[WORD_CAP];
};

struct counts {
    long long pass, already_done, fail, refused, stocked, incomplete, golden, returned;
};

struct stock {
    long long received, in_stock, reserved, loading, installed, failed,
        quarantined, voided, deleted, unresolved;
    long long left;
    double units_per_hour;
    double hours_left; /* below 0: not known */
    bool low;
    long long not_acknowledged;
};

struct shift_row {
    long long number; /* 0: none is open */
    int64_t since;
    long long passed, stocked, failed;
};

struct scanner { /* that is, or was, plugged in */
    char place[NAME_CAP], state[WORD_CAP];
};

/* A folder that may be a medium. */
struct place {
    char name[NAME_CAP]; /* of its folder */
    char path[WHAT_CAP - NAME_CAP]; /* whole; room is left for a container's name */
    bool mounted; /* false: a folder of this machine's own disk */
};

/* What takes long: the newest one that this screen asked the line for. */
enum job_state { JOB_NONE, JOB_RUNS, JOB_DONE, JOB_REFUSED, JOB_LOST /* nobody knows how it ended */ };
struct job {
    unsigned number; /* another one has another */
    enum job_state state;
    long long id;
    char screen[WORD_CAP], label[NAME_CAP], about[WHAT_CAP]; /* of the screen's deed */
    char step[WORD_CAP]; /* "": none was told yet */
    long long done, of;  /* of 0: not known */
    const json_t *answer; /* also of what was refused, where there is one; else NULL */
    char message[2 * SENTENCE_CAP], next[SENTENCE_CAP], error[WORD_CAP]; /* of a refusal */
};

struct snapshot {
    int64_t now;   /* seconds since 1970 */
    long zone;     /* seconds that the clock on the wall is ahead of UTC */
    bool linked;   /* the line is there */
    char no_link[SENTENCE_CAP]; /* why it is not */
    char person[NAME_CAP]; /* logged in at the station; "": nobody */
    unsigned logins; /* at the station, seen since this screen began */
    bool pin_wanted; /* a badge was scanned: at fixture, or "": at the station */
    char pin_fixture[NAME_CAP];
    size_t slots;
    struct slot slot[SNAPSHOT_SLOTS]; /* by name, numbers by their value */
    size_t scanners;
    struct scanner scanner[SNAPSHOT_SCANNERS];
    struct counts counts;
    bool has_stock, has_work;
    struct stock stock;
    size_t orders;
    struct order_row order[SNAPSHOT_ORDERS];
    struct shift_row shift;
    long long waiting; /* pieces of evidence that no report carries */
    bool has_trouble;  /* the last end that asks somebody to act */
    struct ending trouble;
    /* What the line said to the question that `answer_to` (a screen) asked last:
     * NULL, and why, when it did not answer. */
    char answer_to[WORD_CAP];
    const json_t *answer;
    char answer_error[SENTENCE_CAP], answer_code[WORD_CAP];
    struct job job;
    char media[WHAT_CAP - NAME_CAP]; /* the folder that was looked into */
    const json_t *acts; /* that are offered to who is logged in; NULL: that is not known */
    size_t places; /* where media are, as far as this screen's own machine shows them */
    struct place place[SNAPSHOT_PLACES];
    size_t notes, note_first; /* a ring: the oldest is note[note_first] */
    struct note note[SNAPSHOT_NOTES];
};
/* The i-th newest note; NULL: there are not so many. */
const struct note *snapshot_note(const struct snapshot *s, size_t i);
/* The answer to this screen's question; NULL: none yet, or a refusal. */
const json_t *snapshot_answer(const struct snapshot *s, const char *screen);
/* This act is offered to who is logged in, as the line says; where it has not said, too:
 * it refuses what may not be. */
bool snapshot_may(const struct snapshot *s, const char *act);
const struct slot *snapshot_slot(const struct snapshot *s, const char *name);

#endif

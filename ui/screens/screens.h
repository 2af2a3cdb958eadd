/* ui/screens: a screen is a table of parts, drawn one below the other; one
 * file a screen, one table of them all (registry.c). Drawing is a function of
 * the view and the size alone. */
#ifndef LINESIDE_UI_SCREENS_H
#define LINESIDE_UI_SCREENS_H

#include "ui/scan/actions.h"
#include "ui/widgets/view.h"

struct part {
    void (*draw)(struct grid *g, struct area a, const struct view *v);
    /* Rows that it wants; NULL: what the others leave, once a screen. */
    int (*height)(const struct view *v, int cols, int rows);
};

/* --- what can be done ---------------------------------------------------------- */

enum field_kind {
    FIELD_TEXT,    /* least to most characters */
    FIELD_NUMBER,  /* a whole one, from least to most */
    FIELD_SCAN,    /* a barcode; least to most characters */
    FIELD_CHOICE,  /* one of `choices`, or of what `option` tells */
    FIELD_FIXTURE, /* one of the line's, by its label or by arrows */
    FIELD_PLACE,   /* a folder that may be a medium */
    FIELD_STAND,   /* a place on the bench, by arrows: `row` and `column`, whatever its member */
    FIELD_BADGE,
    FIELD_PIN,     /* shown as stars */
    FIELD_TRUE,    /* not asked for: it goes along, as true or false */
    FIELD_FALSE,
    FIELD_WHAT     /* not asked for: what the screen is about */
};
/* A value that goes to the line, and how it is shown. */
struct choice {
    const char *value, *text; /* in English */
};
struct option {
    char value[WHAT_CAP], text[WHAT_CAP]; /* as it is shown */
};
/* What a deed wants to be told. Only its shape is looked at here; what it may be, the
 * line says. */
struct field {
    /* Of the act: "reason"; "second.pin" is a member of the object `second`, "recipes[]" one
     * more of a list. NULL: what the field before was given, once more. */
    const char *member;
    const char *label; /* in English */
    enum field_kind kind;
    bool optional;
    bool empty; /* left out, it goes along as empty text */
    long least, most;   /* 0: no such bound; of a PIN there are bounds anyway */
    const char *prefix; /* of its barcodes, which is no part of it; NULL: none */
    const struct choice *choices;
    size_t count;
    /* The i-th that can be chosen now; false: there are not so many. */
    bool (*option)(const struct desk *d, const struct snapshot *s, size_t i, struct option *out);
};
/* The other one of an act that takes two people; who is logged in is the first. */
#define SECOND_PERSON                                                                   \
    { .member = "second.badge", .label = N_("Second person's badge"), .kind = FIELD_BADGE }, \
    { .member = "second.pin", .label = N_("Second person's PIN"), .kind = FIELD_PIN }

/* What takes long has a page of its own, while it runs and until somebody has seen how it
 * ended. */
struct job_kind {
    const struct choice *step; /* those that the line tells, in their order */
    size_t steps;
    bool stops; /* it can be stopped while it runs */
    /* What came of it, in a few rows; answer may be of any shape. Rows used. */
    int (*result)(struct grid *g, struct area a, const struct view *v, const json_t *answer);
};

/* What can be done at a screen, in the name of who is logged in at the station. One without
 * fields: Enter asks whether it is meant, Enter again does it. Else its fields are
 * asked for one after the other, in place of the screen, and then whether it is meant. */
struct deed {
    const char *verb;  /* of the control socket */
    const char *label; /* in English, as all below */
    const char *sure;  /* what comes of it, in a sentence */
    /* Whether it is offered now. */
    bool (*can)(const struct desk *d, const struct snapshot *s);
    const char *member; /* what it is done to is called so; NULL: to nothing that is named */
    /* What that is; false: nothing now. NULL: the chosen row, or else what the screen is about. */
    bool (*about)(const struct desk *d, const struct snapshot *s, char what[WHAT_CAP]);
    const struct field *field; /* FORM_FIELDS at most */
    size_t fields;
    const struct job_kind *job; /* NULL: it is answered at once */
    const char *done; /* what is said then; NULL: that it is done */
};
#define FORM(f) .field = (f), .fields = sizeof(f) / sizeof *(f)
/* What some screens have besides. */
struct doings {
    const char *member; /* what `what` is called in its question; NULL: "what" */
    const char *prefix; /* of its barcodes, which is no part of it; NULL: none */
    const struct deed *deed;
    size_t deeds;
    const struct screen *opens; /* Enter opens it, about the chosen row; NULL: none */
    bool (*chosen)(const struct desk *d, const struct snapshot *s, char what[WHAT_CAP]);
    /* `what` is a medium's folder: the question is about that if `member` says how it is
     * called there. With one medium alone it is that one. */
    bool media;
    bool begins; /* a scan here begins the first deed, and is what its first field asks for */
};
/* The i-th deed that is offered now; NULL: there are not so many. */
const struct deed *screen_deed(const struct screen *sc, const struct desk *d,
                               const struct snapshot *s, size_t i);
/* What it is done to ("" where nothing is named); false: there is nothing. */
bool deed_about(const struct screen *sc, const struct deed *deed, const struct desk *d,
                const struct snapshot *s, char what[WHAT_CAP]);
void deeds_draw(struct grid *g, struct area a, const struct view *v);
int deeds_height(const struct view *v, int cols, int rows);
/* Left and right choose among deeds; a screen without rows to choose from gives it up
 * and down as such. True: it was one of these. */
bool deeds_act(const struct screen *sc, struct desk *d, const struct snapshot *s, enum act a);

/* The i-th that can be chosen for this field; false: there are not so many. */
bool field_option(const struct field *f, const struct view *v, size_t i, struct option *out);
bool field_chooses(const struct field *f); /* one of several, by arrows */
/* The field that is asked for; NULL: none, it is asked whether it is meant. */
const struct field *form_field(const struct form *f);
void form_draw(struct grid *g, struct area a, const struct view *v);

/* The place on the bench that a FIELD_STAND is at; arrows move it; the bench with it. */
#define BENCH_MOST 99
void bench_place(const struct form *f, const struct snapshot *s, int *row, int *column);
void bench_move(struct form *f, const struct snapshot *s, enum act a);
void bench_draw(struct grid *g, struct area a, const struct view *v);

/* What this screen asked for and takes long is shown: it runs, or nobody has seen its end. */
bool job_shown(const struct screen *sc, const struct desk *d, const struct snapshot *s);
void job_draw(struct grid *g, struct area a, const struct view *v);

struct screen {
    const char *name;  /* "log"; its command barcode is LINESIDE-LOG */
    const char *title; /* in English */
    const char *help;  /* one sentence, for the menu */
    const struct part *parts;
    size_t count;
    /* What it asks of the line, when it is opened and every so often; NULL: nothing. */
    const char *verb;
    int every_s; /* 0: only when it is opened, or another thing is searched */
    bool searches; /* what is scanned or typed here is searched for, as `what` */
    bool everybody; /* shown while the screen is locked, too */
    /* What an action does here besides what it does everywhere; NULL: nothing.
     * True: it is done. */
    bool (*act)(struct desk *d, const struct snapshot *s, int cols, int rows, enum act a);
    const struct doings *does; /* NULL: nothing more */
};

extern const struct screen screen_line, screen_keys, screen_menu, screen_events, screen_stock,
    screen_unit, screen_fixtures, screen_quarantine, screen_log, screen_about,
    screen_orders, screen_order, screen_shift, screen_fixture, screen_golden, screen_import,
    screen_export, screen_people, screen_settings, screen_returns, screen_scanners;
/* Shown in place of the line while that is not there. */
extern const struct screen screen_gone;

extern const struct screen *const screens[];
extern const size_t screen_count;
const struct screen *screen_of(const char *name); /* in any case; NULL: none */

void screen_draw(const struct screen *s, struct grid *g, const struct snapshot *now,
                 const struct desk *d);
/* The tile of one fixture. */
void slot_draw(struct grid *g, struct area a, const struct view *v, const struct slot *s);
/* Rows that the one part without a height of its own has. */
int screen_rest(const struct screen *s, const struct view *v, int cols, int rows);

#endif

/* ui/widgets/view: all that a screen is drawn from, besides its size. */
#ifndef LINESIDE_UI_VIEW_H
#define LINESIDE_UI_VIEW_H

#include "ui/cells/cells.h"
#include "ui/model/snapshot.h"
#include "ui/words/words.h"

#define TYPED_MAX 256

enum prompt {
    PROMPT_NONE, /* what is typed is a scan */
    PROMPT_BADGE,
    PROMPT_PIN
};

/* What a deed wants to be told before it is done, as far as it was: ui/screens/screens.h
 * says what its fields are. A PIN is in it in clear; nobody draws that, and
 * form_forget wipes it. */
#define FORM_FIELDS 8
struct form {
    const struct deed *deed; /* NULL: no form is open */
    char about[WHAT_CAP];    /* what it is done to */
    char person[NAME_CAP];   /* who was logged in when it was opened */
    size_t at;               /* the field that is asked for; all of them: is it meant? */
    size_t row;              /* of what can be chosen there */
    bool sent;               /* the line is at it */
    char value[FORM_FIELDS][WHAT_CAP];
};

/* What whoever stands before the screen has done with it. */
struct desk {
    enum lang lang;
    bool mute;
    bool locked;
    char selected[NAME_CAP]; /* a fixture; "": none */
    size_t at;  /* the row, or the page, that is shown first */
    enum prompt prompt;
    char typed[TYPED_MAX + 1]; /* a PIN, too: nobody draws that */
    char fixture[NAME_CAP]; /* scanned, its unit is awaited; or of the PIN */
    char what[WHAT_CAP]; /* searched for, or what the screen is about */
    char notice[SENTENCE_CAP]; /* the answer to what was done last; "": none */
    bool notice_bad;
    bool leaving; /* asked once */
    size_t pick;  /* of what can be done here */
    const char *sure; /* the verb that was asked once; NULL: none */
    struct form form;
    unsigned job_seen; /* whose end was seen */
};

struct view {
    const struct snapshot *s;
    const struct desk *d;
    const char *screen; /* its name */
    const char *title;  /* in English */
};

static inline const char *say(const struct view *v, const char *text)
    __attribute__((format_arg(2)));
static inline const char *say(const struct view *v, const char *text)
{
    return tr(v->d->lang, text);
}

#endif

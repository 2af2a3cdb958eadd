/* ui/scan/form: a deed's fields, asked for one after the other. Knows what a field may
 * look like, not what it may say. */
#ifndef LINESIDE_UI_FORM_H
#define LINESIDE_UI_FORM_H

#include "ui/screens/screens.h"

/* about: what the deed is done to. */
void form_open(struct desk *d, const struct snapshot *s, const struct deed *deed,
               const char *about);
/* All that was told is wiped, and the form is shut. */
void form_forget(struct desk *d);

/* d->typed (wiped) is for the field that is asked for. False: it cannot be that; why,
 * in the desk's language. */
bool form_take(struct desk *d, const struct snapshot *s, char why[SENTENCE_CAP]);
/* To the field before, which is forgotten; from the first one, out. */
void form_back(struct desk *d);
/* Arrows and pages, where something can be chosen. */
void form_choose(struct desk *d, const struct snapshot *s, enum act a);
/* PINs are wiped, and what comes from the first one on is asked anew. */
void form_wipe_pins(struct desk *d);

/* What was told, into the act's members. False: it is no text that can be sent. */
bool form_members(const struct form *f, json_t *members);

#endif

/* show/figures.h: counts of a shift or a day, added up for the screen: in
 * all, per fixture, per person. */
#ifndef LINESIDE_SHOW_FIGURES_H
#define LINESIDE_SHOW_FIGURES_H

#include "station/container/shift_record.h"

#include <jansson.h>

/* Zeroed is empty. */
struct figures {
    json_t *counts;    /* each as it was given                            */
    json_t *total;     /* { "unit": { "passed": 8 }, "failure": { "": 2 } } */
    json_t *codes;     /* { "unit failed no-card": 2 }                    */
    json_t *fixtures;  /* { "F1": as total }                              */
    json_t *operators;
};
void figures_clear(struct figures *f);

void figures_add(struct figures *f, struct span fixture, struct span person,
                 enum shift_what what, struct span outcome, struct span code,
                 uint64_t n);
/* Into an object of the caller's. */
void figures_json(const struct figures *f, json_t *into);

#endif

/* cmd/figures_out.h: counts of a shift or a day, added up for the screen: in
 * all, per fixture, per person. */
#ifndef LINESIDE_CMD_FIGURES_OUT_H
#define LINESIDE_CMD_FIGURES_OUT_H

#include "station/container/shift_record.h"

#include <jansson.h>

/* Zeroed is empty. */
struct figures_out {
    json_t *counts;    /* each as it was given                            */
    json_t *total;     /* { "unit": { "passed": 8 }, "failure": { "": 2 } } */
    json_t *codes;     /* { "unit failed no-card": 2 }                    */
    json_t *fixtures;  /* { "F1": as total }                              */
    json_t *operators;
};
void figures_out_clear(struct figures_out *f);

void figures_out_add(struct figures_out *f, struct span fixture,
                     struct span person, enum shift_what what,
                     struct span outcome, struct span code, uint64_t n);
/* Into an object of the caller's. */
void figures_out_json(const struct figures_out *f, json_t *into);
void figures_out_print(const struct figures_out *f);

#endif

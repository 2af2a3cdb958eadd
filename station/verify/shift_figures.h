/* verify/shift_figures.h: figures of a shift, by what they are of: as its record says
 * them, and as its events do. What counts as what: docs/formats/ledger.md, "Figures". */
#ifndef LINESIDE_VERIFY_SHIFT_FIGURES_H
#define LINESIDE_VERIFY_SHIFT_FIGURES_H

#include "station/container/shift_record.h"
#include "station/verify/findings.h"

/* By what they are of, as text. Zeroed is empty. */
struct figures {
    struct figure {
        char *key;
        uint64_t n;
    } *v; /* by key */
    size_t n, cap;
};
void figures_clear(struct figures *f);

int figures_count(struct figures *f, enum shift_what what, struct span outcome,
                  struct span code, struct span fixture, struct span person,
                  uint64_t n, struct err *e);

/* n things of a bundle, or positions if `whose` is empty, change state. */
struct move {
    struct span whose, from, to; /* from empty: they come in */
    uint64_t n;
};
int figures_move(struct figures *f, const struct move *m, struct err *e);
/* So many more of them (whose as above) are in this state; from 0 - n: fewer. */
int figures_state(struct figures *f, struct span whose, struct span state,
                  uint64_t n, struct err *e);

/* The first that differ are told one by one, the others by their number. */
bool figures_agree(const struct figures *said, const struct figures *seen,
                   struct findings *f);

#endif

/* smdpf/book.h: what the SM-DPfs of a world know: WORLD/smdpf.db. One file
 * for all of them; rows carry the OID of whose they are. */
#ifndef LINESIDE_LAB_SMDPF_BOOK_H
#define LINESIDE_LAB_SMDPF_BOOK_H

#include "tests/lab/sql.h"
#include "tests/lab/world.h"

int book_open(const struct world *w, struct sql **out, struct err *e);

/* Take in every euicc-data container of WORLD/out that is not in the book
 * yet: proven in full (CMS, chain, role; per eUICC its certificate under the
 * EUM with the EIN, subject = EID; per key its EUICCSigned2), then stored in
 * one transaction. */
int book_intake(const struct world *w, struct sql *book, unsigned threads,
                struct err *e);

#endif

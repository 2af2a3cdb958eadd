/* drivers/bench: a software eUICC behind a Unix socket, in vsmartcard's
 * framing (2-octet big-endian length; one-octet controls 0 off, 1 on, 2 reset,
 * 4 get ATR; everything else an APDU). `where` is the path of the socket or of
 * a symbolic link to it: what lies there is the card in the slot, so each
 * power_on connects anew. */
#ifndef LINESIDE_DRIVERS_BENCH_H
#define LINESIDE_DRIVERS_BENCH_H

#include "drivers/fixture.h"

/* The fixtures of an embedded bench: one per socket or symbolic link in a
 * directory, named by its file name. Sorted by name; dot files, other kinds of
 * files and names that no scan line could say (longer than FIXTURE_NAME_MAX,
 * blanks, control characters) are not fixtures. Read it again to see what was
 * plugged in or pulled out. */
struct bench_entry {
    char name[FIXTURE_NAME_MAX + 1];
    char *where; /* dir/name */
};
struct bench_entries {
    struct bench_entry *v;
    size_t n;
};
int bench_list(const char *dir, struct bench_entries *out, struct err *e);
void bench_entries_clear(struct bench_entries *l);

#endif

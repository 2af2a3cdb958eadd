/* A fixture that follows a script: each command must be the one expected next
 * and gets the answer that stands beside it. */
#ifndef LINESIDE_TESTS_SCRIPT_H
#define LINESIDE_TESTS_SCRIPT_H

#include "drivers/fixture.h"

struct script_row {
    const char *expect; /* hex; "..." at its end: whatever follows; NULL: power on */
    const char *answer; /* hex with status word (or the ATR); or "no card",
                           "timeout", "format", "io": the driver's own failure */
};

/* rows end with an all-NULL one; they are borrowed. A command that is not
 * expected, or one too many, fails the test at once. */
struct fixture *script_new(const struct script_row *rows);
/* How many rows were played; fails the test unless all were when `all`. */
size_t script_played(const struct fixture *f, bool all);
bool script_powered(const struct fixture *f);
int script_last_timeout(const struct fixture *f);

#define SCRIPT_ATR "3B9F96C00A3FC7828031E073FE211F65D002331"  \
                   "4A5810FE4"
#define SCRIPT_TERMINAL_CAPABILITY "80AA00000AA9088100820101830107"
#define SCRIPT_SELECT(cla) cla "A4040010A0000005591010FFFFFFFF8900000100"
/* Power on, terminal capability, channel 1, SELECT: what opens a session. */
#define SCRIPT_OPEN                            \
    { NULL, SCRIPT_ATR },                      \
    { SCRIPT_TERMINAL_CAPABILITY, "9000" },    \
    { "0070000001", "019000" },                \
    { SCRIPT_SELECT("01"), "9000" }

#endif

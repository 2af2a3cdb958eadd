/* lab/euicc_fixture.h: the software eUICC as a fixture in-process: no socket,
 * no second process. For tests and benches. */
#ifndef LINESIDE_LAB_EUICC_FIXTURE_H
#define LINESIDE_LAB_EUICC_FIXTURE_H

#include "drivers/fixture.h"
#include "tests/lab/euicc/card.h"

/* `where` is the path of a chip's file (euicc/store.h). A path that is no chip
 * fails at power_on with ERR_NO_CARD, as an empty slot does. */
extern const struct fixture_ops fixture_euicc;

/* The same with the card's options; NULL: none. */
int euicc_fixture_new(const char *path, const struct card_options *options,
                      struct fixture **out, struct err *e);

/* APDUs the chip has seen in this fixture. */
unsigned euicc_fixture_apdus(const struct fixture *f);

#endif

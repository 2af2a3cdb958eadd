/* tests/unit/known_pin.h: hashes of PINs for tests that are not about hashing. */
#ifndef LINESIDE_TESTS_UNIT_KNOWN_PIN_H
#define LINESIDE_TESTS_UNIT_KNOWN_PIN_H

#include "station/people/pin.h"

/* As pin_hash_make makes it, once per PIN and program: it takes a tenth of a second
 * and 32 MiB, on purpose. */
const struct pin_hash *known_pin(const char *pin);

#endif

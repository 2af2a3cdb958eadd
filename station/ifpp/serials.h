/* ifpp/serials.h: the pattern that a work order's serial numbers follow
 * (docs/formats/order.md). Small on purpose: every element has one width, and
 * at most one run of any length, so that a match costs one walk.
 *
 *     #        one digit
 *     @        one letter A-Z or a-z
 *     ?        one printable ASCII character
 *     *        any text, also none; at most once
 *     {A-B}    a number from A to B, of as many digits as A and B have
 *     \c       the character c itself
 *     others   themselves */
#ifndef LINESIDE_IFPP_SERIALS_H
#define LINESIDE_IFPP_SERIALS_H

#include "station/base/err.h"

#include <stdbool.h>

#define SERIALS_MAX 64 /* octets of a pattern; printable ASCII */

/* ERR_FORMAT, and what is wrong with it. */
int serials_check(const char *pattern, struct err *e);
/* pattern must have passed serials_check. */
bool serials_match(const char *pattern, const char *serial);

#endif

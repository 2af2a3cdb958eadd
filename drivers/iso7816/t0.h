/* iso7816/t0: short APDUs on T=0 at TPDU level (ISO/IEC 7816-3:2006, clause
 * 12.2).
 *
 * Procedure octets (NULL, ACK, ~INS, SW1) are the reader's: a CCID reader at
 * TPDU level handles them all and tells of a NULL as a request for more time
 * (CCID 1.10, 3.2.1); only at character level, which is refused, would they
 * come to the host. So there is nothing of them here.
 *
 * 61xx and 6Cxx are answers like any other: who sends GET RESPONSE, or a
 * command again with another Le, is above all drivers. */
#ifndef LINESIDE_DRIVERS_ISO7816_T0_H
#define LINESIDE_DRIVERS_ISO7816_T0_H

#include "station/base/err.h"
#include "station/base/span.h"

#define T0_TPDU_MAX 260 /* header of five and 255 octets of data */
#define T0_DATA_MAX 256

struct t0_tpdu {
    uint8_t octets[T0_TPDU_MAX];
    size_t n;
    size_t out; /* data octets that go to the card                    */
    size_t in;  /* most data octets that come back, without SW1 SW2   */
};

/* A short command APDU of case 1 to 4. ERR_USAGE: extended, not well-formed,
 * or a CLA or INS that T=0 cannot carry (CLA FF; INS 6x, 9x). */
int t0_command(struct span apdu, struct t0_tpdu *out, struct err *e);

/* What the reader gave back for it: data and SW1 SW2, which is the response
 * APDU as it stands. ERR_FORMAT: more than was asked for, or no status word. */
int t0_response(const struct t0_tpdu *tpdu, struct span answer, struct err *e);

#endif

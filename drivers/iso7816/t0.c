#include "drivers/iso7816/t0.h"

#include <string.h>

#define HEADER 4
#define P3 4
#define CLA_RESERVED 0xff /* PPSS: never a class */

/* INS 6x and 9x would be taken for the first octet of a status word (10.3.2). */
static bool carriable(struct span apdu)
{
    uint8_t kind = apdu.p[1] & 0xf0;

    return apdu.p[0] != CLA_RESERVED && kind != 0x60 && kind != 0x90;
}

static int refuse(struct err *e, const char *why)
{
    return err_set(e, ERR_USAGE, "T=0 cannot carry this command: %s", why);
}

int t0_command(struct span apdu, struct t0_tpdu *out, struct err *e)
{
    struct t0_tpdu t = { .n = HEADER + 1 };

    if (apdu.n < HEADER)
        return refuse(e, "it is shorter than a header");
    if (!carriable(apdu))
        return refuse(e, "its CLA or INS is reserved");
    if (apdu.n > HEADER + 1) { /* case 3 or 4 */
        t.out = apdu.p[P3];
        if (t.out == 0)
            return refuse(e, "it is an extended command");
        if (apdu.n != HEADER + 1 + t.out && apdu.n != HEADER + 2 + t.out)
            return refuse(e, "its length is not what its Lc says");
        t.n += t.out;
    } else if (apdu.n == HEADER + 1) { /* case 2 */
        t.in = apdu.p[P3] ? apdu.p[P3] : T0_DATA_MAX;
    }
    /* Case 1 gets P3 = 00, which is there already; case 4 loses its Le. */
    memcpy(t.octets, apdu.p, apdu.n < t.n ? apdu.n : t.n);
    *out = t;
    return 0;
}

int t0_response(const struct t0_tpdu *tpdu, struct span answer, struct err *e)
{
    uint8_t sw1;

    if (answer.n < 2)
        return err_set(e, ERR_FORMAT,
                       "the card's answer over T=0 has no status word");
    if (answer.n > tpdu->in + 2)
        return err_set(e, ERR_FORMAT,
                       "the card's answer over T=0 has %zu octets, at most "
                       "%zu were asked for", answer.n, tpdu->in + 2);
    sw1 = answer.p[answer.n - 2];
    if (sw1 == 0x60 || ((sw1 & 0xf0) != 0x60 && (sw1 & 0xf0) != 0x90))
        return err_set(e, ERR_FORMAT,
                       "the card's answer over T=0 ends with %02X%02X, which "
                       "is no status word", sw1, answer.p[answer.n - 1]);
    return 0;
}

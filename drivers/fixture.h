/* drivers/fixture.h: one slot that holds one eUICC.
 *
 * Drivers move octets. They know no SGP.22 and never retry: the FPA decides,
 * because a resent ES8f segment can burn a one-time key. One command APDU in,
 * one response APDU out; GET RESPONSE and 6Cxx live above all drivers
 * (binding, clause 4). A fixture is used by one thread at a time. */
#ifndef LINESIDE_DRIVERS_FIXTURE_H
#define LINESIDE_DRIVERS_FIXTURE_H

#include "station/base/err.h"
#include "station/base/span.h"

#define FIXTURE_ATR_MAX 33
#define FIXTURE_NAME_MAX 63
#define FIXTURE_RESPONSE_MAX 258 /* short APDU: 256 data octets and SW */

struct fixture; /* a driver's own; starts with the ops pointer */

struct fixture_ops {
    const char *name; /* "bench", "ccid", "fault" */

    /* Make ready the slot that `where` names in this driver's words. No card
     * is needed or touched. env is what the driver works on and must outlive
     * the fixture (ccid: its readers; bench: nothing, NULL). The caller owns
     * *out. */
    int (*open)(void *env, const char *where, struct fixture **out,
                struct err *e);

    /* Cold reset. *atr is replaced by what the card said. ERR_NO_CARD when
     * there is none or it does not answer within timeout_ms. ERR_NOT_FOUND,
     * ERR_WRONG_STATE: the fixture itself is not there (its reader was pulled),
     * or cannot be used. */
    int (*power_on)(struct fixture *f, struct buf *atr, int timeout_ms,
                    struct err *e);

    /* One exchange. *rsp is replaced; at least two octets on success.
     * ERR_NO_CARD: the card or reader went away. ERR_TIMEOUT: no answer in
     * timeout_ms; the card's state is then unknown and the caller powers it
     * off. ERR_FORMAT: what came cannot be a response. */
    int (*transmit)(struct fixture *f, struct span cmd, struct buf *rsp,
                    int timeout_ms, struct err *e);

    void (*power_off)(struct fixture *f); /* never fails; harmless twice */
    void (*close)(struct fixture *f);     /* powers off; NULL is fine    */

    /* How fast the card with power is spoken to, in TA1's form; 0: not known.
     * NULL: this driver has nothing that is fast or slow. */
    uint8_t (*speed)(struct fixture *f);
};

struct fixture {
    const struct fixture_ops *ops;
};

static inline uint8_t fixture_speed(struct fixture *f)
{
    return f->ops->speed ? f->ops->speed(f) : 0;
}

extern const struct fixture_ops fixture_bench;

/* Every driver the station ships, NULL-terminated. */
extern const struct fixture_ops *const fixture_drivers[];

/* "bench:/run/bench/F1" -> driver and the rest. NULL: no such driver. */
const struct fixture_ops *fixture_driver(const char *spec, const char **where);

#endif

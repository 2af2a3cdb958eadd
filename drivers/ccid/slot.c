#include "drivers/ccid/slot.h"

#include <stdlib.h>
#include <string.h>

#include "drivers/ccid/link.h"
#include "drivers/ccid/places.h"
#include "station/base/clock.h"

#define ATTEMPTS 10       /* more speeds than any card has */
#define OVERTAKEN_MAX 2
#define FAULTS_TOLERATED 3 /* mended ones in one session */
#define POWER_OFF_MS 3000
#define APDU_MIN 4

struct ccid_slot {
    struct fixture base;
    struct ccid_readers *readers;
    char path[USB_PATH_MAX + 1];
    unsigned slot;
    struct ccid_hold hold; /* while there is a session */
    struct ccid_link link;
    uint32_t ceiling;      /* of this session */
    bool live;             /* it can take a command */
    bool doubt;            /* something went wrong in it */
    unsigned exchanges;
};

static struct ccid_slot *self(struct fixture *f)
{
    return (struct ccid_slot *)f;
}

static int ccid_open(void *env, const char *where, struct fixture **out,
                     struct err *e)
{
    struct ccid_slot *s;
    char path[USB_PATH_MAX + 1];
    unsigned slot;

    if (!ccid_place_parse(where, path, &slot))
        return err_set(e, ERR_USAGE,
                       "\"%.60s\" is no place on the bus; it is written 1-2.4, "
                       "or 1-2.4:1 for the second slot",
                       where);
    if (ccid_place_check(env, path, slot, e) != 0)
        return -1;
    s = calloc(1, sizeof *s);
    if (!s)
        return err_set(e, ERR_NOMEM, "no memory for a fixture");
    s->base.ops = &fixture_ccid;
    s->readers = env;
    s->slot = slot;
    memcpy(s->path, path, sizeof path);
    *out = &s->base;
    return 0;
}

/* --- sessions ---------------------------------------------------------------------- */

static void step_down(struct ccid_slot *s)
{
    struct pps_plan slower;

    if (ccid_link_slower(&s->link, s->ceiling, &slower)) {
        s->ceiling = slower.bps;
        ccid_place_step_down(s->readers, s->path, s->slot, slower.fidi,
                             slower.bps);
    }
}

static void end_session(struct ccid_slot *s)
{
    if (!s->hold.device)
        return;
    ccid_link_power_off(&s->link, clock_monotonic_ms() + POWER_OFF_MS);
    if (s->live && s->link.faults >= FAULTS_TOLERATED)
        step_down(s);
    if (s->exchanges && !s->doubt)
        ccid_reader_praise(s->hold.reader);
    ccid_reader_use(s->hold.reader, s->hold.slot, false);
    ccid_place_release(&s->hold);
    s->live = false;
}

static int begin_session(struct ccid_slot *s, int64_t limit, struct err *e)
{
    if (ccid_place_hold(s->readers, s->path, s->slot, limit, &s->hold, e) != 0)
        return -1;
    ccid_reader_use(s->hold.reader, s->hold.slot, true);
    s->link = (struct ccid_link){
        .reader = s->hold.reader,
        .slot = s->hold.slot,
        .profile = ccid_reader_profile(s->hold.reader),
    };
    s->ceiling = ccid_place_ceiling(s->readers, s->path, s->slot);
    s->doubt = false;
    s->exchanges = 0;
    return 0;
}

static int power_up(struct ccid_slot *s, struct buf *atr, int64_t limit,
                    struct err *e)
{
    bool plain = false;
    unsigned overtaken = 0;

    for (unsigned i = 0; i < ATTEMPTS; i++) {
        uint32_t before = s->ceiling;
        unsigned epoch = ccid_reader_epoch(s->link.reader, s->link.slot);

        switch (ccid_link_power_on(&s->link, s->ceiling, plain, atr, limit, e)) {
        case CCID_POWER_GOOD:
            return 0;
        case CCID_POWER_SLOWER:
            step_down(s);
            if (s->ceiling == before)
                return -1;
            break;
        case CCID_POWER_PLAIN:
            plain = true;
            break;
        case CCID_POWER_BAD:
            /* The reader was reset for what was before this session, or the
             * card was changed: no command was sent yet, so begin again. */
            if (epoch == ccid_reader_epoch(s->link.reader, s->link.slot) ||
                overtaken++ == OVERTAKEN_MAX || clock_monotonic_ms() >= limit)
                return -1;
            break;
        }
    }
    return -1;
}

static int ccid_power_on(struct fixture *f, struct buf *atr, int timeout_ms,
                         struct err *e)
{
    struct ccid_slot *s = self(f);
    int64_t limit = clock_monotonic_ms() + (timeout_ms > 0 ? timeout_ms : 0);
    struct err why = ERR_INIT;

    end_session(s);
    if (begin_session(s, limit, e) != 0)
        return -1;
    if (power_up(s, atr, limit, &why) == 0) {
        s->live = true;
        ccid_place_speed(s->readers, s->path, s->slot, s->link.fidi);
        return 0;
    }
    s->doubt = true;
    end_session(s);
    /* fixture.h: a card that does not come up in time is no card. */
    return err_set(e, why.code == ERR_TIMEOUT ? ERR_NO_CARD : why.code, "%s",
                   why.msg);
}

static int ccid_transmit(struct fixture *f, struct span cmd, struct buf *rsp,
                         int timeout_ms, struct err *e)
{
    struct ccid_slot *s = self(f);
    int64_t limit = clock_monotonic_ms() + (timeout_ms > 0 ? timeout_ms : 0);

    if (cmd.n < APDU_MIN || cmd.n > CCID_APDU_MAX)
        return err_set(e, ERR_INTERNAL, "%zu octets are no short command",
                       cmd.n);
    if (!s->live)
        return err_set(e, ERR_NO_CARD, "the card has no power");
    if (ccid_link_transmit(&s->link, cmd, rsp, limit, e) == 0) {
        s->exchanges++;
        return 0;
    }
    s->live = false;
    s->doubt = true;
    if (s->link.faults)
        step_down(s);
    return -1;
}

static void ccid_power_off(struct fixture *f)
{
    end_session(self(f));
}

static uint8_t ccid_speed(struct fixture *f)
{
    return self(f)->live ? self(f)->link.fidi : 0;
}

static void ccid_close(struct fixture *f)
{
    if (!f)
        return;
    end_session(self(f));
    free(self(f));
}

const struct fixture_ops fixture_ccid = {
    .name = "ccid",
    .open = ccid_open,
    .power_on = ccid_power_on,
    .transmit = ccid_transmit,
    .power_off = ccid_power_off,
    .close = ccid_close,
    .speed = ccid_speed,
};

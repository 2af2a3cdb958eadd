#include "drivers/ccid/descriptor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "drivers/iso7816/atr.h"

#define CLASS_CCID 0x0B
#define CLASS_VENDOR 0xFF
#define DESCRIPTOR_TYPE 0x21
#define DESCRIPTOR_LENGTH 54
#define LEVELS 0x00070000u

#define PACKET_MIN 8
#define PACKET_MAX 1024
#define TPDU_T0_MAX (CCID_HEADER + 5 + 255) /* the longest command; an answer
                                               is 258 */
#define BLOCK_OVERHEAD 5                    /* NAD, PCB, LEN, CRC */
#define IFSD_FIRST 32 /* ISO 7816-3 11.4.2: what holds before the first S(IFS) */
#define IFSD_LAST 254
#define PART_MIN 64   /* a part of a chained APDU smaller than this is none */
#define CLOCK_MIN_KHZ 1000 /* ISO 7816-3 5.2.3 */
#define CLOCK_MAX_KHZ 20000

struct raw {
    unsigned slots, busy;
    uint8_t voltages;
    uint32_t protocols, clock, rate, rate_max, ifsd, features, message_max;
};

static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 |
           p[0];
}

/* The class descriptor in what follows the interface. Empty: none. bad: the
 * lengths do not add up, so that nothing in there can be trusted. */
static struct span find_class(struct span in, bool *bad)
{
    struct span found = { NULL, 0 };

    *bad = false;
    while (in.n) {
        size_t n = in.p[0];

        if (in.n < 2 || n < 2 || n > in.n) {
            *bad = true;
            return found;
        }
        if (in.p[1] == DESCRIPTOR_TYPE && !found.n)
            found = SPAN(in.p, n);
        in = SPAN(in.p + n, in.n - n);
    }
    return found;
}

bool ccid_descriptor_is_reader(const struct usb_interface *i)
{
    bool bad;

    if (i->class_code == CLASS_CCID)
        return true;
    /* HID and DFU use type 21h as well, but are shorter. */
    return i->class_code == CLASS_VENDOR &&
           find_class(i->extra, &bad).n == DESCRIPTOR_LENGTH;
}

static int take_raw(const struct usb_interface *i, struct raw *out,
                    struct err *e)
{
    bool bad;
    struct span d = find_class(i->extra, &bad);

    if (bad)
        return err_set(e, ERR_FORMAT,
                       "its class descriptors are cut short or overlap, so "
                       "that nothing it says can be relied on; replace it");
    if (d.n == 0)
        return err_set(e, ERR_FORMAT,
                       "it has no CCID class descriptor; replace it");
    if (d.n < DESCRIPTOR_LENGTH)
        return err_set(e, ERR_FORMAT,
                       "its CCID class descriptor has %zu octets instead of "
                       "%d; replace it",
                       d.n, DESCRIPTOR_LENGTH);
    *out = (struct raw){
        .slots = d.p[4] + 1u,
        .voltages = d.p[5] & 7,
        .protocols = le32(d.p + 6),
        .clock = le32(d.p + 10),
        .rate = le32(d.p + 19),
        .rate_max = le32(d.p + 23),
        .ifsd = le32(d.p + 28),
        .features = le32(d.p + 40),
        .message_max = le32(d.p + 44),
        .busy = d.p[53],
    };
    return 0;
}

static void note(struct ccid_profile *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void note(struct ccid_profile *p, const char *fmt, ...)
{
    size_t n = strlen(p->notes);
    va_list ap;

    if (n && n + 2 < sizeof p->notes) {
        memcpy(p->notes + n, "; ", 3);
        n += 2;
    }
    va_start(ap, fmt);
    vsnprintf(p->notes + n, sizeof p->notes - n, fmt, ap);
    va_end(ap);
}

/* --- one judgement each ------------------------------------------------------ */

static int judge_kind(const struct usb_interface *i, struct err *e)
{
    if (!ccid_descriptor_is_reader(i))
        return err_set(e, ERR_FORMAT,
                       "its interface is of class %02X and has no CCID class "
                       "descriptor of 54 octets, so that it is no card reader",
                       i->class_code);
    if (i->alternate != 0)
        return err_set(e, ERR_FORMAT,
                       "its CCID interface exists only as an alternate "
                       "setting; use a reader that works as it is plugged");
    if (i->protocol != 0)
        return err_set(e, ERR_FORMAT,
                       "it is an ICCD token (interface protocol %u), which is "
                       "a card in itself and has no slot; use a reader",
                       i->protocol);
    return 0;
}

static bool usable_endpoint(const struct usb_endpoint *ep, uint8_t type, bool in)
{
    return (ep->attributes & 3) == type && ((ep->address & 0x80) != 0) == in &&
           (ep->address & 0x0F) != 0 && ep->max_packet > 0;
}

static int judge_endpoints(const struct usb_interface *i,
                           struct ccid_profile *p, struct err *e)
{
    for (size_t n = 0; n < i->endpoint_count; n++) {
        const struct usb_endpoint *ep = &i->endpoints[n];

        for (size_t k = 0; k < n; k++)
            if (i->endpoints[k].address == ep->address)
                return err_set(e, ERR_FORMAT,
                               "it names endpoint %02X twice; replace it",
                               ep->address);
        if (!p->bulk_in && usable_endpoint(ep, 2, true)) {
            p->bulk_in = ep->address;
            p->in_packet = ep->max_packet;
        } else if (!p->bulk_out && usable_endpoint(ep, 2, false)) {
            p->bulk_out = ep->address;
            p->out_packet = ep->max_packet;
        } else if (!p->interrupt && usable_endpoint(ep, 3, true)) {
            p->interrupt = ep->address;
            p->interrupt_packet = ep->max_packet;
        }
    }
    if (!p->bulk_in || !p->bulk_out)
        return err_set(e, ERR_FORMAT,
                       "it has no bulk endpoint %s the station; replace it",
                       p->bulk_in ? "from" : "to");
    if (p->in_packet < PACKET_MIN || p->in_packet > PACKET_MAX ||
        p->out_packet < PACKET_MIN || p->out_packet > PACKET_MAX)
        return err_set(e, ERR_FORMAT,
                       "its bulk packets of %u and %u octets are nothing that "
                       "USB allows; replace it",
                       p->out_packet, p->in_packet);
    if (p->interrupt_packet > PACKET_MAX)
        p->interrupt = 0;
    if (!p->interrupt)
        note(p, "slots are polled");
    return 0;
}

static int judge_level(const struct raw *r, struct ccid_profile *p,
                       struct err *e)
{
    switch (r->features & LEVELS) {
    case 0:
        return err_set(e, ERR_FORMAT,
                       "it exchanges single characters only (character "
                       "level), whose timing cannot be kept over USB; use a "
                       "reader with TPDU or APDU level");
    case 0x00010000:
        p->level = CCID_EXCHANGE_TPDU;
        return 0;
    case 0x00020000:
        p->level = CCID_EXCHANGE_SHORT;
        return 0;
    case 0x00040000:
        p->level = CCID_EXCHANGE_EXTENDED;
        return 0;
    default:
        return err_set(e, ERR_FORMAT,
                       "it claims several exchange levels at once (dwFeatures "
                       "%08lX); replace it",
                       (unsigned long)r->features);
    }
}

static int judge_slots(const struct raw *r, struct ccid_profile *p,
                       struct err *e)
{
    if (r->slots > CCID_SLOTS_OF_READER)
        return err_set(e, ERR_LIMIT,
                       "it claims %u slots and %d are the most that is "
                       "believed; replace it",
                       r->slots, CCID_SLOTS_OF_READER);
    p->slots = r->slots;
    p->busy_slots = r->busy < r->slots ? r->busy : r->slots;
    if (r->busy == 0) {
        p->busy_slots = 1;
        note(p, "says that it can do nothing at once, taken as one command");
    }
    return 0;
}

static int judge_power(const struct raw *r, struct ccid_profile *p,
                       struct err *e)
{
    p->voltages = r->features & CCID_AUTO_VOLTAGE ? 0 : r->voltages;
    if (!p->voltages && !(r->features & CCID_AUTO_VOLTAGE))
        return err_set(e, ERR_FORMAT,
                       "it names no voltage that it can give to a card; "
                       "replace it");
    return 0;
}

/* The reader finds the speed of the line for itself. */
static bool follows_parameters(uint32_t features)
{
    return (features & (CCID_AUTO_RATE | CCID_AUTO_NEGOTIATION)) != 0;
}

static int judge_clock(const struct raw *r, struct ccid_profile *p,
                       struct err *e)
{
    bool odd = r->clock < CLOCK_MIN_KHZ || r->clock > CLOCK_MAX_KHZ;

    if (odd && !follows_parameters(r->features))
        return err_set(e, ERR_FORMAT,
                       "it wants to be told its speed, but a clock of %lu kHz "
                       "cannot be; replace it",
                       (unsigned long)r->clock);
    if (r->rate == 0 && r->rate_max == 0 && !follows_parameters(r->features))
        return err_set(e, ERR_FORMAT,
                       "it wants to be told its speed, but names none that it "
                       "can do; replace it");
    p->clock_khz = odd ? 0 : r->clock;
    p->rate_max = r->rate_max;
    if (odd)
        note(p, "a clock of %lu kHz is not believed", (unsigned long)r->clock);
    return 0;
}

/* The fastest that its clock and its greatest data rate allow. Readers round
 * their rates; one per cent is less than the step between two speeds. */
static void judge_speed(struct ccid_profile *p)
{
    uint64_t limit = (uint64_t)p->rate_max + p->rate_max / 100;

    if (!p->clock_khz)
        return;
    p->fidi_max = 0x11;
    p->speed = (uint32_t)((uint64_t)p->clock_khz * 1000 / 372);
    for (unsigned ta1 = 0x11; ta1 < 0x100; ta1++) {
        uint16_t f = atr_f((uint8_t)ta1);
        uint64_t rate = f ? (uint64_t)p->clock_khz * 1000 *
                                atr_d((uint8_t)ta1) / f
                          : 0;

        if (rate <= limit && rate > p->speed) {
            p->fidi_max = (uint8_t)ta1;
            p->speed = (uint32_t)rate;
        }
    }
}

/* At TPDU level a message must hold what the protocol needs; a small one may
 * do for T=1, whose blocks can be made smaller. */
static int judge_tpdu(const struct raw *r, struct ccid_profile *p,
                      struct err *e)
{
    size_t room = p->message_max > CCID_HEADER + BLOCK_OVERHEAD
                      ? p->message_max - CCID_HEADER - BLOCK_OVERHEAD
                      : 0;

    p->ifsd = r->ifsd < IFSD_LAST ? r->ifsd : IFSD_LAST;
    if (p->ifsd > room)
        p->ifsd = (unsigned)room;
    if (p->t0 && p->message_max < TPDU_T0_MAX) {
        p->t0 = false;
        note(p, "no T=0: messages of %zu octets hold no command with 255 "
                "octets of data",
             p->message_max);
    }
    if (p->t1 && p->ifsd < IFSD_FIRST) {
        p->t1 = false;
        note(p, "no T=1: blocks of %u octets are less than the %d every card "
                "may begin with",
             p->ifsd, IFSD_FIRST);
    }
    if (!p->t0 && !p->t1)
        return err_set(e, ERR_FORMAT,
                       "its messages of at most %zu octets (IFSD %u) hold "
                       "neither a T=0 command nor a T=1 block; replace it",
                       p->message_max, p->ifsd);
    if (p->t1 && p->ifsd < r->ifsd && p->ifsd < IFSD_LAST)
        note(p, "T=1 blocks cut to %u octets by its messages of %zu", p->ifsd,
             p->message_max);
    return 0;
}

static int judge_messages(const struct raw *r, struct ccid_profile *p,
                          struct err *e)
{
    p->t0 = r->protocols & 1;
    p->t1 = r->protocols & 2;
    p->message_max = r->message_max;
    if (!p->t0 && !p->t1)
        return err_set(e, ERR_FORMAT,
                       "it offers neither T=0 nor T=1 (dwProtocols %08lX), "
                       "and an eUICC speaks nothing else; use another reader",
                       (unsigned long)r->protocols);
    if (r->message_max > CCID_MESSAGE_LIMIT)
        return err_set(e, ERR_LIMIT,
                       "it claims messages of %lu octets, and the longest "
                       "that CCID knows has %d; replace it",
                       (unsigned long)r->message_max, CCID_MESSAGE_LIMIT);
    if (p->level == CCID_EXCHANGE_TPDU)
        return judge_tpdu(r, p, e);
    if (p->level == CCID_EXCHANGE_SHORT &&
        p->message_max < CCID_HEADER + CCID_APDU_MAX)
        return err_set(e, ERR_LIMIT,
                       "its messages of at most %zu octets do not hold a "
                       "short APDU (%d); replace it",
                       p->message_max, CCID_HEADER + CCID_APDU_MAX);
    if (p->message_max < PART_MIN)
        return err_set(e, ERR_LIMIT,
                       "its messages of at most %zu octets are too small even "
                       "for an APDU in parts (%d); replace it",
                       p->message_max, PART_MIN);
    if (p->message_max < CCID_HEADER + CCID_APDU_MAX)
        note(p, "longer APDUs go in parts of %zu octets",
             p->message_max - CCID_HEADER);
    return 0;
}

int ccid_descriptor_judge(const struct usb_interface *i,
                          struct ccid_profile *out, struct err *e)
{
    struct ccid_profile p = { .interface = i->number };
    struct raw r = { 0 };

    if (judge_kind(i, e) != 0 || take_raw(i, &r, e) != 0)
        return -1;
    p.features = r.features;
    if (judge_level(&r, &p, e) != 0 || judge_endpoints(i, &p, e) != 0 ||
        judge_slots(&r, &p, e) != 0 || judge_power(&r, &p, e) != 0 ||
        judge_clock(&r, &p, e) != 0 || judge_messages(&r, &p, e) != 0)
        return -1;
    judge_speed(&p);
    *out = p;
    return 0;
}

const char *ccid_exchange_text(enum ccid_exchange x)
{
    switch (x) {
    case CCID_EXCHANGE_TPDU:
        return "TPDU";
    case CCID_EXCHANGE_SHORT:
        return "short APDU";
    case CCID_EXCHANGE_EXTENDED:
        return "extended APDU";
    }
    return "?";
}

char *ccid_descriptor_text(const struct ccid_profile *p, char *out, size_t cap)
{
    char speed[64];

    if (p->fidi_max)
        snprintf(speed, sizeof speed, "up to %lu bit/s (TA1=%02X)",
                 (unsigned long)p->speed, p->fidi_max);
    else
        snprintf(speed, sizeof speed, "its own speed");
    snprintf(out, cap, "%s level, %s%s%s, %s, %u slot%s",
             ccid_exchange_text(p->level), p->t0 ? "T=0" : "",
             p->t0 && p->t1 ? " and " : "", p->t1 ? "T=1" : "", speed,
             p->slots, p->slots == 1 ? "" : "s");
    return out;
}

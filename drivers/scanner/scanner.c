#include "drivers/scanner/scanner.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/scanner/kernel.h"
#include "station/base/clock.h"

/* HID 1.11, 7.1 and 7.2. */
#define CLASS_HID 3
#define SUBCLASS_BOOT 1
#define DESCRIPTOR_HID 0x21
#define DESCRIPTOR_REPORT 0x22
#define DESCRIPTOR_DEVICE 0x01
#define GET_DESCRIPTOR 0x06
#define SET_IDLE 0x0A
#define SET_PROTOCOL 0x0B
#define PROTOCOL_REPORT 1
#define FROM_DEVICE 0x80
#define FROM_INTERFACE 0x81
#define TO_INTERFACE_CLASS 0x21

#define CONTROL_MS 1000
#define IN_FLIGHT 2    /* one is taken while the other waits */
#define FAILURES_MAX 5 /* in a row */
#define REST_MS 10     /* after the first failure; doubled each time */
#define INTERFACES_MAX 32
#define PACKET_MAX 1024

struct scanner {
    struct usb_handle *h;
    struct scanner_options o;
    uint32_t claimed; /* a bit for each interface */
    struct hid_scanner hid;
    char name[64];

    uint8_t endpoint;
    struct usb_transfer t[IN_FLIGHT];
    uint8_t *octets; /* IN_FLIGHT times room */
    size_t room;

    pthread_mutex_t lock; /* over what follows */
    struct decode decode;
    bool started;
    bool down[IN_FLIGHT]; /* waits for scanner_tend */
    bool halted;
    unsigned failures; /* since a report came */
};

static const char *path_of(const struct scanner *s)
{
    return usb_handle_device(s->h)->path;
}

/* --- reports ---------------------------------------------------------------------- */

/* With the lock held. True: somebody must attend. */
static bool failed(struct scanner *s, size_t which, enum usb_status status)
{
    s->down[which] = true;
    if (status == USB_CANCELLED)
        return false;
    if (status == USB_GONE) {
        decode_end(&s->decode);
        return false;
    }
    decode_lost(&s->decode, clock_monotonic_ms());
    s->halted |= status == USB_STALL;
    s->failures++;
    return true;
}

static void done(struct usb_transfer *t, enum usb_status status, size_t actual)
{
    struct scanner *s = t->ctx;
    size_t which = (size_t)(t - s->t);
    bool attend;

    pthread_mutex_lock(&s->lock);
    bool idle = decode_deadline(&s->decode) < 0;
    /* One that came before the scanner left, or we let go, may not have been
     * looked at until now. */
    if (status == USB_DONE ||
        ((status == USB_GONE || status == USB_CANCELLED) && actual > 0))
        decode_report(&s->decode, SPAN(t->data, actual), clock_monotonic_ms());
    if (status == USB_DONE) {
        s->failures = 0;
        attend = idle && decode_deadline(&s->decode) >= 0;
    } else {
        attend = failed(s, which, status);
    }
    pthread_mutex_unlock(&s->lock);
    if (status == USB_DONE && usb_submit(s->h, t, NULL) != 0) {
        pthread_mutex_lock(&s->lock);
        s->down[which] = true;
        s->failures++;
        pthread_mutex_unlock(&s->lock);
        attend = !usb_gone(s->h);
    }
    if (attend)
        s->o.attend(s->o.ctx);
}

static int listen_to(struct scanner *s, struct err *e)
{
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        pthread_mutex_lock(&s->lock);
        bool down = s->down[i];
        s->down[i] = false;
        pthread_mutex_unlock(&s->lock);
        if (!down || usb_submit(s->h, &s->t[i], e) == 0)
            continue;
        pthread_mutex_lock(&s->lock);
        s->down[i] = true;
        pthread_mutex_unlock(&s->lock);
        return -1;
    }
    return 0;
}

int scanner_tend(struct scanner *s, struct err *e)
{
    pthread_mutex_lock(&s->lock);
    unsigned failures = s->failures;
    bool halted = s->halted, any = false;
    for (size_t i = 0; i < IN_FLIGHT; i++)
        any |= s->down[i];
    s->halted = false;
    pthread_mutex_unlock(&s->lock);
    if (!s->started || !any || usb_gone(s->h))
        return 0; /* nothing, or the news of its leaving is on the way */
    if (failures > FAILURES_MAX)
        return err_set(e, ERR_IO,
                       "scanner %s: its reports fail again and again; check "
                       "cable and hub, plug it again, and replace it if that "
                       "does not help",
                       path_of(s));
    if (failures > 0)
        poll(NULL, 0, REST_MS << (failures - 1));
    if (halted && usb_clear_halt(s->h, s->endpoint, e) != 0)
        return usb_gone(s->h) ? 0 : err_wrap(e, "scanner %s", path_of(s));
    if (listen_to(s, e) != 0)
        return usb_gone(s->h) ? 0 : err_wrap(e, "scanner %s", path_of(s));
    return 0;
}

int64_t scanner_deadline(struct scanner *s)
{
    pthread_mutex_lock(&s->lock);
    int64_t at = s->started ? decode_deadline(&s->decode) : -1;
    pthread_mutex_unlock(&s->lock);
    return at;
}

void scanner_tick(struct scanner *s, int64_t now_ms)
{
    pthread_mutex_lock(&s->lock);
    if (s->started)
        decode_tick(&s->decode, now_ms);
    pthread_mutex_unlock(&s->lock);
}

/* --- finding out ------------------------------------------------------------------- */

/* What the HID descriptor announces; 0: there is none that makes sense. */
static uint16_t announced_length(struct span extra)
{
    while (extra.n >= 2 && extra.p[0] >= 2 && extra.p[0] <= extra.n) {
        struct span d = span_sub(extra, 0, extra.p[0]);

        if (d.p[1] == DESCRIPTOR_HID)
            for (size_t at = 6; at + 3 <= d.n; at += 3)
                if (d.p[at] == DESCRIPTOR_REPORT)
                    return (uint16_t)(d.p[at + 1] | d.p[at + 2] << 8);
        extra = span_sub(extra, d.n, extra.n);
    }
    return 0;
}

static int read_descriptor(struct scanner *s, const struct usb_interface *i,
                           struct hid_scanner *out, struct err *e)
{
    uint16_t n = announced_length(i->extra);
    uint8_t octets[HID_DESCRIPTOR_MAX];
    size_t got;

    if (n == 0 || n > HID_DESCRIPTOR_MAX)
        return err_set(e, ERR_FORMAT,
                       "interface %u announces a report descriptor of %u octets",
                       i->number, n);
    if (usb_control(s->h, FROM_INTERFACE, GET_DESCRIPTOR, DESCRIPTOR_REPORT << 8,
                    i->number, octets, n, &got, CONTROL_MS, e) != 0)
        return -1;
    return hid_parse(SPAN(octets, got), out, e);
}

static const struct usb_endpoint *interrupt_in(const struct usb_interface *i)
{
    for (size_t k = 0; k < i->endpoint_count; k++)
        if ((i->endpoints[k].address & 0x80) && (i->endpoints[k].attributes & 3) == 3)
            return &i->endpoints[k];
    return NULL;
}

static bool wanted(const struct scanner *s, enum hid_kind k)
{
    return k == HID_POS || (k == HID_KEYBOARD && s->o.keyboard);
}

static bool is_claimed(const struct scanner *s, const struct usb_interface *i)
{
    return i->alternate == 0 && i->number < INTERFACES_MAX &&
           (s->claimed >> i->number & 1);
}

/* The claimed interface that scans; its descriptor is in s->hid. When none
 * does, s->hid is what was understood of the last. */
static const struct usb_interface *find_interface(struct scanner *s, struct err *e)
{
    const struct usb_device *d = usb_handle_device(s->h);
    struct err why = ERR_INIT;

    for (size_t k = 0; k < d->interface_count; k++) {
        const struct usb_interface *i = &d->interfaces[k];
        struct hid_scanner hid;

        if (!is_claimed(s, i) || read_descriptor(s, i, &hid, &why) != 0)
            continue;
        if (wanted(s, hid.kind)) {
            s->hid = hid;
            return i;
        }
        if (s->hid.kind != HID_KEYBOARD)
            s->hid = hid;
    }
    if (why.code != ERR_NONE) /* the one that could not be read may be it */
        err_set(e, why.code, "%s; plug it again, and replace it if that does "
                "not help", why.msg);
    else
        err_set(e, ERR_WRONG_STATE, "it is %s",
                s->hid.verdict[0] ? s->hid.verdict : "no HID device");
    return NULL;
}

static void read_name(struct scanner *s)
{
    uint8_t d[18];
    size_t got;

    if (usb_control(s->h, FROM_DEVICE, GET_DESCRIPTOR, DESCRIPTOR_DEVICE << 8, 0,
                    d, sizeof d, &got, CONTROL_MS, NULL) == 0 && got == sizeof d)
        usb_string(s->h, d[15], s->name, sizeof s->name);
}

/* --- start ------------------------------------------------------------------------- */

/* A transfer ends with a short packet or when it is full: where one report
 * is one packet at most, room for one packet keeps reports apart. */
static int make_transfers(struct scanner *s, const struct usb_endpoint *in,
                          struct err *e)
{
    size_t packet = in->max_packet;

    if (packet == 0 || packet > PACKET_MAX)
        return err_set(e, ERR_FORMAT, "its endpoint has packets of %zu octets", packet);
    s->endpoint = in->address;
    s->room = (s->hid.report_max + packet - 1) / packet * packet;
    s->octets = calloc(IN_FLIGHT, s->room);
    if (!s->octets)
        return err_set(e, ERR_NOMEM, "no memory for its reports");
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        s->t[i].endpoint = in->address;
        s->t[i].interrupt = true;
        s->t[i].data = s->octets + i * s->room;
        s->t[i].length = s->room;
        s->t[i].done = done;
        s->t[i].ctx = s;
        s->down[i] = true;
    }
    return 0;
}

static int start_reports(struct scanner *s, const struct usb_interface *i,
                         struct err *e)
{
    const struct usb_endpoint *in = interrupt_in(i);

    if (!in)
        return err_set(e, ERR_FORMAT, "interface %u has no interrupt endpoint", i->number);
    if (make_transfers(s, in, e) != 0)
        return -1;
    /* Both may be refused: reports are then the only protocol it has, or it
     * repeats them, which does no harm. */
    if (i->subclass == SUBCLASS_BOOT)
        usb_control(s->h, TO_INTERFACE_CLASS, SET_PROTOCOL, PROTOCOL_REPORT,
                    i->number, NULL, 0, NULL, CONTROL_MS, NULL);
    usb_control(s->h, TO_INTERFACE_CLASS, SET_IDLE, 0, i->number, NULL, 0, NULL,
                CONTROL_MS, NULL);
    pthread_mutex_lock(&s->lock);
    decode_init(&s->decode, &s->hid, &s->o.settings, s->o.scan, s->o.ctx);
    s->started = true;
    pthread_mutex_unlock(&s->lock);
    return listen_to(s, e);
}

int scanner_start(struct scanner *s, struct err *e)
{
    const struct usb_interface *i = find_interface(s, e);

    if (s->claimed)
        read_name(s);
    if (!i || start_reports(s, i, e) != 0)
        return err_wrap(e, "scanner %s", path_of(s));
    return 0;
}

/* --- open and close ------------------------------------------------------------------ */

/* Is it worth a claim: nothing is taken from the kernel to be asked what the
 * kernel knows already. */
static bool may_scan(struct scanner *s, const struct usb_interface *i)
{
    AUTO(buf_clear) struct buf known = BUF_INIT;
    struct hid_scanner hid;

    if (i->class_code != CLASS_HID || i->alternate != 0 || i->number >= INTERFACES_MAX)
        return false;
    if (s->o.keyboard)
        return true;
    if (i->subclass == SUBCLASS_BOOT)
        return false; /* a keyboard or a mouse */
    if (!kernel_report_descriptor(path_of(s), i->number, &known) ||
        hid_parse(buf_span(&known), &hid, NULL) != 0 || hid.kind == HID_POS)
        return true;
    s->hid = hid; /* for scanner_start's verdict */
    return false;
}

static int claim_all(struct scanner *s, struct err *e)
{
    const struct usb_device *d = usb_handle_device(s->h);

    for (size_t k = 0; k < d->interface_count; k++) {
        const struct usb_interface *i = &d->interfaces[k];

        if (!may_scan(s, i))
            continue;
        if (usb_claim(s->h, i->number, e) != 0)
            return err_wrap(e, "scanner %s", path_of(s));
        s->claimed |= UINT32_C(1) << i->number;
    }
    return 0;
}

int scanner_open(struct usb *u, const char *path,
                 const struct scanner_options *o, struct scanner **out,
                 struct err *e)
{
    struct scanner *s = calloc(1, sizeof *s);

    if (!s)
        return err_set(e, ERR_NOMEM, "no memory for a scanner");
    pthread_mutex_init(&s->lock, NULL);
    s->o = *o;
    if (usb_open(u, path, &s->h, e) != 0 || claim_all(s, e) != 0) {
        scanner_close(s);
        return -1;
    }
    *out = s;
    return 0;
}

enum hid_kind scanner_kind(const struct scanner *s)
{
    return s->hid.kind;
}

const char *scanner_name(const struct scanner *s)
{
    return s->name;
}

void scanner_close(struct scanner *s)
{
    if (!s)
        return;
    usb_close(s->h); /* no callback after this */
    if (s->started)
        decode_end(&s->decode);
    pthread_mutex_destroy(&s->lock);
    free(s->octets);
    free(s);
}

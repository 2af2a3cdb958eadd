#include "tests/lab/usb/hid_model.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ENDPOINT 0x81
#define REQUEST_GET_DESCRIPTOR 0x06
#define DESCRIPTOR_REPORT 0x22
#define REQUEST_SET_REPORT 0x09
#define REQUEST_SET_IDLE 0x0A
#define REQUEST_SET_PROTOCOL 0x0B
#define KEY_PHANTOM 0x01
#define POS_DATA 56
#define REPORT_ROOM 80

struct hid_model {
    struct lab_usb_device base;
    struct hid_model_options o;
    char *suffix, *prefix;
    struct buf descriptor;
    struct lab_in *in;

    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t listened;
    bool plugged, listens;
    unsigned lives; /* plugged in for the so many-eth time */
    enum hid_model_fault fault;
};

/* A keyboard that follows the HID specification's example of one. */
static const char boot_descriptor[] =
    "05010906a101"             /* application: keyboard               */
    "050719e029e7150025017501" /* modifiers,                          */
    "95088102"                 /* a bit each                          */
    "95017508" "8101"          /* an octet of nothing                 */
    "95057501050819012905" "9102" "950175039101" /* LEDs              */
    "95067508150025650507" "19002965" "8100"     /* six keys          */
    "c0";

/* Report 5: keys 04 to 73 a bit each, then the modifiers. */
static const char odd_descriptor[] =
    "05010906a1018505"
    "05071904297315002501750195708102"
    "19e029e795088102"
    "c0";

/* Report 2: how many octets count, three of symbology, 56 of data, two more,
 * and a bit that says that the scan goes on. */
static const char pos_descriptor[] =
    "058c0902a1010912a1028502150026ff007508"
    "95010501093b8102"
    "058c09fb09fc09fd95038102"
    "09fe9538820201"
    "95028103"
    "09ff2501750195018102"
    "75078103"
    "c0c0";

static struct hid_model *self(struct lab_usb_device *d)
{
    return (struct hid_model *)d;
}

/* --- the device's side of USB ---------------------------------------------------- */

static void control(struct hid_model *m, struct lab_urb *u)
{
    uint8_t type = u->setup[0], request = u->setup[1];
    size_t n = m->descriptor.n < u->length ? m->descriptor.n : u->length;

    if (type == 0x81 && request == REQUEST_GET_DESCRIPTOR &&
        u->setup[3] == DESCRIPTOR_REPORT) {
        if (n)
            memcpy(u->data, m->descriptor.p, n);
        lab_urb_complete(u, LAB_USB_OK, n);
    } else if (type == 0x21 && !m->o.refuse_idle &&
               (request == REQUEST_SET_IDLE || request == REQUEST_SET_PROTOCOL ||
                request == REQUEST_SET_REPORT)) {
        lab_urb_complete(u, LAB_USB_OK, u->length);
    } else {
        lab_urb_complete(u, LAB_USB_STALL, 0);
    }
}

static void submit(struct lab_usb_device *d, struct lab_urb *u)
{
    struct hid_model *m = self(d);
    bool data = u->endpoint == ENDPOINT;

    pthread_mutex_lock(&m->lock);
    if (!m->plugged)
        m->lives++;
    m->plugged = true;
    m->listens |= data;
    pthread_cond_broadcast(&m->listened);
    pthread_mutex_unlock(&m->lock);
    if (data)
        lab_in_submit(m->in, u);
    else if ((u->endpoint & 0x0F) == 0)
        control(m, u);
    else
        lab_urb_complete(u, LAB_USB_STALL, 0);
}

static void cancel(struct lab_usb_device *d, struct lab_urb *u)
{
    lab_in_cancel(self(d)->in, u, LAB_USB_CANCELLED);
}

static void clear_halt(struct lab_usb_device *d, uint8_t endpoint)
{
    if (endpoint == ENDPOINT)
        lab_in_clear_halt(self(d)->in);
}

/* What was typed and not fetched is gone with the power. */
static void power_gone(struct hid_model *m, bool plugged)
{
    pthread_mutex_lock(&m->lock);
    m->plugged = plugged;
    m->listens = false;
    m->fault = HID_MODEL_FAULT_NONE;
    lab_in_flush(m->in, LAB_USB_GONE);
    pthread_mutex_unlock(&m->lock);
}

static void reset(struct lab_usb_device *d)
{
    power_gone(self(d), true);
}

static void unplugged(struct lab_usb_device *d)
{
    power_gone(self(d), false);
}

static void model_free(struct lab_usb_device *d)
{
    struct hid_model *m = self(d);

    if (!m)
        return;
    lab_in_free(m->in);
    buf_clear(&m->base.device);
    buf_clear(&m->base.config);
    buf_clear(&m->descriptor);
    free(m->suffix);
    free(m->prefix);
    pthread_mutex_destroy(&m->lock);
    pthread_cond_destroy(&m->listened);
    free(m);
}

static void put_u16le(struct buf *b, uint16_t v)
{
    buf_put_u8(b, (uint8_t)v);
    buf_put_u8(b, (uint8_t)(v >> 8));
}

static void describe(struct hid_model *m)
{
    const struct hid_model_options *o = &m->o;
    static const char *const descriptors[HID_MODELS] = {
        [HID_MODEL_KEYBOARD] = boot_descriptor, [HID_MODEL_ODD] = odd_descriptor,
        [HID_MODEL_POS] = pos_descriptor,
    };
    struct buf *d = &m->base.device, *c = &m->base.config;
    bool boot = o->kind == HID_MODEL_KEYBOARD;

    if (o->descriptor.n)
        buf_put_span(&m->descriptor, o->descriptor);
    else
        buf_put_hex(&m->descriptor, descriptors[o->kind]);
    buf_put_hex(d, "1201000200000040");
    put_u16le(d, o->vendor ? o->vendor : 0x1209);
    put_u16le(d, o->product ? o->product : 0x5193);
    buf_put_hex(d, "0001");
    buf_put_u8(d, 0);
    buf_put_u8(d, o->name ? 1 : 0);
    buf_put_u8(d, o->serial ? 2 : 0);
    buf_put_u8(d, 1);
    /* Configuration, interface, HID, endpoint. */
    buf_put_hex(c, "09022200010100a032");
    buf_put_hex(c, boot ? "090400000103010100" : "090400000103000000");
    buf_put_hex(c, "092111010001" "22");
    put_u16le(c, o->descriptor_length ? o->descriptor_length
                                      : (uint16_t)m->descriptor.n);
    buf_put_hex(c, boot ? "07058103080001" : "07058103400001");
    m->base.strings[1] = o->name;
    m->base.strings[2] = o->serial;
    m->base.speed = 2;
    m->base.kernel_driver = "usbhid";
}

int hid_model_new(const struct hid_model_options *o, struct lab_usb_device **out,
                  struct err *e)
{
    static const struct lab_usb_ops ops = { "hid", submit, cancel, clear_halt,
                                            reset, unplugged, model_free };
    struct hid_model *m = calloc(1, sizeof *m);
    const char *suffix = o->suffix ? o->suffix : o->kind == HID_MODEL_POS ? "" : "\r";

    if (!m)
        return err_set(e, ERR_NOMEM, "no memory for a scanner");
    m->base.ops = &ops;
    m->o = *o;
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->listened, NULL);
    m->suffix = strdup(suffix);
    m->prefix = strdup(o->prefix ? o->prefix : "");
    m->in = lab_in_new(ENDPOINT, o->kind == HID_MODEL_KEYBOARD ? 8 : 64);
    describe(m);
    if (!m->suffix || !m->prefix || !m->in || !buf_ok(&m->base.device) ||
        !buf_ok(&m->base.config) || !buf_ok(&m->descriptor)) {
        model_free(&m->base);
        return err_set(e, ERR_NOMEM, "no memory for a scanner");
    }
    *out = &m->base;
    return 0;
}

/* --- typing ------------------------------------------------------------------------ */

/* One pull of the trigger. */
struct pull {
    struct hid_model *m;
    unsigned life;
    enum hid_model_fault fault;
    size_t reports, fault_at; /* the fault strikes this one */
    uint8_t held;             /* the key that is down; 0: none */
    struct err *e;
};

static int put(struct pull *p, const uint8_t *report, size_t n)
{
    struct hid_model *m = p->m;
    uint8_t longer[REPORT_ROOM + 8] = { 0 };
    bool there, struck = p->reports++ == p->fault_at;

    memcpy(longer, report, n);
    if (struck && p->fault == HID_MODEL_FAULT_SHORT)
        n -= 3;
    if (struck && p->fault == HID_MODEL_FAULT_LONG)
        n += 8;
    pthread_mutex_lock(&m->lock);
    there = m->plugged && m->lives == p->life;
    for (int i = 0; there && i < (p->fault == HID_MODEL_FAULT_DOUBLE ? 2 : 1); i++)
        lab_in_put(m->in, SPAN(longer, n));
    pthread_mutex_unlock(&m->lock);
    if (!there)
        return err_set(p->e, ERR_NO_CARD, "the scanner was pulled");
    if (m->o.pace_us)
        usleep(m->o.pace_us);
    return 0;
}

static int put_boot(struct pull *p, uint8_t modifiers, uint8_t first, uint8_t second)
{
    const uint8_t phantom[8] = { modifiers, 0, KEY_PHANTOM, KEY_PHANTOM,
                                 KEY_PHANTOM, KEY_PHANTOM, KEY_PHANTOM, KEY_PHANTOM };
    const uint8_t r[8] = { modifiers, 0, first, second };

    if (p->fault == HID_MODEL_FAULT_PHANTOM && put(p, phantom, sizeof phantom) != 0)
        return -1;
    return put(p, r, sizeof r);
}

static int put_odd(struct pull *p, uint8_t modifiers, uint8_t usage)
{
    uint8_t r[16] = { 5 };

    if (usage)
        r[1 + (usage - 4) / 8] = (uint8_t)(1u << ((usage - 4) % 8));
    r[15] = modifiers;
    return put(p, r, sizeof r);
}

static int put_keys(struct pull *p, uint8_t modifiers, uint8_t first, uint8_t second)
{
    return p->m->o.kind == HID_MODEL_ODD ? put_odd(p, modifiers, first)
                                         : put_boot(p, modifiers, first, second);
}

static int release(struct pull *p)
{
    p->held = 0;
    return put_keys(p, 0, 0, 0);
}

static int stroke(struct pull *p, struct hid_stroke s)
{
    bool rolls = p->m->o.rollover && p->m->o.kind == HID_MODEL_KEYBOARD;

    if (p->held == s.usage && p->fault != HID_MODEL_FAULT_NO_RELEASE &&
        release(p) != 0)
        return -1;
    if (rolls && p->held && put_keys(p, s.modifiers, p->held, s.usage) != 0)
        return -1;
    if (put_keys(p, s.modifiers, s.usage, 0) != 0)
        return -1;
    p->held = s.usage;
    return rolls || p->fault == HID_MODEL_FAULT_NO_RELEASE ? 0 : release(p);
}

static int strokes(struct pull *p, const struct hid_stroke *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (stroke(p, s[i]) != 0)
            return -1;
    return 0;
}

static int type(struct pull *p, const char *text)
{
    const struct hid_model_options *o = &p->m->o;
    struct hid_stroke s[HID_STROKES_MAX];
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++) {
        size_t n = hid_keys_type(o->layout, (struct hid_manner){ o->caps, o->keypad },
                                 text[i], s);

        if (n == 0)
            return err_set(p->e, ERR_USAGE, "a scanner cannot type octet %02X",
                           (unsigned char)text[i]);
        if (p->fault == HID_MODEL_FAULT_CUT && i == length / 2)
            return 0;
        if (p->fault == HID_MODEL_FAULT_ALT_CODES && i == 0)
            n = hid_keys_alt_code(text[i], s);
        if (strokes(p, s, n) != 0)
            return -1;
    }
    return p->held && p->fault != HID_MODEL_FAULT_NO_RELEASE ? release(p) : 0;
}

static int say(struct pull *p, const char *text)
{
    size_t left = strlen(text);

    do {
        uint8_t r[64] = { 2, 0, ']', 'C', '0' };
        size_t n = left < POS_DATA ? left : POS_DATA;

        memcpy(r + 5, text, n);
        r[1] = (uint8_t)(p->fault == HID_MODEL_FAULT_LENGTH ? POS_DATA + 1 : n);
        text += n;
        left -= n;
        r[63] = left > 0 || p->fault == HID_MODEL_FAULT_CUT;
        if (put(p, r, sizeof r) != 0)
            return -1;
    } while (left > 0);
    return 0;
}

int hid_model_scan(struct lab_usb_device *d, const char *text, struct err *e)
{
    struct hid_model *m = self(d);
    size_t n = strlen(m->prefix) + strlen(text) + strlen(m->suffix);
    AUTO(buf_clear) struct buf all = BUF_INIT;
    struct pull p = { .m = m, .e = e };

    buf_put_span(&all, SPAN_STR(m->prefix));
    buf_put_span(&all, SPAN_STR(text));
    buf_put_span(&all, SPAN_STR(m->suffix));
    buf_put_u8(&all, 0);
    if (!buf_ok(&all))
        return err_set(e, ERR_NOMEM, "no memory for a scan");
    pthread_mutex_lock(&m->lock);
    bool there = m->plugged;
    p.life = m->lives;
    p.fault = m->fault;
    m->fault = HID_MODEL_FAULT_NONE;
    pthread_mutex_unlock(&m->lock);
    if (!there)
        return err_set(e, ERR_NO_CARD, "the scanner is not plugged in");
    if (m->o.kind != HID_MODEL_POS)
        p.fault_at = n / 2 * 2; /* a key that goes down in the middle */
    return m->o.kind == HID_MODEL_POS ? say(&p, (const char *)all.p)
                                      : type(&p, (const char *)all.p);
}

void hid_model_report(struct lab_usb_device *d, struct span report)
{
    lab_in_put(self(d)->in, report);
}

void hid_model_fault(struct lab_usb_device *d, enum hid_model_fault f)
{
    struct hid_model *m = self(d);

    pthread_mutex_lock(&m->lock);
    m->fault = f;
    pthread_mutex_unlock(&m->lock);
}

bool hid_model_wait_listened(struct lab_usb_device *d, int timeout_ms)
{
    struct hid_model *m = self(d);
    struct timespec until;
    int r = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += timeout_ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    pthread_mutex_lock(&m->lock);
    while (!m->listens && r == 0)
        r = pthread_cond_timedwait(&m->listened, &m->lock, &until);
    bool listens = m->listens;
    pthread_mutex_unlock(&m->lock);
    return listens;
}

bool hid_model_wait_taken(struct lab_usb_device *d, int timeout_ms)
{
    for (int ms = 0; ms < timeout_ms && !lab_in_drained(self(d)->in); ms++)
        usleep(1000);
    return lab_in_drained(self(d)->in);
}

/* Chapter 9 of USB 2.0, from a model's descriptors. */
#include <string.h>

#include "tests/lab/usb/bus_inner.h"
#include "tests/lab/usb/descriptors.h"

enum request {
    GET_STATUS = 0,
    CLEAR_FEATURE = 1,
    SET_FEATURE = 3,
    GET_DESCRIPTOR = 6,
    GET_CONFIGURATION = 8,
    SET_CONFIGURATION = 9,
    GET_INTERFACE = 10,
    SET_INTERFACE = 11
};
enum { TYPE_DEVICE = 1, TYPE_CONFIGURATION = 2, TYPE_STRING = 3 };
enum { ENDPOINT_HALT = 0, REMOTE_WAKEUP = 1 };

struct setup {
    uint8_t type, request;
    uint16_t value, index, length;
};

static bool stall(struct lab_urb *u)
{
    lab_urb_complete(u, LAB_USB_STALL, 0);
    return true;
}

static bool done(struct lab_urb *u)
{
    lab_urb_complete(u, LAB_USB_OK, 0);
    return true;
}

static bool answer(struct lab_urb *u, struct span s)
{
    size_t n = s.n < u->length ? s.n : u->length;

    if (n)
        memcpy(u->data, s.p, n);
    lab_urb_complete(u, LAB_USB_OK, n);
    return true;
}

static bool string(const struct lab_usb_device *d, unsigned i, struct lab_urb *u)
{
    static const uint8_t languages[] = { 4, TYPE_STRING, 0x09, 0x04 };
    uint8_t out[255] = { 0, TYPE_STRING };
    size_t n = 2;

    if (i == 0)
        return answer(u, SPAN_ARRAY(languages));
    if (i >= LAB_USB_STRINGS || !d->strings[i])
        return stall(u);
    for (const char *s = d->strings[i]; *s && n + 2 <= 254; s++, n += 2)
        out[n] = (uint8_t)*s;
    out[0] = (uint8_t)n;
    return answer(u, SPAN(out, n));
}

static bool descriptor(const struct lab_usb_device *d, const struct setup *s,
                       struct lab_urb *u)
{
    struct span c;

    switch (s->value >> 8) {
    case TYPE_DEVICE:
        return answer(u, buf_span(&d->device));
    case TYPE_CONFIGURATION:
        c = configuration_at(buf_span(&d->config), s->value & 0xff);
        return c.n ? answer(u, c) : stall(u);
    case TYPE_STRING:
        return string(d, s->value & 0xff, u);
    default:
        return stall(u);
    }
}

static struct span configuration(const struct lab_bus_place *p)
{
    return configuration_of_value(buf_span(&p->is.model->config),
                                  p->configuration);
}

static bool set_configuration(struct lab_bus_place *p, const struct setup *s,
                              struct lab_urb *u)
{
    uint8_t value = (uint8_t)s->value;

    if (value &&
        configuration_of_value(buf_span(&p->is.model->config), value).n == 0)
        return stall(u);
    pthread_mutex_lock(&p->b->lock);
    p->configuration = value;
    p->halted = 0;
    memset(p->alternate, 0, sizeof p->alternate);
    pthread_mutex_unlock(&p->b->lock);
    tree_configured(p->b->tree, p->is.path, value);
    return done(u);
}

static bool set_interface(struct lab_bus_place *p, const struct setup *s,
                          struct lab_urb *u)
{
    struct span c = configuration(p);

    if (s->index >= LAB_INTERFACES || s->value > 255 ||
        interface_find(c, (uint8_t)s->index, s->value).n == 0)
        return stall(u);
    p->alternate[s->index] = (uint8_t)s->value;
    return done(u);
}

static bool get_interface(struct lab_bus_place *p, const struct setup *s,
                          struct lab_urb *u)
{
    if (s->index >= LAB_INTERFACES ||
        interface_find(configuration(p), (uint8_t)s->index, -1).n == 0)
        return stall(u);
    return answer(u, SPAN(&p->alternate[s->index], 1));
}

static bool status(struct lab_bus_place *p, const struct setup *s,
                   struct lab_urb *u)
{
    uint8_t out[2] = { 0, 0 };

    if ((s->type & 0x1f) == 2) {
        pthread_mutex_lock(&p->b->lock);
        out[0] = (p->halted & endpoint_bit((uint8_t)s->index)) != 0;
        pthread_mutex_unlock(&p->b->lock);
    }
    return answer(u, SPAN_ARRAY(out));
}

/* The call lock is held, so this is lab_bus_clear_halt but for that. */
static bool feature(struct lab_bus_place *p, const struct setup *s,
                    struct lab_urb *u)
{
    struct lab_usb_device *d = p->is.model;
    uint8_t recipient = s->type & 0x1f, endpoint = (uint8_t)s->index;

    if (recipient == 0 && s->value == REMOTE_WAKEUP)
        return done(u);
    if (recipient != 2 || s->value != ENDPOINT_HALT)
        return stall(u);
    pthread_mutex_lock(&p->b->lock);
    if (s->request == SET_FEATURE)
        p->halted |= endpoint_bit(endpoint);
    else
        p->halted &= ~endpoint_bit(endpoint);
    pthread_mutex_unlock(&p->b->lock);
    if (s->request == CLEAR_FEATURE && d->ops->clear_halt)
        d->ops->clear_halt(d, endpoint);
    return done(u);
}

bool standard_request(struct lab_bus_place *p, struct lab_urb *u)
{
    const struct setup s = {
        u->setup[0], u->setup[1],
        (uint16_t)(u->setup[2] | u->setup[3] << 8),
        (uint16_t)(u->setup[4] | u->setup[5] << 8),
        (uint16_t)(u->setup[6] | u->setup[7] << 8),
    };

    if (s.type & 0x60)
        return false;
    switch (s.request) {
    case GET_DESCRIPTOR:
        return (s.type & 0x1f) == 0 ? descriptor(p->is.model, &s, u) : false;
    case GET_CONFIGURATION:
        return answer(u, SPAN(&p->configuration, 1));
    case SET_CONFIGURATION:
        return set_configuration(p, &s, u);
    case GET_INTERFACE:
        return get_interface(p, &s, u);
    case SET_INTERFACE:
        return set_interface(p, &s, u);
    case GET_STATUS:
        return status(p, &s, u);
    case CLEAR_FEATURE:
    case SET_FEATURE:
        return feature(p, &s, u);
    default:
        return (s.type & 0x1f) == 0 ? stall(u) : false;
    }
}

#include "tests/lab/usb/fuse/device.h"

#include <linux/usb/ch9.h>
#include <stdlib.h>

struct device *device_new(struct lab_bus *b, pthread_mutex_t *lock,
                          const struct lab_place *p)
{
    struct device *d = calloc(1, sizeof *d);

    if (!d)
        return NULL;
    d->bus = b;
    d->lock = lock;
    d->place = *p;
    d->driver = p->model->kernel_driver;
    buf_put_span(&d->descriptors, buf_span(&p->model->device));
    buf_put_span(&d->descriptors, buf_span(&p->model->config));
    if (buf_ok(&d->descriptors))
        return d;
    device_free(d);
    return NULL;
}

void device_free(struct device *d)
{
    buf_clear(&d->descriptors);
    free(d);
}

/* The next descriptor; they may lie, but not make us overrun. */
static bool next_descriptor(struct span *in, struct span *out)
{
    if (in->n < 2 || in->p[0] < 2 || in->p[0] > in->n)
        return false;
    *out = span_sub(*in, 0, in->p[0]);
    *in = span_sub(*in, in->p[0], in->n);
    return true;
}

static bool is_interface(struct span d)
{
    return d.p[1] == USB_DT_INTERFACE && d.n >= USB_DT_INTERFACE_SIZE;
}

static bool find_interface(const struct device *d, unsigned number,
                           struct span *out)
{
    struct span in = buf_span(&d->descriptors);

    while (next_descriptor(&in, out))
        if (is_interface(*out) && out->p[2] == number)
            return true;
    return false;
}

bool device_has_interface(const struct device *d, unsigned interface)
{
    struct span s;

    return interface < DEVICE_INTERFACES && find_interface(d, interface, &s);
}

bool device_has_configuration(const struct device *d, unsigned value)
{
    struct span in = buf_span(&d->descriptors), s;

    while (next_descriptor(&in, &s))
        if (s.p[1] == USB_DT_CONFIG && s.n >= USB_DT_CONFIG_SIZE)
            return s.p[5] == value;
    return false;
}

const char *device_driver(const struct device *d, unsigned interface)
{
    return device_has_interface(d, interface) && !d->detached[interface]
               ? d->driver
               : NULL;
}

int device_endpoint_interface(const struct device *d, uint8_t endpoint)
{
    struct span in = buf_span(&d->descriptors), s;
    int interface = -1;

    while (next_descriptor(&in, &s)) {
        if (is_interface(s))
            interface = s.p[2] < DEVICE_INTERFACES ? s.p[2] : -1;
        if (s.p[1] == USB_DT_ENDPOINT && s.n >= USB_DT_ENDPOINT_SIZE &&
            s.p[2] == endpoint)
            return interface;
    }
    return -1;
}

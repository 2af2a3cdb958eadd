/* What a device says of itself, copied once, at its arrival. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/usb/internal.h"

#define PORTS_MAX 7 /* USB 2.0, 4.1.1: seven tiers with the host */

/* Places below a root hub; the root hub itself has no port. */
static int path_of(libusb_device *dev, char path[USB_PATH_MAX + 1])
{
    uint8_t port[PORTS_MAX];
    int n = libusb_get_port_numbers(dev, port, PORTS_MAX);
    int at;

    if (n <= 0)
        return -1;
    at = snprintf(path, USB_PATH_MAX + 1, "%u", libusb_get_bus_number(dev));
    for (int i = 0; i < n; i++)
        at += snprintf(path + at, (size_t)(USB_PATH_MAX + 1 - at), "%c%u",
                       i == 0 ? '-' : '.', port[i]);
    return 0;
}

/* libusb leaves an interface that was cut off with a count and no endpoints. */
static size_t endpoints_of(const struct libusb_interface_descriptor *i)
{
    return i->endpoint ? i->bNumEndpoints : 0;
}

/* The class descriptors follow the interface's; some readers have theirs
 * after the last endpoint. */
static struct span extra_of(const struct libusb_interface_descriptor *i)
{
    if (i->extra_length > 0)
        return SPAN(i->extra, (size_t)i->extra_length);
    if (endpoints_of(i) > 0) {
        const struct libusb_endpoint_descriptor *last =
            &i->endpoint[endpoints_of(i) - 1];
        if (last->extra_length > 0)
            return SPAN(last->extra, (size_t)last->extra_length);
    }
    return SPAN(NULL, 0);
}

struct sizes {
    size_t interfaces, endpoints, extra;
};

static struct sizes sizes_of(const struct libusb_config_descriptor *c)
{
    struct sizes s = { 0, 0, 0 };

    for (int n = 0; c && n < c->bNumInterfaces; n++)
        for (int a = 0; a < c->interface[n].num_altsetting; a++) {
            const struct libusb_interface_descriptor *i =
                &c->interface[n].altsetting[a];
            s.interfaces++;
            s.endpoints += endpoints_of(i);
            s.extra += extra_of(i).n;
        }
    return s;
}

static void copy_endpoint(struct usb_endpoint *to,
                          const struct libusb_endpoint_descriptor *from)
{
    to->address = from->bEndpointAddress;
    to->attributes = from->bmAttributes;
    to->interval = from->bInterval;
    to->max_packet = from->wMaxPacketSize & 0x7ff;
}

static void copy_interface(struct usb_interface *to,
                           const struct libusb_interface_descriptor *from)
{
    to->number = from->bInterfaceNumber;
    to->alternate = from->bAlternateSetting;
    to->class_code = from->bInterfaceClass;
    to->subclass = from->bInterfaceSubClass;
    to->protocol = from->bInterfaceProtocol;
    to->endpoint_count = endpoints_of(from);
    for (size_t i = 0; i < to->endpoint_count; i++)
        copy_endpoint(&to->endpoints[i], &from->endpoint[i]);
}

/* Behind the device there is room for all of it. */
static void copy_config(struct device *d, struct sizes s,
                        const struct libusb_config_descriptor *c)
{
    struct usb_interface *to = (struct usb_interface *)(d + 1);
    struct usb_endpoint *endpoint = (struct usb_endpoint *)(to + s.interfaces);
    uint8_t *octets = (uint8_t *)(endpoint + s.endpoints);

    d->pub.interfaces = to;
    d->pub.interface_count = s.interfaces;
    for (int n = 0; n < c->bNumInterfaces; n++)
        for (int a = 0; a < c->interface[n].num_altsetting; a++, to++) {
            const struct libusb_interface_descriptor *from =
                &c->interface[n].altsetting[a];
            struct span extra = extra_of(from);
            to->endpoints = endpoint;
            copy_interface(to, from);
            endpoint += to->endpoint_count;
            if (extra.n > 0)
                memcpy(octets, extra.p, extra.n);
            to->extra = SPAN(octets, extra.n);
            octets += extra.n;
        }
}

/* A device that has just come may not be configured yet: then it will be
 * with its first configuration, which libusb has in memory. */
static int config_of(libusb_device *dev, struct libusb_config_descriptor **out)
{
    int r = libusb_get_active_config_descriptor(dev, out);

    if (r != 0)
        r = libusb_get_config_descriptor(dev, 0, out);
    if (r != 0)
        *out = NULL;
    return r;
}

static const char *fault_of(int libusb_code)
{
    switch (libusb_code) {
    case 0:
        return NULL;
    case LIBUSB_ERROR_NOT_FOUND:
        return "the device has no configuration";
    case LIBUSB_ERROR_NO_MEM:
        return "no memory to read its configuration";
    default:
        return "the configuration descriptor is malformed";
    }
}

struct device *device_new(libusb_device *dev)
{
    struct libusb_device_descriptor desc;
    struct libusb_config_descriptor *c;
    char path[USB_PATH_MAX + 1];

    if (path_of(dev, path) != 0 || libusb_get_device_descriptor(dev, &desc) != 0)
        return NULL;
    int r = config_of(dev, &c);
    struct sizes s = sizes_of(c);
    struct device *d = calloc(1, sizeof *d + s.interfaces * sizeof(struct usb_interface) +
                                     s.endpoints * sizeof(struct usb_endpoint) + s.extra);
    if (d) {
        memcpy(d->pub.path, path, sizeof path);
        d->pub.vendor = desc.idVendor;
        d->pub.product = desc.idProduct;
        d->pub.release = desc.bcdDevice;
        d->pub.device_class = desc.bDeviceClass;
        d->pub.fault = fault_of(r);
        if (c)
            copy_config(d, s, c);
        d->libusb = libusb_ref_device(dev);
        atomic_init(&d->refs, 1);
    }
    libusb_free_config_descriptor(c);
    return d;
}

struct device *device_ref(struct device *d)
{
    atomic_fetch_add(&d->refs, 1);
    return d;
}

void device_unref(struct device *d)
{
    if (d && atomic_fetch_sub(&d->refs, 1) == 1) {
        libusb_unref_device(d->libusb);
        free(d);
    }
}

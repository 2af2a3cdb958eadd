/* Hubs: there is nothing to say to one but its descriptors. Its status
 * endpoint never reports, as the kernel reads it. */
#include <stdlib.h>

#include "tests/lab/usb/bus_inner.h"

struct hub {
    struct lab_usb_device base;
    struct lab_in *status;
};

static void hub_submit(struct lab_usb_device *d, struct lab_urb *u)
{
    struct hub *h = (struct hub *)d;

    if (u->endpoint == 0x81)
        lab_in_submit(h->status, u);
    else
        lab_urb_complete(u, LAB_USB_STALL, 0);
}

static void hub_cancel(struct lab_usb_device *d, struct lab_urb *u)
{
    lab_in_cancel(((struct hub *)d)->status, u, LAB_USB_CANCELLED);
}

static void hub_clear_halt(struct lab_usb_device *d, uint8_t endpoint)
{
    (void)d;
    (void)endpoint;
}

static void hub_gone(struct lab_usb_device *d)
{
    lab_in_flush(((struct hub *)d)->status, LAB_USB_GONE);
}

void hub_free(struct lab_usb_device *d)
{
    struct hub *h = (struct hub *)d;

    if (!h)
        return;
    lab_in_free(h->status);
    buf_clear(&h->base.device);
    buf_clear(&h->base.config);
    free(h);
}

struct lab_usb_device *hub_new(bool root)
{
    static const struct lab_usb_ops ops = { "hub",    hub_submit, hub_cancel,
                                            hub_clear_halt, hub_gone, hub_gone,
                                            hub_free };
    struct hub *h = calloc(1, sizeof *h);

    if (!h)
        return NULL;
    h->base.ops = &ops;
    h->base.speed = 3;
    h->base.kernel_driver = "hub";
    h->base.strings[1] = root ? "Lineside lab root hub" : "Lineside lab hub";
    h->status = lab_in_new(0x81, 4);
    buf_put_hex(&h->base.device, root ? "12010002090001406b1d0200000100010001"
                                      : "12010002090001400912905100010001" "0001");
    buf_put_hex(&h->base.config, "09021900010100e000" "0904000001090000" "00"
                                 "0705810304000c");
    if (!h->status || !buf_ok(&h->base.device) || !buf_ok(&h->base.config)) {
        hub_free(&h->base);
        return NULL;
    }
    return &h->base;
}

#include "tests/unit/usb/parrot.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define STORE_MAX 4096

struct parrot {
    struct lab_usb_device base;
    pthread_mutex_t lock;
    struct lab_in *bulk, *interrupt;
    struct lab_urb *silent; /* control transfers without an answer */
    uint8_t store[STORE_MAX];
    size_t stored;
    bool mute;
};

static struct parrot *self(struct lab_usb_device *d)
{
    return (struct parrot *)d;
}

static void keep_silent(struct parrot *k, struct lab_urb *u)
{
    pthread_mutex_lock(&k->lock);
    u->next = k->silent;
    k->silent = u;
    pthread_mutex_unlock(&k->lock);
}

/* NULL: any. False: not there. */
static bool break_silence(struct parrot *k, struct lab_urb *u, enum lab_usb_status s)
{
    struct lab_urb *found = NULL;

    pthread_mutex_lock(&k->lock);
    for (struct lab_urb **p = &k->silent; *p; p = &(*p)->next)
        if (!u || *p == u) {
            found = *p;
            *p = found->next;
            break;
        }
    pthread_mutex_unlock(&k->lock);
    if (found)
        lab_urb_complete(found, s, 0);
    return found != NULL;
}

static void store(struct parrot *k, struct lab_urb *u)
{
    pthread_mutex_lock(&k->lock);
    k->stored = u->length < STORE_MAX ? u->length : STORE_MAX;
    memcpy(k->store, u->data, k->stored);
    pthread_mutex_unlock(&k->lock);
    lab_urb_complete(u, LAB_USB_OK, u->length);
}

static void fetch(struct parrot *k, struct lab_urb *u)
{
    pthread_mutex_lock(&k->lock);
    size_t n = k->stored < u->length ? k->stored : u->length;
    memcpy(u->data, k->store, n);
    pthread_mutex_unlock(&k->lock);
    lab_urb_complete(u, LAB_USB_OK, n);
}

static void control(struct parrot *k, struct lab_urb *u)
{
    unsigned value = u->setup[2] | (unsigned)u->setup[3] << 8;

    switch (u->setup[1]) {
    case PARROT_STORE:
        store(k, u);
        return;
    case PARROT_FETCH:
        fetch(k, u);
        return;
    case PARROT_SILENCE:
        keep_silent(k, u);
        return;
    case PARROT_NOTIFY:
        lab_in_put(k->interrupt, SPAN(u->data, u->length));
        break;
    case PARROT_FAULT:
        lab_in_fault(k->bulk, (enum lab_usb_status)value, SPAN(u->data, u->length));
        break;
    case PARROT_MUTE:
        pthread_mutex_lock(&k->lock);
        k->mute = value != 0;
        pthread_mutex_unlock(&k->lock);
        break;
    default:
        lab_urb_complete(u, LAB_USB_STALL, 0);
        return;
    }
    lab_urb_complete(u, LAB_USB_OK, u->length);
}

static void echo(struct parrot *k, struct lab_urb *u)
{
    pthread_mutex_lock(&k->lock);
    bool mute = k->mute;
    pthread_mutex_unlock(&k->lock);
    if (!mute)
        lab_in_put(k->bulk, SPAN(u->data, u->length));
    lab_urb_complete(u, LAB_USB_OK, u->length);
}

static void parrot_submit(struct lab_usb_device *d, struct lab_urb *u)
{
    struct parrot *k = self(d);

    switch (u->endpoint) {
    case PARROT_OUT:
        echo(k, u);
        return;
    case PARROT_IN:
        lab_in_submit(k->bulk, u);
        return;
    case PARROT_INTERRUPT:
        lab_in_submit(k->interrupt, u);
        return;
    default:
        control(k, u);
    }
}

static void parrot_cancel(struct lab_usb_device *d, struct lab_urb *u)
{
    struct parrot *k = self(d);

    if (!lab_in_cancel(k->bulk, u, LAB_USB_CANCELLED) &&
        !lab_in_cancel(k->interrupt, u, LAB_USB_CANCELLED))
        break_silence(k, u, LAB_USB_CANCELLED);
}

static void parrot_clear_halt(struct lab_usb_device *d, uint8_t endpoint)
{
    if (endpoint == PARROT_IN)
        lab_in_clear_halt(self(d)->bulk);
}

static void parrot_gone(struct lab_usb_device *d)
{
    struct parrot *k = self(d);

    lab_in_flush(k->bulk, LAB_USB_GONE);
    lab_in_flush(k->interrupt, LAB_USB_GONE);
    while (break_silence(k, NULL, LAB_USB_GONE))
        ;
    pthread_mutex_lock(&k->lock);
    k->mute = false;
    pthread_mutex_unlock(&k->lock);
}

static void parrot_free(struct lab_usb_device *d)
{
    struct parrot *k = self(d);

    if (!k)
        return;
    lab_in_free(k->bulk);
    lab_in_free(k->interrupt);
    buf_clear(&d->device);
    buf_clear(&d->config);
    pthread_mutex_destroy(&k->lock);
    free(k);
}

static const struct lab_usb_ops parrot_ops = {
    .name = "parrot",
    .submit = parrot_submit,
    .cancel = parrot_cancel,
    .clear_halt = parrot_clear_halt,
    .reset = parrot_gone,
    .unplugged = parrot_gone,
    .free = parrot_free,
};

struct lab_usb_device *parrot_new(uint16_t product)
{
    struct parrot *k = calloc(1, sizeof *k);

    if (!k)
        return NULL;
    pthread_mutex_init(&k->lock, NULL);
    k->base.ops = &parrot_ops;
    k->base.speed = 2;
    k->base.strings[1] = "Lineside";
    k->base.strings[2] = "Parrot";
    k->bulk = lab_in_new(PARROT_IN, PARROT_PACKET);
    k->interrupt = lab_in_new(PARROT_INTERRUPT, 8);
    const uint8_t device[18] = { 18, 1, 0, 2, 0, 0, 0, 64, PARROT_VENDOR & 255,
                                 PARROT_VENDOR >> 8, (uint8_t)product,
                                 (uint8_t)(product >> 8), 0x34, 0x12, 1, 2, 0, 1 };
    buf_put(&k->base.device, device, sizeof device);
    /* One interface with two alternate settings: the first with class octets
     * and three endpoints, the second with class octets after its only
     * endpoint. */
    buf_put_hex(&k->base.config, "0902" "4000" "01" "01" "00" "80" "32"
                                 "0904" "00" "00" "03" "ff0102" "00"
                                 "0521" "a1b2c3"
                                 "0705" "01" "02" "4000" "00"
                                 "0705" "82" "02" "4000" "00"
                                 "0705" "83" "03" "0800" "0a"
                                 "0904" "00" "01" "01" "ff0102" "00"
                                 "0705" "01" "02" "4000" "00"
                                 "0321" "d4");
    k->base.config.p[2] = (uint8_t)k->base.config.n;
    if (!k->bulk || !k->interrupt || !buf_ok(&k->base.device) ||
        !buf_ok(&k->base.config)) {
        parrot_free(&k->base);
        return NULL;
    }
    return &k->base;
}

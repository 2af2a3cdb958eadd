/* An IN endpoint: URBs that wait, messages that wait. Never both. URBs are
 * completed with the lock held, so that they complete in their order. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/usb/model.h"

struct message {
    struct message *next;
    size_t n, at; /* octets; how many have left already */
    uint8_t octets[];
};

struct lab_in {
    pthread_mutex_t lock;
    uint8_t endpoint;
    uint16_t max_packet;
    struct lab_urb *urbs, **urbs_end;
    struct message *messages, **messages_end;
    enum lab_usb_status fault; /* of the next URB; OK: none */
    struct message *fault_octets;
};

struct lab_in *lab_in_new(uint8_t endpoint, uint16_t max_packet)
{
    struct lab_in *in = calloc(1, sizeof *in);

    if (!in)
        return NULL;
    pthread_mutex_init(&in->lock, NULL);
    in->endpoint = endpoint;
    in->max_packet = max_packet ? max_packet : 8;
    in->urbs_end = &in->urbs;
    in->messages_end = &in->messages;
    return in;
}

static struct message *message_new(struct span octets)
{
    struct message *m = malloc(sizeof *m + octets.n);

    if (!m)
        abort(); /* a lab that loses a message would blame the program */
    m->next = NULL;
    m->n = octets.n;
    m->at = 0;
    if (octets.n)
        memcpy(m->octets, octets.p, octets.n);
    return m;
}

static void drop_message(struct lab_in *in)
{
    struct message *m = in->messages;

    in->messages = m->next;
    if (!in->messages)
        in->messages_end = &in->messages;
    free(m);
}

static struct lab_urb *take_urb(struct lab_in *in)
{
    struct lab_urb *u = in->urbs;

    in->urbs = u->next;
    if (!in->urbs)
        in->urbs_end = &in->urbs;
    u->next = NULL;
    return u;
}

/* One URB, one message: packets of max_packet until one is short, or the URB
 * is full, or a packet does not fit, which no host controller forgives. */
static void fill(struct lab_in *in, struct lab_urb *u)
{
    struct message *m = in->messages;
    size_t left = m->n - m->at;
    size_t n = left < u->length ? left : u->length;
    bool babble = left > u->length && u->length % in->max_packet != 0;

    if (n)
        memcpy(u->data, m->octets + m->at, n);
    m->at += n;
    if (babble || m->at == m->n)
        drop_message(in);
    lab_urb_complete(u, babble ? LAB_USB_BABBLE : LAB_USB_OK, n);
}

static void fail(struct lab_in *in, struct lab_urb *u)
{
    enum lab_usb_status s = in->fault;
    struct message *m = in->fault_octets;
    size_t n = m ? (m->n < u->length ? m->n : u->length) : 0;

    if (n)
        memcpy(u->data, m->octets, n);
    free(m);
    in->fault_octets = NULL;
    if (s != LAB_USB_STALL)
        in->fault = LAB_USB_OK;
    lab_urb_complete(u, s, n);
}

static void match(struct lab_in *in)
{
    while (in->urbs && (in->fault || in->fault_octets || in->messages)) {
        if (in->fault || in->fault_octets)
            fail(in, take_urb(in));
        else
            fill(in, take_urb(in));
    }
}

void lab_in_submit(struct lab_in *in, struct lab_urb *u)
{
    pthread_mutex_lock(&in->lock);
    u->next = NULL;
    *in->urbs_end = u;
    in->urbs_end = &u->next;
    match(in);
    pthread_mutex_unlock(&in->lock);
}

bool lab_in_drained(struct lab_in *in)
{
    pthread_mutex_lock(&in->lock);
    bool drained = !in->messages;
    pthread_mutex_unlock(&in->lock);
    return drained;
}

bool lab_in_cancel(struct lab_in *in, struct lab_urb *u, enum lab_usb_status s)
{
    struct lab_urb **at;
    bool found;

    pthread_mutex_lock(&in->lock);
    for (at = &in->urbs; *at && *at != u; at = &(*at)->next)
        ;
    found = *at != NULL;
    if (found) {
        *at = u->next;
        if (!*at)
            in->urbs_end = at;
        u->next = NULL;
        lab_urb_complete(u, s, 0);
    }
    pthread_mutex_unlock(&in->lock);
    return found;
}

void lab_in_put(struct lab_in *in, struct span message)
{
    struct message *m = message_new(message);

    pthread_mutex_lock(&in->lock);
    *in->messages_end = m;
    in->messages_end = &m->next;
    match(in);
    pthread_mutex_unlock(&in->lock);
}

void lab_in_fault(struct lab_in *in, enum lab_usb_status s, struct span octets)
{
    struct message *m = message_new(octets);

    pthread_mutex_lock(&in->lock);
    free(in->fault_octets);
    in->fault = s;
    in->fault_octets = m;
    match(in);
    pthread_mutex_unlock(&in->lock);
}

void lab_in_clear_halt(struct lab_in *in)
{
    pthread_mutex_lock(&in->lock);
    if (in->fault == LAB_USB_STALL) {
        in->fault = LAB_USB_OK;
        free(in->fault_octets);
        in->fault_octets = NULL;
    }
    match(in);
    pthread_mutex_unlock(&in->lock);
}

void lab_in_flush(struct lab_in *in, enum lab_usb_status s)
{
    pthread_mutex_lock(&in->lock);
    while (in->messages)
        drop_message(in);
    free(in->fault_octets);
    in->fault_octets = NULL;
    in->fault = LAB_USB_OK;
    while (in->urbs)
        lab_urb_complete(take_urb(in), s, 0);
    pthread_mutex_unlock(&in->lock);
}

void lab_in_free(struct lab_in *in)
{
    if (!in)
        return;
    lab_in_flush(in, LAB_USB_GONE);
    pthread_mutex_destroy(&in->lock);
    free(in);
}

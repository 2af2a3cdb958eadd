/* A program that knows libusb and nothing of the lab: what it sees on
 * /dev/bus/usb, it sees as on any machine.
 *
 *   list                what is there: PLACE VID:PID CLASS
 *   watch N             the next N comings and goings (after "watching")
 *   ccid PLACE ROUNDS   powers the card on, then asks for the slot's status
 *   hid PLACE OCTETS    so many octets of reports (after "listening")
 *   cancel PLACE        an IN transfer that nothing answers is cancelled
 *   pulled PLACE        waits for the end of such a one (after "waiting")
 */
#include <libusb-1.0/libusb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WAIT_MS 10000
#define CCID_CLASS 11
#define HEADER 10

static libusb_context *usb;

static void die(const char *what, int rc)
{
    fprintf(stderr, "%s: %s\n", what, libusb_error_name(rc));
    exit(1);
}

static void check(const char *what, int rc)
{
    if (rc < 0)
        die(what, rc);
}

static const char *place_of(libusb_device *d, char *out)
{
    uint8_t ports[7];
    int n = libusb_get_port_numbers(d, ports, sizeof ports);
    char *p = out + sprintf(out, "%u", libusb_get_bus_number(d));

    for (int i = 0; i < n; i++)
        p += sprintf(p, "%c%u", i ? '.' : '-', ports[i]);
    return out;
}

static int interface_class(libusb_device *d)
{
    struct libusb_config_descriptor *c;
    int class = -1;

    if (libusb_get_active_config_descriptor(d, &c) != 0)
        return -1;
    if (c->bNumInterfaces > 0 && c->interface[0].num_altsetting > 0)
        class = c->interface[0].altsetting[0].bInterfaceClass;
    libusb_free_config_descriptor(c);
    return class;
}

static void print_device(const char *before, libusb_device *d)
{
    struct libusb_device_descriptor dd;
    char place[64];

    check("device descriptor", libusb_get_device_descriptor(d, &dd));
    printf("%s%s %04x:%04x %d\n", before, place_of(d, place), dd.idVendor,
           dd.idProduct, interface_class(d));
    fflush(stdout);
}

static int list(void)
{
    libusb_device **all;
    ssize_t n = libusb_get_device_list(usb, &all);

    check("device list", (int)n);
    for (ssize_t i = 0; i < n; i++)
        print_device("", all[i]);
    libusb_free_device_list(all, 1);
    return 0;
}

static int changed(libusb_context *c, libusb_device *d,
                   libusb_hotplug_event event, void *left)
{
    (void)c;
    print_device(event == LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED ? "come "
                                                              : "gone ", d);
    --*(int *)left;
    return 0;
}

static int watch(int n)
{
    libusb_hotplug_callback_handle h;

    check("hot-plug",
          libusb_hotplug_register_callback(
              usb,
              LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED |
                  LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT,
              0, LIBUSB_HOTPLUG_MATCH_ANY, LIBUSB_HOTPLUG_MATCH_ANY,
              LIBUSB_HOTPLUG_MATCH_ANY, changed, &n, &h));
    puts("watching");
    fflush(stdout);
    for (time_t end = time(NULL) + WAIT_MS / 1000; n > 0;) {
        struct timeval t = { .tv_usec = 100000 };
        check("events", libusb_handle_events_timeout(usb, &t));
        if (time(NULL) > end)
            die("nothing more comes or goes", LIBUSB_ERROR_TIMEOUT);
    }
    return 0;
}

static libusb_device_handle *open_place(const char *place)
{
    libusb_device_handle *h = NULL;
    libusb_device **all;
    char name[64];
    ssize_t n = libusb_get_device_list(usb, &all);

    check("device list", (int)n);
    for (ssize_t i = 0; i < n && !h; i++)
        if (strcmp(place_of(all[i], name), place) == 0)
            check("open", libusb_open(all[i], &h));
    libusb_free_device_list(all, 1);
    if (!h)
        die(place, LIBUSB_ERROR_NO_DEVICE);
    return h;
}

static uint8_t endpoint(libusb_device_handle *h, int type, int direction)
{
    struct libusb_config_descriptor *c;
    uint8_t found = 0;

    check("configuration",
          libusb_get_active_config_descriptor(libusb_get_device(h), &c));
    const struct libusb_interface_descriptor *i = c->interface[0].altsetting;
    for (int k = 0; k < i->bNumEndpoints; k++)
        if ((i->endpoint[k].bmAttributes & 3) == type &&
            (i->endpoint[k].bEndpointAddress & 0x80) == direction)
            found = i->endpoint[k].bEndpointAddress;
    libusb_free_config_descriptor(c);
    if (!found)
        die("endpoint", LIBUSB_ERROR_NOT_FOUND);
    return found;
}

static void print_string(libusb_device_handle *h)
{
    struct libusb_device_descriptor dd;
    unsigned char text[128] = "";

    check("device descriptor",
          libusb_get_device_descriptor(libusb_get_device(h), &dd));
    if (dd.iProduct) {
        check("string", libusb_get_string_descriptor_ascii(
                            h, dd.iProduct, text, sizeof text));
        printf("product %s\n", text);
    }
}

static int round_trip(libusb_device_handle *h, uint8_t out, uint8_t in,
                      uint8_t message, uint8_t seq, unsigned char *answer,
                      int cap)
{
    unsigned char m[HEADER] = { message, 0, 0, 0, 0, 0, seq };
    int n;

    check("bulk OUT",
          libusb_bulk_transfer(h, out, m, sizeof m, &n, WAIT_MS));
    check("bulk IN", libusb_bulk_transfer(h, in, answer, cap, &n, WAIT_MS));
    if (n < HEADER || answer[6] != seq)
        die("the answer is another's", LIBUSB_ERROR_OTHER);
    return n;
}

static int ccid(const char *place, int rounds)
{
    libusb_device_handle *h = open_place(place);
    uint8_t out = endpoint(h, LIBUSB_TRANSFER_TYPE_BULK, 0),
            in = endpoint(h, LIBUSB_TRANSFER_TYPE_BULK, 0x80);
    unsigned char a[512];
    struct timespec t0, t1;

    print_string(h);
    check("claim", libusb_claim_interface(h, 0));
    int n = round_trip(h, out, in, 0x62, 0, a, sizeof a);
    printf("power on: %s", a[0] == 0x80 && n > HEADER ? "ATR " : "no card");
    for (int i = HEADER; i < n; i++)
        printf("%02X", a[i]);
    clock_gettime(CLOCK_MONOTONIC, &t0);
    for (int i = 0; i < rounds; i++)
        round_trip(h, out, in, 0x65, (uint8_t)i, a, sizeof a);
    clock_gettime(CLOCK_MONOTONIC, &t1);
    printf("\n%d round trips", rounds);
    if (rounds > 0)
        printf(", %.0f us each",
               ((double)(t1.tv_sec - t0.tv_sec) * 1e9 +
                (double)(t1.tv_nsec - t0.tv_nsec)) / 1e3 / rounds);
    putchar('\n');
    libusb_release_interface(h, 0);
    libusb_close(h);
    return 0;
}

static int hid(const char *place, int octets)
{
    libusb_device_handle *h = open_place(place);
    uint8_t in = endpoint(h, LIBUSB_TRANSFER_TYPE_INTERRUPT, 0x80);
    unsigned char report[64];
    int n;

    print_string(h);
    if (libusb_kernel_driver_active(h, 0) != 1)
        die("a scanner without a kernel driver", LIBUSB_ERROR_OTHER);
    if (libusb_claim_interface(h, 0) != LIBUSB_ERROR_BUSY)
        die("claimed away from the kernel", LIBUSB_ERROR_OTHER);
    check("auto detach", libusb_set_auto_detach_kernel_driver(h, 1));
    check("claim", libusb_claim_interface(h, 0));
    puts("listening");
    fflush(stdout);
    while (octets > 0) {
        check("interrupt IN", libusb_interrupt_transfer(
                                  h, in, report, sizeof report, &n, WAIT_MS));
        for (int i = 0; i < n; i++)
            printf("%02X", report[i]);
        putchar('\n');
        octets -= n;
    }
    check("release", libusb_release_interface(h, 0));
    if (libusb_kernel_driver_active(h, 0) != 1)
        die("the kernel's driver was not attached again", LIBUSB_ERROR_OTHER);
    libusb_close(h);
    return 0;
}

static void done(struct libusb_transfer *t)
{
    *(int *)t->user_data = 1;
}

/* An IN transfer that nothing answers ends by itself or is cancelled. */
static int hang(const char *place, int cancel)
{
    libusb_device_handle *h = open_place(place);
    struct libusb_transfer *t = libusb_alloc_transfer(0);
    unsigned char a[512];
    int ended = 0;

    check("claim", libusb_claim_interface(h, 0));
    libusb_fill_bulk_transfer(t, h,
                              endpoint(h, LIBUSB_TRANSFER_TYPE_BULK, 0x80), a,
                              sizeof a, done, &ended, 0);
    check("submit", libusb_submit_transfer(t));
    puts("waiting");
    fflush(stdout);
    if (cancel)
        check("cancel", libusb_cancel_transfer(t));
    for (time_t end = time(NULL) + WAIT_MS / 1000; !ended;) {
        struct timeval tv = { .tv_usec = 100000 };
        check("events", libusb_handle_events_timeout(usb, &tv));
        if (time(NULL) > end)
            die("the transfer never ends", LIBUSB_ERROR_TIMEOUT);
    }
    puts(t->status == LIBUSB_TRANSFER_CANCELLED   ? "cancelled"
         : t->status == LIBUSB_TRANSFER_NO_DEVICE ? "no device"
                                                  : "other");
    libusb_free_transfer(t);
    libusb_close(h);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    const char *place = argc > 2 ? argv[2] : "";
    int n = argc > 3 ? atoi(argv[3]) : 0, rc = 2;

    check("libusb", libusb_init(&usb));
    if (strcmp(what, "list") == 0)
        rc = list();
    else if (strcmp(what, "watch") == 0)
        rc = watch(atoi(place));
    else if (strcmp(what, "ccid") == 0)
        rc = ccid(place, n);
    else if (strcmp(what, "hid") == 0)
        rc = hid(place, n);
    else if (strcmp(what, "cancel") == 0 || strcmp(what, "pulled") == 0)
        rc = hang(place, what[0] == 'c');
    libusb_exit(usb);
    return rc;
}

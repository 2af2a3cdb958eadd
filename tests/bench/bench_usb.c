/* usb_apdu: what one APDU costs the station's processor through drivers/ccid
 * and drivers/usb, with a reader that takes short APDUs, against bare libusb:
 * one thread, one bulk OUT and one bulk IN of the same octets, to the same
 * model of a reader. The card needs no time, so that nothing is hidden.
 *
 * usb_idle: what 64 open readers with cards cost while nothing happens, half
 * of them without an interrupt endpoint; the limit is 1 % of a core.
 *
 * The model's own threads are not counted: everything else that the process
 * used is, the event thread, the readers' keepers and libusb's included. */
#include <dirent.h>
#include <libusb-1.0/libusb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "drivers/ccid/slot.h"
#include "tests/bench/bench.h"
#include "tests/lab/puppet.h"
#include "tests/lab/usb/ccid_model.h"
#include "tests/lab/usb/inprocess/inprocess.h"

#define ROUNDS 15  /* the fastest of each counts: others share this machine */
#define APDUS 2000 /* of a round                                            */
#define WARM 200
#define IDLE 64
#define IDLE_MS 5000
#define WAIT_MS 20000

/* --- whose time ------------------------------------------------------------------- */

#define THREADS 512

struct threads {
    pid_t id[THREADS];
    size_t n;
};

static void threads_now(struct threads *t)
{
    DIR *d = opendir("/proc/self/task");
    const struct dirent *e;

    t->n = 0;
    while (d && (e = readdir(d)) != NULL)
        if (e->d_name[0] != '.' && t->n < THREADS)
            t->id[t->n++] = (pid_t)atoi(e->d_name);
    if (d)
        closedir(d);
    if (t->n == 0 || t->n == THREADS)
        bench_die("usb: /proc/self/task cannot be read");
}

/* a without b */
static void threads_take(struct threads *a, const struct threads *b)
{
    size_t n = 0;

    for (size_t i = 0; i < a->n; i++) {
        bool old = false;
        for (size_t k = 0; k < b->n; k++)
            old |= a->id[i] == b->id[k];
        if (!old)
            a->id[n++] = a->id[i];
    }
    a->n = n;
}

static int64_t clock_ns(clockid_t c)
{
    struct timespec t;

    if (clock_gettime(c, &t) != 0)
        bench_die("usb: a thread's time cannot be read");
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Linux makes a thread's clock of its number; pthread_getcpuclockid does the
 * same, but wants the pthread_t, which is the model's own. */
static clockid_t thread_clock(pid_t id)
{
    return (clockid_t)(~(unsigned)id << 3 | 6);
}

/* Of the whole process but these. */
static int64_t station_ns(const struct threads *models)
{
    int64_t ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);

    for (size_t i = 0; i < models->n; i++)
        ns -= clock_ns(thread_clock(models->id[i]));
    return ns;
}

/* --- the readers -------------------------------------------------------------------- */

struct desk {
    struct lab_bus *bus;
    struct lab_usb_device *reader[IDLE];
    struct fixture *card[IDLE];
    size_t n;
    struct threads models;
};

static const char *path_of(size_t i, char path[16])
{
    snprintf(path, 16, "%zu-1.%zu", 1 + i / 16, 1 + i % 16);
    return path;
}

static void desk_add(struct desk *d, bool no_interrupt)
{
    const struct ccid_model_options o = { .level = CCID_SHORT_APDU,
                                          .no_interrupt = no_interrupt };
    const struct puppet_rules rules = { 0 };
    struct err e = ERR_INIT;
    size_t i = d->n++;
    char path[16];

    if (puppet_new(&rules, &d->card[i], &e) != 0 ||
        ccid_model_new(&o, &d->reader[i], &e) != 0 ||
        ccid_model_insert(d->reader[i], 0, d->card[i], NULL, &e) != 0 ||
        lab_bus_plug(d->bus, path_of(i, path), d->reader[i], &e) != 0)
        bench_die("usb: %s", e.msg);
}

/* False: not on this machine. */
static bool desk_open(struct desk *d, size_t n)
{
    struct threads before;
    struct err e = ERR_INIT;
    const char *why = lab_bus_cannot();

    memset(d, 0, sizeof *d);
    if (why) {
        bench_note("usb: skipped: %s", why);
        return false;
    }
    if (lab_bus_enter(&e) != 0 || lab_bus_new(&d->bus, &e) != 0 ||
        inprocess_start(d->bus, &e) != 0)
        bench_die("usb: %s", e.msg);
    threads_now(&before);
    while (d->n < n)
        desk_add(d, d->n % 2);
    threads_now(&d->models);
    threads_take(&d->models, &before);
    return true;
}

static void desk_close(struct desk *d)
{
    inprocess_stop();
    lab_bus_free(d->bus);
    for (size_t i = 0; i < d->n; i++) {
        d->reader[i]->ops->free(d->reader[i]);
        d->card[i]->ops->close(d->card[i]);
    }
}

/* --- the station ---------------------------------------------------------------------- */

struct station {
    struct usb *usb;
    struct ccid_readers *readers;
};

static void station_open(struct station *s)
{
    struct err e = ERR_INIT;

    if (ccid_readers_new(NULL, &s->readers, &e) != 0 ||
        usb_start(ccid_readers_changed, s->readers, &s->usb, &e) != 0)
        bench_die("usb: %s", e.msg);
    ccid_readers_start(s->readers, s->usb);
}

static void station_close(struct station *s)
{
    ccid_readers_stop(s->readers);
    usb_stop(s->usb);
    ccid_readers_free(s->readers);
}

/* A whole segment of a profile, as most of a load is. */
static struct span segment(uint8_t octets[260])
{
    const uint8_t head[5] = { 0x80, 0xe2, 0x91, 0x00, 0xff };

    memset(octets, 0xa5, 260);
    memcpy(octets, head, sizeof head);
    return SPAN(octets, 260);
}

static int64_t run_station(const struct threads *models, size_t apdus)
{
    struct station s;
    struct fixture *f = NULL;
    struct err e = ERR_INIT;
    struct buf atr = BUF_INIT, rsp = BUF_INIT;
    uint8_t octets[260];
    struct span cmd = segment(octets);
    int64_t t0 = 0;

    station_open(&s);
    if (fixture_ccid.open(s.readers, "1-1.1", &f, &e) != 0 ||
        f->ops->power_on(f, &atr, WAIT_MS, &e) != 0)
        bench_die("usb_apdu: %s", e.msg);
    for (size_t i = 0; i < apdus + WARM; i++) {
        if (i == WARM)
            t0 = station_ns(models);
        if (f->ops->transmit(f, cmd, &rsp, WAIT_MS, &e) != 0 || rsp.n != 2)
            bench_die("usb_apdu: %s", e.msg);
    }
    int64_t ns = station_ns(models) - t0;
    f->ops->close(f);
    station_close(&s);
    buf_clear(&atr);
    buf_clear(&rsp);
    return ns;
}

/* --- bare libusb -------------------------------------------------------------------------- */

#define OUT_ENDPOINT 0
#define IN_ENDPOINT 1

struct bare {
    libusb_context *ctx;
    libusb_device_handle *h;
    uint8_t endpoint[2];
    uint8_t seq;
};

static void bare_endpoints(struct bare *b, libusb_device *dev)
{
    struct libusb_config_descriptor *c;

    if (libusb_get_active_config_descriptor(dev, &c) != 0)
        bench_die("usb_apdu: no configuration");
    const struct libusb_interface_descriptor *i = c->interface[0].altsetting;
    for (int k = 0; k < i->bNumEndpoints; k++)
        if ((i->endpoint[k].bmAttributes & 3) == LIBUSB_TRANSFER_TYPE_BULK)
            b->endpoint[i->endpoint[k].bEndpointAddress & 0x80 ? IN_ENDPOINT
                                                               : OUT_ENDPOINT] =
                i->endpoint[k].bEndpointAddress;
    libusb_free_config_descriptor(c);
}

static void bare_open(struct bare *b)
{
    libusb_device **list;

    memset(b, 0, sizeof *b);
    if (libusb_init(&b->ctx) != 0)
        bench_die("usb_apdu: libusb_init failed");
    ssize_t n = libusb_get_device_list(b->ctx, &list);
    for (ssize_t i = 0; i < n && !b->h; i++) {
        struct libusb_device_descriptor d;
        if (libusb_get_device_descriptor(list[i], &d) == 0 && d.bDeviceClass != 9 &&
            libusb_open(list[i], &b->h) == 0)
            bare_endpoints(b, list[i]);
    }
    libusb_free_device_list(list, 1);
    if (!b->h || libusb_claim_interface(b->h, 0) != 0)
        bench_die("usb_apdu: the reader cannot be opened");
}

static void bare_exchange(struct bare *b, uint8_t type, struct span data)
{
    uint8_t out[10 + 261] = { type, (uint8_t)data.n, (uint8_t)(data.n >> 8), 0, 0, 0,
                              b->seq++ };
    uint8_t in[512];
    int n;

    memcpy(out + 10, data.p, data.n);
    if (libusb_bulk_transfer(b->h, b->endpoint[OUT_ENDPOINT], out, (int)(10 + data.n), &n,
                             WAIT_MS) != 0 ||
        libusb_bulk_transfer(b->h, b->endpoint[IN_ENDPOINT], in, sizeof in, &n,
                             WAIT_MS) != 0 ||
        n < 12 || in[0] != 0x80 || in[7] != 0)
        bench_die("usb_apdu: bare libusb: no answer, or one that is none");
}

static int64_t run_bare(const struct threads *models, size_t apdus)
{
    struct bare b;
    uint8_t octets[260];
    struct span cmd = segment(octets);
    int64_t t0 = 0;

    bare_open(&b);
    bare_exchange(&b, 0x62, SPAN("", 0));
    for (size_t i = 0; i < apdus + WARM; i++) {
        if (i == WARM)
            t0 = station_ns(models);
        bare_exchange(&b, 0x6f, cmd);
    }
    int64_t ns = station_ns(models) - t0;
    libusb_release_interface(b.h, 0);
    libusb_close(b.h);
    libusb_exit(b.ctx);
    return ns;
}

static void bench_apdu(void)
{
    size_t apdus = bench_scaled(APDUS, 100);
    int64_t ours[ROUNDS], bare[ROUNDS];
    struct desk d;

    if (!desk_open(&d, 1))
        return;
    for (int r = 0; r < ROUNDS; r++) { /* in turns: the same machine for both */
        ours[r] = run_station(&d.models, apdus);
        bare[r] = run_bare(&d.models, apdus);
        bench_note("usb_apdu: %.2f us, bare libusb %.2f us",
                   (double)ours[r] / 1e3 / (double)apdus,
                   (double)bare[r] / 1e3 / (double)apdus);
    }
    bench_emit("usb_apdu", (double)bench_fastest(ours, ROUNDS) / 1e3 / (double)apdus, "us",
               (double)bench_fastest(bare, ROUNDS) / 1e3 / (double)apdus, BENCH_COST);
    desk_close(&d);
}

/* --- idle ---------------------------------------------------------------------------------- */

static void await_cards(struct station *s)
{
    struct err e = ERR_INIT;

    for (int64_t until = bench_now_ns() + (int64_t)WAIT_MS * 1000000;;) {
        struct ccid_place *v;
        size_t n, cards = 0;

        if (ccid_readers_list(s->readers, &v, &n, &e) != 0)
            bench_die("usb_idle: %s", e.msg);
        for (size_t i = 0; i < n; i++)
            cards += v[i].state == CCID_PLACE_CARD;
        free(v);
        if (cards == IDLE)
            return;
        if (bench_now_ns() > until)
            bench_die("usb_idle: %zu of %d cards were seen", cards, IDLE);
        usleep(20000);
    }
}

static void bench_idle(void)
{
    size_t ms = bench_scaled(IDLE_MS, 1000);
    struct station s;
    struct desk d;

    if (!desk_open(&d, IDLE))
        return;
    station_open(&s);
    await_cards(&s);
    int64_t t0 = bench_now_ns(), c0 = station_ns(&d.models);
    usleep((useconds_t)(ms * 1000));
    double share = (double)(station_ns(&d.models) - c0) / (double)(bench_now_ns() - t0);
    bench_emit("usb_idle", share * 100, "% of a core", 1, BENCH_COST);
    station_close(&s);
    desk_close(&d);
}

int main(int argc, char **argv)
{
    const struct bench all[] = {
        { "usb_apdu", bench_apdu },
        { "usb_idle", bench_idle },
    };

    return bench_main(argc, argv, all, sizeof all / sizeof *all);
}

/* t1_line: how fast a BPP goes over T=1 at TPDU level and TA1=96, on the timed
 * model of reader and card, against what a line of that speed allows with a
 * host that needs no time at all. t1_line_no_pps: the same card refusing PPS.
 *
 * The limit is worked out here from ISO/IEC 7816-3 alone. Clock 4 MHz, IFSD and
 * IFSC 254, TC1=0, so that octets start 12 etu apart and a block 22 etu after
 * the last octet of the one before (BGT). A STORE DATA of 255 octets goes as
 * two I-blocks, the first of which the card acknowledges by an R-block; its
 * answer is an I-block with the status word. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "drivers/ccid/slot.h"
#include "station/fpa/apdu.h"
#include "tests/bench/bench.h"
#include "tests/lab/puppet.h"
#include "tests/lab/usb/ccid_model.h"
#include "tests/lab/usb/inprocess/inprocess.h"

#define PLACE "1-1"
#define CLOCK_HZ 4000000
#define SEGMENT 1020   /* octets of a full ES8f segment: one chain */
#define SEGMENTS 29    /* of a BPP of about 30 KB                  */
#define SEGMENTS_SLOW 3
#define ROUNDS 3
#define WAIT_MS 20000

/* --- what the line allows --------------------------------------------------------- */

#define IFS 254
#define FRAME 4 /* NAD, PCB, LEN, LRC */
#define GUARD_ETU 12
#define BLOCK_GUARD_ETU 22

static uint64_t block_etu(size_t inf)
{
    return BLOCK_GUARD_ETU + (inf + FRAME - 1) * GUARD_ETU;
}

static uint64_t command_etu(size_t octets)
{
    uint64_t etu = 0;

    for (; octets > IFS; octets -= IFS)
        etu += block_etu(IFS) + block_etu(0); /* and R */
    return etu + block_etu(octets) + block_etu(2); /* the status word */
}

/* Every segment is a chain of whole commands; the last of each has an Le. */
static uint64_t segments_etu(size_t n)
{
    const size_t header = 5, whole = SEGMENT / APDU_DATA_MAX;

    return n * ((whole - 1) * command_etu(header + APDU_DATA_MAX) +
                command_etu(header + APDU_DATA_MAX + 1));
}

/* --- the bench ------------------------------------------------------------------------ */

struct timed {
    struct lab_bus *bus;
    struct lab_usb_device *reader;
    struct fixture *card, *slot;
    struct ccid_readers *readers;
    struct usb *usb;
};

static void good(int rc, const struct err *e)
{
    if (rc != 0)
        bench_die("t1_line: %s", e->msg);
}

static void on_device(void *ctx, const struct usb_device *d, bool here)
{
    ccid_readers_changed(ctx, d, here);
}

static void await_card(struct timed *t)
{
    for (int ms = 0; ms < WAIT_MS; ms += 10) {
        struct ccid_place *v = NULL;
        struct err e = ERR_INIT;
        size_t n = 0;
        good(ccid_readers_list(t->readers, &v, &n, &e), &e);
        bool there = n == 1 && v[0].state == CCID_PLACE_CARD;
        free(v);
        if (there)
            return;
        nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
    }
    bench_die("t1_line: the reader was not found");
}

static void timed_open(struct timed *t, bool refuse_pps)
{
    const struct ccid_model_options o = { .level = CCID_TPDU, .speed_percent = 100,
                                          .clock_khz = CLOCK_HZ / 1000 };
    const struct ccid_card c = { .no_t0 = true, .ta1 = 0x96, .ifsc = IFS,
                                 .refuse_pps = refuse_pps };
    const struct puppet_rules says_9000 = { .answer = NULL };
    struct err e = ERR_INIT;

    good(lab_bus_new(&t->bus, &e), &e);
    good(inprocess_start(t->bus, &e), &e);
    good(puppet_new(&says_9000, &t->card, &e), &e);
    good(ccid_model_new(&o, &t->reader, &e), &e);
    good(ccid_model_insert(t->reader, 0, t->card, &c, &e), &e);
    good(lab_bus_plug(t->bus, PLACE, t->reader, &e), &e);
    good(ccid_readers_new(NULL, &t->readers, &e), &e);
    good(usb_start(on_device, t->readers, &t->usb, &e), &e);
    ccid_readers_start(t->readers, t->usb);
    await_card(t);
    good(fixture_ccid.open(t->readers, PLACE, &t->slot, &e), &e);
}

static void timed_close(struct timed *t)
{
    t->slot->ops->close(t->slot);
    ccid_readers_stop(t->readers);
    usb_stop(t->usb);
    ccid_readers_free(t->readers);
    inprocess_stop();
    lab_bus_free(t->bus);
    ccid_model_remove(t->reader, 0);
    t->reader->ops->free(t->reader);
    t->card->ops->close(t->card);
}

/* The segments of a BPP, each as the FPA sends it. */
static int64_t send_segments(struct apdu *s, size_t n)
{
    AUTO(buf_clear) struct buf answer = BUF_INIT;
    uint8_t segment[SEGMENT];
    struct err e = ERR_INIT;
    int64_t t0 = bench_now_ns();

    memset(segment, 0x86, sizeof segment);
    for (size_t i = 0; i < n; i++)
        good(apdu_chain(s, SPAN_ARRAY(segment), &answer, NULL, &e), &e);
    return bench_now_ns() - t0;
}

static double race(const char *name, bool refuse_pps, uint64_t clocks_per_etu,
                   uint8_t fidi, size_t segments)
{
    struct ccid_model_counters before, after;
    AUTO(apdu_close_p) struct apdu *s = NULL;
    int64_t took[ROUNDS];
    struct timed t;
    struct err e = ERR_INIT;

    timed_open(&t, refuse_pps);
    good(apdu_open(t.slot, NULL, &s, &e), &e);
    for (int r = 0; r < ROUNDS; r++) {
        ccid_model_counters(t.reader, &before);
        took[r] = send_segments(s, segments);
        ccid_model_counters(t.reader, &after);
        if (after.fidi != fidi)
            bench_die("t1_line: the card runs at TA1=%02X, not %02X", after.fidi, fidi);
    }
    uint64_t etu = segments_etu(segments);
    if (after.etu - before.etu != etu)
        bench_note("  the model's line took %llu etu, the standard says %llu",
                   (unsigned long long)(after.etu - before.etu),
                   (unsigned long long)etu);
    double octets = (double)(segments * SEGMENT);
    double limit = octets * CLOCK_HZ / ((double)etu * (double)clocks_per_etu);
    double is = octets * 1e9 / (double)bench_median(took, ROUNDS);
    bench_note("%s: %zu octets, TA1=%02X: %.0f of %.0f octets/s", name,
               segments * SEGMENT, fidi, is, limit);
    bench_emit(name, is, "octets/s", limit, BENCH_RATE);
    apdu_close(s);
    s = NULL;
    timed_close(&t);
    return is;
}

static void bench_t1_line(void)
{
    race("t1_line", false, 512 / 32, 0x96, bench_scaled(SEGMENTS, 2));
}

static void bench_t1_line_no_pps(void)
{
    double slow = race("t1_line_no_pps", true, 372, 0x11,
                       bench_scaled(SEGMENTS_SLOW, 1));
    bench_note("  30,000 octets take %.1f s without PPS", 30000 / slow);
}

int main(int argc, char **argv)
{
    static const struct bench all[] = {
        { "t1_line", bench_t1_line },
        { "t1_line_no_pps", bench_t1_line_no_pps },
    };
    const char *cannot = lab_bus_cannot();
    struct err e = ERR_INIT;

    if (cannot && !(argc > 1 && strcmp(argv[1], "--list") == 0))
        bench_die("t1_line: no emulated bus here: %s", cannot);
    if (!cannot)
        good(lab_bus_enter(&e), &e);
    return bench_main(argc, argv, all, sizeof all / sizeof *all);
}

/* usb_line: the line of bench_line.c, but through real libusb: 64 readers of
 * the emulated bus in this process, each with a card that takes 5 ms per APDU,
 * against as many threads that only wait. usb_line_200: 200 of them. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "station/line/floor.h"
#include "tests/bench/bench.h"
#include "tests/bench/clockwork.h"
#include "tests/bench/robot.h"
#include "tests/bench/troupe.h"
#include "tests/lab/usb/inprocess/inprocess.h"

#define UNITS 16 /* per reader and round */
#define ROUNDS 3
#define PORTS 8       /* of a hub */
#define BUS_PLACES 64 /* a bus has addresses for 127 devices, hubs included */

struct floor_stage {
    size_t readers;
    struct clockwork *clockwork;
    struct lab_bus *bus;
    struct lab_usb_device *reader[ROBOT_FIXTURES_MAX];
    struct fixture *card[ROBOT_FIXTURES_MAX];
    struct place_setting places[ROBOT_FIXTURES_MAX]; /* called F0, F1, ... */
    struct floor *floor;
    line_event_fn *event; /* the robot's */
    void *event_ctx;
    bool seen[ROBOT_FIXTURES_MAX]; /* its card was told of */
    size_t ready;                  /* fixtures seen        */
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

static void good(int rc, const struct err *e)
{
    if (rc != 0)
        bench_die("usb_line: %s", e->msg);
}

static void on_event(void *ctx, const struct line_event *ev)
{
    struct floor_stage *s = ctx;

    if (ev->kind == LINE_FIXTURE && strcmp(ev->state, "card") == 0) {
        size_t f = strtoul(ev->fixture + 1, NULL, 10);
        pthread_mutex_lock(&s->lock);
        if (f < s->readers && !s->seen[f]) {
            s->seen[f] = true;
            s->ready++;
        }
        pthread_cond_signal(&s->changed);
        pthread_mutex_unlock(&s->lock);
    }
    s->event(s->event_ctx, ev);
}

static void plug(struct floor_stage *s, size_t i)
{
    const struct ccid_model_options o = { .level = CCID_SHORT_APDU };
    const struct ccid_card c = { .no_t1 = true };
    struct place_setting *p = &s->places[i];
    char number[8];
    struct err e = ERR_INIT;

    snprintf(number, sizeof number, "%zu", i);
    snprintf(p->label, sizeof p->label, "F%zu", i);
    snprintf(p->place, sizeof p->place, "%zu-%zu.%zu", 1 + i / BUS_PLACES,
             1 + i % BUS_PLACES / PORTS, 1 + i % PORTS);
    good(troupe_ops.open(NULL, number, &s->card[i], &e), &e);
    s->reader[i] = clockwork_reader(s->clockwork, &o, s->card[i], &c);
    good(lab_bus_plug(s->bus, p->place, s->reader[i], &e), &e);
}

/* A card is told once when it is seen and again when its place appears: each
 * fixture counts once. */
static void start(void *ctx, const struct line_options *o, struct line **out)
{
    struct floor_stage *s = ctx;
    struct line_options mine = *o;
    struct err e = ERR_INIT;

    s->event = o->event;
    s->event_ctx = o->event_ctx;
    s->ready = 0;
    memset(s->seen, 0, sizeof s->seen);
    s->clockwork = clockwork_start(ROBOT_APDU_NS);
    good(lab_bus_new(&s->bus, &e), &e);
    good(inprocess_start(s->bus, &e), &e);
    for (size_t i = 0; i < s->readers; i++)
        plug(s, i);
    mine.grows = true;
    mine.event = on_event;
    mine.event_ctx = s;
    good(line_new(&mine, out, &e), &e);
    const struct places said = { .v = s->places, .n = s->readers };
    good(floor_start(&said, *out, &s->floor, &e), &e);
    pthread_mutex_lock(&s->lock);
    while (s->ready < s->readers)
        pthread_cond_wait(&s->changed, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

static void end(void *ctx, struct line *l)
{
    struct floor_stage *s = ctx;

    floor_quiet(s->floor);
    line_end(l);
    floor_stop(s->floor);
    line_free(l);
    inprocess_stop();
    lab_bus_free(s->bus);
    for (size_t i = 0; i < s->readers; i++) {
        s->reader[i]->ops->free(s->reader[i]);
        s->card[i]->ops->close(s->card[i]);
    }
    clockwork_stop(s->clockwork);
}

static void race(const char *name, size_t readers, size_t units, int rounds)
{
    struct floor_stage *s = calloc(1, sizeof *s);
    const struct robot_line l = { start, end, s, true };

    if (!s)
        bench_die("usb_line: no memory");
    s->readers = readers;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    robot_race(name, &l, NULL, readers, units, rounds);
    free(s);
}

static void bench_usb_line(void)
{
    race("usb_line", 64, UNITS, ROUNDS);
}

static void bench_usb_line_200(void)
{
    race("usb_line_200", 200, 2, 1);
}

int main(int argc, char **argv)
{
    static const struct bench all[] = {
        { "usb_line", bench_usb_line },
        { "usb_line_200", bench_usb_line_200 },
    };
    const char *cannot = lab_bus_cannot();
    struct err e = ERR_INIT;

    if (cannot) {
        bench_note("usb_line: no emulated bus here: %s", cannot);
        return argc > 1 && strcmp(argv[1], "--list") == 0 ? 0 : 77;
    }
    good(lab_bus_enter(&e), &e);
    return bench_main(argc, argv, all, sizeof all / sizeof *all);
}

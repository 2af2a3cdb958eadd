/* Every fault of reader, line and bus, at the N-th message or transfer, each
 * on a reader of its own and all at once: a plain failure, never another
 * command's answer, and after that the place works again. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "station/fpa/apdu.h"
#include "tests/unit/usb_ccid/ccid_rig.h"

#define READERS 10
#define TRIES 5
#define CHAINS 3

static struct rig *rig;
/* Not the defaults: what never comes must not be waited for so long. */
static const struct apdu_limits limits = {
    .power_on_ms = 2500, .apdu_ms = 1500, .unit_ms = 60000,
    .answer_max = 4096, .get_response_max = 10,
};

static const struct {
    const char *name;
    struct ccid_model_options reader;
    struct ccid_card card;
} kinds[] = {
    { "TPDU T=1", { .level = CCID_TPDU }, { .no_t0 = true, .bwi_cwi = 0x10 } },
    { "TPDU T=0", { .level = CCID_TPDU }, { .no_t1 = true, .wi = 1 } },
    { "short APDU", { .level = CCID_SHORT_APDU }, { .no_t0 = true, .bwi_cwi = 0x10 } },
    { "TPDU T=1, polled", { .level = CCID_TPDU, .no_interrupt = true },
      { .no_t0 = true, .bwi_cwi = 0x10 } },
};
#define KINDS ((int)(sizeof kinds / sizeof *kinds))

struct job {
    pthread_t thread;
    char path[16];
    struct lab_usb_device *reader;
    struct fixture *card;
    const struct ccid_card *options;
    bool replug; /* the fault may take the reader off the bus */
    bool reinsert;
    unsigned failures;
    bool wrong, well;
    enum err_code code;
    char why[500];
};

/* Each chain of a session says something else, so that a late answer shows. */
static int one_session(struct job *j, struct fixture *f, unsigned try, struct err *e)
{
    AUTO(buf_clear) struct buf answer = BUF_INIT;
    struct apdu *s = NULL;
    uint8_t chain[40];
    int r = apdu_open(f, &limits, &s, e);

    for (unsigned i = 0; i < CHAINS && r == 0; i++) {
        for (size_t k = 0; k < sizeof chain; k++)
            chain[k] = (uint8_t)(try * 50 + i * 11 + k);
        r = apdu_chain(s, SPAN_ARRAY(chain), &answer, NULL, e);
        if (r == 0 && !span_eq(buf_span(&answer), SPAN_ARRAY(chain)))
            j->wrong = true;
    }
    apdu_close(s);
    return r;
}

/* Puts back what the fault took away. */
static void put_right(struct job *j)
{
    if (j->replug && lab_bus_fault_fired(rig_bus(rig), j->path)) {
        rig_await(rig, j->path, CCID_PLACE_GONE, NULL);
        rig_plug_again(rig, j->path, j->reader);
        rig_await(rig, j->path, CCID_PLACE_CARD, NULL);
        j->replug = false;
    }
    if (j->reinsert && ccid_model_fault_fired(j->reader)) {
        ccid_model_remove(j->reader, 0); /* it still lies before the slot */
        ck_assert_int_eq(ccid_model_insert(j->reader, 0, j->card, j->options, NULL), 0);
        j->reinsert = false;
    }
}

static void *run(void *arg)
{
    struct job *j = arg;
    struct err e = ERR_INIT;
    struct fixture *f = NULL;

    if (fixture_ccid.open(rig_readers(rig), j->path, &f, &e) != 0) {
        snprintf(j->why, sizeof j->why, "open: %s", e.msg);
        return NULL;
    }
    for (unsigned i = 0; i < TRIES && !j->well; i++) {
        e = (struct err)ERR_INIT;
        j->well = one_session(j, f, i, &e) == 0;
        if (!j->well) {
            j->failures++;
            j->code = e.code;
            snprintf(j->why, sizeof j->why, "%s: %s", err_name(e.code), e.msg);
            put_right(j);
        }
    }
    f->ops->close(f);
    return NULL;
}

static void plug_all(struct job *jobs, int kind)
{
    for (unsigned i = 0; i < READERS; i++) {
        struct job *j = &jobs[i];

        snprintf(j->path, sizeof j->path, "1-2.%u", i + 1);
        j->options = &kinds[kind].card;
        j->reader = rig_plug(rig, j->path, &kinds[kind].reader);
        j->card = rig_card(rig, j->reader, 0, j->options);
    }
    for (unsigned i = 0; i < READERS; i++)
        rig_await(rig, jobs[i].path, CCID_PLACE_CARD, NULL);
}

/* Why not; empty: all is well. */
static void judge(const struct job *j, char *why, size_t cap)
{
    why[0] = 0;
    if (j->wrong)
        snprintf(why, cap, "another command's answer");
    else if (!j->well || j->failures > 2)
        snprintf(why, cap, "%u failures, %s", j->failures, j->why);
    else if (j->failures && j->code != ERR_NO_CARD && j->code != ERR_TIMEOUT &&
             j->code != ERR_FORMAT && j->code != ERR_IO &&
             j->code != ERR_CARD /* what the FPA makes of ERR_FORMAT */)
        snprintf(why, cap, "%s", j->why);
}

/* The bus is put away before anything is asserted: a test that fails on it
 * would leave it to the next one. */
static void run_all(struct job *jobs, const char *what, int kind)
{
    char why[READERS][600];

    for (unsigned i = 0; i < READERS; i++)
        ck_assert_int_eq(pthread_create(&jobs[i].thread, NULL, run, &jobs[i]), 0);
    for (unsigned i = 0; i < READERS; i++) {
        pthread_join(jobs[i].thread, NULL);
        judge(&jobs[i], why[i], sizeof why[i]);
    }
    unsigned parked = rig_events(rig, CCID_EVENT_PARKED, NULL);
    rig_stop(rig);
    for (unsigned i = 0; i < READERS; i++)
        ck_assert_msg(!why[i][0], "%s, %s at %u: %s", kinds[kind].name, what, i + 1, why[i]);
    ck_assert_uint_eq(parked, 0);
}

START_TEST(reader_faults)
{
    enum ccid_fault what = 1 + (enum ccid_fault)_i % (CCID_FAULTS - 1);
    int kind = _i / (CCID_FAULTS - 1);
    struct job jobs[READERS];

    memset(jobs, 0, sizeof jobs);
    rig = rig_start(NULL);
    plug_all(jobs, kind);
    for (unsigned i = 0; i < READERS; i++) {
        jobs[i].reinsert = what == CCID_FAULT_CARD_PULLED;
        ccid_model_fault(jobs[i].reader, what, i + 1, 42 + i);
    }
    run_all(jobs, ccid_fault_name(what), kind);
}
END_TEST

START_TEST(bus_faults)
{
    enum lab_usb_fault what = 1 + (enum lab_usb_fault)_i % (LAB_FAULTS - 1);
    int kind = _i / (LAB_FAULTS - 1);
    struct job jobs[READERS];

    memset(jobs, 0, sizeof jobs);
    rig = rig_start(NULL);
    plug_all(jobs, kind);
    for (unsigned i = 0; i < READERS; i++) {
        jobs[i].replug = what == LAB_FAULT_UNPLUG || what == LAB_FAULT_UNPLUG_AFTER;
        lab_bus_fault(rig_bus(rig), jobs[i].path, what, i + 1, 42 + i);
    }
    run_all(jobs, lab_usb_fault_name(what), kind);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("drivers/ccid/faults");
    TCase *t = tcase_create("faults");
    /* SWEEP=full: on every kind of reader. */
    int n = getenv("SWEEP") && strcmp(getenv("SWEEP"), "full") == 0 ? KINDS : 1;

    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, reader_faults, 0, n * (CCID_FAULTS - 1));
    tcase_add_loop_test(t, bus_faults, 0, n * (LAB_FAULTS - 1));
    suite_add_tcase(s, t);
    return rig_main(s);
}

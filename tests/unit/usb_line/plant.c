#include "tests/unit/usb_line/plant.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/lab/euicc_fixture.h"
#include "tests/lab/usb/inprocess/inprocess.h"

#define good(rc) ck_assert_msg((rc) == 0, "%s: %s", #rc, e.msg)

int plant_enter(void)
{
    const char *cannot = lab_bus_cannot();
    struct err e = ERR_INIT;

    if (cannot) {
        printf("SKIP: no emulated bus here: %s\n", cannot);
        return 77;
    }
    if (lab_bus_enter(&e) == 0)
        return 0;
    fprintf(stderr, "%s\n", e.msg);
    return 1;
}

void plant_open(struct plant *p, size_t keys, const struct ccid_model_options *o,
                const struct ccid_card *c)
{
    struct err e = ERR_INIT;

    memset(p, 0, sizeof *p);
    shop_open(&p->s, keys);
    snprintf(p->barcode, sizeof p->barcode, PLANT_PLACE "\t%.32s",
             p->s.barcode + strlen("F1\t"));
    good(lab_bus_new(&p->bus, &e));
    good(inprocess_start(p->bus, &e));
    good(ccid_model_new(o, &p->reader, &e));
    good(euicc_fixture_new(p->s.d.path, NULL, &p->card, &e));
    good(ccid_model_insert(p->reader, 0, p->card, c, &e));
    good(lab_bus_plug(p->bus, PLANT_PLACE, p->reader, &e));
}

void plant_start(struct plant *p)
{
    struct err e = ERR_INIT;

    shop_start_all(&p->s, NULL, 0);
    good(floor_start(&p->said, p->s.line, &p->floor, &e));
    plant_wait(p, PLANT_PLACE, "card");
}

void plant_stop(struct plant *p)
{
    floor_quiet(p->floor);
    if (p->s.line)
        line_end(p->s.line);
    floor_stop(p->floor);
    p->floor = NULL;
    shop_stop(&p->s);
}

void plant_close(struct plant *p)
{
    plant_stop(p);
    lab_bus_unplug(p->bus, PLANT_PLACE);
    inprocess_stop();
    lab_bus_free(p->bus);
    ccid_model_remove(p->reader, 0);
    p->reader->ops->free(p->reader);
    p->card->ops->close(p->card);
    shop_close(&p->s);
}

void plant_unplug(struct plant *p)
{
    lab_bus_unplug(p->bus, PLANT_PLACE);
    plant_wait(p, PLANT_PLACE, "gone");
}

void plant_plug(struct plant *p)
{
    struct err e = ERR_INIT;

    good(lab_bus_plug(p->bus, PLANT_PLACE, p->reader, &e));
    plant_wait(p, PLANT_PLACE, "card");
}

void plant_wait(struct plant *p, const char *place, const char *state)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 30;
    pthread_mutex_lock(&p->s.lock);
    while (strcmp(shop_place_state(&p->s, place), state) != 0)
        ck_assert_msg(pthread_cond_timedwait(&p->s.told, &p->s.lock, &until) == 0,
                      "%s never became %s: it is %s", place, state,
                      shop_place_state(&p->s, place));
    pthread_mutex_unlock(&p->s.lock);
}

unsigned plant_finish(struct plant *p, unsigned most)
{
    struct shop_verdict v;

    for (unsigned n = 1; n <= most; n++) {
        v = shop_scan(&p->s, p->barcode);
        if (v.kind == VERDICT_PASS || v.kind == VERDICT_ALREADY_DONE)
            return n;
    }
    ck_abort_msg("not finished after %u scans: %s: %s", most, v.code, v.detail);
    return 0;
}

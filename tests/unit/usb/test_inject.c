/* drivers/usb when libusb fails: at call N of each of its functions, N rising
 * until nothing fails any more. Afterwards: a clear error or none, nothing
 * leaked, nobody hangs. */
#include <check.h>
#include <errno.h>
#include <libusb-1.0/libusb.h>
#include <stdio.h>
#include <string.h>

#include "station/base/clock.h"
#include "tests/unit/support.h"
#include "tests/unit/usb/inject.h"
#include "tests/unit/usb/stand.h"

#if defined(__SANITIZE_ADDRESS__)
/* A transfer that cannot be cancelled is left to libusb, which has no way to
 * give its URB back. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libusb_submit_transfer\n";
}

/* libusb keeps no frame pointers: by them alone the stack of that calloc may end
 * before it comes to libusb_submit_transfer. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "fast_unwind_on_malloc=0";
}
#endif

#define SOON_MS 50       /* for what may never come */
#define SURE_MS 3000     /* for what comes unless libusb fails */
#define LIMIT_MS 9000 /* for one pass, whatever fails */

static struct stand s;
static unsigned errors; /* of this pass */

/* A call's result: a failure must say what failed. */
static bool fine(int r, struct err *e, const char *what)
{
    if (r != 0) {
        ck_assert_int_eq(r, -1);
        ck_assert_msg(e->code != ERR_NONE && e->msg[0], "%s: no words", what);
        errors++;
    }
    *e = (struct err)ERR_INIT;
    return r == 0;
}

static bool wait_end(struct flight *f, int ms)
{
    struct timespec until;
    int r = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)ms * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&f->lock);
    while (f->ends == 0 && r != ETIMEDOUT)
        r = pthread_cond_timedwait(&f->landed, &f->lock, &until);
    bool ended = f->ends > 0;
    pthread_mutex_unlock(&f->lock);
    return ended;
}

static void exchange(struct usb_handle *h, struct flight *from, struct flight *to)
{
    struct err e = ERR_INIT;
    bool a = fine(usb_submit(h, &from->t, &e), &e, "submit IN");
    bool b = a && fine(usb_submit(h, &to->t, &e), &e, "submit OUT");

    if (b)
        wait_end(to, SOON_MS);
    if (a && !wait_end(from, b ? SOON_MS : 1))
        usb_cancel(&from->t);
}

static void use(struct usb_handle *h)
{
    uint8_t in[64], out[16] = { 1, 2, 3 }, note[8];
    struct flight from, to, interrupt;
    struct err e = ERR_INIT;

    flight_init(&from, PARROT_IN, in, sizeof in);
    flight_init(&to, PARROT_OUT, out, sizeof out);
    flight_init(&interrupt, PARROT_INTERRUPT, note, sizeof note);
    fine(usb_claim(h, 0, &e), &e, "claim");
    fine(usb_control(h, 0x40, PARROT_STORE, 0, 0, out, sizeof out, NULL, SURE_MS, &e), &e,
         "control");
    ck_assert_int_eq(usb_control(h, 0xc0, PARROT_SILENCE, 0, 0, in, 8, NULL, 1, &e), -1);
    fine(e.code == ERR_TIMEOUT ? 0 : -1, &e, "silence");
    exchange(h, &from, &to);
    fine(usb_clear_halt(h, PARROT_IN, &e), &e, "clear halt");
    fine(usb_submit(h, &interrupt.t, &e), &e, "submit interrupt");
    fine(usb_reset(h, &e), &e, "reset");
    fine(usb_submit(h, &interrupt.t, &e), &e, "submit after the reset");
    usb_close(h); /* with that under way */
    flight_clear(&from);
    flight_clear(&to);
    flight_clear(&interrupt);
}

static void pass(void)
{
    struct usb_handle *h = NULL;
    struct err e = ERR_INIT;
    int64_t t0 = clock_monotonic_ms();

    errors = 0;
    if (fine(usb_start(NULL, NULL, &s.usb, &e), &e, "start")) {
        if (fine(usb_open(s.usb, "1-1", &h, &e), &e, "open"))
            use(h);
        stand_stop(&s);
    }
    ck_assert_int_lt(clock_monotonic_ms() - t0, LIMIT_MS);
}

static const struct {
    const char *function;
    int code;
    bool ever, silent; /* silent: the caller need not notice */
} rows[] = {
    { "libusb_init", LIBUSB_ERROR_OTHER, false, false },
    { "libusb_init", LIBUSB_ERROR_NO_MEM, false, false },
    { "libusb_hotplug_register_callback", LIBUSB_ERROR_NOT_SUPPORTED, false, false },
    { "libusb_hotplug_register_callback", LIBUSB_ERROR_NO_MEM, false, false },
    { "libusb_handle_events_timeout_completed", LIBUSB_ERROR_IO, false, true },
    { "libusb_handle_events_timeout_completed", LIBUSB_ERROR_INTERRUPTED, false, true },
    { "libusb_get_port_numbers", LIBUSB_ERROR_OVERFLOW, false, true },
    { "libusb_get_device_descriptor", LIBUSB_ERROR_IO, false, true },
    { "libusb_get_active_config_descriptor", LIBUSB_ERROR_IO, false, true },
    { "libusb_get_active_config_descriptor", LIBUSB_ERROR_NO_DEVICE, true, true },
    { "libusb_open", LIBUSB_ERROR_ACCESS, false, false },
    { "libusb_open", LIBUSB_ERROR_NO_DEVICE, false, false },
    { "libusb_open", LIBUSB_ERROR_NO_MEM, false, false },
    { "libusb_set_auto_detach_kernel_driver", LIBUSB_ERROR_NOT_SUPPORTED, false, true },
    { "libusb_claim_interface", LIBUSB_ERROR_BUSY, false, false },
    { "libusb_claim_interface", LIBUSB_ERROR_NO_DEVICE, false, false },
    { "libusb_claim_interface", LIBUSB_ERROR_NOT_FOUND, false, false },
    { "libusb_release_interface", LIBUSB_ERROR_IO, true, true },
    { "libusb_clear_halt", LIBUSB_ERROR_NO_DEVICE, false, false },
    { "libusb_clear_halt", LIBUSB_ERROR_IO, false, false },
    { "libusb_reset_device", LIBUSB_ERROR_NOT_FOUND, false, false },
    { "libusb_reset_device", LIBUSB_ERROR_OTHER, false, false },
    { "libusb_alloc_transfer", LIBUSB_ERROR_NO_MEM, false, false },
    { "libusb_alloc_transfer", LIBUSB_ERROR_NO_MEM, true, false },
    { "libusb_submit_transfer", LIBUSB_ERROR_IO, false, false },
    { "libusb_submit_transfer", LIBUSB_ERROR_NO_DEVICE, false, false },
    { "libusb_submit_transfer", LIBUSB_ERROR_NO_MEM, true, false },
    { "libusb_cancel_transfer", LIBUSB_ERROR_NOT_FOUND, false, true },
    { "libusb_cancel_transfer", LIBUSB_ERROR_OTHER, true, true },
};

START_TEST(call_n_fails)
{
    struct lab_usb_device *d = parrot_new(1);
    unsigned n = 0;
    bool fired;

    stand_open(&s);
    stand_plug(&s, "1-1", d);
    pass();
    ck_assert_uint_eq(errors, 0);
    do {
        inject_at(rows[_i].function, ++n, rows[_i].code, rows[_i].ever);
        pass();
        fired = inject_off();
        ck_assert_msg(!fired || rows[_i].silent || errors > 0,
                      "%s, call %u: nobody noticed", rows[_i].function, n);
        ck_assert_uint_lt(n, 200);
    } while (fired);
    ck_assert_msg(n > 1, "%s is never called", rows[_i].function);
    pass(); /* and all is well again */
    ck_assert_uint_eq(errors, 0);
    stand_close(&s);
    d->ops->free(d);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "call N fails", call_n_fails, sizeof rows / sizeof *rows },
    };
    const char *why = lab_bus_cannot();

    if (why) {
        printf("SKIP: %s\n", why);
        return 77;
    }
    return run_tests("drivers/usb injected", tests, sizeof tests / sizeof *tests);
}

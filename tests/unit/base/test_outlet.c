#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "station/base/clock.h"
#include "station/base/outlet.h"
#include "tests/unit/support.h"

#define ROOM 200000
#define PATIENCE_MS 50
#define LONG_MS 20000
#define LINE_OCTETS 61

static int ends[2];

static struct outlet *start(size_t room)
{
    struct outlet *o = NULL;
    struct err e = ERR_INIT;

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    ck_assert_int_gt(fcntl(ends[1], F_SETPIPE_SZ, 4096), 0);
    ck_assert_msg(outlet_start(ends[1], room, &o, &e) == 0, "%s", e.msg);
    return o;
}

static void put_number(struct outlet *o, int i)
{
    char line[80];
    int n = snprintf(line, sizeof line, "%060d\n", i);

    outlet_put(o, SPAN(line, (size_t)n));
}

static void *read_all(void *ctx)
{
    struct buf *all = ctx;
    uint8_t octets[4096];

    for (ssize_t n; (n = read(ends[0], octets, sizeof octets)) > 0;)
        buf_put(all, octets, (size_t)n);
    return NULL;
}

static bool signalled(const struct outlet *o)
{
    struct pollfd p = { .fd = outlet_fd(o), .events = POLLIN };

    return poll(&p, 1, LONG_MS) == 1;
}

START_TEST(a_hanging_reader_holds_nobody_up)
{
    AUTO(buf_clear) struct buf all = BUF_INIT;
    struct outlet *o = start(ROOM);
    struct err e = ERR_INIT;
    const int n = 2000; /* far more than the pipe takes */
    pthread_t reader;

    for (int i = 0; i < n; i++)
        put_number(o, i); /* would hang here, but for the thread */
    ck_assert(!outlet_broken(o));
    ck_assert_int_eq(pthread_create(&reader, NULL, read_all, &all), 0);
    ck_assert_int_eq(outlet_end(o, LONG_MS, &e), 0);
    close(ends[1]);
    pthread_join(reader, NULL);
    close(ends[0]);
    ck_assert_uint_eq(all.n, (size_t)n * LINE_OCTETS);
    for (int i = 0; i < n; i++)
        ck_assert_int_eq(atoi((const char *)all.p + i * LINE_OCTETS), i);
}
END_TEST

START_TEST(too_much_unread_breaks_it)
{
    struct outlet *o = start(LINE_OCTETS * 100);
    struct err e = ERR_INIT;

    for (int i = 0; i < 300 && !outlet_broken(o); i++)
        put_number(o, i);
    ck_assert(outlet_broken(o));
    ck_assert(signalled(o));
    close(ends[0]);
    ck_assert_int_eq(outlet_end(o, LONG_MS, &e), -1);
    ck_assert_int_eq(e.code, ERR_CLOSED);
    close(ends[1]);
}
END_TEST

START_TEST(a_line_larger_than_the_room)
{
    struct outlet *o = start(10);
    struct err e = ERR_INIT;

    put_number(o, 1);
    ck_assert(outlet_broken(o));
    ck_assert_int_eq(outlet_end(o, LONG_MS, &e), -1);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(a_reader_that_left)
{
    struct outlet *o = start(ROOM);
    struct err e = ERR_INIT;

    close(ends[0]);
    put_number(o, 1);
    ck_assert(signalled(o));
    ck_assert(outlet_broken(o));
    put_number(o, 2);
    ck_assert_int_eq(outlet_end(o, LONG_MS, &e), -1);
    ck_assert_int_eq(e.code, ERR_CLOSED);
    close(ends[1]);
}
END_TEST

START_TEST(the_end_does_not_wait_for_ever)
{
    struct outlet *o = start(ROOM);
    struct err e = ERR_INIT;

    for (int i = 0; i < 1000; i++)
        put_number(o, i);
    int64_t from = clock_monotonic_ms();
    ck_assert_int_eq(outlet_end(o, PATIENCE_MS, &e), -1);
    ck_assert_int_eq(e.code, ERR_CLOSED);
    ck_assert_int_ge(clock_monotonic_ms() - from, PATIENCE_MS);
    close(ends[0]); /* lets the thread go */
    close(ends[1]);
}
END_TEST

START_TEST(nothing_said)
{
    struct outlet *o = start(ROOM);
    struct err e = ERR_INIT;

    ck_assert_int_eq(outlet_end(o, LONG_MS, &e), 0);
    ck_assert_int_eq(outlet_end(NULL, LONG_MS, &e), 0);
    close(ends[1]);
    close(ends[0]);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "hanging reader", a_hanging_reader_holds_nobody_up, 1 },
        { "too much unread", too_much_unread_breaks_it, 1 },
        { "too long a line", a_line_larger_than_the_room, 1 },
        { "reader left", a_reader_that_left, 1 },
        { "end", the_end_does_not_wait_for_ever, 1 },
        { "nothing", nothing_said, 1 },
    };

    signal(SIGPIPE, SIG_IGN);
    return run_tests("base/outlet", tests, sizeof tests / sizeof *tests);
}

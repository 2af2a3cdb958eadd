/* Software eUICCs behind sockets: vsmartcard's framing as the bench driver and
 * a virtual reader speak it. */
#include "tests/lab/euicc/server.h"
#include "tests/unit/lab_euicc/chip.h"

#include "drivers/fixture.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TIMEOUT_MS 20000

static struct desk d;
static struct server *server;
static char where[160];

static void setup(void)
{
    desk_make(&d, &(struct desk_options){ .keys = 1 });
    snprintf(where, sizeof where, "%s/sock", d.dir);
    server = NULL;
}

static void teardown(void)
{
    server_free(server);
    ck_assert(access(where, F_OK) != 0); /* removed */
    desk_clear(&d);
}

static void listen_with(const struct card_options *o)
{
    struct err e = ERR_INIT;

    ck_assert(server_new(&server, &e) == 0);
    ck_assert_msg(server_listen(server, d.path, where, o, &e) == 0, "%s",
                  e.msg);
}

static struct fixture *insert(void)
{
    AUTO(buf_clear) struct buf atr = BUF_INIT;
    struct fixture *f = NULL;
    struct err e = ERR_INIT;

    ck_assert(fixture_bench.open(NULL, where, &f, &e) == 0);
    ck_assert_msg(f->ops->power_on(f, &atr, TIMEOUT_MS, &e) == 0, "%s",
                  e.msg);
    ck_assert_uint_eq(atr.p[0], 0x3B);
    return f;
}

/* 0, or the error's code. */
static enum err_code send_hex(struct fixture *f, const char *hex,
                              struct buf *rsp, int timeout_ms)
{
    AUTO(buf_clear) struct buf cmd = BUF_INIT;
    struct err e = ERR_INIT;

    buf_put_hex(&cmd, hex);
    return f->ops->transmit(f, buf_span(&cmd), rsp, timeout_ms, &e) == 0
               ? ERR_NONE
               : e.code;
}

static void check_answers(struct fixture *f)
{
    AUTO(buf_clear) struct buf rsp = BUF_INIT;

    ck_assert_int_eq(send_hex(f, "0070000001", &rsp, TIMEOUT_MS), ERR_NONE);
    ck_assert(span_eq(buf_span(&rsp), SPAN("\x01\x90\x00", 3)));
}

START_TEST(one_card_one_reader)
{
    struct fixture *f;

    listen_with(NULL);
    for (int i = 0; i < 3; i++) { /* taken out and put in again */
        f = insert();
        check_answers(f);
        f->ops->power_off(f);
        f->ops->close(f);
    }
}
END_TEST

START_TEST(refuses_a_second_server)
{
    struct server *other = NULL;
    struct err e = ERR_INIT;

    listen_with(NULL);
    ck_assert(server_new(&other, &e) == 0);
    ck_assert_int_eq(server_listen(other, d.path, where, NULL, &e), -1);
    ck_assert_int_eq(e.code, ERR_BUSY);
    server_free(other);
    struct fixture *f = insert();
    check_answers(f);
    f->ops->close(f);
}
END_TEST

/* What a killed process left is replaced. */
START_TEST(stale_socket)
{
    FILE *f = fopen(where, "w");

    ck_assert(f != NULL && fclose(f) == 0);
    listen_with(NULL);
    struct fixture *fx = insert();
    check_answers(fx);
    fx->ops->close(fx);
}
END_TEST

/* After a cut the connection is gone; the next one finds the card well. */
START_TEST(power_cut)
{
    AUTO(buf_clear) struct buf rsp = BUF_INIT;

    listen_with(&(struct card_options){ .fault_at = 2,
                                        .fault = CARD_FAULT_CUT });
    struct fixture *f = insert();
    check_answers(f);
    ck_assert_int_eq(send_hex(f, "0070000001", &rsp, TIMEOUT_MS), ERR_NO_CARD);
    f->ops->close(f);
    f = insert();
    check_answers(f);
    f->ops->close(f);
}
END_TEST

/* A mute card is there, and well after a reset. */
START_TEST(mute)
{
    AUTO(buf_clear) struct buf rsp = BUF_INIT;

    listen_with(&(struct card_options){ .fault_at = 1,
                                        .fault = CARD_FAULT_MUTE });
    struct fixture *f = insert();
    ck_assert_int_eq(send_hex(f, "0070000001", &rsp, 50), ERR_TIMEOUT);
    f->ops->close(f);
    f = insert();
    check_answers(f);
    f->ops->close(f);
}
END_TEST

/* --- a virtual reader ---------------------------------------------------- */

static void say(int fd, const char *octets, size_t n)
{
    uint8_t head[2] = { 0, (uint8_t)n };

    ck_assert(write(fd, head, 2) == 2 && write(fd, octets, n) == (ssize_t)n);
}

static size_t hear(int fd, uint8_t *out, size_t cap)
{
    uint8_t head[2];

    ck_assert_int_eq(recv(fd, head, 2, MSG_WAITALL), 2);
    size_t n = (size_t)head[0] << 8 | head[1];
    ck_assert_uint_le(n, cap);
    ck_assert_int_eq(recv(fd, out, n, MSG_WAITALL), (ssize_t)n);
    return n;
}

static int reader(char port[8])
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0);
    ck_assert(listen(fd, 1) == 0);
    ck_assert(getsockname(fd, (struct sockaddr *)&a, &len) == 0);
    snprintf(port, 8, "%u", ntohs(a.sin_port));
    return fd;
}

START_TEST(dials_a_reader)
{
    struct err e = ERR_INIT;
    uint8_t got[300];
    char port[8];
    int listener = reader(port);

    ck_assert(server_new(&server, &e) == 0);
    ck_assert_msg(server_connect(server, d.path, "127.0.0.1", port, NULL,
                                 &e) == 0,
                  "%s", e.msg);
    for (int i = 0; i < 2; i++) { /* and again after the reader went away */
        int fd = accept(listener, NULL, NULL);
        ck_assert(fd >= 0);
        say(fd, "\x04", 1); /* polled before power */
        ck_assert_uint_gt(hear(fd, got, sizeof got), 2);
        say(fd, "\x01", 1);
        say(fd, "\x02", 1); /* neither is answered */
        say(fd, "\x00\x70\x00\x00\x01", 5);
        ck_assert_uint_eq(hear(fd, got, sizeof got), 3);
        ck_assert_uint_eq(got[0], 1);
        say(fd, "\x00", 1);
        say(fd, "\x04", 1);
        ck_assert_uint_gt(hear(fd, got, sizeof got), 2);
        ck_assert_uint_eq(got[0], 0x3B);
        close(fd);
    }
    close(listener);
}
END_TEST

START_TEST(no_reader)
{
    struct err e = ERR_INIT;
    char port[8];

    close(reader(port));
    ck_assert(server_new(&server, &e) == 0);
    ck_assert_int_eq(server_connect(server, d.path, "127.0.0.1", port, NULL,
                                    &e),
                     -1);
    ck_assert_int_eq(e.code, ERR_IO);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lab/euicc/server");
    TCase *t = tcase_create("server");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, one_card_one_reader);
    tcase_add_test(t, refuses_a_second_server);
    tcase_add_test(t, stale_socket);
    tcase_add_test(t, power_cut);
    tcase_add_test(t, mute);
    tcase_add_test(t, dials_a_reader);
    tcase_add_test(t, no_reader);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}

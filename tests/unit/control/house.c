#include "tests/unit/control/house.h"

#include "tests/unit/known_pin.h"

#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS 60000

void house_good(int bad, const struct err *e)
{
    ck_assert_msg(bad == 0, "%s", e->msg);
}

static int add_people(struct tx *tx, void *ctx, struct err *e)
{
    static const struct {
        const char *name, *badge, *pin;
        enum role role;
    } rows[] = { { "Ada", "B-1111", "86420", ROLE_SUPERVISOR },
                 { "Bob", "B-2222", "4711", ROLE_OPERATOR },
                 { "Cyd", "B-3333", "90210", ROLE_ENGINEER },
                 { "Dan", "B-4444", "27182", ROLE_AUDITOR } };

    (void)ctx;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t badge[BADGE_HASH];
        const struct person_new n = { rows[i].name, rows[i].role, badge,
                                      known_pin(rows[i].pin) };
        if (badge_hash(rows[i].badge, badge, e) != 0 ||
            person_add(tx, &n, i ? "Ada" : NULL, e) != 0)
            return -1;
    }
    return 0;
}

static void count_stop(void *ctx)
{
    ++*(int *)ctx;
}

static void open_with(struct house *h, bool people)
{
    AUTO(db_close_p) struct db *db = NULL;
    char where[160];
    struct err e = ERR_INIT;

    shop_open(&h->s, 1);
    shop_commission(&h->s);
    shop_stock(&h->s, 0, 1);
    shop_where(&h->s, 0, 0, where);
    h->stops = 0;
    house_good(db_open(h->s.data, DB_WRITE, NULL, &db, &e), &e);
    if (people)
        house_good(db_write(db, add_people, NULL, &e), &e);
    db_close(db);
    db = NULL;
    house_good(control_new(&(struct control_options){
        .data_dir = h->s.data, .version = "9", .stop = count_stop,
        .stop_ctx = &h->stops }, &h->c, &e), &e);
    const struct line_fixture f = { "F1", &fixture_shop, NULL, where };
    house_good(line_new(&(struct line_options){
        .data_dir = h->s.data, .limits = APDU_LIMITS_DEFAULT, .fixtures = &f,
        .fixture_count = 1, .event = control_tell, .event_ctx = h->c },
        &h->line, &e), &e);
    house_good(control_serve(h->c, h->line, &e), &e);
}

void house_open(struct house *h)
{
    open_with(h, true);
}

void house_open_empty(struct house *h)
{
    open_with(h, false);
}

void house_close(struct house *h)
{
    line_end(h->line);
    control_end(h->c);
    line_free(h->line);
    control_free(h->c);
    shop_close(&h->s);
}

int house_dial(struct house *h)
{
    struct sockaddr_un a;
    struct err e = ERR_INIT;
    int dir, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    house_good(control_address(h->s.data, &a, &dir, &e), &e);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

void house_say(int fd, const char *text)
{
    ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

json_t *house_hear(int fd)
{
    static const size_t cap = CONTROL_MESSAGE_MAX + 1;
    char *line = malloc(cap);
    struct pollfd p = { .fd = fd, .events = POLLIN };
    size_t n = 0;

    ck_assert_ptr_nonnull(line);
    do {
        ck_assert_msg(poll(&p, 1, WAIT_MS) == 1, "nothing comes");
        /* No more than one message: what is behind it stays. */
        ssize_t got = recv(fd, line + n, cap - n, MSG_PEEK);
        ck_assert_msg(got > 0, "hung up");
        char *end = memchr(line + n, '\n', (size_t)got);
        got = end ? end + 1 - (line + n) : got;
        ck_assert_int_eq(read(fd, line + n, (size_t)got), got);
        n += (size_t)got;
    } while (line[n - 1] != '\n');
    json_t *j = json_loadb(line, n, 0, NULL);
    ck_assert_msg(j != NULL, "no JSON: %.*s", (int)n, line);
    free(line);
    schema_check(j);
    return j;
}

json_t *house_ask(int fd, const char *verb, const char *members, const char *error)
{
    static int last;
    char text[4096];

    snprintf(text, sizeof text, "{\"id\":%d,\"do\":\"%s\"%s%s}\n", ++last, verb,
             *members ? "," : "", members);
    house_say(fd, text);
    json_t *j = house_hear(fd);
    const char *is = json_string_value(json_object_get(j, "error"));
    ck_assert_int_eq(json_integer_value(json_object_get(j, "id")), last);
    ck_assert_msg(strcmp(is ? is : "", error) == 0, "%s{%s}: %s: %s", verb, members,
                  is ? is : "not refused",
                  json_string_value(json_object_get(j, "message")));
    return j;
}

void house_login(int fd, const char *badge, const char *pin)
{
    char members[200];

    snprintf(members, sizeof members, "\"badge\":\"%s\",\"pin\":\"%s\","
             "\"connection\":true", badge, pin);
    json_decref(house_ask(fd, "login", members, ""));
}

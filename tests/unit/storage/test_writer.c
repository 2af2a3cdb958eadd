/* The writer: grouping, isolation, what each wait promises, failing disks. */
#include "tests/unit/storage/faulty_disk.h"
#include "tests/unit/storage/ledger_ground.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int say(struct tx *tx, void *ctx, struct err *e)
{
    const struct event_field f[] = { { "word", ctx } };

    return event_append(tx, "said", "test", f, 1, NULL, e);
}

/* Writes, then fails: the write must go. */
static int say_and_fail(struct tx *tx, void *ctx, struct err *e)
{
    return say(tx, ctx, e) != 0 ? -1 : err_set(e, ERR_CLOSED, "%s",
                                               (const char *)ctx);
}

static void with_writer(struct ground *g, struct writer **w)
{
    struct err e = ERR_INIT;

    ground_open(g);
    good(writer_open(g->dir, &g->options, w, &e));
}

static uint64_t events(struct ground *g)
{
    struct event_head head;
    struct err e = ERR_INIT;

    good(event_head(g->db, &head, &e));
    return head.number;
}

/* --- many threads ------------------------------------------------------------- */

#define THREADS 64
#define EACH 20

static void *worker(void *p)
{
    struct writer *w = p;
    struct err e = ERR_INIT;

    for (int i = 0; i < EACH; i++) {
        struct ticket *t = writer_submit(w, say, "hello");
        good(ticket_executed(t, &e));
        good(ticket_durable(t, &e));
        ticket_free(t);
    }
    return NULL;
}

START_TEST(threads_share_commits)
{
    pthread_t t[THREADS];
    struct writer_stats s;
    struct writer *w;
    struct ground g;

    with_writer(&g, &w);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&t[i], NULL, worker, w), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    writer_stats(w, &s);
    ck_assert_uint_eq(s.ops, THREADS * EACH);
    ck_assert_uint_eq(s.durable_points, THREADS * EACH);
    ck_assert_uint_eq(s.failed_ops, 0);
    ck_assert_uint_eq(s.failed_groups, 0);
    ck_assert_uint_ge(s.groups, EACH); /* a thread never shares with itself */
    ck_assert_uint_eq(events(&g), THREADS * EACH);
    writer_close(w);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

/* Proof of grouping without a clock: while one operation holds the writer,
 * all others queue; they must then share one commit. */
struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    bool inside, open;
};

static int at_gate(struct tx *tx, void *ctx, struct err *e)
{
    struct gate *gate = ctx;

    (void)tx;
    (void)e;
    pthread_mutex_lock(&gate->mutex);
    gate->inside = true;
    pthread_cond_broadcast(&gate->moved);
    while (!gate->open)
        pthread_cond_wait(&gate->moved, &gate->mutex);
    pthread_mutex_unlock(&gate->mutex);
    return 0;
}

#define QUEUED 50

START_TEST(what_queues_shares_one_commit)
{
    struct gate gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER,
                         false, false };
    struct ticket *first, *t[QUEUED];
    struct writer_stats s;
    struct err e = ERR_INIT;
    struct writer *w;
    struct ground g;

    with_writer(&g, &w);
    first = writer_submit(w, at_gate, &gate);
    pthread_mutex_lock(&gate.mutex);
    while (!gate.inside)
        pthread_cond_wait(&gate.moved, &gate.mutex);
    pthread_mutex_unlock(&gate.mutex);
    for (int i = 0; i < QUEUED; i++)
        t[i] = writer_submit(w, say, "hello");
    pthread_mutex_lock(&gate.mutex);
    gate.open = true;
    pthread_cond_broadcast(&gate.moved);
    pthread_mutex_unlock(&gate.mutex);
    for (int i = 0; i < QUEUED; i++)
        good(ticket_durable(t[i], &e));
    good(ticket_durable(first, &e));
    writer_stats(w, &s);
    ck_assert_uint_le(s.groups, 2); /* the gate's own, and one for all */
    ck_assert_uint_eq(s.ops, QUEUED + 1);
    ticket_free(first);
    for (int i = 0; i < QUEUED; i++)
        ticket_free(t[i]);
    writer_close(w);
    ground_close(&g);
}
END_TEST

/* --- promises -------------------------------------------------------------------- */

START_TEST(a_failing_operation_is_alone)
{
    struct writer_stats s;
    struct ticket *t[3];
    struct err e = ERR_INIT;
    struct writer *w;
    struct ground g;

    with_writer(&g, &w);
    t[0] = writer_submit(w, say, "before");
    t[1] = writer_submit(w, say_and_fail, "mine");
    t[2] = writer_submit(w, say, "after");
    bad(ticket_executed(t[1], &e), ERR_CLOSED);
    bad(ticket_durable(t[1], &e), ERR_CLOSED);
    ck_assert_str_eq(e.msg, "mine");
    good(ticket_durable(t[0], &e));
    good(ticket_durable(t[2], &e));
    ck_assert_uint_eq(events(&g), 2);
    writer_stats(w, &s);
    ck_assert_uint_eq(s.failed_ops, 1);
    ck_assert_uint_eq(s.failed_groups, 0);
    for (int i = 0; i < 3; i++)
        ticket_free(t[i]);
    writer_close(w);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

/* Executed is not durable, and nobody has to wait for it to become so. */
START_TEST(lazy_operations_come_by_themselves)
{
    struct writer_stats s;
    struct err e = ERR_INIT;
    struct writer *w;
    struct ground g;

    with_writer(&g, &w);
    good(writer_do_lazy(w, say, "lazy", &e));
    for (int i = 0; i < 1000 && events(&g) == 0; i++)
        usleep(10000);
    ck_assert_uint_eq(events(&g), 1);
    writer_stats(w, &s);
    ck_assert_uint_eq(s.durable_points, 0);
    writer_close(w);
    ground_close(&g);
}
END_TEST

START_TEST(flush_and_close_finish)
{
    struct writer_stats s;
    struct err e = ERR_INIT;
    struct writer *w;
    struct ground g;

    with_writer(&g, &w);
    good(writer_flush(w, &e)); /* nothing to do */
    for (int i = 0; i < 10; i++)
        ticket_free(writer_submit(w, say, "flushed"));
    good(writer_flush(w, &e));
    ck_assert_uint_eq(events(&g), 10);
    writer_stats(w, &s);
    ck_assert_uint_eq(s.ops, 10);
    ck_assert_uint_eq(s.durable_points, 0);
    struct ticket *late = writer_submit(w, say, "closed");
    writer_close(w);
    ticket_free(late);
    ck_assert_uint_eq(events(&g), 11);
    ground_close(&g);
}
END_TEST

/* Two waits are one point; an operation and a receipt are two. */
START_TEST(durable_points_are_counted)
{
    struct writer_stats s;
    struct err e = ERR_INIT;
    struct writer *w;
    struct ground g;

    with_writer(&g, &w);
    struct ticket *t = writer_submit(w, say, "once");
    good(ticket_durable(t, &e));
    good(ticket_durable(t, &e));
    ticket_free(t);
    good(writer_do(w, say, "twice", &e));
    good(writer_do_lazy(w, say, "never", &e));
    writer_stats(w, &s);
    ck_assert_uint_eq(s.durable_points, 2);
    writer_close(w);
    ground_close(&g);
}
END_TEST

/* --- a failing disk ----------------------------------------------------------------- */

/* Whatever fails, each operation is there exactly when its ticket says so,
 * and the writer goes on when the disk does. */
START_TEST(a_group_lives_or_dies_together)
{
    static const struct {
        enum disk_fault fault;
        enum err_code code;
    } rows[] = {
        { DISK_FULL_ONCE, ERR_FULL },
        { DISK_NO_SYNC, ERR_IO },
    };
    const struct db_options o = { .vfs = FAULTY_DISK };
    bool fired = true;
    unsigned n;

    faulty_disk_register();
    for (n = 1; fired; n++) {
        struct ticket *t[5];
        struct err e = ERR_INIT;
        struct writer *w;
        struct ground g;
        uint64_t kept = 0;

        ground_open_with(&g, &o);
        good(writer_open(g.dir, &o, &w, &e));
        faulty_disk_arm(rows[_i].fault, n);
        for (int i = 0; i < 5; i++)
            t[i] = writer_submit(w, i == 2 ? say_and_fail : say, "op");
        for (int i = 0; i < 5; i++) {
            e.code = ERR_NONE;
            if (ticket_durable(t[i], &e) == 0)
                kept++;
            else
                ck_assert_msg(e.code == rows[_i].code ||
                              (i == 2 && e.code == ERR_CLOSED), "%s", e.msg);
            ticket_free(t[i]);
        }
        fired = faulty_disk_fired();
        ck_assert_uint_eq(events(&g), kept);
        ck_assert(fired || kept == 4);
        faulty_disk_arm(rows[_i].fault, 0);
        good(writer_do(w, say, "again", &e));
        ck_assert_uint_eq(events(&g), kept + 1);
        writer_close(w);
        ground_reopen(&g);
        ck_assert_uint_eq(events(&g), kept + 1);
        ground_balanced(g.db);
        ground_close(&g);
        ck_assert_uint_lt(n, 1000);
    }
    ck_assert_uint_gt(n, 2); /* something did fail */
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "threads", threads_share_commits, 1 },
        { "one commit", what_queues_shares_one_commit, 1 },
        { "alone", a_failing_operation_is_alone, 1 },
        { "lazy", lazy_operations_come_by_themselves, 1 },
        { "flush", flush_and_close_finish, 1 },
        { "points", durable_points_are_counted, 1 },
        { "failing disk", a_group_lives_or_dies_together, 2 },
    };

    return run_tests("storage/writer", tests, sizeof tests / sizeof *tests);
}

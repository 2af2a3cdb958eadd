/* Records of a shift-record: what goes in comes out, what does not add up
 * goes neither in nor out, and octets have one meaning. */
#include "scene.h"
#include "tests/unit/support.h"

#include <string.h>

#define RECORDS 3

static void same_steps(const struct shift_record *a, const struct shift_record *b)
{
    ck_assert_uint_eq(a->step_count, b->step_count);
    for (size_t i = 0; i < a->step_count; i++) {
        ck_assert(span_eq(a->steps[i].from, b->steps[i].from));
        ck_assert(span_eq(a->steps[i].to, b->steps[i].to));
        ck_assert_uint_eq(a->steps[i].n, b->steps[i].n);
    }
}

START_TEST(there_and_back)
{
    AUTO(buf_clear) struct buf der = BUF_INIT, again = BUF_INIT;
    const struct shift_record r = scene_shift_record((size_t)_i);
    struct err e = ERR_INIT;
    struct shift_record b;

    ck_assert_int_eq(shift_record_encode(&r, &der, &e), 0);
    ck_assert_msg(shift_record_decode(buf_span(&der), &b, &e) == 0, "%s", e.msg);
    ck_assert_int_eq(b.kind, r.kind);
    ck_assert_uint_eq(b.state_count, r.state_count);
    for (size_t i = 0; i < r.state_count; i++) {
        ck_assert(span_eq(b.states[i].name, r.states[i].name));
        ck_assert_uint_eq(b.states[i].before, r.states[i].before);
        ck_assert_uint_eq(b.states[i].after, r.states[i].after);
    }
    same_steps(&b, &r);
    ck_assert_mem_eq(b.before, r.before, sizeof b.before);
    ck_assert_mem_eq(b.after, r.after, sizeof b.after);
    ck_assert(span_eq(b.bundle_id, r.bundle_id));
    ck_assert(span_eq(b.manifest_sha256, r.manifest_sha256));
    ck_assert(span_eq(b.code, r.code));
    ck_assert_uint_eq(b.n, r.n);
    ck_assert_int_eq(shift_record_encode(&b, &again, &e), 0);
    ck_assert(span_eq(buf_span(&again), buf_span(&der)));
}
END_TEST

START_TEST(octets_have_one_meaning)
{
    AUTO(buf_clear) struct buf der = BUF_INIT;
    const struct shift_record r = scene_shift_record((size_t)_i);
    struct err e = ERR_INIT;
    struct shift_record b;

    ck_assert_int_eq(shift_record_encode(&r, &der, &e), 0);
    for (size_t at = 0; at < der.n; at++)
        for (int bit = 0; bit < 8; bit++) {
            AUTO(buf_clear) struct buf again = BUF_INIT;
            der.p[at] ^= (uint8_t)(1 << bit);
            if (shift_record_decode(buf_span(&der), &b, &e) == 0) {
                ck_assert_int_eq(shift_record_encode(&b, &again, &e), 0);
                ck_assert(span_eq(buf_span(&again), buf_span(&der)));
            }
            der.p[at] ^= (uint8_t)(1 << bit);
        }
    for (size_t n = 0; n < der.n; n++)
        ck_assert_int_eq(shift_record_decode(SPAN(der.p, n), &b, &e), -1);
    buf_put_u8(&der, 0);
    ck_assert_int_eq(shift_record_decode(buf_span(&der), &b, &e), -1);
}
END_TEST

/* --- what may not be said ----------------------------------------------------- */

#define S(text) SPAN(text, sizeof text - 1)

static void more_passed(struct shift_record *r) { r->states[1].after++; }
static void less_before(struct shift_record *r) { r->states[1].before--; }
static void unknown_to(struct shift_record *r) { r->steps[0].to = S("lost"); }
static void unknown_from(struct shift_record *r) { r->steps[1].from = S("x"); }
static void state_twice(struct shift_record *r)
{
    r->states[1].name = r->states[0].name;
}
static void state_control(struct shift_record *r)
{
    r->states[0].name = S("op\x1b[");
}
static void no_move(struct shift_record *r) { r->steps[0].n = 0; }
static void received(struct shift_record *r) { r->after[FIGURE_RECEIVED]++; }
static void shifted(struct shift_record *r)
{
    r->after[FIGURE_INSTALLED]++;
    r->after[FIGURE_FAILED]--;
}
static void unbalanced(struct shift_record *r)
{
    r->before[FIGURE_IN_STOCK]++;
    r->after[FIGURE_IN_STOCK]++;
}
static void deleted(struct shift_record *r)
{
    r->after[FIGURE_DELETED] = 3;
    r->steps[3].n = 3;
}
static void deleted_failed(struct shift_record *r)
{
    r->steps[3].from = S("failed");
}
static void wraps(struct shift_record *r)
{
    r->steps[0].n = UINT64_MAX - 3;
    r->steps[1].n = UINT64_MAX;
}
static void huge(struct shift_record *r)
{
    r->before[FIGURE_VOIDED] = r->after[FIGURE_VOIDED] = UINT64_MAX;
    r->before[FIGURE_RECEIVED]--;
    r->after[FIGURE_RECEIVED]--;
}
static void short_hash(struct shift_record *r) { r->manifest_sha256.n = 31; }
static void short_id(struct shift_record *r) { r->bundle_id.n = 35; }
static void nobody(struct shift_record *r) { r->person.n = 0; }
static void no_what(struct shift_record *r) { r->what = SHIFT_WHATS; }
static void none(struct shift_record *r) { r->n = 0; }
static void code_control(struct shift_record *r) { r->code = S("a\nb"); }

static const struct {
    const char *name;
    size_t record;
    void (*change)(struct shift_record *);
} wrong[] = {
    { "more passed than moved", 0, more_passed },
    { "less before", 0, less_before },
    { "moves to a state that is not there", 0, unknown_to },
    { "moves from a state that is not there", 0, unknown_from },
    { "a state twice", 0, state_twice },
    { "a state with a control character", 0, state_control },
    { "a move of none", 0, no_move },
    { "more received than came", 1, received },
    { "installed that failed", 1, shifted },
    { "a bundle that does not add up", 1, unbalanced },
    { "more deleted than installed", 1, deleted },
    { "a failed one deleted", 1, deleted_failed },
    { "moves that wrap", 1, wraps },
    { "figures that wrap", 1, huge },
    { "a hash of 31 octets", 1, short_hash },
    { "no UUID", 1, short_id },
    { "by nobody", 2, nobody },
    { "of nothing", 2, no_what },
    { "a count of none", 2, none },
    { "a code with a line end", 2, code_control },
};

START_TEST(may_not_be_said)
{
    AUTO(buf_clear) struct buf der = BUF_INIT;
    struct shift_record r = scene_shift_record(wrong[_i].record);
    struct err e = ERR_INIT;

    wrong[_i].change(&r);
    ck_assert_msg(shift_record_encode(&r, &der, &e) == -1, "%s", wrong[_i].name);
    ck_assert_int_eq(e.code, ERR_FORMAT);
    ck_assert_uint_eq(der.n, 0);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "round", there_and_back, RECORDS },
        { "octets", octets_have_one_meaning, RECORDS },
        { "wrong", may_not_be_said, sizeof wrong / sizeof *wrong },
    };

    return run_tests("container/shift_record", tests,
                     sizeof tests / sizeof *tests);
}

#include "station/container/shift_record.h"

#include "station/ifpp/event.h"
#include "station/ifpp/tags.h"

#include <string.h>

static const char *const what_names[SHIFT_WHATS] = {
    [SHIFT_UNIT] = "unit",
    [SHIFT_BPP] = "bpp",
    [SHIFT_FAILURE] = "failure",
    [SHIFT_REFUSED] = "refused",
};

const char *const shift_figure_names[FIGURES] = {
    [FIGURE_RECEIVED] = "received",
    [FIGURE_IN_STOCK] = "in-stock",
    [FIGURE_RESERVED] = "reserved",
    [FIGURE_LOADING] = "loading",
    [FIGURE_INSTALLED] = "installed",
    [FIGURE_FAILED] = "failed",
    [FIGURE_QUARANTINED] = "quarantined",
    [FIGURE_VOIDED] = "voided",
    [FIGURE_DELETED] = "deleted",
};

const char *shift_what_name(enum shift_what w)
{
    return (unsigned)w < SHIFT_WHATS ? what_names[w] : "unknown";
}

static const uint32_t tags[SHIFT_RECORD_KINDS] = {
    [SHIFT_POSITIONS] = 0xA0,
    [SHIFT_BUNDLE] = 0xA1,
    [SHIFT_COUNT] = 0xA2,
};

/* --- what adds up ---------------------------------------------------------------- */

static bool fits(struct span s, size_t least, size_t most)
{
    return s.n >= least && s.n <= most && event_text_ok(s);
}

/* Where the figure of this name stands in v, which before and after share. */
static int figure_of(struct span name)
{
    for (int i = FIGURE_IN_STOCK; i < FIGURES; i++)
        if (span_eq(name, SPAN_STR(shift_figure_names[i])))
            return i;
    return -1;
}

/* before, less what the moves took, plus what they brought, is after. Sums
 * are taken modulo 2^64 and compared: no figure that stands in a record can
 * make one overflow unseen, since all are far below. */
#define FIGURE_MAX (UINT64_C(1) << 53)

static bool balanced(const uint64_t f[FIGURES])
{
    uint64_t sum = 0;

    for (int i = 0; i < FIGURES; i++) {
        if (f[i] > FIGURE_MAX)
            return false;
        sum += i == FIGURE_RECEIVED || i == FIGURE_DELETED ? 0 : f[i];
    }
    return sum == f[FIGURE_RECEIVED] && f[FIGURE_DELETED] <= f[FIGURE_INSTALLED];
}

static bool bundle_adds_up(const struct shift_record *r)
{
    uint64_t now[FIGURES];

    memcpy(now, r->before, sizeof now);
    for (size_t i = 0; i < r->step_count; i++) {
        const struct shift_step *s = &r->steps[i];
        int to = figure_of(s->to);
        int from = s->from.n ? figure_of(s->from) : FIGURE_RECEIVED;
        if (to < 0 || from < 0 || from == FIGURE_DELETED || s->n > FIGURE_MAX)
            return false;
        if (to == FIGURE_DELETED && from != FIGURE_INSTALLED)
            return false;
        now[to] += s->n;
        if (from == FIGURE_RECEIVED)
            now[from] += s->n;
        else if (to != FIGURE_DELETED)
            now[from] -= s->n;
    }
    return balanced(r->before) && balanced(r->after) &&
           memcmp(now, r->after, sizeof now) == 0;
}

static int state_of(const struct shift_record *r, struct span name)
{
    for (size_t i = 0; i < r->state_count; i++)
        if (span_eq(r->states[i].name, name))
            return (int)i;
    return -1;
}

static bool positions_add_up(const struct shift_record *r)
{
    uint64_t now[SHIFT_STATES_MAX];

    for (size_t i = 0; i < r->state_count; i++) {
        if (r->states[i].before > FIGURE_MAX || r->states[i].after > FIGURE_MAX ||
            state_of(r, r->states[i].name) != (int)i)
            return false;
        now[i] = r->states[i].before;
    }
    for (size_t i = 0; i < r->step_count; i++) {
        const struct shift_step *s = &r->steps[i];
        int to = state_of(r, s->to), from = state_of(r, s->from);
        if (to < 0 || (from < 0 && s->from.n) || s->n > FIGURE_MAX)
            return false;
        now[to] += s->n;
        if (s->from.n)
            now[from] -= s->n;
    }
    for (size_t i = 0; i < r->state_count; i++)
        if (now[i] != r->states[i].after)
            return false;
    return true;
}

/* NULL: it is as it must be. */
static const char *fault_of(const struct shift_record *r)
{
    if (r->kind == SHIFT_COUNT)
        return !fits(r->fixture, 0, SHIFT_TEXT_MAX)   ? "fixture"
               : !fits(r->person, 1, EVENT_ACTOR_MAX) ? "operator"
               : (unsigned)r->what >= SHIFT_WHATS     ? "what"
               : !fits(r->outcome, 0, SHIFT_OUTCOME_MAX) ? "outcome"
               : !fits(r->code, 0, SHIFT_TEXT_MAX)    ? "code"
               : r->n == 0 || r->n > FIGURE_MAX       ? "number" : NULL;
    if (r->kind == SHIFT_BUNDLE &&
        (!fits(r->bundle_id, UUID_LEN, UUID_LEN) ||
         !fits(r->smdp, 1, REGISTERED_ID_MAX) || r->manifest_sha256.n != 32))
        return "bundle";
    for (size_t i = 0; i < r->state_count; i++)
        if (!fits(r->states[i].name, 1, SHIFT_STATE_NAME_MAX))
            return "state";
    for (size_t i = 0; i < r->step_count; i++)
        if (!fits(r->steps[i].from, 0, SHIFT_STATE_NAME_MAX) ||
            !fits(r->steps[i].to, 1, SHIFT_STATE_NAME_MAX) ||
            r->steps[i].n == 0)
            return "move";
    if (r->kind == SHIFT_BUNDLE ? !bundle_adds_up(r) : !positions_add_up(r))
        return "balance: before and the moves are not after";
    return NULL;
}

/* --- writing ---------------------------------------------------------------------- */

static void put_states(struct buf *b, const struct shift_record *r, bool after)
{
    size_t list = der_open(b);

    for (size_t i = 0; i < r->state_count; i++) {
        size_t one = der_open(b);
        der_put(b, TAG_UTF8, r->states[i].name);
        der_put_uint(b, TAG_INTEGER, after ? r->states[i].after
                                           : r->states[i].before);
        der_close(b, TAG_SEQUENCE, one);
    }
    der_close(b, TAG_SEQUENCE, list);
}

static void put_figures(struct buf *b, const uint64_t f[FIGURES])
{
    size_t list = der_open(b);

    for (int i = 0; i < FIGURES; i++)
        der_put_uint(b, TAG_INTEGER, f[i]);
    der_close(b, TAG_SEQUENCE, list);
}

static void put_steps(struct buf *b, const struct shift_record *r)
{
    size_t list = der_open(b);

    for (size_t i = 0; i < r->step_count; i++) {
        size_t one = der_open(b);
        der_put(b, TAG_UTF8, r->steps[i].from);
        der_put(b, TAG_UTF8, r->steps[i].to);
        der_put_uint(b, TAG_INTEGER, r->steps[i].n);
        der_close(b, TAG_SEQUENCE, one);
    }
    der_close(b, TAG_SEQUENCE, list);
}

static void put_count(struct buf *b, const struct shift_record *r)
{
    der_put(b, TAG_UTF8, r->fixture);
    der_put(b, TAG_UTF8, r->person);
    der_put_uint(b, TAG_INTEGER, (uint64_t)r->what);
    der_put(b, TAG_UTF8, r->outcome);
    der_put(b, TAG_UTF8, r->code);
    der_put_uint(b, TAG_INTEGER, r->n);
}

int shift_record_encode(const struct shift_record *r, struct buf *out,
                        struct err *e)
{
    size_t before = out->n;

    if ((unsigned)r->kind >= SHIFT_RECORD_KINDS)
        return err_set(e, ERR_FORMAT, "unknown kind of shift record");
    const char *fault = fault_of(r);
    if (fault)
        return err_set(e, ERR_FORMAT, "shift record: bad %s", fault);
    size_t whole = der_open(out);
    switch (r->kind) {
    case SHIFT_POSITIONS:
        put_states(out, r, false);
        put_states(out, r, true);
        put_steps(out, r);
        break;
    case SHIFT_BUNDLE:
        der_put(out, TAG_UTF8, r->bundle_id);
        der_put(out, TAG_UTF8, r->smdp);
        der_put(out, TAG_OCTETS, r->manifest_sha256);
        put_figures(out, r->before);
        put_figures(out, r->after);
        put_steps(out, r);
        break;
    default:
        put_count(out, r);
    }
    der_close(out, tags[r->kind], whole);
    if (buf_ok(out))
        return 0;
    out->n = before;
    return err_set(e, ERR_NOMEM, "no memory for a shift record");
}

/* --- reading ----------------------------------------------------------------------- */

static int get_text(struct span *in, struct span *out)
{
    struct tlv t;

    if (der_take(in, TAG_UTF8, &t) != 0)
        return -1;
    *out = t.value;
    return 0;
}

static int get_uint(struct span *in, uint64_t *out)
{
    struct tlv t;

    return der_take(in, TAG_INTEGER, &t) == 0 ? der_uint(t.value, out) : -1;
}

static int get_list(struct span *in, struct span *out)
{
    struct tlv t;

    if (der_take(in, TAG_SEQUENCE, &t) != 0)
        return -1;
    *out = t.value;
    return 0;
}

static int get_states(struct span *in, struct shift_record *r, bool after)
{
    struct span list, one, name;
    size_t n = 0;

    if (get_list(in, &list) != 0)
        return -1;
    for (; list.n; n++) {
        if (n == SHIFT_STATES_MAX || (after && n == r->state_count) ||
            get_list(&list, &one) != 0 || get_text(&one, &name) != 0 ||
            (after && !span_eq(name, r->states[n].name)) ||
            get_uint(&one, after ? &r->states[n].after
                                 : &r->states[n].before) != 0 || one.n)
            return -1;
        r->states[n].name = name;
    }
    if (after)
        return n == r->state_count ? 0 : -1;
    r->state_count = n;
    return 0;
}

static int get_figures(struct span *in, uint64_t f[FIGURES])
{
    struct span list;

    if (get_list(in, &list) != 0)
        return -1;
    for (int i = 0; i < FIGURES; i++)
        if (get_uint(&list, &f[i]) != 0)
            return -1;
    return list.n ? -1 : 0;
}

static int get_steps(struct span *in, struct shift_record *r)
{
    struct span list, one;

    if (get_list(in, &list) != 0)
        return -1;
    for (; list.n; r->step_count++) {
        struct shift_step *s = &r->steps[r->step_count];
        if (r->step_count == SHIFT_MOVES || get_list(&list, &one) != 0 ||
            get_text(&one, &s->from) != 0 || get_text(&one, &s->to) != 0 ||
            get_uint(&one, &s->n) != 0 || one.n)
            return -1;
    }
    return 0;
}

static int get_bundle(struct span *in, struct shift_record *r)
{
    struct tlv hash;

    if (get_text(in, &r->bundle_id) != 0 || get_text(in, &r->smdp) != 0 ||
        der_take(in, TAG_OCTETS, &hash) != 0)
        return -1;
    r->manifest_sha256 = hash.value;
    return get_figures(in, r->before) != 0 || get_figures(in, r->after) != 0 ||
           get_steps(in, r) != 0 ? -1 : 0;
}

static int get_count(struct span *in, struct shift_record *r)
{
    uint64_t what;

    if (get_text(in, &r->fixture) != 0 || get_text(in, &r->person) != 0 ||
        get_uint(in, &what) != 0 || what >= SHIFT_WHATS ||
        get_text(in, &r->outcome) != 0 || get_text(in, &r->code) != 0)
        return -1;
    r->what = (enum shift_what)what;
    return get_uint(in, &r->n);
}

static int get_record(struct span *in, struct shift_record *r)
{
    switch (r->kind) {
    case SHIFT_POSITIONS:
        return get_states(in, r, false) != 0 || get_states(in, r, true) != 0 ||
               get_steps(in, r) != 0 ? -1 : 0;
    case SHIFT_BUNDLE:
        return get_bundle(in, r);
    default:
        return get_count(in, r);
    }
}

int shift_record_decode(struct span der, struct shift_record *out,
                        struct err *e)
{
    struct shift_record r = { .kind = SHIFT_RECORD_KINDS };
    struct span in = der;
    struct tlv whole;

    if (der.n > RECORD_MAX || der_next(&in, &whole) != DER_OK || in.n != 0)
        return err_set(e, ERR_FORMAT, "not a shift record");
    for (unsigned k = 0; k < SHIFT_RECORD_KINDS; k++)
        if (tags[k] == whole.tag)
            r.kind = (enum shift_record_kind)k;
    if (r.kind == SHIFT_RECORD_KINDS)
        return err_set(e, ERR_FORMAT, "a shift record of unknown kind %x",
                       (unsigned)whole.tag);
    if (get_record(&whole.value, &r) != 0 || whole.value.n != 0)
        return err_set(e, ERR_FORMAT, "a malformed shift record");
    const char *fault = fault_of(&r);
    if (fault)
        return err_set(e, ERR_FORMAT, "shift record: bad %s", fault);
    *out = r;
    return 0;
}

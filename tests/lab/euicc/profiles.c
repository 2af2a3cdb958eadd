/* Local profile management (SGP.22 5.7.15 to 5.7.19, SGP.32 5.9.15). */
#include "tests/lab/euicc/isdr.h"
#include "tests/lab/euicc/meta.h"
#include "tests/lab/euicc/notify.h"

#include "station/ifpp/tags.h"

#include <string.h>

#define NICKNAME_MAX 64
#define TAG_NICKNAME 0x90

/* Results of Enable, Disable, Delete. */
enum {
    ACT_OK = 0,
    ACT_NOT_FOUND = 1,
    ACT_WRONG_STATE = 2,
    ACT_POLICY = 3,
};

/* --- ProfileInfoList ----------------------------------------------------- */

/* What SGP.22 5.7.15 lists when no tagList asks for anything. */
static const uint8_t default_tags[] = { 0x5A, 0x4F, 0x9F, 0x70, 0x90, 0x91,
                                        0x92, 0x93, 0x94, 0x95 };

struct listing {
    struct buf *out;
    struct span tags;
    struct tlv search; /* tag 0: all */
};

static void put_tag(struct buf *b, uint32_t tag,
                    const struct store_profile *p)
{
    struct span in = buf_span(&p->metadata);
    uint8_t state = p->enabled;
    struct tlv bf25, t;

    switch (tag) {
    case TAG_ICCID:
        der_put(b, tag, SPAN_ARRAY(p->iccid.o));
        break;
    case TAG_AID:
        der_put(b, tag, SPAN_ARRAY(p->aid));
        break;
    case TAG_PROFILE_STATE:
        der_put(b, tag, SPAN(&state, 1));
        break;
    case TAG_NICKNAME:
        if (p->nickname.n > 0)
            der_put(b, tag, buf_span(&p->nickname));
        break;
    default: /* the others are as StoreMetadata gave them */
        if (der_take(&in, TAG_STORE_METADATA, &bf25) == 0 &&
            der_find(bf25.value, tag, &t) == 1)
            buf_put_span(b, t.whole);
    }
}

static bool wanted(const struct listing *l, const struct store_profile *p)
{
    struct span in = buf_span(&p->metadata);
    struct meta m;

    switch (l->search.tag) {
    case TAG_ICCID:
        return span_eq(l->search.value, SPAN_ARRAY(p->iccid.o));
    case TAG_AID:
        return span_eq(l->search.value, SPAN_ARRAY(p->aid));
    case 0x95:
        return meta_read(in, &m, NULL) == 0 && l->search.value.n == 1 &&
               l->search.value.p[0] == (uint8_t)m.class;
    default:
        return true;
    }
}

/* Tag octets stand one after the other, without lengths. */
static int next_tag(struct span *in, uint32_t *tag)
{
    if (in->n == 0)
        return 0;
    size_t n = (in->p[0] & 0x1f) != 0x1f ? 1 : 2;
    while (n > 1 && n <= in->n && n < 4 && in->p[n - 1] & 0x80)
        n++;
    if (n > in->n || n > 3)
        return -1;
    *tag = 0;
    for (size_t i = 0; i < n; i++)
        *tag = *tag << 8 | in->p[i];
    *in = SPAN(in->p + n, in->n - n);
    return 1;
}

static int list_one(void *ctx, const struct store_profile *p, struct err *e)
{
    struct listing *l = ctx;
    struct span tags = l->tags;
    uint32_t tag;

    (void)e;
    if (!wanted(l, p))
        return 0;
    size_t m = der_open(l->out);
    while (next_tag(&tags, &tag) == 1)
        put_tag(l->out, tag, p);
    der_close(l->out, TAG_PROFILE_INFO, m);
    return 0;
}

int fn_profiles_info(struct isdr *r, struct span value, struct buf *out,
                     struct err *e)
{
    struct listing l = { .out = out, .tags = SPAN_ARRAY(default_tags) };
    struct tlv search, tags;
    uint32_t tag;

    int has_search = der_take_optional(&value, 0xA0, &search);
    int has_tags = der_take_optional(&value, 0x5C, &tags);
    if (has_search < 0 || has_tags < 0 || value.n != 0)
        return SW_WRONG_DATA;
    if (has_search > 0 && (der_next(&search.value, &l.search) != DER_OK ||
                           search.value.n != 0))
        return SW_WRONG_DATA;
    if (has_tags > 0) {
        int rc;
        l.tags = tags.value;
        while ((rc = next_tag(&tags.value, &tag)) == 1)
            ;
        if (rc < 0)
            return SW_WRONG_DATA;
    }
    size_t m = der_open(out), list = der_open(out);
    if (store_profiles_each(r->s, list_one, &l, e) != 0)
        return -1;
    der_close(out, 0xA0, list);
    der_close(out, TAG_PROFILES_INFO, m);
    return SW_OK;
}

/* --- enable, disable, delete --------------------------------------------- */

/* A profile with its metadata read, in one piece. */
struct target {
    struct store_profile p;
    struct meta m;
};

static void target_clear(struct target *t)
{
    store_profile_clear(&t->p);
}

/* `rc` is how a store function found t->p. */
static int target_read(int rc, struct target *t, struct err *e)
{
    if (rc > 0 && meta_read(buf_span(&t->p.metadata), &t->m, e) != 0)
        return -1;
    return rc;
}

static int set_enabled(struct store *s, const struct target *t, bool enabled,
                       struct err *e)
{
    if (store_profile_set_enabled(s, &t->p.iccid, enabled, e) != 0)
        return -1;
    return notify_event(s, &t->m, enabled ? EVENT_ENABLE : EVENT_DISABLE, e);
}

/* Acts run inside a transaction and say what to answer. */
typedef int act_fn(struct store *s, const struct target *t, unsigned *result,
                   struct err *e);

static int act_enable(struct store *s, const struct target *t,
                      unsigned *result, struct err *e)
{
    AUTO(target_clear) struct target other = { 0 };

    if (t->p.enabled) {
        *result = ACT_WRONG_STATE;
        return 0;
    }
    int rc = target_read(store_profile_enabled(s, &other.p, e), &other, e);
    if (rc < 0)
        return -1;
    if (rc > 0 && other.m.no_disable) {
        *result = ACT_POLICY;
        return 0;
    }
    if (rc > 0 && set_enabled(s, &other, false, e) != 0)
        return -1;
    return set_enabled(s, t, true, e);
}

static int act_disable(struct store *s, const struct target *t,
                       unsigned *result, struct err *e)
{
    if (!t->p.enabled)
        *result = ACT_WRONG_STATE;
    else if (t->m.no_disable)
        *result = ACT_POLICY;
    return *result == ACT_OK ? set_enabled(s, t, false, e) : 0;
}

static int act_delete(struct store *s, const struct target *t,
                      unsigned *result, struct err *e)
{
    if (t->p.enabled)
        *result = ACT_WRONG_STATE;
    else if (t->m.no_delete)
        *result = ACT_POLICY;
    if (*result != ACT_OK)
        return 0;
    if (store_profile_delete(s, &t->p.iccid, e) != 0)
        return -1;
    return notify_event(s, &t->m, EVENT_DELETE, e);
}

/* Find, act, answer {80 result}. */
static int act(struct isdr *r, struct span name, act_fn *fn, uint32_t tag,
               struct buf *out, struct err *e)
{
    AUTO(target_clear) struct target t = { 0 };
    unsigned result = ACT_OK;

    int rc = target_read(store_profile_find(r->s, name, &t.p, e), &t, e);
    if (rc < 0)
        return -1;
    if (rc == 0)
        return put_result(out, tag, ACT_NOT_FOUND);
    if (store_begin(r->s, e) != 0 || fn(r->s, &t, &result, e) != 0 ||
        store_commit(r->s, e) != 0) {
        store_rollback(r->s);
        return -1;
    }
    return put_result(out, tag, result);
}

/* 5A or 4F, alone. */
static int take_name(struct span in, struct span *name)
{
    struct tlv t;

    if (der_next(&in, &t) != DER_OK || in.n != 0 ||
        (t.tag != TAG_ICCID && t.tag != TAG_AID))
        return -1;
    *name = t.value;
    return 0;
}

/* {A0 {5A or 4F}, 81 refresh}. A chip in a fixture has no terminal to tell
 * about a refresh: the flag must be there, either value will do. */
static int take_act(struct span value, struct span *name)
{
    struct tlv id, refresh;

    return der_take(&value, 0xA0, &id) == 0 &&
                   der_take(&value, 0x81, &refresh) == 0 &&
                   refresh.value.n == 1 && value.n == 0
               ? take_name(id.value, name)
               : -1;
}

int fn_enable(struct isdr *r, struct span value, struct buf *out,
              struct err *e)
{
    struct span name;

    return take_act(value, &name) == 0
               ? act(r, name, act_enable, TAG_ENABLE, out, e)
               : SW_WRONG_DATA;
}

int fn_disable(struct isdr *r, struct span value, struct buf *out,
               struct err *e)
{
    struct span name;

    return take_act(value, &name) == 0
               ? act(r, name, act_disable, TAG_DISABLE, out, e)
               : SW_WRONG_DATA;
}

int fn_delete(struct isdr *r, struct span value, struct buf *out,
              struct err *e)
{
    struct span name;

    return take_name(value, &name) == 0
               ? act(r, name, act_delete, TAG_DELETE, out, e)
               : SW_WRONG_DATA;
}

/* ImmediateEnable {80 refresh}, SGP.32 5.9.15: of what was just installed;
 * else noSessionContext(4). */
int fn_enable_iot(struct isdr *r, struct span value, struct buf *out,
                  struct err *e)
{
    const struct iccid *last = isdp_last_installed(r->isdp);

    struct tlv refresh;

    if (der_take(&value, 0x80, &refresh) != 0 || refresh.value.n != 1 ||
        value.n != 0)
        return SW_WRONG_DATA;
    return last ? act(r, SPAN_ARRAY(last->o), act_enable, TAG_ENABLE_IOT, out,
                      e)
                : put_result(out, TAG_ENABLE_IOT, 4);
}

/* --- the rest of a profile's life ---------------------------------------- */

int fn_nickname(struct isdr *r, struct span value, struct buf *out,
                struct err *e)
{
    AUTO(target_clear) struct target t = { 0 };
    struct tlv iccid, name;

    if (der_take(&value, TAG_ICCID, &iccid) != 0 ||
        der_take(&value, TAG_NICKNAME, &name) != 0 || value.n != 0 ||
        name.value.n > NICKNAME_MAX)
        return SW_WRONG_DATA;
    int rc = store_profile_find(r->s, iccid.value, &t.p, e);
    if (rc < 0)
        return -1;
    if (rc > 0 &&
        store_profile_set_nickname(r->s, &t.p.iccid, name.value, e) != 0)
        return -1;
    return put_result(out, TAG_SET_NICKNAME, rc ? ACT_OK : ACT_NOT_FOUND);
}

/* resetOptions: which bit takes which profiles. */
#define RESET_OPERATIONAL 0x80
#define RESET_TEST 0x40
#define RESET_DEFAULT_DP 0x20

struct reset {
    struct store *s;
    uint8_t options;
    size_t deleted;
};

/* The chip's owner asks: state and policy rules do not protect a profile
 * (SGP.22 5.7.19). */
static int reset_one(void *ctx, const struct store_profile *p, struct err *e)
{
    struct reset *x = ctx;
    struct meta m;

    if (meta_read(buf_span(&p->metadata), &m, e) != 0)
        return -1;
    uint8_t bit = m.class == CLASS_OPERATIONAL ? RESET_OPERATIONAL
                  : m.class == CLASS_TEST      ? RESET_TEST
                                               : 0;
    if (!(x->options & bit))
        return 0;
    x->deleted++;
    if (store_profile_delete(x->s, &p->iccid, e) != 0)
        return -1;
    return notify_event(x->s, &m, EVENT_DELETE, e);
}

int fn_memory_reset(struct isdr *r, struct span value, struct buf *out,
                    struct err *e)
{
    struct reset x = { .s = r->s };
    struct tlv t;

    if (der_take(&value, 0x82, &t) != 0 || value.n != 0 ||
        event_read(t.value, &x.options) != 0)
        return SW_WRONG_DATA;
    if (store_begin(r->s, e) != 0 ||
        store_profiles_each(r->s, reset_one, &x, e) != 0 ||
        (x.options & RESET_DEFAULT_DP &&
         store_set_default_dp(r->s, SPAN(NULL, 0), e) != 0) ||
        store_commit(r->s, e) != 0) {
        store_rollback(r->s);
        return -1;
    }
    bool nothing = x.deleted == 0 && !(x.options & RESET_DEFAULT_DP);
    return put_result(out, TAG_MEMORY_RESET, nothing ? 1 : 0);
}

#include "station/request/choose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWNERS_MAX 8

/* To whom keys were offered, or are meant for; the rest is summed up. */
struct owners {
    struct {
        char oid[KEY_OID_MAX + 1];
        uint64_t n;
    } v[OWNERS_MAX];
    size_t n;
    uint64_t others;
};

struct choice {
    struct db *db;
    const struct request_order *o;
    struct chosen *out;
    struct eid eid;    /* whose keys are looked at */
    unsigned of_euicc; /* taken of it */
    uint64_t uses[KEY_USES], all, euiccs;
    struct owners offered, meant;
};

void chosen_clear(struct chosen *c)
{
    free(c->v);
    *c = (struct chosen){ .n = 0 };
}

static void owners_add(struct owners *w, const char *oid)
{
    size_t i = 0;

    while (i < w->n && strcmp(w->v[i].oid, oid) != 0)
        i++;
    if (i == OWNERS_MAX) {
        w->others++;
        return;
    }
    if (i == w->n)
        snprintf(w->v[w->n++].oid, sizeof w->v->oid, "%s", oid);
    w->v[i].n++;
}

static int on_key(void *ctx, const struct key_row *k, struct err *e)
{
    struct choice *c = ctx;

    (void)e;
    c->all++;
    c->uses[k->use]++;
    if (k->use == KEY_OFFERED)
        owners_add(&c->offered, k->whose);
    if (k->use == KEY_MEANT)
        owners_add(&c->meant, k->whose);
    if (k->use != KEY_FREE || c->of_euicc == c->o->per_euicc ||
        c->out->n == c->o->count)
        return 0;
    c->out->v[c->out->n++] = (struct chosen_key){ c->eid, *k };
    c->out->euiccs += c->of_euicc++ == 0;
    return 0;
}

/* 1: that is enough. */
static int on_euicc(void *ctx, const struct eid *eid, struct err *e)
{
    struct choice *c = ctx;

    c->eid = *eid;
    c->of_euicc = 0;
    c->euiccs++;
    if (keys_of_euicc(c->db, eid, c->o->smdp, on_key, c, e) != 0)
        return -1;
    return c->out->n == c->o->count;
}

/* --- why not ---------------------------------------------------------------------- */

struct words {
    char text[192];
    size_t n;
};

static void say(struct words *w, uint64_t n, const char *what, const char *whose)
{
    if (n && w->n < sizeof w->text)
        w->n += (size_t)snprintf(w->text + w->n, sizeof w->text - w->n,
                                 ", %llu %s%s", (unsigned long long)n, what,
                                 whose);
}

static void say_owners(struct words *w, const struct owners *o, const char *what)
{
    for (size_t i = 0; i < o->n; i++)
        say(w, o->v[i].n, what, o->v[i].oid);
    say(w, o->others, what, "others");
}

static int too_few(const struct choice *c, struct err *e)
{
    struct words w = { "", 0 };
    char limit[48] = "";

    say_owners(&w, &c->offered, "offered to ");
    say_owners(&w, &c->meant, "meant for ");
    say(&w, c->uses[KEY_BOUND], "with a BPP here", "");
    say(&w, c->uses[KEY_SPENT], "spent", "");
    say(&w, c->uses[KEY_UNSIGNED], "without signature", "");
    if (c->uses[KEY_FREE] > c->out->n)
        snprintf(limit, sizeof limit, ", %zu at %u for each eUICC", c->out->n,
                 c->o->per_euicc);
    return err_set(e, ERR_NOT_FOUND, "%zu wanted, but of %llu keys of %llu "
                   "eUICCs only %llu are free%s%s", c->o->count,
                   (unsigned long long)c->all, (unsigned long long)c->euiccs,
                   (unsigned long long)c->uses[KEY_FREE], limit, w.text);
}

int request_choose(struct db *db, const struct request_order *o,
                   struct chosen *out, struct err *e)
{
    struct choice c = { .db = db, .o = o, .out = out };
    int end = 0;

    *out = (struct chosen){ .v = calloc(o->count, sizeof *out->v) };
    if (!out->v)
        return err_set(e, ERR_NOMEM, "no memory for %zu keys", o->count);
    for (size_t i = 0; i < o->eid_count && end == 0; i++)
        end = on_euicc(&c, &o->eids[i], e);
    if (o->eid_count == 0)
        end = keys_euiccs(db, on_euicc, &c, e);
    if (end >= 0 && out->n < o->count)
        end = too_few(&c, e);
    if (end < 0)
        chosen_clear(out);
    return end < 0 ? -1 : 0;
}

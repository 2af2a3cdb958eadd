#include "station/verify/shift_figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long long ull;

#define KEY_MAX 1400
#define TOLD_MAX 10 /* figures that differ, told one by one */

void figures_clear(struct figures *f)
{
    for (size_t i = 0; i < f->n; i++)
        free(f->v[i].key);
    free(f->v);
    *f = (struct figures){ NULL, 0, 0 };
}

static size_t place_of(const struct figures *f, const char *key, bool *there)
{
    size_t low = 0, high = f->n;

    *there = false;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = strcmp(f->v[mid].key, key);
        if (c == 0) {
            *there = true;
            return mid;
        }
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static int figures_room(struct figures *f)
{
    if (f->n < f->cap)
        return 0;
    size_t cap = f->cap ? f->cap * 2 : 64;
    void *v = realloc(f->v, cap * sizeof *f->v);
    if (!v)
        return -1;
    f->v = v;
    f->cap = cap;
    return 0;
}

static int figures_add(struct figures *f, const char *key, uint64_t n,
                       struct err *e)
{
    bool there;
    size_t at = place_of(f, key, &there);

    if (there) {
        f->v[at].n += n;
        return 0;
    }
    char *copy = strdup(key);
    if (!copy || figures_room(f) != 0) {
        free(copy);
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    memmove(f->v + at + 1, f->v + at, (f->n - at) * sizeof *f->v);
    f->v[at] = (struct figure){ copy, n };
    f->n++;
    return 0;
}

int figures_count(struct figures *f, enum shift_what what, struct span outcome,
                  struct span code, struct span fixture, struct span person,
                  uint64_t n, struct err *e)
{
    char key[KEY_MAX];

    snprintf(key, sizeof key, "%s '%.*s' '%.*s' at '%.*s' by '%.*s'",
             shift_what_name(what), (int)outcome.n, (const char *)outcome.p,
             (int)code.n, (const char *)code.p, (int)fixture.n,
             (const char *)fixture.p, (int)person.n, (const char *)person.p);
    return figures_add(f, key, n, e);
}

static struct span owner(struct span whose)
{
    return whose.n ? whose : SPAN_STR("positions");
}

int figures_move(struct figures *f, const struct move *m, struct err *e)
{
    struct span whose = owner(m->whose);
    char key[KEY_MAX];

    snprintf(key, sizeof key, "%.*s from '%.*s' to '%.*s'", (int)whose.n,
             (const char *)whose.p, (int)m->from.n, (const char *)m->from.p,
             (int)m->to.n, (const char *)m->to.p);
    return figures_add(f, key, m->n, e);
}

int figures_state(struct figures *f, struct span whose, struct span state,
                  uint64_t n, struct err *e)
{
    char key[KEY_MAX];

    whose = owner(whose);
    snprintf(key, sizeof key, "%.*s '%.*s' when it was opened", (int)whose.n,
             (const char *)whose.p, (int)state.n, (const char *)state.p);
    return figures_add(f, key, n, e);
}

bool figures_agree(const struct figures *said, const struct figures *seen,
                   struct findings *f)
{
    size_t i = 0, k = 0, told = 0;

    while (i < said->n || k < seen->n) {
        int c = i == said->n ? 1 : k == seen->n ? -1
              : strcmp(said->v[i].key, seen->v[k].key);
        uint64_t a = c <= 0 ? said->v[i].n : 0, b = c >= 0 ? seen->v[k].n : 0;
        const char *key = c <= 0 ? said->v[i].key : seen->v[k].key;
        if (a != b && told++ < TOLD_MAX)
            findings_add(f, BROKEN, "the shift says %llu, its events say %llu: "
                                    "%.300s", (ull)a, (ull)b, key);
        i += c <= 0;
        k += c >= 0;
    }
    if (told > TOLD_MAX)
        findings_add(f, BROKEN, "%zu more figures of the shift differ from its "
                                "events", told - TOLD_MAX);
    return told == 0;
}

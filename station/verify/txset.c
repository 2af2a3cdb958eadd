#include "station/verify/txset.h"

#include <stdlib.h>
#include <string.h>

int txset_add(struct txset *s, const struct txmark *x)
{
    if (s->n == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 256;
        struct txmark *v = realloc(s->v, cap * sizeof *v);
        if (!v)
            return -1;
        s->v = v;
        s->cap = cap;
    }
    s->v[s->n++] = *x;
    return 0;
}

static int by_txid(const void *a, const void *b)
{
    const struct txmark *x = a, *y = b;

    return memcmp(x->txid.o, y->txid.o, sizeof x->txid.o);
}

void txset_sort(struct txset *s)
{
    if (s->n)
        qsort(s->v, s->n, sizeof *s->v, by_txid);
}

struct txmark *txset_find(const struct txset *s, const struct txid *t)
{
    struct txmark key = { .txid = *t };

    return s->n ? bsearch(&key, s->v, s->n, sizeof *s->v, by_txid) : NULL;
}

const struct txmark *txset_twice(const struct txset *s)
{
    for (size_t i = 1; i < s->n; i++)
        if (by_txid(&s->v[i - 1], &s->v[i]) == 0)
            return &s->v[i];
    return NULL;
}

void txset_clear(struct txset *s)
{
    free(s->v);
    *s = (struct txset){ 0 };
}

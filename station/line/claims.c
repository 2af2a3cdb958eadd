#include "station/line/claims.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct claim {
    const char *fixture; /* NULL: free */
    char serial[UNIT_SERIAL_MAX + 1], position[POSITION_NAME_MAX + 1];
    struct eid eid;
};

struct claims {
    pthread_mutex_t lock;
    size_t max;
    struct claim v[];
};

struct claims *claims_new(size_t max)
{
    struct claims *c = calloc(1, sizeof *c + max * sizeof *c->v);

    if (c) {
        c->max = max;
        pthread_mutex_init(&c->lock, NULL);
    }
    return c;
}

void claims_free(struct claims *c)
{
    if (!c)
        return;
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static bool same(const struct claim *at, const struct claim_what *what)
{
    return eid_eq(&at->eid, &what->eid) ||
           (strcmp(at->serial, what->serial) == 0 &&
            strcmp(at->position, what->position) == 0);
}

/* A free place, or NULL with the fixture that has this in *holder. */
static struct claim *place(struct claims *c, const struct claim_what *what,
                           const char **holder)
{
    struct claim *free_place = NULL;

    *holder = "another";
    for (size_t i = 0; i < c->max; i++) {
        struct claim *at = &c->v[i];
        if (!at->fixture) {
            free_place = at;
        } else if (same(at, what)) {
            *holder = at->fixture;
            return NULL;
        }
    }
    return free_place;
}

bool claims_take(struct claims *c, const struct claim_what *what,
                 const char *fixture, struct err *e)
{
    const char *holder;
    char digits[EID_DIGITS + 1];

    pthread_mutex_lock(&c->lock);
    struct claim *at = place(c, what, &holder);
    if (at) {
        at->fixture = fixture;
        at->eid = what->eid;
        snprintf(at->serial, sizeof at->serial, "%s", what->serial);
        snprintf(at->position, sizeof at->position, "%s", what->position);
    } else {
        err_set(e, ERR_BUSY, "unit %s, position %s, with EID %s is at work in "
                "fixture %s", what->serial, what->position,
                eid_format(&what->eid, digits), holder);
    }
    pthread_mutex_unlock(&c->lock);
    return at != NULL;
}

void claims_drop(struct claims *c, const char *fixture)
{
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->max; i++)
        if (c->v[i].fixture && strcmp(c->v[i].fixture, fixture) == 0)
            c->v[i].fixture = NULL;
    pthread_mutex_unlock(&c->lock);
}

/* The line's own words, as people at the line say them. A word that is not in
 * these tables is shown as it came. */
#include "ui/widgets/parts.h"

#include <string.h>

struct term {
    const char *word, *text;
};

static const char *look_up(enum lang l, const struct term *v, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(v[i].word, word) == 0)
            return tr(l, v[i].text);
    return word;
}

const char *verdict_word(enum lang l, const char *verdict)
{
    static const struct term v[] = {
        { "PASS", N_("PASS") },           { "FAIL", N_("FAIL") },
        { "REFUSED", N_("REFUSED") },     { "ALREADY DONE", N_("DONE BEFORE") },
        { "STOCKED", N_("STOCKED") },     { "INCOMPLETE", N_("NEXT PART") },
        { "ORDER", N_("ORDER") },         { "GOLDEN OK", N_("TEST OK") },
        { "RETURNED", N_("RETURNED") },   { "IMEI", N_("IMEI TAKEN") },
    };

    return look_up(l, v, sizeof v / sizeof *v, verdict);
}

const char *state_word(enum lang l, const char *state)
{
    static const struct term v[] = {
        { "opening", N_("is being opened") },
        { "empty", N_("is empty") },
        { "card", N_("has a unit in it") },
        { "parked", N_("cannot be used: plug it in anew") },
        { "gone", N_("is unplugged") },
        { "not-ours", N_("is not used by this station") },
        { "slower", N_("goes slower: clean its contacts, check its cable") },
        { "stopped", N_("is stopped") },
        { "released", N_("is released") },
        { "maintenance", N_("is due for maintenance") },
        { "maintained", N_("was maintained") },
        { "ready", N_("is ready") },
        { "candidate", N_("is new: a line engineer registers it") },
    };

    return look_up(l, v, sizeof v / sizeof *v, state);
}

const char *order_state_word(enum lang l, const char *state)
{
    static const struct term v[] = {
        { "waiting", N_("waiting") }, { "active", N_("active") }, { "closed", N_("closed") },
    };

    return look_up(l, v, sizeof v / sizeof *v, state);
}

const char *step_words(enum lang l, const char *step, int *percent)
{
    static const struct {
        struct term t;
        int percent;
    } v[] = {
        { { "read EID", N_("Who is it?") }, 5 },
        { { "identify", N_("Looking it up") }, 10 },
        { { "status", N_("Asking what it has") }, 15 },
        { { "settle", N_("Settling an earlier load") }, 20 },
        { { "authorise", N_("Preparing the profile") }, 30 },
        { { "load", N_("Loading the profile") }, 45 },
        { { "record", N_("Storing the result") }, 70 },
        { { "enable", N_("Enabling the profile") }, 75 },
        { { "notifications", N_("Fetching notifications") }, 85 },
        { { "delete", N_("Deleting its profiles") }, 50 },
        { { "delete keys", N_("Deleting unused keys") }, 90 },
        { { "close", N_("Closing it for good") }, 95 },
        { { "keep keys", N_("Keeping unused keys") }, 95 },
        { { "power off", N_("Switching it off") }, 98 },
    };

    *percent = 0;
    for (size_t i = 0; i < sizeof v / sizeof *v; i++)
        if (strcmp(v[i].t.word, step) == 0) {
            *percent = v[i].percent;
            return tr(l, v[i].t.text);
        }
    return step;
}

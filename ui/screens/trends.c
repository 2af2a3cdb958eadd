#include "ui/screens/trends.h"

#include "ui/widgets/parts.h"
#include "ui/widgets/table.h"

#include <stdio.h>
#include <string.h>

static long long percent(const json_t *step)
{
    long long good = json_count(step, "good"), of = json_count(step, "judged");

    return of > 0 && of < 1000000 && good >= 0 && good <= of ? good * 100 / of : SPARK_NONE;
}

static long long took(const json_t *step)
{
    return json_count(step, "ms") > 0 ? json_count(step, "ms") : SPARK_NONE;
}

static void bounds(struct spark *s, enum trend t)
{
    s->least = t == TREND_YIELD ? 100 : 0;
    s->most = t == TREND_YIELD ? 100 : 1;
    for (size_t i = 0; i < s->n; i++) {
        if (t == TREND_YIELD && s->v[i] >= 0 && s->v[i] < s->least)
            s->least = s->v[i];
        if (t != TREND_YIELD && s->v[i] > s->most)
            s->most = s->v[i];
    }
    if (t == TREND_YIELD) /* a fall of a few per cent is not shown as a cliff */
        s->least = s->least < 50 ? 0 : 50;
}

void trends_read(const json_t *fixture, struct trends *out)
{
    const json_t *steps = json_object_get(fixture, "steps"), *all = json_object_get(fixture, "all"), *one;
    size_t n = json_array_size(steps), first = n > TREND_STEPS ? n - TREND_STEPS : 0, i;

    memset(out, 0, sizeof *out);
    json_array_foreach(steps, i, one) {
        if (i < first)
            continue;
        out->v[TREND_YIELD][i - first] = percent(one);
        out->v[TREND_TIME][i - first] = took(one);
        out->v[TREND_CONTACT][i - first] = json_count(one, "problems");
    }
    for (int t = 0; t < TRENDS; t++) {
        out->spark[t] = (struct spark){ .v = out->v[t], .n = n - first };
        bounds(&out->spark[t], (enum trend)t);
    }
    if (percent(all) >= 0)
        snprintf(out->text[TREND_YIELD], sizeof out->text[0], "%lld %%", percent(all));
    if (took(all) >= 0)
        snprintf(out->text[TREND_TIME], sizeof out->text[0], "%.1f", (double)took(all) / 1000);
    if (all)
        snprintf(out->text[TREND_CONTACT], sizeof out->text[0], "%lld", json_count(all, "problems"));
}

const char *trends_state(const struct view *v, const json_t *fixture, enum tone *t)
{
    const char *state = json_word(fixture, "state");
    bool ok = strcmp(state, "ok") == 0, stopped = strcmp(state, "stopped") == 0;

    *t = ok ? TONE_PLAIN : stopped ? TONE_STOPPED : TONE_WARN;
    return ok ? say(v, N_("works")) : stopped ? say(v, N_("stopped"))
         : strcmp(state, "maintenance") == 0 ? say(v, N_("maintenance")) : state;
}

void trends_golden(const struct view *v, const json_t *fixture, char *out, size_t cap)
{
    int64_t at = json_when(fixture, "provenAt");

    if (at)
        ago_text(v, at, out, cap);
    else
        snprintf(out, cap, "%s", say(v, N_("never")));
}

#include "station/acts/login_rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef int put_fn(const char *value, struct login_rules *r, struct err *e);

static int on_off(const char *value, bool *out, struct err *e)
{
    *out = strcmp(value, "on") == 0;
    if (*out || strcmp(value, "off") == 0)
        return 0;
    return err_set(e, ERR_USAGE, "say on or off, not '%.40s'", value);
}

static int put_required(const char *value, struct login_rules *r, struct err *e)
{
    return on_off(value, &r->required, e);
}

static int put_badge_alone(const char *value, struct login_rules *r, struct err *e)
{
    return on_off(value, &r->badge_alone, e);
}

static int put_idle(const char *value, struct login_rules *r, struct err *e)
{
    char *end;

    errno = 0;
    long minutes = strtol(value, &end, 10);
    if (errno || end == value || *end || minutes < IDLE_MIN_S / 60 ||
        minutes > IDLE_MAX_S / 60)
        return err_set(e, ERR_USAGE, "a session may be idle for %d to %d minutes, "
                       "not '%.40s'", IDLE_MIN_S / 60, IDLE_MAX_S / 60, value);
    r->idle_s = (int)minutes * 60;
    return 0;
}

static int put_prefix(const char *value, struct login_rules *r, struct err *e)
{
    size_t n = strlen(value);

    if (n > BADGE_PREFIX_MAX)
        return err_set(e, ERR_USAGE, "the beginning of badges is at most %d "
                       "characters", BADGE_PREFIX_MAX);
    memcpy(r->badge_prefix, value, n + 1);
    return 0;
}

static const struct {
    const char *word;
    put_fn *put;
} words[] = {
    { "require-login", put_required }, { "badge-alone", put_badge_alone },
    { "idle", put_idle },              { "badge-prefix", put_prefix },
};

static put_fn *find(const char *word)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].word, word) == 0)
            return words[i].put;
    return NULL;
}

int login_rule_put(const char *word, const char *value, struct login_rules *r,
                   struct err *e)
{
    put_fn *put = find(word);

    return put ? put(value, r, e)
         : err_set(e, ERR_USAGE, "no rule is called '%.40s'; they are require-login, "
                   "badge-alone, idle and badge-prefix", word);
}

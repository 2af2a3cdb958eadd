/* Recipes as text, for command lines, events and the ledger. */
#include "station/ifpp/order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- reading ------------------------------------------------------------------ */

struct reader {
    const char *p;
    struct err *e;
};

static void skip_blanks(struct reader *r)
{
    while (*r->p == ' ')
        r->p++;
}

static bool at_end(struct reader *r)
{
    skip_blanks(r);
    return *r->p == '\0' || *r->p == ';';
}

static int bad(struct reader *r, const char *what)
{
    return err_set(r->e, ERR_FORMAT, "the recipe is not understood at '%.40s': %s",
                   r->p, what);
}

/* A word: up to a blank, '=', ';' or the end. */
static int take_word(struct reader *r, char *out, size_t cap, const char *what)
{
    skip_blanks(r);
    size_t n = strcspn(r->p, " =;\"");
    if (n == 0 || n >= cap)
        return bad(r, what);
    memcpy(out, r->p, n);
    out[n] = '\0';
    r->p += n;
    return 0;
}

/* What stands behind '=': quoted, or up to a blank or ';'. Never empty: empty
 * means anything, and that is said by leaving it out. */
static int take_value(struct reader *r, char *out, size_t cap)
{
    bool quoted = *r->p == '"';

    r->p += quoted;
    size_t n = quoted ? strcspn(r->p, "\"") : strcspn(r->p, " ;\"");
    if (n == 0 || n >= cap || (quoted && r->p[n] != '"'))
        return bad(r, "a value is not empty, not too long, and stands between "
                      "double quotes when it has blanks");
    memcpy(out, r->p, n);
    out[n] = '\0';
    r->p += n + quoted;
    if (!at_end(r) && r->p[-1] != ' ')
        return bad(r, "a blank or ';' is missing");
    return 0;
}

static int take_criterion(struct reader *r, struct order_wanted *w)
{
    char name[16], class[16];
    struct {
        const char *name;
        char *to;
        size_t cap;
    } known[] = {
        { "provider", w->provider, sizeof w->provider },
        { "smdp", w->smdp, sizeof w->smdp },
        { "name", w->name, sizeof w->name },
        { "class", class, sizeof class },
    };

    skip_blanks(r);
    const char *at = r->p;
    if (take_word(r, name, sizeof name, "provider=, smdp=, name= or class=") != 0)
        return -1;
    if (*r->p != '=')
        return bad(r, "'=' is missing");
    r->p++;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(name, known[i].name) != 0)
            continue;
        bool is_class = known[i].to == class;
        if (is_class ? w->profile_class != ORDER_CLASS_ANY : *known[i].to != '\0')
            return bad(r, "said twice");
        if (take_value(r, known[i].to, known[i].cap) != 0)
            return -1;
        return is_class ? order_class_parse(class, &w->profile_class, r->e) : 0;
    }
    r->p = at;
    return bad(r, "a profile is known by provider=, smdp=, name= and class=");
}

static int take_load(struct reader *r, struct order_recipe *out)
{
    if (out->wants == ORDER_PROFILES_MAX)
        return err_set(r->e, ERR_LIMIT, "a recipe loads at most %d profiles",
                       ORDER_PROFILES_MAX);
    struct order_wanted *w = &out->want[out->wants++];
    *w = (struct order_wanted){ .profile_class = ORDER_CLASS_ANY };
    skip_blanks(r);
    if (strncmp(r->p, "any", 3) == 0 && strchr(" ;", r->p[3])) {
        r->p += 3;
        return 0;
    }
    if (at_end(r))
        return bad(r, "say which profile, or `load any`");
    while (!at_end(r))
        if (take_criterion(r, w) != 0)
            return -1;
    return 0;
}

static int take_number(struct reader *r, unsigned *out)
{
    char word[8], *end;

    if (take_word(r, word, sizeof word, "a number is missing") != 0)
        return -1;
    unsigned long n = strtoul(word, &end, 10);
    if (*end || word[0] < '0' || word[0] > '9' || n == 0 || n > 9999)
        return bad(r, "a number from 1 is missing before it");
    *out = (unsigned)n;
    return 0;
}

static int take_enable(struct reader *r, struct order_recipe *out)
{
    return out->enable ? bad(r, "said twice") : take_number(r, &out->enable);
}

static int take_connectivity(struct reader *r, struct order_recipe *out)
{
    if (out->connectivity)
        return bad(r, "said twice");
    out->connectivity = true;
    return 0;
}

static int take_keep(struct reader *r, struct order_recipe *out)
{
    out->end = ORDER_KEEP;
    return take_number(r, &out->keep);
}

static int take_close(struct reader *r, struct order_recipe *out)
{
    (void)r;
    out->end = ORDER_CLOSE;
    return 0;
}

static int take_register(struct reader *r, struct order_recipe *out)
{
    (void)r;
    out->end = ORDER_REGISTER;
    return 0;
}

static const struct {
    const char *name;
    bool ends; /* nothing comes after it */
    int (*take)(struct reader *, struct order_recipe *);
} clauses[] = {
    { "load", false, take_load },
    { "enable", false, take_enable },
    { "connectivity-check", false, take_connectivity },
    { "close", true, take_close },
    { "keep", true, take_keep },
    { "register", true, take_register },
};

/* *ended: it was one that ends a recipe. */
static int take_clause(struct reader *r, struct order_recipe *out, bool *ended)
{
    static const char known[] =
        "a clause is load, enable N, connectivity-check, close, keep K or register";
    char word[24];

    if (take_word(r, word, sizeof word, known) != 0)
        return -1;
    for (size_t i = 0; i < sizeof clauses / sizeof *clauses; i++)
        if (strcmp(word, clauses[i].name) == 0) {
            *ended = clauses[i].ends;
            if (clauses[i].take(r, out) != 0)
                return -1;
            return at_end(r) ? 0 : bad(r, "';' is missing");
        }
    r->p -= strlen(word);
    return bad(r, known);
}

static int take_position(struct reader *r, struct order_recipe *out)
{
    size_t n = strcspn(r->p, ": =;\"");

    if (r->p[n] != ':') {
        snprintf(out->position, sizeof out->position, "main");
        return 0;
    }
    if (n == 0 || n > ORDER_POSITION_MAX)
        return bad(r, "a position's name stands before ':'");
    memcpy(out->position, r->p, n);
    out->position[n] = '\0';
    r->p += n + 1;
    return 0;
}

int order_recipe_parse(const char *text, struct order_recipe *out, struct err *e)
{
    struct reader r = { text, e };
    struct order_recipe made = { .end = ORDER_REGISTER };
    bool ended = false;

    if (strlen(text) >= ORDER_RECIPE_TEXT_MAX)
        return err_set(e, ERR_LIMIT, "a recipe of more than %d octets",
                       ORDER_RECIPE_TEXT_MAX - 1);
    if (take_position(&r, &made) != 0)
        return -1;
    while (!ended) {
        if (take_clause(&r, &made, &ended) != 0)
            return -1;
        if (*r.p == ';')
            r.p++;
        else if (!ended)
            return err_set(e, ERR_FORMAT, "a recipe ends with close, keep K or "
                           "register");
    }
    skip_blanks(&r);
    if (*r.p)
        return bad(&r, "nothing comes after close, keep K or register");
    *out = made;
    return 0;
}

/* --- writing ------------------------------------------------------------------ */

/* Room is for all that order_check allows. */
static void add(char *out, const char *text)
{
    size_t n = strlen(out);

    snprintf(out + n, ORDER_RECIPE_TEXT_MAX - n, "%s", text);
}

static void add_criterion(char *out, const char *name, const char *value)
{
    const char *quote = strpbrk(value, " ;") ? "\"" : "";

    if (!*value)
        return;
    if (*out)
        add(out, " ");
    add(out, name);
    add(out, "=");
    add(out, quote);
    add(out, value);
    add(out, quote);
}

char *order_wanted_text(const struct order_wanted *w,
                        char out[ORDER_RECIPE_TEXT_MAX])
{
    *out = '\0';
    add_criterion(out, "provider", w->provider);
    add_criterion(out, "smdp", w->smdp);
    add_criterion(out, "name", w->name);
    if (w->profile_class != ORDER_CLASS_ANY)
        add_criterion(out, "class", order_class_name(w->profile_class));
    if (!*out)
        add(out, "any");
    return out;
}

char *order_recipe_text(const struct order_recipe *r,
                        char out[ORDER_RECIPE_TEXT_MAX])
{
    char one[ORDER_RECIPE_TEXT_MAX];

    *out = '\0';
    for (size_t i = 0; i < r->wants; i++) {
        add(out, "load ");
        add(out, order_wanted_text(&r->want[i], one));
        add(out, "; ");
    }
    if (r->enable) {
        snprintf(one, sizeof one, "enable %u; ", r->enable);
        add(out, one);
    }
    if (r->connectivity)
        add(out, "connectivity-check; ");
    snprintf(one, sizeof one, "keep %u", r->keep);
    add(out, r->end == ORDER_KEEP ? one
             : r->end == ORDER_CLOSE ? "close" : "register");
    return out;
}

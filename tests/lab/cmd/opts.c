#include "tests/lab/cmd/lab.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void words_clear(struct words *w)
{
    free(w->v);
    w->v = NULL;
    w->n = 0;
}

static int words_add(struct words *w, const char *word, struct err *e)
{
    const char **v = realloc(w->v, (w->n + 1) * sizeof *v);

    if (!v)
        return err_set(e, ERR_NOMEM, "out of memory");
    w->v = v;
    w->v[w->n++] = word;
    return 0;
}

static const struct opt *find_opt(const struct command *c, const char *word)
{
    for (const struct opt *o = c->opts; o && o->name; o++)
        if (strcmp(o->name, word) == 0)
            return o;
    return NULL;
}

static int read_number(const char *word, const char *name, uint64_t *out,
                       struct err *e)
{
    char *end;

    errno = 0;
    unsigned long long v = strtoull(word, &end, 10);
    if (word[0] < '0' || word[0] > '9' || *end || errno)
        return err_set(e, ERR_USAGE, "%s wants a number, not \"%s\"", name,
                       word);
    *out = v;
    return 0;
}

static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] == '-';
}

/* Reads the option at argv[i] and returns how many words it took, or -1. */
static int take_option(const struct opt *o, int argc, char **argv, int i,
                       void *out, struct err *e)
{
    void *to = (char *)out + o->offset;
    int taken = 1;

    if (o->kind == OPT_FLAG) {
        *(bool *)to = true;
        return taken;
    }
    if (i + 1 >= argc || is_option(argv[i + 1]))
        return err_set(e, ERR_USAGE, "%s wants %s", o->name, o->word);
    if (o->kind == OPT_NUMBER)
        return read_number(argv[i + 1], o->name, to, e) == 0 ? 2 : -1;
    if (o->kind == OPT_TEXT) {
        *(const char **)to = argv[i + 1];
        return 2;
    }
    while (i + taken < argc && !is_option(argv[i + taken]))
        if (words_add(to, argv[i + taken++], e) != 0)
            return -1;
    return taken;
}

int opts_parse(const struct command *c, int argc, char **argv, void *out,
               struct words *rest, size_t least, size_t most, struct err *e)
{
    for (int i = 1; i < argc;) {
        int taken = 1;
        if (is_option(argv[i])) {
            const struct opt *o = find_opt(c, argv[i]);
            if (!o)
                return err_set(e, ERR_USAGE, "%s has no option %s; see "
                               "`lineside-lab %s --help`", c->name, argv[i],
                               c->name);
            taken = take_option(o, argc, argv, i, out, e);
        } else if (words_add(rest, argv[i], e) != 0) {
            taken = -1;
        }
        if (taken < 0)
            return -1;
        i += taken;
    }
    if (rest->n < least || (most && rest->n > most))
        return err_set(e, ERR_USAGE, "usage: lineside-lab %s %s (see "
                       "`lineside-lab %s --help`)", c->name, c->args, c->name);
    return 0;
}

void opts_help(const struct command *c)
{
    printf("usage: lineside-lab %s %s%s\n\n%s\n", c->name, c->args,
           c->opts && c->opts->name ? " [OPTION...]" : "", c->help);
    if (c->opts && c->opts->name)
        printf("\n");
    for (const struct opt *o = c->opts; o && o->name; o++) {
        char left[64];
        snprintf(left, sizeof left, "%s%s%s", o->name, o->word ? " " : "",
                 o->word ? o->word : "");
        printf("  %-24s %s\n", left, o->help);
    }
}

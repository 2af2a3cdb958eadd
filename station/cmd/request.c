/* lineside request: ask an SM-DPf for profiles. */
#include "station/cmd/actor.h"
#include "station/cmd/cmd.h"
#include "station/acts/desk.h"
#include "station/cmd/made_out.h"

#include "station/base/clock.h"
#include "station/request/request.h"
#include "storage/units.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX 100000 /* eUICCs in a file */
#define LINE_MAX_OCTETS 256
#define PER_EUICC_MAX 1000

enum { OPT_SMDP = 256, OPT_COUNT, OPT_MSP, OPT_PROFILE, OPT_EID_LIST,
       OPT_SERIALS, OPT_PER_EUICC, OPT_TO, OPT_LIST, OPT_AS };

struct opts {
    const char *smdp, *msp, *profile, *eid_list, *serials, *to, *as;
    unsigned long count, per_euicc;
    bool list;
};

static int number(const char *name, const char *arg, unsigned long most,
                  unsigned long *out, struct err *e)
{
    char *end;

    errno = 0;
    *out = strtoul(arg, &end, 10);
    if (errno == 0 && *arg >= '0' && *arg <= '9' && *end == '\0' && *out >= 1 &&
        *out <= most)
        return 0;
    return err_set(e, ERR_USAGE, "--%s takes a number from 1 to %lu, not '%.40s'",
                   name, most, arg);
}

static int own(void *ctx, int val, const char *arg, struct err *e)
{
    struct opts *o = ctx;

    switch (val) {
    case OPT_SMDP: o->smdp = arg; return 0;
    case OPT_MSP: o->msp = arg; return 0;
    case OPT_PROFILE: o->profile = arg; return 0;
    case OPT_EID_LIST: o->eid_list = arg; return 0;
    case OPT_SERIALS: o->serials = arg; return 0;
    case OPT_TO: o->to = arg; return 0;
    case OPT_AS: o->as = arg; return 0;
    case OPT_LIST: o->list = true; return 0;
    case OPT_COUNT:
        return number("count", arg, REQUEST_KEYS_MAX, &o->count, e);
    default:
        return number("keys-per-euicc", arg, PER_EUICC_MAX, &o->per_euicc, e);
    }
}

/* --- the eUICCs that a file names -------------------------------------------------- */

struct named {
    struct eid *v;
    size_t n, cap;
};

static int named_add(struct named *l, const struct eid *eid, struct err *e)
{
    if (l->n == LIST_MAX)
        return err_set(e, ERR_LIMIT, "more than %d eUICCs", LIST_MAX);
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 64;
        void *v = realloc(l->v, cap * sizeof *l->v);
        if (!v)
            return err_set(e, ERR_NOMEM, "out of memory");
        l->v = v;
        l->cap = cap;
    }
    l->v[l->n++] = *eid;
    return 0;
}

static int take_eid(struct db *db, const char *line, struct named *l,
                    struct err *e)
{
    struct eid eid;

    (void)db;
    return eid_parse(line, &eid) == 0 ? named_add(l, &eid, e)
         : err_set(e, ERR_USAGE, "no EID: 32 digits whose check digits hold");
}

static int take_serial(struct db *db, const char *line, struct named *l,
                       struct err *e)
{
    AUTO(position_list_clear) struct position_list p = { NULL, 0 };

    if (unit_by_serial(db, line, &p, e) != 0)
        return -1;
    if (p.n == 0)
        return err_set(e, ERR_NOT_FOUND, "no unit of this serial is registered");
    for (size_t i = 0; i < p.n; i++)
        if (named_add(l, &p.v[i].eid, e) != 0)
            return -1;
    return 0;
}

/* 1: a line, without its end; 0: no more. */
static int next_line(FILE *f, char line[LINE_MAX_OCTETS + 1], struct err *e)
{
    size_t n = 0;
    int c;

    while ((c = getc(f)) != EOF && c != '\n') {
        if (n == LINE_MAX_OCTETS || c == '\0')
            return err_set(e, ERR_USAGE, "not a line of text of at most %d "
                           "octets", LINE_MAX_OCTETS);
        line[n++] = (char)c;
    }
    if (n && line[n - 1] == '\r')
        n--;
    line[n] = '\0';
    return c != EOF || n;
}

static int by_eid(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct eid));
}

static int none_twice(const struct named *l, const char *path, struct err *e)
{
    struct eid *sorted = malloc((l->n ? l->n : 1) * sizeof *sorted);
    char digits[EID_DIGITS + 1];
    size_t i = 1;

    if (!sorted)
        return err_set(e, ERR_NOMEM, "out of memory");
    if (l->n)
        memcpy(sorted, l->v, l->n * sizeof *sorted);
    qsort(sorted, l->n, sizeof *sorted, by_eid);
    while (i < l->n && !eid_eq(&sorted[i], &sorted[i - 1]))
        i++;
    if (i < l->n)
        err_set(e, ERR_USAGE, "%s: eUICC %s stands there twice", path,
                eid_format(&sorted[i], digits));
    free(sorted);
    return i < l->n ? -1 : 0;
}

/* Empty lines are fine. */
static int read_list(struct db *db, const char *path, bool serials,
                     struct named *l, struct err *e)
{
    char line[LINE_MAX_OCTETS + 1];
    FILE *f = fopen(path, "re");
    unsigned long at = 0;
    int more = 0;

    if (!f)
        return err_errno(e, "%s", path);
    while (++at, (more = next_line(f, line, e)) > 0)
        if (*line && (serials ? take_serial : take_eid)(db, line, l, e) != 0) {
            more = -1;
            break;
        }
    if (more == 0 && ferror(f))
        more = err_errno(e, "it cannot be read");
    fclose(f);
    if (more < 0)
        return err_wrap(e, "%s, line %lu", path, at);
    if (l->n == 0)
        return err_set(e, ERR_USAGE, "%s names nothing", path);
    return none_twice(l, path, e);
}

/* --- asking ----------------------------------------------------------------------------- */

static void print_made(const struct opts *o, const struct request_made *m,
                       const struct report_list *sent, bool json)
{
    const char *path = sent->n ? sent->v[sent->n - 1].path : "";

    if (json) {
        json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:s}",
                              "kind", "bpp-request", "id", m->id, "container",
                              path, "smdp", o->smdp, "sequence",
                              (json_int_t)m->sequence, "keys",
                              (json_int_t)m->keys, "euiccs",
                              (json_int_t)m->euiccs, "msp", o->msp, "profile",
                              o->profile);
        json_dumpf(j, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(j);
        return;
    }
    printf("bpp-request %llu to SM-DPf %s: %zu keys of %zu eUICCs\n  %s\n",
           (unsigned long long)m->sequence, o->smdp, m->keys, m->euiccs, path);
}

static int make(struct desk *d, const struct cmd_common *c, const struct opts *o,
                const struct named *l, struct actor *by, struct err *e)
{
    struct request_order order = {
        .smdp = o->smdp, .msp = o->msp, .profile = o->profile,
        .count = o->count ? o->count : l->n * o->per_euicc,
        .per_euicc = (unsigned)o->per_euicc, .eids = l->v, .eid_count = l->n,
        .actor = by->who.name, .guard = actor_still, .guard_ctx = by,
    };
    struct request_made made;
    struct report_list sent = { NULL, 0 };
    char outbox[4096];

    int bad = lock_take(c->data_dir, LOCK_EXPORT, &d->lock, e) != 0 ||
              report_outbox(c->data_dir, outbox, sizeof outbox, e) != 0 ||
              request_make(d->db, d->lock, outbox, &d->s, &d->id, &order, &made,
                           e) != 0 ||
              report_send(d->db, d->lock, c->data_dir, made.id, o->to, &sent,
                          e) != 0;
    if (!bad)
        print_made(o, &made, &sent, c->json);
    report_list_clear(&sent);
    return bad ? -1 : 0;
}

static int ask(const struct command *self, const struct cmd_common *c,
               const struct opts *o)
{
    AUTO(desk_close) struct desk d = DESK_EMPTY;
    struct actor by;
    struct named l = { NULL, 0, 0 };
    struct err e = ERR_INIT;

    int bad = desk_open(&d, c->data_dir, o->to, &e);
    if (!bad && (o->eid_list || o->serials))
        bad = read_list(d.db, o->eid_list ? o->eid_list : o->serials,
                        o->serials != NULL, &l, &e);
    bad = bad || cmd_actor_for(d.db, o->as, RIGHT_REQUEST, &by, &e) != 0 ||
          make(&d, c, o, &l, &by, &e) != 0;
    free(l.v);
    return bad ? cmd_fail(self, &e) : 0;
}

/* --- what was asked ------------------------------------------------------------------------ */

static int print_request(void *ctx, const struct request_info *r, struct err *e)
{
    json_t *list = ctx;
    char when[24];

    (void)e;
    clock_text(r->created_at, when);
    if (list)
        return json_array_append_new(list, json_pack(
                   "{s:s, s:s, s:I, s:s, s:I, s:I, s:s, s:s}", "id", r->id,
                   "smdp", r->head.smdp, "sequence",
                   (json_int_t)r->head.sequence, "at", when, "keys",
                   (json_int_t)r->keys, "answered", (json_int_t)r->answered,
                   "msp", r->head.msp, "profile", r->head.profile));
    printf("%s  %s  number %llu to SM-DPf %s: %llu keys, %llu answered%s%s%s%s\n",
           r->id, when, (unsigned long long)r->head.sequence, r->head.smdp,
           (unsigned long long)r->keys, (unsigned long long)r->answered,
           r->head.msp[0] ? "; MSP " : "", r->head.msp,
           r->head.profile[0] ? "; profile " : "", r->head.profile);
    return 0;
}

static int list_all(const struct command *self, const struct cmd_common *c)
{
    AUTO(db_close_p) struct db *db = NULL;
    json_t *list = c->json ? json_array() : NULL;
    struct err e = ERR_INIT;
    int bad = db_open(c->data_dir, DB_READ, NULL, &db, &e) != 0 ||
              requests_walk(db, print_request, list, &e) != 0;

    if (list && !bad) {
        json_dumpf(list, stdout, JSON_COMPACT);
        putchar('\n');
    }
    json_decref(list);
    return bad ? cmd_fail(self, &e) : 0;
}

/* --- the command -------------------------------------------------------------------------------- */

static int run(const struct command *self, int argc, char **argv)
{
    static const struct option options[] = {
        { "smdp", required_argument, NULL, OPT_SMDP },
        { "count", required_argument, NULL, OPT_COUNT },
        { "msp", required_argument, NULL, OPT_MSP },
        { "profile", required_argument, NULL, OPT_PROFILE },
        { "eid-list", required_argument, NULL, OPT_EID_LIST },
        { "serials", required_argument, NULL, OPT_SERIALS },
        { "keys-per-euicc", required_argument, NULL, OPT_PER_EUICC },
        { "to", required_argument, NULL, OPT_TO },
        { "list", no_argument, NULL, OPT_LIST },
        { "as", required_argument, NULL, OPT_AS },
        { 0 },
    };
    struct opts o = { .msp = "", .profile = "", .per_euicc = 1 };
    struct cmd_common c;

    int end = cmd_options(self, argc, argv, options, own, &o, &c);
    if (end)
        return end - 1;
    if (optind != argc)
        return cmd_usage(self, "no operands are expected");
    if (o.list)
        return list_all(self, &c);
    if (!o.smdp || !o.to)
        return cmd_usage(self, "--smdp OID and --to DIR are needed, or --list");
    if (o.eid_list && o.serials)
        return cmd_usage(self, "either --eid-list or --serials");
    if (!o.count && !o.eid_list && !o.serials)
        return cmd_usage(self, "--count N is needed: how many profiles");
    return ask(self, &c, &o);
}

const struct command cmd_request = {
    "request",
    "--smdp OID --to DIR --count N [--msp NAME] [--profile NAME] "
    "[--eid-list FILE | --serials FILE] [--keys-per-euicc K] [--as BADGE] | --list",
    "ask an SM-DPf for profiles, one for each one-time key offered to it",
    "  --smdp OID   whom to ask: an SM-DPf of this station's allow-list\n"
    "  --to DIR     the stick's folder\n"
    "  --count N    how many profiles; with a list it may be left out: all of it\n"
    "  --msp NAME   whose profiles\n"
    "  --profile NAME  which of theirs\n"
    "  --eid-list FILE  for these eUICCs: an EID a line\n"
    "  --serials FILE   for the eUICCs of these units: a serial a line\n"
    "  --keys-per-euicc K  up to K profiles for one eUICC (default 1)\n"
    CMD_AS_HELP
    "  --list       what was asked so far, and how much of it was answered\n",
    run
};

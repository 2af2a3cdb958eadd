/* lineside orders: work orders, as they come, are activated, bound to fixtures
 * and closed. */
#include "station/cmd/cmd.h"

#include "station/acts/media.h"
#include "station/acts/orders.h"
#include "station/cmd/actor.h"
#include "station/cmd/orders_print.h"
#include "storage/events.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_NUMBER = 256, OPT_PRODUCT, OPT_QUANTITY, OPT_SERIALS, OPT_RECIPE,
       OPT_POSITION, OPT_AS };

static const struct option options[] = {
    { "number", required_argument, NULL, OPT_NUMBER },
    { "product", required_argument, NULL, OPT_PRODUCT },
    { "quantity", required_argument, NULL, OPT_QUANTITY },
    { "serials", required_argument, NULL, OPT_SERIALS },
    { "recipe", required_argument, NULL, OPT_RECIPE },
    { "position", required_argument, NULL, OPT_POSITION },
    { "as", required_argument, NULL, OPT_AS },
    { NULL, 0, NULL, 0 },
};

/* What was said, and with which ledger. */
struct call {
    const struct command *self;
    struct cmd_common common;
    struct db *db;
    struct order_spec spec; /* of `new` */
    const char *position;
    struct badges badges;
    bool made; /* an option of `new` was given */
    char **word; /* behind the act's name */
};

/* --- options ---------------------------------------------------------------------- */

static int keep(char *out, size_t cap, const char *what, const char *arg,
                struct err *e)
{
    size_t n = strlen(arg);

    if (n >= cap)
        return err_set(e, ERR_USAGE, "--%s takes at most %zu characters", what,
                       cap - 1);
    memcpy(out, arg, n + 1);
    return 0;
}

static int quantity(const char *arg, uint64_t *out, struct err *e)
{
    char *end;

    errno = 0;
    long long n = strtoll(arg, &end, 10);
    if (errno || end == arg || *end || n < 1 || n > ORDER_QUANTITY_MAX)
        return err_set(e, ERR_USAGE, "--quantity takes a number from 1 to %d, not "
                       "'%.40s'", ORDER_QUANTITY_MAX, arg);
    *out = (uint64_t)n;
    return 0;
}

static int recipe(struct order_spec *s, const char *arg, struct err *e)
{
    if (s->positions == ORDER_POSITIONS_MAX)
        return err_set(e, ERR_USAGE, "--recipe: at most %d positions",
                       ORDER_POSITIONS_MAX);
    if (order_recipe_parse(arg, &s->recipe[s->positions], e) != 0) {
        e->code = ERR_USAGE;
        return -1;
    }
    s->positions++;
    return 0;
}

static int own_option(void *ctx, int val, const char *arg, struct err *e)
{
    struct call *c = ctx;
    struct order_spec *s = &c->spec;

    c->made |= val != OPT_POSITION && val != OPT_AS;
    switch (val) {
    case OPT_NUMBER:
        return keep(s->number, sizeof s->number, "number", arg, e);
    case OPT_PRODUCT:
        return keep(s->product, sizeof s->product, "product", arg, e);
    case OPT_SERIALS:
        return keep(s->serials, sizeof s->serials, "serials", arg, e);
    case OPT_QUANTITY:
        return quantity(arg, &s->quantity, e);
    case OPT_RECIPE:
        return recipe(s, arg, e);
    case OPT_POSITION:
        c->position = arg;
        return 0;
    default:
        c->badges.as = arg;
        return 0;
    }
}

/* --- looking ------------------------------------------------------------------------ */

static int list(struct call *c, struct err *e)
{
    AUTO(order_list_clear) struct order_list l = { NULL, 0 };
    AUTO(order_bindings_clear) struct order_bindings b = { NULL, 0 };

    if (orders_get(c->db, &l, e) != 0 || order_bindings_get(c->db, &b, e) != 0)
        return -1;
    orders_print(&l, &b, c->common.json);
    return 0;
}

static int show(struct call *c, struct err *e)
{
    AUTO(order_bindings_clear) struct order_bindings b = { NULL, 0 };
    struct order_info o;

    if (order_by_number(c->db, c->word[0], &o, e) != 0 ||
        order_spec_get(c->db, o.id, &c->spec, e) != 0 ||
        order_bindings_get(c->db, &b, e) != 0)
        return -1;
    order_print(&o, &c->spec, &b, c->common.json);
    return 0;
}

/* --- acts ----------------------------------------------------------------------------- */

/* What a script reads: the order as it is now. */
static int done(struct call *c, const char *number, struct err *e)
{
    AUTO(order_bindings_clear) struct order_bindings b = { NULL, 0 };
    struct order_info o;

    if (!c->common.json)
        return 0;
    if (order_by_number(c->db, number, &o, e) != 0 ||
        order_spec_get(c->db, o.id, &c->spec, e) != 0 ||
        order_bindings_get(c->db, &b, e) != 0)
        return -1;
    order_print(&o, &c->spec, &b, true);
    return 0;
}

static int import(struct call *c, struct err *e)
{
    AUTO(inbox_close) struct inbox b = INBOX_EMPTY;
    char number[ORDER_NUMBER_MAX + 1];
    struct import_result r;

    if (inbox_open(&b, c->common.data_dir, e) != 0)
        return -1;
    if (inbox_take_order(&b, c->word[0], NULL, &r, number, e) != 0) {
        cmd_fail_container(c->self, c->word[0], c->db, e);
        return 1;
    }
    if (!c->common.json)
        printf("order %s of %s is here, number %llu, and waits: `lineside orders "
               "activate %s`\n", number, r.issuer, (unsigned long long)r.sequence,
               number);
    if (!c->common.json && r.sum.missing)
        printf("  note: %llu work orders of %s with lower numbers have not "
               "arrived\n", (unsigned long long)r.sum.missing, r.issuer);
    return done(c, number, e);
}

static int make(struct call *c, struct err *e)
{
    const struct who w = cmd_who(&c->badges);
    char number[ORDER_NUMBER_MAX + 1];

    memcpy(number, c->spec.number, sizeof number);
    if (act_order_make(c->db, &w, &c->spec, e) != 0)
        return -1;
    if (!c->common.json)
        printf("order %s is made and waits: `lineside orders activate %s`\n",
               number, number);
    return done(c, number, e);
}

static void on_finding(void *ctx, bool refuses, const char *text)
{
    json_array_append_new(ctx, json_pack("{s:b, s:s}", "refuses", refuses, "text",
                                         text));
    fprintf(stderr, "lineside orders: %s: %s\n", refuses ? "refused" : "warning",
            text);
}

static int activate(struct call *c, struct err *e)
{
    const struct who w = cmd_who(&c->badges);
    struct act_activation *a = calloc(1, sizeof *a);
    json_t *findings = json_array();
    int bad = findings && a
            ? act_order_activate(c->db, &w, c->word[0], on_finding, findings, a, e)
            : err_set(e, ERR_NOMEM, "no memory for a list");

    if (a && a->assessed)
        order_print_assessment(&a->o, &a->s, &a->a, findings, c->common.json);
    json_decref(findings);
    free(a);
    return bad;
}

static int close_order(struct call *c, struct err *e)
{
    const struct who w = cmd_who(&c->badges);

    return act_order_close(c->db, &w, c->word[0], e) != 0
         ? -1 : done(c, c->word[0], e);
}

static int bind(struct call *c, struct err *e)
{
    const struct who w = cmd_who(&c->badges);

    return act_order_bind(c->db, &w, c->word[0], c->word[1],
                          c->position ? c->position : "", e) != 0
         ? -1 : done(c, c->word[0], e);
}

static int unbind(struct call *c, struct err *e)
{
    const struct who w = cmd_who(&c->badges);

    return act_order_unbind(c->db, &w, c->word[0], e);
}

/* run: 0; -1 with *e; 1: it failed and was told. */
static const struct {
    const char *name;
    int words; /* behind the name */
    bool looks; /* and changes nothing */
    int (*run)(struct call *, struct err *);
    const char *takes;
} acts[] = {
    { "list", 0, true, list, "it takes no word" },
    { "show", 1, true, show, "it takes the number of an order" },
    { "import", 1, false, import, "it takes one CONTAINER: the work-order folder "
      "on the stick" },
    { "new", 0, false, make, "it takes options alone: --number, --product, "
      "--quantity, --recipe" },
    { "activate", 1, false, activate, "it takes the number of an order" },
    { "close", 1, false, close_order, "it takes the number of an order" },
    { "bind", 2, false, bind, "it takes the number of an order and a fixture" },
    { "unbind", 1, false, unbind, "it takes a fixture" },
};
#define ACTS (sizeof acts / sizeof *acts)

/* --- the command ------------------------------------------------------------------------ */

static int perform(struct call *c, size_t act)
{
    struct err e = ERR_INIT;

    if (db_open(c->common.data_dir, acts[act].looks ? DB_READ : DB_WRITE, NULL,
                &c->db, &e) != 0)
        return cmd_fail(c->self, &e);
    int got = acts[act].run(c, &e);
    db_close(c->db);
    return got < 0 ? cmd_fail(c->self, &e) : got ? err_exit_code(e.code) : 0;
}

static int choose(struct call *c, const char *name, int words)
{
    struct err e = ERR_INIT;

    for (size_t i = 0; i < ACTS; i++) {
        if (strcmp(name, acts[i].name) != 0)
            continue;
        if (words != acts[i].words)
            return cmd_usage(c->self, acts[i].takes);
        if (c->made && acts[i].run != make)
            return cmd_usage(c->self, "--number, --product, --quantity, --serials "
                                      "and --recipe are options of `new` alone");
        if (c->position && acts[i].run != bind)
            return cmd_usage(c->self, "--position is an option of `bind` alone");
        return perform(c, i);
    }
    err_set(&e, ERR_USAGE, "'%.80s' is nothing that can be done with orders", name);
    return cmd_usage(c->self, e.msg);
}

static int run(const struct command *self, int argc, char **argv)
{
    struct call *c = calloc(1, sizeof *c);
    struct err e = ERR_INIT;

    if (!c) {
        err_set(&e, ERR_NOMEM, "out of memory");
        return cmd_fail(self, &e);
    }
    c->self = self;
    int code = cmd_options(self, argc, argv, options, own_option, c, &c->common);
    if (code) {
        code--;
    } else {
        bool bare = optind == argc;
        c->word = argv + optind + !bare;
        code = choose(c, bare ? "list" : argv[optind], argc - optind - !bare);
    }
    free(c);
    return code;
}

const struct command cmd_orders = {
    "orders",
    "[list | show NUMBER | import CONTAINER |\n"
    "       new --number NUMBER --product TEXT --quantity N [--serials PATTERN]\n"
    "       --recipe [POSITION:]RECIPE... | activate NUMBER | close NUMBER |\n"
    "       bind NUMBER FIXTURE [--position NAME] | unbind FIXTURE] [--as BADGE]",
    "Work orders: what is made, how many, by which recipe, at which fixtures",
    "Without words it lists them. A RECIPE is `load WHICH; ...; enable N; close`,\n"
    "ends with `close`, `keep K` or is just `register`; WHICH is any of\n"
    "provider=TEXT smdp=OID name=TEXT class=WORD, or `any`.\n"
    "  --number NUMBER     1 to 32 letters, digits, '-', '_' or '.'\n"
    "  --product TEXT      what is made\n"
    "  --quantity N        how many units\n"
    "  --serials PATTERN   what their serial numbers look like (default *): # a\n"
    "                      digit, @ a letter, ? any character, * any text, once,\n"
    "                      {A-B} a number\n"
    "  --recipe RECIPE     of the product's one position, main; for more,\n"
    "                      POSITION:RECIPE, once for each\n"
    "  --position NAME     this fixture works on that position of every unit\n"
    "                      (default: on the unit's next one)\n"
    CMD_AS_HELP,
    run
};

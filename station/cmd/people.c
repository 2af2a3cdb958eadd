/* lineside people: who works here, and what each may do (docs/people.md). */
#include "station/acts/people.h"
#include "station/cmd/actor.h"
#include "station/cmd/cmd.h"
#include "station/cmd/recover.h"

#include "station/cmd/json_line.h"
#include "station/show/people.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

struct options {
    const char *as, *role, *badge;
};

/* --- telling ---------------------------------------------------------------------- */

static void print_people_text(const struct people *p)
{
    printf("%-32s %-11s %s\n", "NAME", "ROLE", "STATE");
    for (size_t i = 0; i < p->n; i++) {
        printf("%-32s %-11s %s", p->v[i].name, role_names[p->v[i].role],
               p->v[i].blocked ? "blocked" : "active");
        if (p->v[i].recovered)
            printf(", made supervisor at the console (event %llu)",
                   (unsigned long long)p->v[i].recovered);
        putchar('\n');
    }
    if (p->n == 0)
        puts("nobody yet: acts of a line engineer need no badge.\nNext: lineside "
             "people add NAME --role supervisor --badge BADGE");
}

/* As it stands in docs/people.md. */
static void print_rights_text(void)
{
    printf("| right | may |");
    for (int role = 0; role < ROLES; role++)
        printf(" %s |", role_names[role]);
    printf("\n| --- | --- |");
    for (int role = 0; role < ROLES; role++)
        printf(" --- |");
    for (int r = 0; r < RIGHTS; r++) {
        printf("\n| %s | %s |", right_info(r)->name, right_info(r)->act);
        for (int role = 0; role < ROLES; role++)
            printf(" %s |", may_text(right_info(r)->may[role]));
    }
    putchar('\n');
}

static int list(const struct command *self, const struct cmd_common *c)
{
    AUTO(people_clear) struct people p = { NULL, 0 };
    AUTO(db_close_p) struct db *db = NULL;
    struct err e = ERR_INIT;

    if (db_open(c->data_dir, DB_READ, NULL, &db, &e) != 0 ||
        people_get(db, &p, &e) != 0)
        return cmd_fail(self, &e);
    if (c->json)
        json_line(show_people(&p));
    else
        print_people_text(&p);
    return 0;
}

/* --- acts --------------------------------------------------------------------------- */

struct call {
    const char *data_dir;
    struct db *db;
    const struct options *o;
    struct badges badges;
    const char *verb, *name, *word;
    uint8_t badge[BADGE_HASH];
    struct pin_hash pin;
    char terminal[64];
};

static int recover_tx(struct tx *tx, void *ctx, struct err *e)
{
    const struct call *c = ctx;
    const struct person_new n = { c->name, ROLE_SUPERVISOR, c->badge, &c->pin };

    return people_recover(tx, &n, c->terminal, e);
}

static int need_badge(const struct call *c, struct err *e)
{
    return c->o->badge ? 0 : err_set(e, ERR_USAGE, "--badge BADGE is needed: the "
                                     "barcode on the badge");
}

static int type_pin(void *ctx, const char *name, const char *badge, bool own,
                    struct pin_hash *out, struct err *e)
{
    const struct call *c = ctx;

    return cmd_new_pin(name, own ? c->badges.as : badge, out, e);
}

static int do_add(struct call *c, struct err *e)
{
    const struct who w = cmd_who(&c->badges);
    const struct new_pin pin = { type_pin, c };

    if (!c->o->role)
        return err_set(e, ERR_USAGE, "--role ROLE is needed: operator, engineer, "
                       "supervisor or auditor");
    return need_badge(c, e) != 0
         ? -1 : act_person_add(c->db, &w, c->name, c->o->role, c->o->badge, &pin, e);
}

static int do_role(struct call *c, struct err *e)
{
    const struct who w = cmd_who(&c->badges);

    return act_person_role(c->db, &w, c->name, c->word, e);
}

static int do_block(struct call *c, struct err *e)
{
    const struct who w = cmd_who(&c->badges);

    return act_person_block(c->db, &w, c->name, strcmp(c->verb, "block") == 0, e);
}

static int do_badge(struct call *c, struct err *e)
{
    const struct who w = cmd_who(&c->badges);

    return need_badge(c, e) != 0 ? -1
                                 : act_person_badge(c->db, &w, c->name, c->o->badge, e);
}

static int do_pin(struct call *c, struct err *e)
{
    const struct who w = cmd_who(&c->badges);
    const struct new_pin pin = { type_pin, c };

    return act_person_pin(c->db, &w, c->name, &pin, e);
}

static int do_rule(struct call *c, struct err *e)
{
    const struct who w = cmd_who(&c->badges);

    return act_login_rule(c->db, &w, c->verb, c->name, e);
}

static int do_recover(struct call *c, struct err *e)
{
    AUTO(lock_release_p) struct lock *lock = NULL;
    bool any;

    if (need_badge(c, e) != 0 || badge_hash(c->o->badge, c->badge, e) != 0 ||
        person_name_check(c->name, e) != 0 || people_any(c->db, &any, e) != 0)
        return -1;
    if (!any)
        return err_set(e, ERR_WRONG_STATE, "this station knows nobody, so there "
                       "is nothing to recover; make the first supervisor with "
                       "`lineside people add`");
    if (recover_presence(c->terminal, sizeof c->terminal, e) != 0)
        return -1;
    if (lock_take(c->data_dir, LOCK_RUN, &lock, e) != 0)
        return err_wrap(e, "the line must stand still for this");
    if (recover_code(e) != 0 ||
        cmd_new_pin(c->name, c->o->badge, &c->pin, e) != 0)
        return -1;
    return db_write(c->db, recover_tx, c, e);
}

static const struct {
    const char *name;
    int words; /* after the name */
    int (*act)(struct call *c, struct err *e);
} acts[] = {
    { "add", 1, do_add },         { "role", 2, do_role },
    { "block", 1, do_block },     { "unblock", 1, do_block },
    { "badge", 1, do_badge },     { "pin", 1, do_pin },
    { "recover", 1, do_recover }, { "require-login", 1, do_rule },
    { "badge-alone", 1, do_rule }, { "idle", 1, do_rule },
    { "badge-prefix", 1, do_rule },
};
#define ACTS (sizeof acts / sizeof *acts)

/* --- the command -------------------------------------------------------------------- */

enum { OPT_AS = 256, OPT_ROLE, OPT_BADGE };

static const struct option options[] = {
    { "as", required_argument, NULL, OPT_AS },
    { "role", required_argument, NULL, OPT_ROLE },
    { "badge", required_argument, NULL, OPT_BADGE },
    { NULL, 0, NULL, 0 },
};

static int own_option(void *ctx, int val, const char *arg, struct err *e)
{
    struct options *o = ctx;

    (void)e;
    *(val == OPT_AS ? &o->as : val == OPT_ROLE ? &o->role : &o->badge) = arg;
    return 0;
}

static int act(const struct command *self, const struct cmd_common *common,
               const struct options *o, int argc, char **argv)
{
    AUTO(db_close_p) struct db *db = NULL;
    struct err e = ERR_INIT;

    for (size_t i = 0; i < ACTS; i++) {
        if (strcmp(argv[0], acts[i].name) != 0)
            continue;
        if (argc - 1 != acts[i].words)
            return cmd_usage(self, acts[i].words == 2 ? "it takes a name and a role"
                             : acts[i].act == do_rule ? "it takes one word: see --help"
                                                      : "it takes one name");
        if (db_open(common->data_dir, DB_WRITE, NULL, &db, &e) != 0)
            return cmd_fail(self, &e);
        struct call c = { .data_dir = common->data_dir, .db = db, .o = o,
                          .badges = { .as = o->as }, .verb = argv[0], .name = argv[1], .word = argv[argc - 1] };
        return acts[i].act(&c, &e) != 0 ? cmd_fail(self, &e) : 0;
    }
    err_set(&e, ERR_USAGE, "'%.80s' is nothing that can be done with people", argv[0]);
    return cmd_usage(self, e.msg);
}

static void print_rules_text(const struct login_rules *r)
{
    printf("require-login %s: %s\n", r->required ? "on" : "off",
           r->required ? "no unit is worked on but by somebody logged in"
                       : "units are worked on without a login too");
    printf("badge-alone   %s: %s\n", r->badge_alone ? "on" : "off",
           r->badge_alone ? "a scanned badge is enough to work units"
                          : "a scanned badge waits for its PIN");
    printf("idle          %d minutes\n", r->idle_s / 60);
    printf("badge-prefix  %s\n", r->badge_prefix[0] ? r->badge_prefix
           : "none: no barcode at the line is a badge");
}

static int show_rules(const struct command *self, const struct cmd_common *c)
{
    AUTO(db_close_p) struct db *db = NULL;
    struct login_rules r;
    struct err e = ERR_INIT;

    if (db_open(c->data_dir, DB_READ, NULL, &db, &e) != 0 ||
        login_rules_get(db, &r, &e) != 0)
        return cmd_fail(self, &e);
    if (c->json)
        json_line(show_login_rules(&r));
    else
        print_rules_text(&r);
    return 0;
}

static int run(const struct command *self, int argc, char **argv)
{
    struct options o = { NULL, NULL, NULL };
    struct cmd_common c;

    int stop = cmd_options(self, argc, argv, options, own_option, &o, &c);
    if (stop)
        return stop - 1;
    argc -= optind;
    argv += optind;
    if (argc == 0 || (argc == 1 && strcmp(argv[0], "list") == 0))
        return list(self, &c);
    if (argc == 1 && strcmp(argv[0], "rules") == 0)
        return show_rules(self, &c);
    if (argc != 1 || strcmp(argv[0], "rights") != 0)
        return act(self, &c, &o, argc, argv);
    if (c.json)
        json_line(show_rights());
    else
        print_rights_text();
    return 0;
}

const struct command cmd_people = {
    "people",
    "[list | rights |\n"
    "       add NAME --role ROLE --badge BADGE | role NAME ROLE | block NAME |\n"
    "       unblock NAME | badge NAME --badge BADGE | pin NAME |\n"
    "       recover NAME --badge BADGE | rules | require-login on|off |\n"
    "       badge-alone on|off | idle MINUTES | badge-prefix TEXT] [--as BADGE]",
    "who works here, and what each may do",
    "Without words it lists people. A ROLE is operator, engineer, supervisor or\n"
    "auditor; `rights` shows what each may do. PINs are typed when asked, or are\n"
    "lines of standard input: first the PIN of who acts, then the new one.\n"
    "  add NAME            the first one of a station is a supervisor, and is\n"
    "                      added without --as\n"
    "  pin NAME            a new PIN: one's own, or a supervisor somebody's\n"
    "  recover NAME        NAME becomes a supervisor without asking any: as root,\n"
    "                      at the machine's console, while the line stands still\n"
    "  rules               how people log in at the running line (see ctl)\n"
    "  require-login on    no unit is worked on but by somebody logged in\n"
    "  badge-alone on      a scanned badge is enough to work units, without a PIN\n"
    "  idle MINUTES        without a scan a session ends (default 30)\n"
    "  badge-prefix TEXT   a barcode that begins so is a badge; '' for none\n"
    "  --role ROLE         of the person that is added\n"
    "  --badge BADGE       the barcode on that person's badge\n"
    "  --as BADGE          the badge of who does it\n",
    run
};

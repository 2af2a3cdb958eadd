/* lineside ctl: speaks to the line that runs on a data directory. */
#include "station/cmd/actor.h"
#include "station/cmd/cmd.h"
#include "station/cmd/ctl_ask.h"
#include "station/cmd/screen.h"

#include "station/control/client.h"

#include <getopt.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

struct output {
    const char *as, *fixture, *reason, *second; /* options; NULL: not said */
    bool new_pin;
    char **words;    /* after the verb */
    bool awaits;     /* the verdict of the unit words[1], and nothing else */
    json_t *verdict; /* it; NULL: not yet */
    bool json;
    bool ended;  /* the line has said that it ends    */
    bool broken; /* nobody reads what is printed here */
};

/* --- text for people ----------------------------------------------------------- */

static const char *word(const json_t *j, const char *name)
{
    const char *s = json_string_value(json_object_get(j, name));

    return s ? s : "";
}

static long long count(const json_t *j, const char *name)
{
    return (long long)json_integer_value(json_object_get(j, name));
}

static void print_forecast(const json_t *f)
{
    const json_t *hours = json_object_get(f, "hoursLeft");

    if (json_is_number(hours))
        printf("        %s%lld BPPs left, enough for %.2f hours at %.2f units an "
               "hour\n", json_is_true(json_object_get(f, "low")) ? "LOW STOCK: " : "",
               count(f, "left"), json_number_value(hours),
               json_number_value(json_object_get(f, "unitsPerHour")));
}

static void print_stock(const json_t *k)
{
    if (!json_is_object(k)) {
        puts("stock   the ledger cannot be read now");
        return;
    }
    printf("stock   %lld in stock, %lld installed, %lld failed, %lld quarantined, "
           "%lld unresolved, of %lld\n", count(k, "in-stock"),
           count(k, "installed"), count(k, "failed"), count(k, "quarantined"),
           count(k, "unresolved"), count(k, "received"));
    print_forecast(json_object_get(k, "forecast"));
}

static void print_fixture(const json_t *f)
{
    const json_t *last = json_object_get(f, "last");

    printf("%-7s ", word(f, "fixture"));
    if (*word(f, "person"))
        printf("%s; ", word(f, "person"));
    if (*word(f, "order"))
        printf("order %s; ", word(f, "order"));
    if (*word(f, "state"))
        printf("%s%s%s; ", word(f, "state"), *word(f, "reason") ? ": " : "",
               word(f, "reason"));
    if (*word(f, "maintenance"))
        printf("due for maintenance: %s; ", word(f, "maintenance"));
    if (json_is_true(json_object_get(f, "busy")))
        printf("%s: %s", word(f, "serial"), word(f, "step"));
    else
        printf("free");
    if (last)
        printf("; last %s: %s (%s)", word(last, "serial"), word(last, "verdict"),
               word(last, "code"));
    putchar('\n');
}

static void print_state(const json_t *s)
{
    const json_t *counts = json_object_get(s, "counts"), *one;
    size_t i;

    if (*word(s, "person"))
        printf("station %s is logged in\n", word(s, "person"));
    json_array_foreach(json_object_get(s, "fixtures"), i, one)
        print_fixture(one);
    json_array_foreach(json_object_get(s, "scanners"), i, one)
        printf("scanner %s is %s%s%s\n", word(one, "place"), word(one, "state"),
               *word(one, "reason") ? ": " : "", word(one, "reason"));
    printf("units   %lld PASS, %lld FAIL, %lld ALREADY DONE, %lld REFUSED",
           count(counts, "pass"), count(counts, "fail"),
           count(counts, "alreadyDone"), count(counts, "refused"));
    if (count(counts, "stocked") + count(counts, "incomplete") > 0)
        printf(", %lld STOCKED, %lld INCOMPLETE", count(counts, "stocked"),
               count(counts, "incomplete"));
    if (count(counts, "golden") > 0)
        printf(", %lld GOLDEN OK", count(counts, "golden"));
    if (count(counts, "returned") > 0)
        printf(", %lld RETURNED", count(counts, "returned"));
    putchar('\n');
    print_stock(json_object_get(s, "stock"));
}

static void print_change(const json_t *j)
{
    const char *event = word(j, "event");

    if (strcmp(event, "snapshot") == 0)
        print_state(json_object_get(j, "state"));
    else if (strcmp(event, "stock") == 0)
        print_stock(json_object_get(j, "stock"));
    else if (strcmp(event, "busy") == 0)
        printf("%-7s %s: %s\n", word(j, "fixture"), word(j, "serial"), word(j, "step"));
    else if (strcmp(event, "verdict") == 0)
        printf("%-7s %s: %s (%s). %s\n", word(j, "fixture"), word(j, "serial"),
               word(j, "verdict"), word(j, "code"), word(j, "next"));
    else if (strcmp(event, "fixture") == 0 || strcmp(event, "scanner") == 0)
        printf("%s %s is %s%s%s\n", event,
               *word(j, "fixture") ? word(j, "fixture") : word(j, "place"),
               word(j, "state"), *word(j, "reason") ? ": " : "", word(j, "reason"));
    else if (strcmp(event, "chosen") == 0)
        printf("%-7s chosen; now scan its unit\n", word(j, "fixture"));
    else if (strcmp(event, "session") == 0)
        printf("%-7s %s%s%s\n", *word(j, "fixture") ? word(j, "fixture") : "station",
               word(j, "person"), *word(j, "person") ? " is " : "",
               strcmp(word(j, "state"), "opened") == 0 ? "logged in"
                                                       : word(j, "reason"));
    else if (strcmp(event, "lost") == 0)
        puts("lost    changes went by unread; this is how things stand now:");
}

static void print_json(const json_t *j)
{
    json_dumpf(j, stdout, JSON_COMPACT);
    putchar('\n');
}

/* A refused scan is another's, and no return ends with PASS. */
static bool is_awaited(const struct output *o, const json_t *j)
{
    const char *v = word(j, "verdict");

    return strcmp(word(j, "event"), "verdict") == 0 && strcmp(v, "REFUSED") != 0 &&
           strcmp(v, "PASS") != 0 && (strcmp(word(j, "serial"), o->words[1]) == 0 ||
                                      strcmp(word(j, "eid"), o->words[1]) == 0);
}

static void on_event(void *ctx, const json_t *j)
{
    struct output *o = ctx;

    o->ended |= strcmp(word(j, "event"), "ended") == 0;
    if (strcmp(word(j, "event"), "progress") == 0) {
        fprintf(stderr, "lineside ctl: %s, %lld of %lld\n", word(j, "step"),
                count(j, "done"), count(j, "of"));
        return;
    }
    if (o->awaits) {
        if (!o->verdict && is_awaited(o, j))
            o->verdict = json_incref((json_t *)j);
        return;
    }
    if (o->json)
        print_json(j);
    else
        print_change(j);
    o->broken |= fflush(stdout) != 0;
}

/* --- what can be asked ------------------------------------------------------------- */

typedef int act_fn(struct client *c, struct output *o, const char *word,
                   struct err *e);

static int snapshot(struct client *c, struct output *o, const char *unused,
                    struct err *e)
{
    AUTO(json_decrefp) json_t *reply = NULL;

    (void)unused;
    if (client_ask(c, CONTROL_SNAPSHOT, NULL, &reply, e) != 0)
        return -1;
    (o->json ? print_json : print_state)(json_object_get(reply, "state"));
    return 0;
}

/* Until the line ends, or nobody reads. */
static int watch(struct client *c, struct output *o, const char *unused,
                 struct err *e)
{
    AUTO(json_decrefp) json_t *reply = NULL;

    (void)unused;
    if (client_ask(c, CONTROL_SUBSCRIBE, NULL, &reply, e) != 0)
        return -1;
    while (!o->ended && !o->broken)
        if (client_next(c, -1, e) != 0)
            return -1;
    return 0;
}

static int scan(struct client *c, struct output *o, const char *line,
                struct err *e)
{
    AUTO(json_decrefp) json_t *reply = NULL;
    json_t *members = json_pack("{s:s}", "line", line);

    if (!members)
        return err_set(e, ERR_USAGE, "a scan line is UTF-8 text: FIXTURE TAB BARCODE");
    if (client_ask(c, CONTROL_SCAN, members, &reply, e) != 0)
        return -1;
    if (o->json)
        print_json(reply);
    else
        puts("scanned; its verdict is told by `lineside ctl watch`");
    return 0;
}

static int stop(struct client *c, struct output *o, const char *unused,
                struct err *e)
{
    AUTO(json_decrefp) json_t *reply = NULL;

    (void)unused;
    if (client_ask(c, CONTROL_STOP, NULL, &reply, e) != 0)
        return -1;
    if (o->json)
        print_json(reply);
    else
        puts("the line ends when the units at work are done");
    return 0;
}

static int version(struct client *c, struct output *o, const char *unused,
                   struct err *e)
{
    AUTO(json_decrefp) json_t *reply = NULL;

    (void)unused;
    if (client_ask(c, CONTROL_VERSION, NULL, &reply, e) != 0)
        return -1;
    if (o->json)
        print_json(reply);
    else
        printf("lineside %s, protocol %lld, process %lld\n", word(reply, "version"),
               count(reply, "protocol"), count(reply, "pid"));
    return 0;
}

/* --- people --------------------------------------------------------------------------- */

/* badge NULL: the one that was scanned there. The PIN stays in as few places as
 * this process can see to. */
static int ask_login(struct client *c, const char *badge, const char *fixture,
                     bool connection, json_t **reply, struct err *e)
{
    char pin[CMD_PIN_CAP] = "";

    if (cmd_read_pin(badge ? "Your PIN" : "The PIN of the badge that was scanned",
                     pin, e) != 0)
        return -1;
    json_t *members = json_pack("{s:s, s:s*, s:s*, s:b}", "pin", pin, "badge",
                                badge, "fixture", fixture, "connection", connection);
    OPENSSL_cleanse(pin, sizeof pin);
    if (!members)
        return err_set(e, ERR_USAGE, "badge, PIN and fixture are plain text");
    return client_ask(c, CONTROL_LOGIN, members, reply, e);
}

static int login_there(struct client *c, struct output *o, const char *badge,
                       struct err *e)
{
    AUTO(json_decrefp) json_t *reply = NULL;

    if (ask_login(c, badge, o->fixture, false, &reply, e) != 0)
        return -1;
    if (o->json)
        print_json(reply);
    else
        printf("%s (%s) is logged in at %s\n", word(reply, "person"),
               word(reply, "role"), o->fixture ? o->fixture : "this station");
    return 0;
}

static int logout(struct client *c, struct output *o, const char *unused,
                  struct err *e)
{
    AUTO(json_decrefp) json_t *reply = NULL;
    json_t *members = json_pack("{s:s*}", "fixture", o->fixture);

    (void)unused;
    if (!members)
        return err_set(e, ERR_USAGE, "a fixture's name is plain text");
    if (client_ask(c, CONTROL_LOGOUT, members, &reply, e) != 0)
        return -1;
    if (o->json)
        print_json(reply);
    else
        printf("nobody is logged in at %s now\n", o->fixture ? o->fixture
                                                            : "this station");
    return 0;
}

static void print_session(const json_t *s)
{
    const char *place = word(s, "place");

    printf("%-7s %s, %s%s\n", strcmp(place, "fixture") == 0 ? word(s, "fixture")
                                                             : place,
           word(s, "person"), word(s, "role"),
           strcmp(word(s, "by"), "badge") == 0 ? ", by the badge alone" : "");
}

static int who(struct client *c, struct output *o, const char *unused, struct err *e)
{
    AUTO(json_decrefp) json_t *reply = NULL;
    const json_t *one;
    size_t i;

    (void)unused;
    if (client_ask(c, CONTROL_WHO, NULL, &reply, e) != 0)
        return -1;
    const json_t *all = json_object_get(reply, "sessions");
    if (o->json) {
        print_json(reply);
        return 0;
    }
    json_array_foreach(all, i, one)
        print_session(one);
    if (json_array_size(all) == 0)
        printf("nobody is logged in%s\n", json_is_true(json_object_get(reply, "required"))
               ? ", and no unit is worked on before somebody is" : "");
    return 0;
}

/* --- returns ---------------------------------------------------------------------------- */

static int say_returned(const struct output *o, struct err *e)
{
    const char *v = word(o->verdict, "verdict");

    if (o->json)
        print_json(o->verdict);
    if (strcmp(v, "FAIL") == 0)
        return err_set(e, ERR_WRONG_STATE, "%s (%s). %s%s%s%s",
                       word(o->verdict, "cause"), word(o->verdict, "code"),
                       word(o->verdict, "next"), *word(o->verdict, "detail") ? " [" : "",
                       word(o->verdict, "detail"),
                       *word(o->verdict, "detail") ? "]" : "");
    if (!o->json)
        print_change(o->verdict);
    return 0;
}

/* Until it is done: who stands at the fixture waits for it. */
static int give_back(struct client *c, struct output *o, const char *fixture,
                     struct err *e)
{
    AUTO(json_decrefp) json_t *reply = NULL;
    AUTO(json_decrefp) json_t *subscribed = NULL;

    if (!o->reason)
        return err_set(e, ERR_USAGE, "--reason TEXT is needed: why the unit gives its "
                       "profiles back");
    json_t *members = json_pack("{s:s, s:s, s:s}", "fixture", fixture, "serial",
                                o->words[1], "reason", o->reason);
    if (!members)
        return err_set(e, ERR_USAGE, "fixture, serial and reason are plain text");
    o->awaits = true;
    if (client_ask(c, CONTROL_SUBSCRIBE, NULL, &subscribed, e) != 0) {
        json_decref(members);
        return -1;
    }
    if (client_ask(c, CONTROL_RETURN, members, &reply, e) != 0)
        return -1;
    while (!o->verdict)
        if (client_next(c, -1, e) != 0)
            return -1;
    return say_returned(o, e);
}

/* --- fixtures --------------------------------------------------------------------------- */

static int keep_up(struct client *c, const struct output *o, enum control_verb v,
                   const char *fixture, const char *now, struct err *e)
{
    AUTO(json_decrefp) json_t *reply = NULL;
    json_t *members = json_pack("{s:s}", "fixture", fixture);

    if (!members)
        return err_set(e, ERR_USAGE, "a fixture's name is plain text");
    if (client_ask(c, v, members, &reply, e) != 0)
        return -1;
    if (o->json)
        print_json(reply);
    else
        printf("fixture %s %s\n", fixture, now);
    return 0;
}

static int release(struct client *c, struct output *o, const char *fixture,
                   struct err *e)
{
    return keep_up(c, o, CONTROL_RELEASE, fixture, "takes units again", e);
}

static int maintained(struct client *c, struct output *o, const char *fixture,
                      struct err *e)
{
    return keep_up(c, o, CONTROL_MAINTAINED, fixture, "has its cycles counted anew", e);
}

/* --- whatever can be asked -------------------------------------------------------------- */

static int ask(struct client *c, struct output *o, const char *verb, struct err *e)
{
    const struct ctl_people p = { o->second, o->new_pin };

    return ctl_ask(c, verb, o->words + 1, &p, e);
}

/* Who stands for this one command. */
static int stand_for(struct client *c, const struct output *o, struct err *e)
{
    AUTO(json_decrefp) json_t *reply = NULL;

    return o->as ? ask_login(c, o->as, NULL, true, &reply, e) : 0;
}

static const struct {
    const char *name;
    int least, most; /* operands */
    act_fn *act;
} acts[] = {
    { "snapshot", 0, 0, snapshot }, { "watch", 0, 0, watch },
    { "scan", 1, 1, scan },         { "stop", 0, 0, stop },
    { "version", 0, 0, version },   { "login", 0, 1, login_there },
    { "logout", 0, 0, logout },     { "who", 0, 0, who },
    { "return", 2, 2, give_back },  { "release", 1, 1, release },
    { "maintained", 1, 1, maintained }, { "ask", 1, 64, ask },
    { "screen", 0, 0, NULL }, /* it is the screen's to answer */
};

/* --- the command --------------------------------------------------------------------- */

enum { OPT_AS = 256, OPT_FIXTURE, OPT_REASON, OPT_SECOND, OPT_NEW_PIN };

static const struct option options[] = {
    { "as", required_argument, NULL, OPT_AS },
    { "fixture", required_argument, NULL, OPT_FIXTURE },
    { "reason", required_argument, NULL, OPT_REASON },
    { "second", required_argument, NULL, OPT_SECOND },
    { "new-pin", no_argument, NULL, OPT_NEW_PIN },
    { NULL, 0, NULL, 0 },
};

static int own_option(void *ctx, int val, const char *arg, struct err *e)
{
    struct output *o = ctx;

    (void)e;
    if (val == OPT_NEW_PIN)
        o->new_pin = true;
    else
        *(val == OPT_AS       ? &o->as
          : val == OPT_REASON ? &o->reason
          : val == OPT_SECOND ? &o->second : &o->fixture) = arg;
    return 0;
}

static int run(const struct command *self, int argc, char **argv)
{
    AUTO(client_close_p) struct client *c = NULL;
    struct output o = { .as = NULL };
    struct cmd_common common;
    struct err e = ERR_INIT;
    size_t a = 0;

    int stopped = cmd_options(self, argc, argv, options, own_option, &o, &common);
    if (stopped)
        return stopped - 1;
    while (a < sizeof acts / sizeof *acts && optind < argc &&
           strcmp(acts[a].name, argv[optind]) != 0)
        a++;
    if (optind == argc || a == sizeof acts / sizeof *acts)
        return cmd_usage(self, "say snapshot, watch, scan LINE, stop, version, "
                               "login [BADGE], logout, who, return FIXTURE "
                               "SERIAL, release FIXTURE, maintained FIXTURE, "
                               "screen or ask VERB");
    int words = argc - optind - 1;
    if (words < acts[a].least)
        return cmd_usage(self, acts[a].act == scan ? "scan takes one scan line, quoted"
                             : acts[a].act == ask ? "say what is asked: unit, stock, "
                                                    "log ..."
                             : acts[a].act == give_back ? "return takes a fixture and "
                                                          "the unit's serial number"
                                                        : "name the fixture");
    if (words > acts[a].most)
        return cmd_usage(self, acts[a].most ? "too many words come after that"
                                            : "nothing comes after that word");
    o.json = common.json;
    o.words = argv + optind + 1;
    if (!acts[a].act)
        return cmd_screen_print(common.data_dir, o.json, &e) == 0 ? 0 : cmd_fail(self, &e);
    if (client_open(common.data_dir, on_event, &o, &c, &e) != 0 ||
        stand_for(c, &o, &e) != 0 ||
        acts[a].act(c, &o, argv[optind + 1], &e) != 0) {
        json_decref(o.verdict);
        return cmd_fail(self, &e);
    }
    json_decref(o.verdict);
    return 0;
}

const struct command cmd_ctl = {
    .name = "ctl",
    .args = "snapshot | watch | scan LINE | stop | version |\n"
            "       login [BADGE] | logout | who |\n"
            "       return FIXTURE SERIAL --reason TEXT | release FIXTURE |\n"
            "       maintained FIXTURE | screen | ask VERB [MEMBER=TEXT...]\n"
            "       [--second BADGE] [--new-pin] [--fixture NAME] [--as BADGE]",
    .summary = "Speak to the line that runs: look, log in, scan, return, release, stop",
    .help = "  snapshot   how the line stands now\n"
            "  watch      that, and then every change until the line ends\n"
            "  scan LINE  one scan line, FIXTURE TAB BARCODE, as a scanner's\n"
            "  stop       an orderly end, as by SIGTERM\n"
            "  version    which program runs the line\n"
            "  login [BADGE]  at the whole station, or at a fixture; the PIN is\n"
            "             asked for, or is a line of standard input. Without BADGE\n"
            "             it is that of the badge that was scanned there\n"
            "  logout     likewise\n"
            "  who        who is logged in where\n"
            "  return FIXTURE SERIAL  the unit in this fixture gives its profiles\n"
            "             back: deleted, with the eUICC's proof; it is waited for\n"
            "  --reason TEXT  why it does\n"
            "  release FIXTURE  it was stopped, and takes units again\n"
            "  maintained FIXTURE  it had its maintenance: cycles are counted anew\n"
            "  ask VERB [MEMBER=TEXT...]  whatever else can be asked (control.md):\n"
            "             unit what=SERIAL, stock, log limit:=5; the answer is JSON.\n"
            "             After := stands JSON, after = text\n"
            "  --second BADGE  the second person of what is asked; the PIN as above,\n"
            "             after that of --as\n"
            "  --new-pin  a new PIN goes with what is asked; it comes last\n"
            "  --fixture NAME  log in or out at this fixture\n"
            "  --as BADGE  who stands for this one command; the PIN as above\n",
    .run = run,
};

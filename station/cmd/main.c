/* lineside: the factory station. */
#include "station/cmd/cmd.h"

#include "station/acts/media.h"

#include "station/base/clock.h"
#include "station/base/start.h"
#include "storage/events.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct command *const commands[] = {
    &cmd_init,
    &cmd_station_csr,
    &cmd_station_cert,
    &cmd_import,
    &cmd_request,
    &cmd_stock,
    &cmd_unit,
    &cmd_units,
    &cmd_run,
    &cmd_ctl,
    &cmd_ui,
    &cmd_barcodes,
    &cmd_export,
    &cmd_reports,
    &cmd_backup,
    &cmd_log,
    &cmd_clock,
    &cmd_fixtures,
    &cmd_people,
    &cmd_orders,
    &cmd_quarantine,
    &cmd_replace,
    &cmd_imei,
    &cmd_void,
    &cmd_shift,
    &cmd_doctor,
};
#define COMMANDS (sizeof commands / sizeof *commands)

/* Not for people: the import process, started by `import` alone. */
static const struct command *const hidden[] = { &cmd_importer };

static void usage(FILE *to)
{
    fprintf(to, "usage: lineside COMMAND [OPTION...]\n\n"
                "In-factory profile provisioning (GSMA SGP.41): a station that "
                "needs no network.\n\n");
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-13s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(to, "\nEach command has --help. Exit codes: 0 done; 1 refused; "
                "2 usage; 3 the machine\nor its files; 4 busy, another process "
                "holds it.\n");
}

static void command_usage(const struct command *c, FILE *to)
{
    fprintf(to, "usage: lineside %s [--data DIR] [--json]%s%s\n\n%s.\n\n%s%s"
                "  --data DIR   the station's data directory (default: "
                "$LINESIDE_DATA, else\n               " CMD_DATA_DEFAULT ")\n"
                "  --json       answer in JSON\n"
                "  --help       this text\n",
            c->name, c->args ? " " : "", c->args ? c->args : "", c->summary,
            c->help ? c->help : "", c->help ? "" : "");
}

int cmd_number(const char *arg, uint64_t least, uint64_t most, uint64_t *out,
               struct err *e)
{
    char *end;

    errno = 0;
    unsigned long long v = strtoull(arg, &end, 10);
    if (errno == 0 && *arg >= '0' && *arg <= '9' && *end == '\0' && v >= least &&
        v <= most) {
        *out = v;
        return 0;
    }
    return err_set(e, ERR_USAGE, "'%.40s' is not a number from %llu to %llu", arg,
                   (unsigned long long)least, (unsigned long long)most);
}

int cmd_fail(const struct command *self, const struct err *e)
{
    fprintf(stderr, "lineside %s: %s\n", self->name, e->msg);
    return err_exit_code(e->code);
}

/* Time was judged by the floor, not by the clock on the wall. */
static void say_clock(struct db *db)
{
    struct ledger_clock k;
    struct err ignored = ERR_INIT;
    char now[24];

    if (ledger_clock(db, &k, &ignored) == 0 && !k.confirmed)
        fprintf(stderr, "  next: this machine's clock is not believed, the "
                "ledger's time is %s; see `lineside clock`\n",
                clock_text(k.now, now));
}

int cmd_fail_container(const struct command *self, const char *path,
                       struct db *db, const struct err *e)
{
    fprintf(stderr, "lineside %s: %s: nothing was imported from it: %s\n",
            self->name, path, e->msg);
    if (inbox_next_step(e->code))
        fprintf(stderr, "  next: %s\n", inbox_next_step(e->code));
    if (e->code == ERR_EXPIRED)
        say_clock(db);
    return err_exit_code(e->code);
}

int cmd_usage(const struct command *self, const char *why)
{
    fprintf(stderr, "lineside %s: %s\nTry: lineside %s --help\n", self->name,
            why, self->name);
    return 2;
}

int cmd_options(const struct command *self, int argc, char **argv,
                const struct option *options,
                int (*own)(void *ctx, int val, const char *arg, struct err *e),
                void *ctx, struct cmd_common *common)
{
    enum { DATA = 1, JSON, HELP, OWN_MAX = 24 };
    struct option all[OWN_MAX + 4] = {
        { "data", required_argument, NULL, DATA },
        { "json", no_argument, NULL, JSON },
        { "help", no_argument, NULL, HELP },
    };
    const char *env = getenv("LINESIDE_DATA");

    for (size_t i = 0; options && options[i].name && i < OWN_MAX; i++)
        all[3 + i] = options[i];
    common->data_dir = env && *env ? env : CMD_DATA_DEFAULT;
    common->json = false;
    opterr = 0;
    optind = 1;
    for (int v; (v = getopt_long(argc, argv, ":", all, NULL)) != -1;) {
        struct err e = ERR_INIT;
        switch (v) {
        case DATA:
            common->data_dir = optarg;
            break;
        case JSON:
            common->json = true;
            break;
        case HELP:
            command_usage(self, stdout);
            return 1;
        case ':':
            fprintf(stderr, "lineside %s: %s needs a value\n", self->name,
                    argv[optind - 1]);
            return 3;
        case '?':
            fprintf(stderr, "lineside %s: unknown option %s\nTry: lineside %s "
                            "--help\n",
                    self->name, argv[optind - 1], self->name);
            return 3;
        default:
            if (own(ctx, v, optarg, &e) != 0)
                return cmd_fail(self, &e) + 1;
        }
    }
    return 0;
}

/* An answer that did not arrive must not look like one that did. */
static int told(const struct command *c, int code)
{
    bool lost = fflush(stdout) != 0 || ferror(stdout);

    if (!lost || code != 0)
        return code;
    if (errno != EPIPE)
        fprintf(stderr, "lineside %s: it is done, but its answer could not be "
                        "written: %s. See `lineside log`\n",
                c->name, strerror(errno));
    return 3;
}

int main(int argc, char **argv)
{
    program_start();
    if (argc < 2) {
        usage(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("lineside " LINESIDE_VERSION);
        return 0;
    }
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(argv[1], commands[i]->name) == 0)
            return told(commands[i],
                        commands[i]->run(commands[i], argc - 1, argv + 1));
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (strcmp(argv[1], hidden[i]->name) == 0)
            return hidden[i]->run(hidden[i], argc - 1, argv + 1);
    fprintf(stderr, "lineside: no command '%s'\nTry: lineside --help\n",
            argv[1]);
    return 2;
}

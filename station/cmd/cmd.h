/* cmd/cmd.h: one file per subcommand, one const table in main.c. */
#ifndef LINESIDE_CMD_CMD_H
#define LINESIDE_CMD_CMD_H

#include "station/base/err.h"

#include <stdbool.h>

#define LINESIDE_VERSION "0.1"

struct command {
    const char *name;
    const char *args;    /* after the name, for the usage line          */
    const char *summary; /* one line                                    */
    const char *help;    /* the options, ready to print; may be NULL    */
    /* argv[0] is the subcommand's name. Returns the exit code; a failure
     * has been told to the user by then (cmd_fail). */
    int (*run)(const struct command *self, int argc, char **argv);
};

extern const struct command
    cmd_init,
    cmd_station_csr,
    cmd_station_cert,
    cmd_import,
    cmd_importer,
    cmd_request,
    cmd_stock,
    cmd_unit,
    cmd_units,
    cmd_run,
    cmd_ctl,
    cmd_ui,
    cmd_barcodes,
    cmd_export,
    cmd_reports,
    cmd_backup,
    cmd_log,
    cmd_clock,
    cmd_fixtures,
    cmd_people,
    cmd_orders,
    cmd_quarantine,
    cmd_replace,
    cmd_imei,
    cmd_void,
    cmd_shift,
    cmd_doctor;

/* Options every subcommand has. */
struct cmd_common {
    const char *data_dir; /* --data, else $LINESIDE_DATA, else the default */
    bool json;            /* --json */
};
#define CMD_DATA_DEFAULT "/var/lib/lineside"

struct db;     /* storage/db.h */
struct option; /* getopt.h */

/* getopt_long over `options` (the subcommand's own, zero-terminated, val >=
 * 256) plus --data, --json and --help. own() is called for the subcommand's
 * options. Returns 0 (optind is at the first operand), or an exit code + 1
 * when the program should end now (help was printed, usage was wrong). */
int cmd_options(const struct command *self, int argc, char **argv,
                const struct option *options,
                int (*own)(void *ctx, int val, const char *arg, struct err *e),
                void *ctx, struct cmd_common *common);

/* A whole number in decimal digits. ERR_USAGE. */
int cmd_number(const char *arg, uint64_t least, uint64_t most, uint64_t *out,
               struct err *e);
/* --warn-hours. */
int cmd_warn_hours(const char *arg, unsigned *out, struct err *e);

/* "lineside import: <msg>" on standard error; returns the exit code. */
int cmd_fail(const struct command *self, const struct err *e);
int cmd_usage(const struct command *self, const char *why);
/* As cmd_fail for a container that was refused: names it, says that nothing
 * of it was kept, and what to do next. Where time decided and the machine's
 * clock is not believed, db's, that is said too. */
int cmd_fail_container(const struct command *self, const char *path,
                       struct db *db, const struct err *e);

#endif

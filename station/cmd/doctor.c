/* lineside doctor: one page for the line engineer: is this station well, and
 * who does what if it is not. Changes nothing, and may be run while the line
 * runs. */
#include "station/cmd/cmd.h"

#include "station/cmd/json_line.h"
#include "station/show/doctor.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum { OPT_NO_USB = 256, OPT_RECEIPT_DAYS };

static int own(void *ctx, int val, const char *arg, struct err *e)
{
    struct doctor_ask *ask = ctx;
    char *end;

    if (val == OPT_NO_USB) {
        ask->usb = false;
        return 0;
    }
    unsigned long n = strtoul(arg, &end, 10);
    if (*arg < '0' || *arg > '9' || *end || n > DOCTOR_RECEIPT_DAYS_MAX)
        return err_set(e, ERR_USAGE, "--receipt-days takes a number from 0 to %d, "
                       "not '%.40s'", DOCTOR_RECEIPT_DAYS_MAX, arg);
    ask->limits.receipt_days = (int)n;
    return 0;
}

static void print_text(const char *check, const struct doctor_finding *f)
{
    printf("%-4s  %-12s  %s\n", doctor_verdict_name(f->verdict), check, f->what);
    if (f->verdict != DOCTOR_OK)
        printf("%-4s  %-12s  %s\n", "", "next:", f->next);
}

static int run(const struct command *self, int argc, char **argv)
{
    static const struct option options[] = {
        { "no-usb", no_argument, NULL, OPT_NO_USB },
        { "receipt-days", required_argument, NULL, OPT_RECEIPT_DAYS },
        { 0 },
    };
    AUTO(doctor_clear) struct doctor_seen seen = { .certs = NULL };
    struct doctor_ask ask = { .limits = doctor_limits_default, .usb = true };
    unsigned count[DOCTOR_BAD + 1] = { 0 };
    struct doctor_finding f;
    struct cmd_common c;

    int end = cmd_options(self, argc, argv, options, own, &ask, &c);
    if (end)
        return end - 1;
    if (optind != argc)
        return cmd_usage(self, "no operands are expected");
    ask.data_dir = c.data_dir;
    doctor_look(&ask, &seen);
    for (size_t i = 0; i < doctor_check_count; i++)
        if (doctor_judge(&doctor_checks[i], &seen, &f)) {
            if (c.json)
                json_line(show_finding(doctor_checks[i].name, &f));
            else
                print_text(doctor_checks[i].name, &f);
            count[f.verdict]++;
        }
    if (!c.json)
        printf("%u ok, %u warn, %u bad\n", count[DOCTOR_OK], count[DOCTOR_WARN],
               count[DOCTOR_BAD]);
    return count[DOCTOR_BAD] ? 1 : 0;
}

const struct command cmd_doctor = {
    "doctor", "[--no-usb] [--receipt-days N]",
    "is this station well, and who does what if it is not",
    "  --no-usb     leave out what is plugged in\n"
    "  --receipt-days N  warn of a loading-report that has waited longer to be\n"
    "               acknowledged (default 14)\n",
    run
};

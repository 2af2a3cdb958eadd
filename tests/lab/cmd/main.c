/* lineside-lab: everything across the air gap: eSIM CA, EUM, SM-DPf, Device
 * Manufacturer authority. For development and tests; its keys are files. */
#include "tests/lab/cmd/lab.h"

#include <stdio.h>
#include <string.h>

static const struct command *const commands[] = {
    &cmd_new,
    &cmd_authority,
    &cmd_bind,
    &cmd_answer,
    &cmd_euicc,
    &cmd_euicc_show,
    &cmd_rig,
    &cmd_usb,
    &cmd_usb_ctl,
    &cmd_verify,
    &cmd_acknowledge,
    &cmd_books,
    &cmd_sweep,
    &cmd_forge,
    &cmd_upp_compare,
    &cmd_forge_report,
    &cmd_order,
};
#define COMMANDS (sizeof commands / sizeof *commands)

static void help(FILE *to)
{
    fprintf(to, "usage: lineside-lab COMMAND ... (COMMAND --help for more)\n\n");
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-12s %s\n", commands[i]->name, commands[i]->help);
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    struct err e = ERR_INIT;
    const struct command *c = argc > 1 ? find(argv[1]) : NULL;

    if (!c) {
        bool asked = argc > 1 && wants_help(argc, argv);
        if (argc > 1 && !asked)
            fprintf(stderr, "lineside-lab: no command \"%s\"\n", argv[1]);
        help(asked ? stdout : stderr);
        return asked ? 0 : err_exit_code(ERR_USAGE);
    }
    if (wants_help(argc - 1, argv + 1)) {
        opts_help(c);
        return 0;
    }
    int got = c->run(argc - 1, argv + 1, &e);
    bool lost = fflush(stdout) != 0 || ferror(stdout);
    if (got == 0 && !lost)
        return 0;
    if (got == 0)
        err_errno(&e, "the answer could not be written");
    fprintf(stderr, "lineside-lab %s: %s\n", c->name, e.msg);
    return err_exit_code(e.code);
}

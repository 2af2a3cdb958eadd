/* cmd/lab.h: the subcommands of lineside-lab, and how their words are read:
 * one const table of options each, from which --help is written too. */
#ifndef LINESIDE_LAB_CMD_LAB_H
#define LINESIDE_LAB_CMD_LAB_H

#include "station/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum opt_kind {
    OPT_FLAG,   /* bool      */
    OPT_NUMBER, /* uint64_t  */
    OPT_TEXT,   /* const char *, borrowed from argv */
    OPT_LIST    /* struct words: all words up to the next option */
};

struct words {
    const char **v;
    size_t n;
};
void words_clear(struct words *w);

struct opt {
    const char *name;  /* "--keys" */
    enum opt_kind kind;
    size_t offset;     /* of the value in the command's struct */
    const char *word;  /* what --help calls the value          */
    const char *help;
};
#define OPT_END { NULL, OPT_FLAG, 0, NULL, NULL }

struct command {
    const char *name;
    const char *args;  /* "WORLD CONTAINER..." */
    const char *help;  /* one sentence         */
    const struct opt *opts; /* may be NULL     */
    int (*run)(int argc, char **argv, struct err *e); /* argv[0]: its name */
};

extern const struct command cmd_euicc, cmd_euicc_show, cmd_rig, cmd_sweep,
    cmd_forge;
extern const struct command cmd_usb, cmd_usb_ctl;
extern const struct command cmd_new, cmd_authority, cmd_bind, cmd_answer,
    cmd_verify, cmd_acknowledge, cmd_books;
extern const struct command cmd_upp_compare, cmd_forge_report, cmd_order;

/* Fill *out (options by offset) and *rest (words that belong to no option;
 * at least `least`, at most `most`, 0: no limit). ERR_USAGE. Lists in *out
 * are cleared by the caller whatever the outcome. */
int opts_parse(const struct command *c, int argc, char **argv, void *out,
               struct words *rest, size_t least, size_t most, struct err *e);
void opts_help(const struct command *c);

#endif

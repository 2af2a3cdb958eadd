#include "station/cmd/recover.h"

#include <openssl/rand.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Devices of terminals that are wired to the machine (the kernel's
 * Documentation/admin-guide/devices.txt). Pseudo-terminals, which network
 * logins and windows have, are none of them. */
static const struct {
    unsigned major, first, last;
} consoles[] = {
    { 4, 1, 63 },   /* tty1...: screen and keyboard  */
    { 4, 64, 255 }, /* ttyS0...: serial ports        */
    { 5, 1, 1 },    /* console                       */
    { 204, 0, 255 }, /* ttyAMA0...: serial, on boards */
};

static bool is_console(dev_t d)
{
    for (size_t i = 0; i < sizeof consoles / sizeof *consoles; i++)
        if (major(d) == consoles[i].major && minor(d) >= consoles[i].first &&
            minor(d) <= consoles[i].last)
            return true;
    return false;
}

int recover_presence(char *terminal, size_t cap, struct err *e)
{
    struct stat st;

    if (geteuid() != 0)
        return err_set(e, ERR_TRUST, "recovering needs root: log in as root at "
                       "this machine's own console");
    /* Its own controlling terminal: a console opened from afar as standard
     * input is none. */
    if (!isatty(STDIN_FILENO) || fstat(STDIN_FILENO, &st) != 0 ||
        !is_console(st.st_rdev) || tcgetpgrp(STDIN_FILENO) != getpgrp() ||
        ttyname_r(STDIN_FILENO, terminal, cap) != 0)
        return err_set(e, ERR_TRUST, "recovering needs somebody who stands here: "
                       "run it as root at this machine's own console, not over "
                       "a network, in a window or from a script");
    return 0;
}

static void make_code(const uint8_t random[4], char out[9])
{
    unsigned long v = (unsigned long)random[0] << 24 | (unsigned long)random[1] << 16 |
                      (unsigned long)random[2] << 8 | random[3];

    snprintf(out, 9, "%08lu", v % 100000000);
}

int recover_code(struct err *e)
{
    char code[9], typed[32];
    uint8_t random[4];

    if (RAND_bytes(random, sizeof random) != 1)
        return err_ossl(e, ERR_INTERNAL, "no random numbers");
    make_code(random, code);
    fprintf(stderr, "This makes a supervisor without asking any. It stays in the "
            "ledger and in every audit log.\nType this code to go on: %s\n", code);
    ssize_t n = read(STDIN_FILENO, typed, sizeof typed - 1);
    typed[n > 0 ? n : 0] = '\0';
    typed[strcspn(typed, "\r\n")] = '\0';
    if (strcmp(typed, code) != 0)
        return err_set(e, ERR_TRUST, "that is not the code; nothing was changed");
    return 0;
}

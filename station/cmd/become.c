#include "station/cmd/become.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *become_language(void)
{
    static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *v = getenv(names[i]);
        if (v && *v)
            return v;
    }
    return "";
}

int become(const char *const argv[], const char *what, struct err *e)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

    path[n > 0 ? n : 0] = '\0';
    char *base = strrchr(path, '/');
    size_t room = base ? sizeof path - (size_t)(base + 1 - path) : 0;
    if (!base || snprintf(base + 1, room, "%s", argv[0]) >= (int)room)
        return err_set(e, ERR_INTERNAL, "this program's own folder is unknown");
    /* execv takes what it does not write as if it did. */
    execv(path, (char *const *)(uintptr_t)argv);
    return err_errno(e, "%s, %s, cannot be started: install it beside lineside", path, what);
}

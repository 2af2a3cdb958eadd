#include "ui/app/places.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define UUID 36

/* KIND-UUID, as the line lists them; what it really is, the line looks at. */
static bool is_container(const char *name)
{
    size_t n = strlen(name);

    return n > UUID + 1 && name[n - UUID - 1] == '-' &&
           strspn(name + n - UUID, "0123456789abcdef-") == UUID;
}

/* 1: it is a folder; *mounted: of another file system than its parent. */
static bool look(int dir, const char *name, bool *mounted)
{
    struct stat here, there;

    if (fstat(dir, &here) != 0 || fstatat(dir, name, &there, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    *mounted = here.st_dev != there.st_dev;
    return S_ISDIR(there.st_mode);
}

static bool put(struct place *p, const char *folder, const char *name, bool mounted)
{
    memset(p, 0, sizeof *p); /* they are compared as a whole */
    p->mounted = mounted;
    const char *last = strrchr(folder, '/');
    int n = *name ? snprintf(p->path, sizeof p->path, "%s/%s", strcmp(folder, "/") ? folder : "", name)
                  : snprintf(p->path, sizeof p->path, "%s", folder);
    snprintf(p->name, sizeof p->name, "%.*s", NAME_CAP - 1,
             *name ? name : last && last[1] ? last + 1 : folder);
    return n > 0 && (size_t)n < sizeof p->path;
}

static int by_name(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    return x->mounted != y->mounted ? (int)y->mounted - (int)x->mounted
                                    : strcmp(x->path, y->path);
}

size_t places_look(const char *media, struct place out[SNAPSHOT_PLACES])
{
    DIR *d = opendir(media);
    struct dirent *de;
    bool itself = false, mounted;
    size_t n = 0;

    if (!d)
        return 0;
    /* Seen from within, a mount point's own parent is of another file system. */
    if (look(dirfd(d), "..", &mounted) && mounted)
        itself = true;
    bool medium = itself;
    while (!itself && (de = readdir(d))) {
        if (*de->d_name == '.' || !look(dirfd(d), de->d_name, &mounted))
            continue;
        if (is_container(de->d_name))
            itself = true;
        else if (n < SNAPSHOT_PLACES && put(&out[n], media, de->d_name, mounted))
            n++;
    }
    closedir(d);
    if (itself)
        return put(&out[0], media, "", medium);
    qsort(out, n, sizeof *out, by_name);
    return n;
}

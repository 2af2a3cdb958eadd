#include "station/base/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void folder_remove(const char *path)
{
    struct dirent *de;
    DIR *d = opendir(path);

    while (d && (de = readdir(d)) != NULL)
        if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
            unlinkat(dirfd(d), de->d_name, 0);
    if (d)
        closedir(d);
    rmdir(path);
}

int folder_sync(const char *path, struct err *e)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int bad = fd < 0 || fsync(fd) != 0;

    if (bad)
        err_errno(e, "%s", path);
    if (fd >= 0)
        close(fd);
    return bad ? -1 : 0;
}

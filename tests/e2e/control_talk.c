/* control_talk SOCKET: sends standard input as it is, then prints what comes
 * back until the other end hangs up. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    char b[65536];
    ssize_t n;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (argc != 2 || strlen(argv[1]) >= sizeof a.sun_path)
        return 2;
    strcpy(a.sun_path, argv[1]);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
        perror(argv[1]);
        return 1;
    }
    while ((n = read(0, b, sizeof b)) > 0)
        if (send(fd, b, (size_t)n, MSG_NOSIGNAL) < 0)
            break;
    shutdown(fd, SHUT_WR);
    while ((n = read(fd, b, sizeof b)) > 0)
        if (write(1, b, (size_t)n) < 0)
            break;
    return 0;
}

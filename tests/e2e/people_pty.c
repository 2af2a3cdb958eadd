/* Somebody at a terminal. people_pty STEPS CMD...: CMD runs with a terminal of
 * its own, and each line of the file STEPS is one step: "wait TEXT" until it was
 * shown, "wait-file PATH" until it is there, "send TEXT" and the enter key, "code": the last eight digits shown.
 * What the terminal shows goes to standard output; CMD's exit status is ours. */
#include <ctype.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char shown[65536];
static size_t shown_n, waited_n;

/* One more piece of what is shown; false: the end, or 20 s of silence. */
static int look(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    if (poll(&p, 1, 20000) <= 0 || shown_n + 1 >= sizeof shown)
        return 0;
    ssize_t n = read(fd, shown + shown_n, sizeof shown - 1 - shown_n);
    if (n <= 0)
        return 0;
    fwrite(shown + shown_n, 1, (size_t)n, stdout);
    fflush(stdout);
    shown_n += (size_t)n;
    shown[shown_n] = '\0';
    return 1;
}

static void wait_for(int fd, const char *text)
{
    const char *at;

    while (!(at = strstr(shown + waited_n, text)))
        if (!look(fd)) {
            fprintf(stderr, "people_pty: never shown: %s\n", text);
            exit(99);
        }
    waited_n = (size_t)(at - shown) + strlen(text);
}

static const char *code(void)
{
    static char out[9];
    size_t run = 0;

    for (size_t i = 0; i < shown_n; i++) {
        run = isdigit((unsigned char)shown[i]) ? run + 1 : 0;
        if (run == 8)
            memcpy(out, shown + i - 7, 8);
    }
    return out;
}

static void type(int fd, const char *text)
{
    usleep(50000); /* after the terminal's mode has changed */
    if (write(fd, text, strlen(text)) < 0 || write(fd, "\r", 1) < 0)
        exit(99);
}

int main(int argc, char **argv)
{
    char line[256];
    int fd, status;

    FILE *steps = argc > 2 ? fopen(argv[1], "r") : NULL;
    if (!steps)
        return 98;
    pid_t pid = forkpty(&fd, NULL, NULL, NULL);
    if (pid < 0)
        return 77;
    if (pid == 0) {
        const char *shim = getenv("PEOPLE_SHIM");
        if (shim)
            setenv("LD_PRELOAD", shim, 1);
        execvp(argv[2], argv + 2);
        _exit(97);
    }
    while (fgets(line, sizeof line, steps)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "wait-file ", 10) == 0)
            while (access(line + 10, F_OK) != 0)
                usleep(20000);
        else if (strncmp(line, "wait ", 5) == 0)
            wait_for(fd, line + 5);
        else
            type(fd, strcmp(line, "code") == 0 ? code() : line + 5);
    }
    while (look(fd))
        ;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 96;
}

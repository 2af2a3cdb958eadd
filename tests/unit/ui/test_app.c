/* The whole screen, as it runs: its loop, its terminal and both of its sockets.
 * Keys, scans, command barcodes, sizes from 1x1 to 400x200, languages, locks and
 * a line (played.h) by chance, for half a minute at a pace that leaves the machine
 * to others, or for UI_SECONDS as fast as it goes. SEED repeats one. */
#include "station/base/clock.h"
#include "station/base/start.h"
#include "station/control/protocol.h"
#include "tests/unit/support.h"
#include "tests/unit/ui/played.h"
#include "ui/app/app.h"
#include "ui/scan/actions.h"
#include "ui/screens/screens.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BE_SCREEN "--be-screen"
#define PATIENCE_MS 30000 /* a screen that takes longer hangs */
#define PACE_MS 20
#define LOCK_S 2

struct show {
    struct played line;
    char dir[64], err[96];
    uint64_t chance;
    int term, pace_ms;
    pid_t pid;
    int cols, rows;
    size_t next; /* of the screens, which comes next */
    unsigned keys, scans, sizes, starts, locks, languages;
    bool opened[64], spoke[LANGS];
    int64_t until, line_at; /* when it goes or comes */
};

static uint32_t roll(struct show *s, uint32_t n)
{
    return played_roll(&s->chance, n);
}

/* --- the screen, a process of its own ---------------------------------------------------- */

static int be_screen(char **argv)
{
    struct err e = ERR_INIT;
    struct app_options o = { .data_dir = argv[2], .lang = (enum lang)atoi(argv[3]), .bells_pass = 1,
                             .bells_fail = 3, .bells_refused = 2, .lock_after_s = LOCK_S, .media = argv[2] };
    int err = open(argv[4], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (err < 0 || dup2(err, STDERR_FILENO) < 0) /* what a sanitizer has to say */
        return 9;
    program_start();
    if (app_run(&o, &e) != 0) {
        fprintf(stderr, "%s\n", e.msg);
        return 8;
    }
    return 0;
}

static void start(struct show *s)
{
    static const char *const terms[] = { "xterm-256color", "linux", "screen", "vt100", "xterm" };
    struct winsize size = { .ws_row = (unsigned short)s->rows, .ws_col = (unsigned short)s->cols };
    const char *term = terms[roll(s, 5)];
    char lang[4];
    sigset_t keys, was;

    /* A key may come before the new process has run at all. */
    sigemptyset(&keys);
    sigaddset(&keys, SIGINT);
    sigaddset(&keys, SIGQUIT);
    sigaddset(&keys, SIGTSTP);
    sigprocmask(SIG_BLOCK, &keys, &was);
    snprintf(lang, sizeof lang, "%u", roll(s, LANGS));
    s->pid = forkpty(&s->term, NULL, NULL, &size);
    ck_assert(s->pid >= 0);
    if (s->pid == 0) {
        program_keys(); /* as `lineside ui` */
        setenv("TERM", term, 1);
        setenv("LC_ALL", "C.UTF-8", 1);
        execl("/proc/self/exe", "test_app", BE_SCREEN, s->dir, lang, s->err, (char *)NULL);
        _exit(7);
    }
    sigprocmask(SIG_SETMASK, &was, NULL);
    fcntl(s->term, F_SETFL, O_NONBLOCK);
    fcntl(s->term, F_SETFD, FD_CLOEXEC);
    s->starts++;
}

/* It ends in order, whatever was done to it. */
static void ended(struct show *s)
{
    AUTO(buf_clear) struct buf said = BUF_INIT;
    int status;

    ck_assert(waitpid(s->pid, &status, 0) == s->pid);
    close(s->term);
    s->term = -1;
    file_read(s->err, &said);
    buf_put_u8(&said, 0);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0 && said.n <= 1,
                  "the screen ended with status %x: %s", (unsigned)status, (const char *)said.p);
}

/* What the terminal gets is thrown away; false: there is no screen any more. */
static bool drain(struct show *s)
{
    char octets[8192];
    ssize_t n;

    while ((n = read(s->term, octets, sizeof octets)) > 0)
        ;
    return n < 0 && errno == EAGAIN;
}

/* Lets both sides have their way for so long. */
static void pump(struct show *s, int ms)
{
    int64_t until = clock_monotonic_ms() + ms, now;

    do {
        struct pollfd v[] = {
            { .fd = s->term, .events = POLLIN },
            { .fd = s->line.door, .events = s->line.line < 0 ? POLLIN : 0 },
            { .fd = s->line.line, .events = POLLIN },
        };
        now = clock_monotonic_ms();
        poll(v, 3, until > now ? (int)(until - now) : 0);
        if (!drain(s)) {
            ended(s);
            start(s);
        }
        played_serve(&s->line);
    } while (now < until);
}

static void write_keys(struct show *s, const char *text, size_t n)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;

    for (pid_t to = s->pid; n > 0 && to == s->pid;) { /* else: it has been left meanwhile */
        ssize_t k = write(s->term, text, n);
        if (k > 0) {
            text += k;
            n -= (size_t)k;
        }
        ck_assert_msg(clock_monotonic_ms() < until, "the screen takes no keys");
        pump(s, 0);
    }
}

static void type(struct show *s, const char *text)
{
    write_keys(s, text, strlen(text));
}

/* --- what it says that it shows ------------------------------------------------------------ */

static json_t *ask_picture(struct show *s)
{
    AUTO(buf_clear) struct buf all = BUF_INIT;
    struct sockaddr_un a;
    struct err e = ERR_INIT;
    int dir, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ssize_t n = -1;
    char octets[8192];

    ck_assert(control_address_of(s->dir, SCREEN_SOCKET, &a, &dir, &e) == 0);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0) {
        fcntl(fd, F_SETFL, O_NONBLOCK);
        int64_t until = clock_monotonic_ms() + PATIENCE_MS;
        pid_t of = s->pid;
        do {
            n = recv(fd, octets, sizeof octets, 0);
            if (n > 0)
                buf_put(&all, octets, (size_t)n);
            else if (n < 0)
                pump(s, 2);
            ck_assert_msg(clock_monotonic_ms() < until, "the screen does not say what it shows");
        } while (n != 0 && of == s->pid);
    }
    close(fd);
    if (dir >= 0)
        close(dir);
    return n == 0 && all.n ? json_loadb((const char *)all.p, all.n, 0, NULL) : NULL;
}

static void look_at(struct show *s, const json_t *j)
{
    const char *screen = json_string_value(json_object_get(j, "screen"));
    const json_t *rows = json_object_get(j, "text"), *row;
    enum lang l;
    size_t i;

    ck_assert(lang_of(json_string_value(json_object_get(j, "language")), &l));
    s->spoke[l] = true;
    for (i = 0; i < screen_count; i++)
        s->opened[i] |= strcmp(screens[i]->name, screen) == 0;
    ck_assert_uint_eq(json_array_size(rows), (size_t)json_integer_value(json_object_get(j, "rows")));
    json_array_foreach(rows, i, row)
        for (const char *c = json_string_value(row); *c; c++)
            ck_assert_msg((unsigned char)*c >= ' ' && *c != 0x7F, "a control character is shown");
}

/* Until it shows this (NULL: whatever) in the size that it should have. `scan` is
 * scanned again where it came to nothing: half a key was pressed before it, or a
 * scanner of the line's came between. */
static void see(struct show *s, const char *screen, const char *scan)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS, again = until - PATIENCE_MS + 1000;

    for (bool there = false; !there;) {
        json_t *j = ask_picture(s);
        if (j) {
            look_at(s, j);
            there = json_integer_value(json_object_get(j, "columns")) == s->cols &&
                    json_integer_value(json_object_get(j, "rows")) == s->rows &&
                    (!screen || strcmp(json_string_value(json_object_get(j, "screen")), screen) == 0);
        }
        ck_assert_msg(there || clock_monotonic_ms() < until, "after %u keys %s of %dx%d is not shown: %s",
                      s->keys, screen ? screen : "a picture", s->cols, s->rows,
                      j ? json_string_value(json_object_get(j, "screen")) : "nothing");
        json_decref(j);
        if (!there)
            pump(s, 10);
        if (!there && scan && clock_monotonic_ms() > again) {
            played_login(&s->line);
            pump(s, 100);
            type(s, "\033");
            pump(s, 100);
            type(s, scan);
            again += 1000;
        }
    }
}

/* --- hands ------------------------------------------------------------------------------------ */

static void resize(struct show *s, int cols, int rows)
{
    struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols };

    s->cols = cols;
    s->rows = rows;
    ck_assert(ioctl(s->term, TIOCSWINSZ, &size) == 0);
    s->sizes++;
}

static void any_size(struct show *s)
{
    static const int sizes[][2] = { { 80, 24 }, { 1, 1 }, { 132, 43 }, { 400, 200 }, { 2, 60 }, { 300, 1 } };
    uint32_t i = roll(s, 24);

    if (i < 6)
        resize(s, sizes[i][0], sizes[i][1]);
    else if (i < 8)
        resize(s, 1 + (int)roll(s, 400), 1 + (int)roll(s, 200));
    else
        resize(s, 1 + (int)roll(s, 120), 1 + (int)roll(s, 50));
}

/* As xterm and the Linux console send them. */
static void any_key(struct show *s)
{
    static const char *const v[] = {
        "\033OP", "\033OQ", "\033OR", "\033OS", "\033[15~", "\033[17~", "\033[18~", "\033[19~",
        "\033[20~", "\033[21~", "\033[[A", "\033[[E", "\033OA", "\033OB", "\033OC", "\033OD",
        "\033[A", "\033[B", "\033[C", "\033[D", "\033[5~", "\033[6~", "\r", "\n", "\r", "\033",
        "\b", "\177", "\t", "\033[B", "\033[B", "\r",
    };

    type(s, v[roll(s, sizeof v / sizeof *v)]);
    s->keys++;
}

static void any_octets(struct show *s)
{
    char octets[300];
    size_t n = 1 + roll(s, roll(s, 8) ? 6 : sizeof octets);

    for (size_t i = 0; i < n; i++)
        octets[i] = (char)roll(s, 256);
    write_keys(s, octets, n);
    s->keys += (unsigned)n;
}

static void any_scan(struct show *s)
{
    static const char *const v[] = {
        "F1", "F2", "F60", "SN-004711", "89049032000000000000000000000012", "B-0001", "4711", "90817",
        "order:WO-7", "LINESIDE-", "LINESIDE-NONSENSE", "夹具", "F1\tSN-1", "\xC2\x9B" "31m", "xx",
    };
    char text[96];
    uint32_t i = roll(s, 40);

    if (i < sizeof v / sizeof *v)
        snprintf(text, sizeof text, "%s\r", v[i]);
    else if (i < 30)
        snprintf(text, sizeof text, COMMAND_PREFIX "%s\r", screens[roll(s, (uint32_t)screen_count)]->name);
    else
        snprintf(text, sizeof text, COMMAND_PREFIX "%s\r", actions[roll(s, (uint32_t)action_count)].barcode);
    type(s, text);
    s->scans++;
}

/* Somebody is there, and looks at one screen after the other. */
static void next_screen(struct show *s)
{
    const struct screen *to = screens[s->next++ % screen_count];
    char text[64];

    played_login(&s->line); /* where it is locked */
    pump(s, s->pace_ms);
    snprintf(text, sizeof text, COMMAND_PREFIX "%s\r", to->name);
    type(s, "\033");
    pump(s, 60); /* what follows an Esc at once is a key of its name */
    if (s->next % 3 == 0)
        type(s, COMMAND_PREFIX "LANGUAGE\r");
    type(s, text);
    see(s, to == &screen_line && s->line.line < 0 ? NULL : to->name, text);
    s->scans++;
}

/* Nobody is there. */
static void wait_for_lock(struct show *s)
{
    json_t *j, *row;
    size_t i;
    enum lang l;

    resize(s, 80, 24);
    played_login(&s->line);
    type(s, "\033");
    pump(s, LOCK_S * 1000 + 1600);
    type(s, COMMAND_PREFIX "MENU\r"); /* which is not for everybody */
    pump(s, 200);
    see(s, NULL, NULL);
    if (!(j = ask_picture(s)))
        return;
    ck_assert(lang_of(json_string_value(json_object_get(j, "language")), &l));
    const char *words = tr(l, "Locked. Scan your badge and type your PIN.");
    json_array_foreach(json_object_get(j, "text"), i, row)
        s->locks += strstr(json_string_value(row), words) != NULL;
    json_decref(j);
}

static void line_goes_and_comes(struct show *s)
{
    int64_t now = clock_monotonic_ms();

    if (now < s->line_at)
        return;
    if (played_is_up(&s->line)) {
        played_down(&s->line);
        s->line_at = now + roll(s, 1200);
    } else {
        played_up(&s->line);
        s->line_at = now + 4000 + roll(s, 4000);
    }
}

static void something(struct show *s)
{
    uint32_t i = roll(s, 100);

    if (i < 34)
        any_key(s);
    else if (i < 44)
        any_octets(s);
    else if (i < 64)
        any_scan(s);
    else if (i < 72)
        any_size(s);
    else if (i < 82)
        next_screen(s);
    for (uint32_t n = roll(s, i < 95 ? 4 : 60); n > 0; n--)
        played_tell(&s->line);
    if (i == 90 || i == 91)
        see(s, NULL, NULL);
    if (i == 92 && roll(s, 4) == 0) /* another one begins then */
        type(s, "\033" COMMAND_PREFIX "LEAVE\r" COMMAND_PREFIX "LEAVE\r");
}

START_TEST(survives_everything)
{
    const char *seconds = getenv("UI_SECONDS"), *seed = getenv("SEED");
    static struct show s;
    int64_t begun = clock_monotonic_ms(), lock_at;

    s = (struct show){ .cols = 80, .rows = 24, .term = -1, .pace_ms = seconds ? 0 : PACE_MS };
    s.chance = seed && *seed ? strtoull(seed, NULL, 10) : (uint64_t)begun * 1000 + (uint64_t)getpid();
    printf("SEED=%llu\n", (unsigned long long)s.chance);
    fflush(stdout);
    snprintf(s.dir, sizeof s.dir, "/tmp/lineside.XXXXXX");
    ck_assert(mkdtemp(s.dir) != NULL && screen_count <= sizeof s.opened);
    snprintf(s.err, sizeof s.err, "%s/err", s.dir);
    played_init(&s.line, s.dir, s.chance + 1);
    start(&s);
    s.until = begun + 1000 * (seconds ? atoll(seconds) : 30);
    lock_at = begun + 1000 * 5;
    for (int64_t now; (now = clock_monotonic_ms()) < s.until;) {
        line_goes_and_comes(&s);
        if (now >= lock_at && played_is_up(&s.line) && s.line.line >= 0) {
            wait_for_lock(&s);
            lock_at = now + (s.locks ? 60000 : 1000);
        }
        something(&s);
        pump(&s, s.pace_ms);
    }
    see(&s, NULL, NULL);
    kill(s.pid, SIGTERM);
    for (pid_t of = s.pid; of == s.pid && drain(&s);)
        poll(NULL, 0, 10);
    ended(&s);
    printf("%u keys, %u scans, %u sizes, %u things told, %u questions, %u reconnections, %u starts, "
           "%u locks in %lld s\n", s.keys, s.scans, s.sizes, s.line.told, s.line.asked, s.line.visits,
           s.starts, s.locks, (long long)(clock_monotonic_ms() - begun) / 1000);
    for (size_t i = 0; i < screen_count; i++)
        ck_assert_msg(s.opened[i], "the screen '%s' was never opened", screens[i]->name);
    for (int l = 0; l < LANGS; l++)
        ck_assert_msg(s.spoke[l], "never in %s", lang_name((enum lang)l));
    ck_assert_uint_ge(s.keys, 200);
    ck_assert_uint_ge(s.line.visits, 3);
    ck_assert_uint_ge(s.locks, 1);
    played_clear(&s.line);
    unlink(s.err);
    ck_assert(rmdir(s.dir) == 0); /* it has left nothing behind */
}
END_TEST

int main(int argc, char **argv)
{
    const struct table_test tests[] = { { "survives everything", survives_everything, 1 } };

    if (argc == 5 && strcmp(argv[1], BE_SCREEN) == 0)
        return be_screen(argv);
    return run_tests("ui_app", tests, sizeof tests / sizeof *tests);
}

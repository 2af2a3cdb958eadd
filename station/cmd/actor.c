#include "station/cmd/actor.h"

#include "station/people/pin.h"
#include "storage/db.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* --- a line that nobody sees --------------------------------------------------- */

enum { KEY_INTERRUPT = 3, KEY_END = 4, KEY_BACKSPACE = 8, KEY_ERASE_LINE = 21,
       KEY_DELETE = 127 };

/* 1 one octet, 0 the end, -1 it cannot be read. One at a time, so that the
 * next line is still there for whoever reads on. */
static int take(unsigned char *c, struct err *e)
{
    ssize_t n;

    do
        n = read(STDIN_FILENO, c, 1);
    while (n < 0 && errno == EINTR);
    return n < 0 ? err_errno(e, "standard input cannot be read") : (int)n;
}

static int read_line(bool keys, char out[CMD_PIN_CAP], struct err *e)
{
    size_t n = 0;
    unsigned char c;
    int rc;

    while ((rc = take(&c, e)) > 0 && c != '\n' && !(keys && c == '\r')) {
        if (keys && c == KEY_INTERRUPT)
            return err_set(e, ERR_USAGE, "given up; nothing was changed");
        if (keys && c == KEY_END)
            break;
        if (keys && (c == KEY_BACKSPACE || c == KEY_DELETE))
            n -= n > 0;
        else if (keys && c == KEY_ERASE_LINE)
            n = 0;
        else if (n + 1 == CMD_PIN_CAP || c == '\0')
            return err_set(e, ERR_USAGE, "that line is no PIN");
        else
            out[n++] = (char)c;
    }
    if (rc < 0)
        return -1;
    if (n > 0 && out[n - 1] == '\r')
        n--;
    out[n] = '\0';
    if (n == 0)
        return err_set(e, ERR_USAGE, "no PIN was given; type it when asked, or "
                       "write it to standard input, one line each");
    return 0;
}

int cmd_read_pin(const char *prompt, char out[CMD_PIN_CAP], struct err *e)
{
    struct termios was, quiet;

    if (!isatty(STDIN_FILENO))
        return read_line(false, out, e);
    if (tcgetattr(STDIN_FILENO, &was) != 0)
        return err_errno(e, "the terminal cannot be set");
    quiet = was;
    /* Keys one by one, the interrupt too: an end by signal would leave the
     * terminal silent. */
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    quiet.c_cc[VMIN] = 1;
    quiet.c_cc[VTIME] = 0;
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) != 0)
        return err_errno(e, "the terminal cannot be set");
    fprintf(stderr, "%s: ", prompt);
    int rc = read_line(true, out, e);
    fputc('\n', stderr);
    tcsetattr(STDIN_FILENO, TCSANOW, &was);
    return rc;
}

static int same_again(const char *pin, struct err *e)
{
    char again[CMD_PIN_CAP] = "";

    if (!isatty(STDIN_FILENO))
        return 0;
    int rc = cmd_read_pin("The new PIN again", again, e);
    if (rc == 0 && strcmp(pin, again) != 0)
        rc = err_set(e, ERR_USAGE, "the two are not the same; nothing was changed");
    OPENSSL_cleanse(again, sizeof again);
    return rc;
}

int cmd_new_pin(const char *name, const char *badge, struct pin_hash *out,
                struct err *e)
{
    char pin[CMD_PIN_CAP] = "", prompt[PERSON_NAME_MAX + 32];

    snprintf(prompt, sizeof prompt, "New PIN of %s", name);
    int rc = cmd_read_pin(prompt, pin, e) != 0 || pin_check(pin, badge, e) != 0 ||
             same_again(pin, e) != 0 || pin_hash_make(pin, out, e) != 0;
    OPENSSL_cleanse(pin, sizeof pin);
    return rc ? -1 : 0;
}

/* --- who ----------------------------------------------------------------------------- */

static int log_in(struct db *db, const char *badge, const char *prompt,
                  struct session *out, struct err *e)
{
    char pin[CMD_PIN_CAP] = "";

    int rc = cmd_read_pin(prompt, pin, e) != 0 ||
             login(db, badge, pin, out, e) != 0;
    OPENSSL_cleanse(pin, sizeof pin);
    return rc ? -1 : 0;
}

int cmd_session(struct db *db, const char *as, struct session *out, struct err *e)
{
    bool any;

    if (people_any(db, &any, e) != 0)
        return -1;
    if (!any)
        return err_set(e, ERR_NOT_FOUND, "this station knows nobody yet; make "
                       "the first supervisor: lineside people add NAME --role "
                       "supervisor --badge BADGE");
    if (!as)
        return err_set(e, ERR_TRUST, "this station knows people, so somebody "
                       "must stand for this: --as BADGE, and the PIN when asked");
    return log_in(db, as, "Your PIN", out, e);
}

int cmd_actor_for(struct db *db, const char *as, enum right r,
                  struct actor *out, struct err *e)
{
    *out = (struct actor){ .who = { .name = ACTS_NOBODY_KNOWN }, .right = r };
    if (people_any(db, &out->known, e) != 0)
        return -1;
    if (!out->known && !as)
        return 0;
    return cmd_session(db, as, &out->who, e) != 0 ? -1
                                                  : session_may(&out->who, r, e);
}

int cmd_actor(struct db *db, const char *as, enum right r,
              char out[PERSON_NAME_MAX + 1], struct err *e)
{
    struct actor a;

    if (cmd_actor_for(db, as, r, &a, e) != 0)
        return -1;
    memcpy(out, a.who.name, sizeof a.who.name);
    return 0;
}

int cmd_pair(struct db *db, const char *as, const char *second, enum right r,
             struct pair *out, struct err *e)
{
    struct pair p;
    bool any;

    if (people_any(db, &any, e) != 0)
        return -1;
    if (!any)
        return err_set(e, ERR_NOT_FOUND, "it takes two people, and this station "
                       "knows nobody yet; add them first: lineside people add "
                       "NAME --role supervisor --badge BADGE, then the others");
    if (!as || !second)
        return err_set(e, ERR_TRUST, "it takes two people: --as BADGE --second "
                       "BADGE, and both PINs when asked");
    if (strcmp(as, second) == 0)
        return err_set(e, ERR_TRUST, "both badges are the same; it takes two "
                       "people");
    if (log_in(db, as, "PIN of the first badge", &p.first, e) != 0 ||
        log_in(db, second, "PIN of the second badge", &p.second, e) != 0 ||
        pair_may(&p, r, e) != 0)
        return -1;
    *out = p;
    return 0;
}

static int one(void *ctx, struct db *db, enum right r, struct actor *out, struct err *e)
{
    const struct badges *b = ctx;

    return cmd_actor_for(db, b->as, r, out, e);
}

static int two(void *ctx, struct db *db, enum right r, struct pair *out, struct err *e)
{
    const struct badges *b = ctx;

    return cmd_pair(db, b->as, b->second, r, out, e);
}

struct who cmd_who(struct badges *b)
{
    return (struct who){ one, two, b };
}

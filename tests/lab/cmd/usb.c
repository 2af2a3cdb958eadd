/* lineside-lab usb, usb-ctl: an emulated USB bus around a command that knows
 * nothing of it, and hands for what is plugged there. */
#include "tests/lab/cmd/lab.h"
#include "tests/lab/usb/fuse/busfs.h"
#include "tests/lab/usb/fuse/control.h"
#include "tests/lab/usb/fuse/inmate.h"
#include "tests/lab/usb/fuse/rack.h"
#include "tests/lab/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_SKIPPED 77
#define DELAY_MAX_MS 600000

struct args {
    uint64_t readers, slots, scanners, delay_ms, speed;
    const char *levels, *control, *vid_pid;
    struct words damaged;
    bool check;
};

static const struct opt opts[] = {
    { "--readers", OPT_NUMBER, offsetof(struct args, readers), "N",
      "smart-card readers at 1-1.1 and on; default 1" },
    { "--slots", OPT_NUMBER, offsetof(struct args, slots), "N",
      "of each reader; default 1" },
    { "--scanners", OPT_NUMBER, offsetof(struct args, scanners), "N",
      "barcode scanners at 9-1.1 and on; default 0" },
    { "--levels", OPT_TEXT, offsetof(struct args, levels), "LEVEL,...",
      "of the readers, in turn: " RACK_LEVELS "; default short" },
    { "--delay-ms", OPT_NUMBER, offsetof(struct args, delay_ms), "N",
      "a chip thinks that long about every APDU; default 0" },
    { "--speed", OPT_NUMBER, offsetof(struct args, speed), "PERCENT",
      "time that octets take on a card's line, of a real card's; default 0: "
      "none" },
    { "--vid-pid", OPT_TEXT, offsetof(struct args, vid_pid), "VVVV:PPPP",
      "the readers are that model" },
    { "--damaged", OPT_LIST, offsetof(struct args, damaged), "EID...",
      "these eUICCs answer nonsense, ATR included" },
    { "--control", OPT_TEXT, offsetof(struct args, control), "SOCKET",
      "where usb-ctl and rig find it; also LINESIDE_USB in COMMAND's "
      "environment" },
    { "--check", OPT_FLAG, offsetof(struct args, check), NULL,
      "only say whether this machine can do it: exit code 77 and why it "
      "cannot" },
    OPT_END,
};

/* --- the desk ------------------------------------------------------------- */

struct desk {
    const struct args *a;
    struct world world;
    struct lab_bus *bus;
    struct busfs *fs;
    struct rack *rack;
    struct control *control;
    struct inmate inmate;
};

static int find_chip(void *ctx, const char *eid, char **path, bool *damaged,
                     struct err *e)
{
    const struct desk *d = ctx;

    /* An EID is digits: nothing that leads out of the folder. */
    if (eid[strspn(eid, "0123456789")] != '\0')
        return err_set(e, ERR_USAGE, "%s is no EID", eid);
    *path = world_path(&d->world, e, "euicc/%s.db", eid);
    if (!*path)
        return -1;
    if (access(*path, R_OK | W_OK) != 0) {
        free(*path);
        *path = NULL;
        return err_set(e, ERR_NOT_FOUND, "the world has no eUICC %s", eid);
    }
    for (size_t i = 0; i < d->a->damaged.n; i++)
        *damaged = *damaged || strcmp(d->a->damaged.v[i], eid) == 0;
    return 0;
}

static int read_levels(const char *text, struct rack_options *o,
                       struct err *e)
{
    for (const char *p = text; p && *p;) {
        size_t n = strcspn(p, ",");
        const struct rack_level *l = rack_level_find(p, n);
        if (!l)
            return err_set(e, ERR_USAGE, "no level \"%.*s\": " RACK_LEVELS,
                           (int)n, p);
        if (o->mix_count == RACK_MIX_MAX)
            return err_set(e, ERR_USAGE, "--levels: at most %d", RACK_MIX_MAX);
        o->mix[o->mix_count++] = l;
        p += n + (p[n] == ',');
    }
    return 0;
}

static int read_vid_pid(const char *text, struct rack_options *o,
                        struct err *e)
{
    int n = 0;

    if (!text)
        return 0;
    return sscanf(text, "%4hx:%4hx%n", &o->vendor, &o->product, &n) == 2 &&
                   !text[n]
               ? 0
               : err_set(e, ERR_USAGE, "--vid-pid 076b:3031, not \"%s\"",
                         text);
}

static int read_args(struct desk *d, struct rack_options *o, struct err *e)
{
    const struct args *a = d->a;

    if (a->delay_ms > DELAY_MAX_MS || a->speed > 10000)
        return err_set(e, ERR_USAGE, "--delay-ms: at most %d; --speed: at "
                                     "most 10000", DELAY_MAX_MS);
    if (a->readers > RACK_READERS_MAX || a->slots > RACK_SLOTS_MAX ||
        a->scanners > RACK_SCANNERS_MAX)
        return err_set(e, ERR_USAGE, "at most %d readers, %d slots, %d "
                                     "scanners", RACK_READERS_MAX,
                       RACK_SLOTS_MAX, RACK_SCANNERS_MAX);
    *o = (struct rack_options){
        .readers = (unsigned)a->readers,
        .slots = (unsigned)a->slots,
        .scanners = (unsigned)a->scanners,
        .speed_percent = (unsigned)a->speed,
        .delay_ms = (unsigned)a->delay_ms,
        .chip = d->world.dir ? find_chip : NULL,
        .ctx = d,
    };
    return read_levels(a->levels, o, e) == 0 ? read_vid_pid(a->vid_pid, o, e)
                                             : -1;
}

static int answer(void *ctx, const char *line, struct buf *out, struct err *e)
{
    return rack_do(ctx, line, out, e);
}

/* Namespaces, then the child that waits, then threads: each forbids what
 * comes before it afterwards. */
static int desk_open(struct desk *d, char *const command[], struct err *e)
{
    struct rack_options o;

    if (read_args(d, &o, e) != 0 || lab_bus_enter(e) != 0)
        return -1;
    if (d->a->control && setenv("LINESIDE_USB", d->a->control, 1) != 0)
        return err_errno(e, "cannot set the environment");
    if (inmate_prepare(command, &d->inmate, e) != 0 ||
        lab_bus_new(&d->bus, e) != 0 || busfs_start(d->bus, &d->fs, e) != 0 ||
        rack_new(d->bus, &o, &d->rack, e) != 0)
        return -1;
    return d->a->control
               ? control_start(d->a->control, answer, d->rack, &d->control, e)
               : 0;
}

static void desk_close(struct desk *d)
{
    inmate_drop(&d->inmate);
    control_stop(d->control);
    rack_free(d->rack);
    /* Its transport is told of every hub that goes. */
    lab_bus_free(d->bus);
    busfs_stop(d->fs);
    world_clear(&d->world);
}

static const char *cannot(void)
{
    const char *why = lab_bus_cannot();

    return why ? why : busfs_cannot();
}

static int run_check(void)
{
    const char *why = cannot();

    if (!why)
        return 0;
    printf("no emulated USB bus: %s\n", why);
    fflush(stdout);
    exit(EXIT_SKIPPED);
}

static int run_desk(const char *world, const struct args *a,
                    char *const command[], struct err *e)
{
    struct desk d = { .a = a, .inmate = { -1, -1 } };
    int status = 0;
    const char *why = cannot();

    int rc = why ? err_set(e, ERR_IO, "no emulated USB bus here: %s", why) : 0;
    if (rc == 0 && world)
        rc = world_open(world, &d.world, e);
    if (rc == 0)
        rc = desk_open(&d, command, e);
    if (rc == 0)
        rc = inmate_go(&d.inmate, e);
    if (rc == 0)
        status = inmate_wait(&d.inmate);
    desk_close(&d);
    /* The command's own answer, whatever it means. */
    if (rc == 0 && status != 0)
        exit(status);
    return rc;
}

/* Words up to "--" are ours. */
static int run(int argc, char **argv, struct err *e)
{
    AUTO(words_clear) struct words rest = { NULL, 0 };
    struct args a = { .readers = 1, .slots = 1 };
    int ours = 1;

    while (ours < argc && strcmp(argv[ours], "--") != 0)
        ours++;
    int rc = opts_parse(&cmd_usb, ours, argv, &a, &rest, 0, 1, e);
    if (rc == 0 && a.check)
        rc = run_check();
    else if (rc == 0 && ours + 1 >= argc)
        rc = err_set(e, ERR_USAGE, "which command? lineside-lab usb %s",
                     cmd_usb.args);
    else if (rc == 0)
        rc = run_desk(rest.n ? rest.v[0] : NULL, &a, argv + ours + 1, e);
    words_clear(&a.damaged);
    return rc;
}

const struct command cmd_usb = {
    "usb", "[WORLD] [OPTION...] -- COMMAND [ARG...]",
    "Run a command on an emulated USB bus of readers and scanners.", opts, run,
};

/* --- usb-ctl -------------------------------------------------------------- */

static int join(const struct words *w, struct buf *out, struct err *e)
{
    for (size_t i = 1; i < w->n; i++) {
        if (i > 1)
            buf_put_u8(out, ' ');
        buf_put_span(out, SPAN_STR(w->v[i]));
    }
    buf_put_u8(out, '\0');
    if (!buf_ok(out))
        return err_set(e, ERR_NOMEM, "out of memory");
    return memchr(out->p, '\n', out->n)
               ? err_set(e, ERR_USAGE, "a request is one line")
               : 0;
}

static int run_ctl(int argc, char **argv, struct err *e)
{
    AUTO(words_clear) struct words rest = { NULL, 0 };
    AUTO(buf_clear) struct buf line = BUF_INIT, out = BUF_INIT;
    struct args none;

    if (opts_parse(&cmd_usb_ctl, argc, argv, &none, &rest, 2, 0, e) != 0 ||
        join(&rest, &line, e) != 0)
        return -1;
    int fd = control_connect(rest.v[0], e);
    if (fd < 0)
        return -1;
    int rc = control_ask(fd, (const char *)line.p, &out, e);
    close(fd);
    if (rc == 0 && out.n > 0)
        fwrite(out.p, 1, out.n, stdout);
    return rc;
}

const struct command cmd_usb_ctl = {
    "usb-ctl", "SOCKET REQUEST [WORD...]",
    "Insert, remove, plug, unplug, scan on an emulated bus.", NULL, run_ctl,
};

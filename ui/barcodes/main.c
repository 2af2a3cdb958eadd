/* lineside-barcodes: a sheet of barcodes to be printed. Started by `lineside
 * barcodes`, which has looked into the ledger; apart, so that neither the
 * program that keeps the ledger nor the screen has a barcode library in it. */
#include "station/base/start.h"
#include "ui/sheet/sheet.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct call {
    const char *to;
    bool pdf;
    enum lang lang;
    char **more; /* KIND CODE NOTE each: "fixture" or "order" */
    int n;
};

static bool has_suffix(const char *path, const char *suffix)
{
    size_t n = strlen(path), k = strlen(suffix);

    return n > k && path[n - k - 1] != '/' && strcasecmp(path + n - k, suffix) == 0;
}

/* A barcode that cannot be is left out, and told: the others are wanted. */
static int add_more(struct sheet *s, const struct call *c, const char *kind, const char *title,
                    struct err *e)
{
    bool begun = false;

    for (int i = 0; i + 2 < c->n; i += 3) {
        const char *code = c->more[i + 1], *colon = strchr(code, ':');
        if (strcmp(c->more[i], kind) != 0)
            continue;
        if (!begun)
            sheet_group(s, title);
        begun = true;
        /* An order is called by its number, without what makes it a scan. */
        bool order = strcmp(kind, "order") == 0 && colon;
        if (sheet_add(s, order ? colon + 1 : code, code, c->more[i + 2], e) == 0)
            continue;
        if (e->code != ERR_FORMAT && e->code != ERR_LIMIT)
            return -1;
        fprintf(stderr, "lineside barcodes: %s '%s' was left out: %s\n", kind, code, e->msg);
    }
    return 0;
}

/* All of it or nothing: what was there before stays until then. */
static int write_file(const char *path, const struct buf *b, struct err *e)
{
    char part[PATH_MAX];

    if (!buf_ok(b))
        return err_set(e, ERR_NOMEM, "no memory for the sheet");
    if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part)
        return err_set(e, ERR_USAGE, "the file's name is too long");
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return err_errno(e, "%s cannot be written: name a file in a folder that is there", path);
    size_t done = 0;
    for (ssize_t k; done < b->n; done += (size_t)k)
        if ((k = write(fd, b->p + done, b->n - done)) <= 0)
            break;
    bool bad = done < b->n || fsync(fd) != 0;
    bad |= close(fd) != 0;
    if (bad || rename(part, path) != 0) {
        err_errno(e, "%s could not be written", path);
        unlink(part);
        return -1;
    }
    puts(path);
    return 0;
}

/* An SVG is one page: the second of sheet.svg is sheet-2.svg. */
static int write_svgs(const struct sheet *s, const char *to, struct err *e)
{
    size_t stem = strlen(to) - strlen(".svg");
    char path[PATH_MAX];

    for (int i = 0; i < s->pages; i++) {
        AUTO(buf_clear) struct buf b = BUF_INIT;
        int n = i == 0 ? snprintf(path, sizeof path, "%s", to)
                       : snprintf(path, sizeof path, "%.*s-%d%s", (int)stem, to, i + 1, to + stem);
        if (n >= (int)sizeof path)
            return err_set(e, ERR_USAGE, "the file's name is too long");
        svg_write(s, i, &b);
        if (write_file(path, &b, e) != 0)
            return -1;
    }
    return 0;
}

static int make(const struct call *c, struct err *e)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct sheet s;

    sheet_init(&s, c->lang);
    int bad = sheet_commands(&s, e) != 0 ||
              add_more(&s, c, "fixture", N_("Fixtures"), e) != 0 ||
              add_more(&s, c, "order", N_("Orders"), e) != 0 ||
              (c->pdf ? pdf_write(&s, &b, e) != 0 || write_file(c->to, &b, e) != 0
                      : write_svgs(&s, c->to, e) != 0);
    sheet_clear(&s);
    return bad;
}

int main(int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct call c = { .lang = LANG_EN };

    program_start();
    /* FILE, --lang, the environment's, then three words for each one more. */
    if (argc < 4 || (argc - 4) % 3 != 0) {
        fputs("lineside-barcodes is not for people: `lineside barcodes` starts it\n", stderr);
        return 2;
    }
    c.to = argv[1];
    c.more = argv + 4;
    c.n = argc - 4;
    c.pdf = has_suffix(c.to, ".pdf");
    if (!c.pdf && !has_suffix(c.to, ".svg")) {
        fprintf(stderr, "lineside barcodes: --to takes a file named .svg or .pdf, not '%s'\n", c.to);
        return 2;
    }
    if (*argv[2] && !lang_of(argv[2], &c.lang)) {
        fprintf(stderr, "lineside barcodes: --lang is en, zh, de or es, not '%s'\n", argv[2]);
        return 2;
    }
    if (!*argv[2])
        lang_of(argv[3], &c.lang);
    if (make(&c, &e) != 0) {
        fprintf(stderr, "lineside barcodes: %s\n", e.msg);
        return err_exit_code(e.code);
    }
    return 0;
}

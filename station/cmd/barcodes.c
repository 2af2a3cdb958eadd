/* lineside barcodes: a sheet to be printed. What draws it is another program;
 * here is what only the ledger knows. */
#include "station/cmd/cmd.h"

#include "station/cmd/become.h"
#include "storage/orders.h"
#include "storage/places.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHEET_PROGRAM "lineside-barcodes"
#define FIXED 4          /* words before those that the ledger has */
#define MORE_MAX 2000    /* barcodes; a command line has room for them */

enum { OPT_TO = 256, OPT_LANG, OPT_FIXTURES, OPT_ORDERS };

struct opts {
    const char *to, *lang;
    bool fixtures, orders;
};

/* What is handed over: FIXED words, then KIND CODE NOTE for each barcode. */
struct words {
    const char *v[FIXED + 3 * MORE_MAX + 1];
    size_t n;
    char *own[2 * MORE_MAX]; /* to be freed */
    size_t owned;
};

static int own(void *ctx, int val, const char *arg, struct err *e)
{
    struct opts *o = ctx;

    (void)e;
    if (val == OPT_TO)
        o->to = arg;
    else if (val == OPT_LANG)
        o->lang = arg; /* the sheet knows its languages */
    else if (val == OPT_FIXTURES)
        o->fixtures = true;
    else
        o->orders = true;
    return 0;
}

static int add(struct words *w, const char *kind, const char *prefix, const char *code,
               const char *note, struct err *e)
{
    char text[128];

    if (w->n + 3 > FIXED + 3 * MORE_MAX)
        return err_set(e, ERR_LIMIT, "there are more than %d barcodes", MORE_MAX);
    snprintf(text, sizeof text, "%s%s", prefix, code);
    char *a = strdup(text), *b = strdup(note);
    w->own[w->owned++] = a;
    w->own[w->owned++] = b;
    if (!a || !b)
        return err_set(e, ERR_NOMEM, "no memory for the barcodes");
    w->v[w->n++] = kind;
    w->v[w->n++] = a;
    w->v[w->n++] = b;
    return 0;
}

static int add_fixtures(struct words *w, struct db *db, struct err *e)
{
    AUTO(places_clear) struct places p = { .n = 0 };
    size_t before = w->n;

    if (places_get(db, &p, e) != 0)
        return -1;
    for (size_t i = 0; i < p.n; i++)
        if (*p.v[i].label && add(w, "fixture", "", p.v[i].label, p.v[i].place, e) != 0)
            return -1;
    return w->n > before ? 0
         : err_set(e, ERR_NOT_FOUND, "no fixture has a label yet: give them some with "
                   "`lineside fixtures label`");
}

static int add_orders(struct words *w, struct db *db, struct err *e)
{
    AUTO(order_list_clear) struct order_list l = { NULL, 0 };
    size_t before = w->n;

    if (orders_get(db, &l, e) != 0)
        return -1;
    for (size_t i = 0; i < l.n; i++)
        if (l.v[i].state != ORDER_CLOSED &&
            add(w, "order", ORDER_SCAN_PREFIX, l.v[i].number, l.v[i].product, e) != 0)
            return -1;
    return w->n > before ? 0
         : err_set(e, ERR_NOT_FOUND, "there is no work order that is not closed: see "
                   "`lineside orders`");
}

static int collect(struct words *w, const char *data_dir, const struct opts *o, struct err *e)
{
    AUTO(db_close_p) struct db *db = NULL;

    if (!o->fixtures && !o->orders)
        return 0; /* commands are the same everywhere */
    if (db_open(data_dir, DB_READ, NULL, &db, e) != 0 ||
        (o->fixtures && add_fixtures(w, db, e) != 0) ||
        (o->orders && add_orders(w, db, e) != 0))
        return -1;
    return 0;
}

static int run(const struct command *self, int argc, char **argv)
{
    static const struct option options[] = {
        { "to", required_argument, NULL, OPT_TO },
        { "lang", required_argument, NULL, OPT_LANG },
        { "fixtures", no_argument, NULL, OPT_FIXTURES },
        { "orders", no_argument, NULL, OPT_ORDERS },
        { 0 },
    };
    struct opts o = { .to = NULL };
    struct cmd_common c;
    struct err e = ERR_INIT;

    int end = cmd_options(self, argc, argv, options, own, &o, &c);
    if (end)
        return end - 1;
    if (optind != argc)
        return cmd_usage(self, "it takes options only");
    if (!o.to)
        return cmd_usage(self, "--to names the file: sheet.svg or sheet.pdf");
    if (c.json)
        return cmd_usage(self, "a sheet is not JSON");
    struct words *w = calloc(1, sizeof *w);
    if (!w) {
        err_set(&e, ERR_NOMEM, "no memory for the barcodes");
        return cmd_fail(self, &e);
    }
    w->v[w->n++] = SHEET_PROGRAM;
    w->v[w->n++] = o.to;
    w->v[w->n++] = o.lang ? o.lang : "";
    w->v[w->n++] = become_language();
    if (collect(w, c.data_dir, &o, &e) == 0)
        become(w->v, "which draws barcodes", &e);
    for (size_t i = 0; i < w->owned; i++)
        free(w->own[i]);
    free(w);
    return cmd_fail(self, &e);
}

const struct command cmd_barcodes = {
    "barcodes", "--to FILE [OPTION...]", "a sheet of command barcodes to be printed",
    "  --to FILE          FILE.pdf, or FILE.svg, whose further pages are FILE-2.svg, ...\n"
    "  --lang CODE        en, zh, de or es; else as the environment says\n"
    "  --fixtures         also the labels of this station's fixtures\n"
    "  --orders           also the work orders that are not closed\n",
    run
};

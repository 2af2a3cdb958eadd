/* What comes in on a stick, and what goes out on one. */
#include "station/control/verbs.h"

#include "station/acts/media.h"
#include "station/import/child.h"
#include "station/show/imported.h"
#include "station/show/made.h"
#include "station/show/orders.h"

/* The commands take no right: who may run them may read and write as the line
 * does. Who sits at the other end of the socket may not, so it takes somebody who
 * works here. */
static int worker(struct office_call *c, struct actor *by, struct err *e)
{
    const struct who w = office_who(c);

    return office_db(c, e) != 0 ? -1 : who_one(&w, c->db, RIGHT_WORK, by, e);
}

/* What somebody carries in or out: told of, and theirs by the ledger. */
struct carrying {
    struct office_call *c;
    struct actor by;
};

/* The ledger's own name for it where nobody is known, as the commands'. */
static const char *name_of(const struct carrying *k)
{
    return k->by.known ? k->by.who.name : NULL;
}

/* It takes its time; they may have been blocked meanwhile. */
static int still(struct tx *tx, void *ctx, struct err *e)
{
    struct carrying *k = ctx;

    return actor_still(tx, &k->by, e);
}

/* --- what lies there ----------------------------------------------------------------- */

int do_media(struct office_call *c, struct err *e)
{
    AUTO(media_list_clear) struct media_list l = { NULL, 0, false };
    struct actor by;
    json_t *all;
    const char *folder;

    if (office_folder(c, "folder", true, &folder, e) != 0 || worker(c, &by, e) != 0 ||
        media_list(folder, &l, e) != 0)
        return -1;
    all = json_array();
    for (size_t i = 0; i < l.n; i++) {
        const char *kind = kind_name(l.v[i].kind);
        json_array_append_new(all, json_pack("{s:s, s:s, s:o}", "kind", kind, "id",
                                             l.v[i].id, "container",
                                             json_sprintf("%s/%s-%s", folder, kind,
                                                          l.v[i].id)));
    }
    return office_say(c, json_pack("{s:o, s:b}", "containers", all, "more", l.more), e);
}

/* --- in --------------------------------------------------------------------------- */

static bool go_on(void *ctx, const char *step, uint64_t done, uint64_t of)
{
    const struct carrying *k = ctx;

    office_progress(k->c, step, done, of);
    return !atomic_load(&k->c->stop);
}

/* What to do next, where the sentence may not say it. */
static int refuse(struct office_call *c, const char *path, struct err *e)
{
    const char *next = inbox_next_step(e->code);

    c->answer = json_pack("{s:s, s:s?}", "container", path, "next", next);
    return err_wrap(e, "nothing was imported from it");
}

static int open_inbox(struct carrying *k, struct inbox *b, const char **path,
                      struct err *e)
{
    return office_folder(k->c, "container", true, path, e) != 0 ||
           worker(k->c, &k->by, e) != 0 || inbox_open(b, k->c->data_dir, e) != 0 ? -1 : 0;
}

static struct import_watch watch_of(struct carrying *k)
{
    return (struct import_watch){ go_on, k, name_of(k), still };
}

int do_import(struct office_call *c, struct err *e)
{
    AUTO(inbox_close) struct inbox b = INBOX_EMPTY;
    struct carrying k = { .c = c };
    struct import_result r;
    const char *path;

    if (open_inbox(&k, &b, &path, e) != 0)
        return -1;
    const struct import_watch w = watch_of(&k);
    return inbox_take(&b, path, &w, &r, e) != 0 ? refuse(c, path, e)
                                                : office_say(c, show_imported(&r, path), e);
}

int do_order_import(struct office_call *c, struct err *e)
{
    AUTO(inbox_close) struct inbox b = INBOX_EMPTY;
    AUTO(order_bindings_clear) struct order_bindings none = { NULL, 0 };
    struct carrying k = { .c = c };
    char number[ORDER_NUMBER_MAX + 1];
    struct import_result r;
    struct order_info o;
    struct order_spec s;
    const char *path;

    if (open_inbox(&k, &b, &path, e) != 0)
        return -1;
    const struct import_watch w = watch_of(&k);
    if (inbox_take_order(&b, path, &w, &r, number, e) != 0)
        return refuse(c, path, e);
    return order_by_number(c->db, number, &o, e) != 0 ||
           order_spec_get(c->db, o.id, &s, e) != 0
               ? -1 : office_say(c, show_order(&o, &s, &none), e);
}

/* --- out ----------------------------------------------------------------------------- */

static void on_step(void *ctx, const char *step, unsigned done, unsigned of)
{
    const struct carrying *k = ctx;

    office_progress(k->c, step, done, of);
}

static int carry_out(struct carrying *k, struct report_list *made, struct err *e)
{
    AUTO(desk_close) struct desk d = DESK_EMPTY;
    const char *to, *again;

    if (office_folder(k->c, "to", true, &to, e) != 0 ||
        control_word(&k->c->r, "again", &again, e) != 0 ||
        worker(k->c, &k->by, e) != 0)
        return -1;
    const struct report_watch w = { on_step, k, name_of(k), still };
    return act_export(&d, k->c->data_dir, to, again, &w, made, e);
}

int do_export(struct office_call *c, struct err *e)
{
    struct carrying k = { .c = c };
    struct report_list made = { NULL, 0 };
    json_t *list = json_array();
    int bad = carry_out(&k, &made, e);

    /* Also what had arrived before it failed. */
    for (size_t i = 0; i < made.n; i++)
        json_array_append_new(list, show_made(&made.v[i]));
    report_list_clear(&made);
    c->answer = json_pack("{s:o}", "made", list);
    return bad ? -1 : 0;
}

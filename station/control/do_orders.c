/* Work orders and shifts. */
#include "station/control/verbs.h"

#include "station/acts/orders.h"
#include "station/acts/shifts.h"
#include "station/show/made.h"
#include "station/show/orders.h"
#include "station/show/shift.h"

#include <stdlib.h>
#include <string.h>

/* The order as it is now. */
static int say_order(struct office_call *c, const char *number, struct err *e)
{
    AUTO(order_bindings_clear) struct order_bindings b = { NULL, 0 };
    struct order_info o;
    struct order_spec s;

    if (order_by_number(c->db, number, &o, e) != 0 ||
        order_spec_get(c->db, o.id, &s, e) != 0 ||
        order_bindings_get(c->db, &b, e) != 0)
        return -1;
    return office_say(c, show_order(&o, &s, &b), e);
}

/* --- making ----------------------------------------------------------------------- */

static int keep(const struct office_call *c, const char *name, bool needed, char *out,
                size_t cap, struct err *e)
{
    const char *word;

    if ((needed ? control_need : control_word)(&c->r, name, &word, e) != 0)
        return -1;
    if (word && strlen(word) >= cap)
        return err_set(e, ERR_USAGE, "\"%s\" has at most %zu octets", name, cap - 1);
    if (word)
        memcpy(out, word, strlen(word) + 1);
    return 0;
}

static int read_recipes(const struct office_call *c, struct order_spec *s,
                        struct err *e)
{
    const json_t *all = json_object_get(c->r.words, "recipes");
    const json_t *one;
    size_t i;

    if (!json_is_array(all) || json_array_size(all) == 0 ||
        json_array_size(all) > ORDER_POSITIONS_MAX)
        return err_set(e, ERR_FORMAT, "'order-make' needs a member \"recipes\" that is "
                       "an array of 1 to %d texts", ORDER_POSITIONS_MAX);
    json_array_foreach(all, i, one) {
        if (!json_is_string(one))
            return err_set(e, ERR_FORMAT, "a recipe is text");
        if (order_recipe_parse(json_string_value(one), &s->recipe[i], e) != 0)
            return -1;
        s->positions++;
    }
    return 0;
}

static int read_spec(const struct office_call *c, struct order_spec *s, struct err *e)
{
    return keep(c, "order", true, s->number, sizeof s->number, e) != 0 ||
           keep(c, "product", true, s->product, sizeof s->product, e) != 0 ||
           keep(c, "serials", false, s->serials, sizeof s->serials, e) != 0 ||
           control_number(&c->r, "quantity", 1, ORDER_QUANTITY_MAX, &s->quantity,
                          e) != 0 ||
           read_recipes(c, s, e) != 0 ? -1 : 0;
}

int do_order_make(struct office_call *c, struct err *e)
{
    const struct who w = office_who(c);
    struct order_spec *s = calloc(1, sizeof *s);
    int bad = !s ? err_set(e, ERR_NOMEM, "no memory for an order")
            : read_spec(c, s, e) != 0 || office_db(c, e) != 0 ||
              act_order_make(c->db, &w, s, e) != 0 || say_order(c, s->number, e) != 0;

    free(s);
    return bad ? -1 : 0;
}

/* --- its life ---------------------------------------------------------------------- */

static void on_finding(void *ctx, bool refuses, const char *text)
{
    json_array_append_new(ctx, json_pack("{s:b, s:s}", "refuses", refuses, "text",
                                         text));
}

int do_order_activate(struct office_call *c, struct err *e)
{
    const struct who w = office_who(c);
    struct act_activation *a = calloc(1, sizeof *a);
    json_t *findings = json_array();
    const char *number;
    int bad = !a || !findings ? err_set(e, ERR_NOMEM, "no memory for an answer")
            : control_need(&c->r, "order", &number, e) != 0 || office_db(c, e) != 0 ||
              act_order_activate(c->db, &w, number, on_finding, findings, a, e) != 0;

    /* What stands against it is told too. */
    if (a && a->assessed)
        c->answer = show_assessment(&a->o, &a->s, &a->a, findings);
    json_decref(findings);
    free(a);
    return bad ? -1 : 0;
}

int do_order_close(struct office_call *c, struct err *e)
{
    const struct who w = office_who(c);
    const char *number;

    return control_need(&c->r, "order", &number, e) != 0 || office_db(c, e) != 0 ||
           act_order_close(c->db, &w, number, e) != 0 ? -1 : say_order(c, number, e);
}

int do_order_bind(struct office_call *c, struct err *e)
{
    const struct who w = office_who(c);
    const char *number, *fixture, *position;

    return control_need(&c->r, "order", &number, e) != 0 ||
           control_need(&c->r, "fixture", &fixture, e) != 0 ||
           control_word(&c->r, "position", &position, e) != 0 ||
           office_db(c, e) != 0 ||
           act_order_bind(c->db, &w, number, fixture, position ? position : "", e) != 0
               ? -1 : say_order(c, number, e);
}

int do_order_unbind(struct office_call *c, struct err *e)
{
    const struct who w = office_who(c);
    const char *fixture;

    return control_need(&c->r, "fixture", &fixture, e) != 0 || office_db(c, e) != 0
               ? -1 : act_order_unbind(c->db, &w, fixture, e);
}

/* --- shifts --------------------------------------------------------------------------- */

int do_shift_open(struct office_call *c, struct err *e)
{
    const struct who w = office_who(c);
    const char *name;
    struct shift s;

    return control_word(&c->r, "name", &name, e) != 0 || office_db(c, e) != 0 ||
           act_shift_open(c->db, &w, name ? name : "", &s, e) != 0
               ? -1 : office_say(c, show_shift_opened(&s), e);
}

/* A shift that is closed stays so, wherever its record got to. */
int do_shift_close(struct office_call *c, struct err *e)
{
    AUTO(desk_close) struct desk d = DESK_EMPTY;
    const struct who w = office_who(c);
    struct report_list made = { NULL, 0 };
    json_t *list = json_array();
    struct shift s;
    const char *to;
    bool closed = false;
    int bad = office_folder(c, "to", false, &to, e) != 0 ||
              act_shift_close(&d, c->data_dir, to, &w, &s, &closed, &made, e) != 0;

    for (size_t i = 0; i < made.n; i++)
        json_array_append_new(list, show_made(&made.v[i]));
    report_list_clear(&made);
    if (closed)
        c->answer = json_pack("{s:O, s:o}", "made", list, "shift", show_shift_head(&s));
    json_decref(list);
    return bad ? -1 : 0;
}

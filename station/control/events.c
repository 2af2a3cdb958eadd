#include "station/control/events.h"

#include "station/control/protocol.h"

#include <stdio.h>
#include <string.h>

/* Only where there is one: a line without orders says what it always said. */
static json_t *with_order(json_t *j, const struct line_event *ev)
{
    if (j && *ev->order)
        json_object_set_new(j, "order", control_string(ev->order));
    if (j && *ev->position)
        json_object_set_new(j, "position", control_string(ev->position));
    return j;
}

static json_t *ready_json(const struct line_event *ev)
{
    json_t *names = json_array();

    for (size_t i = 0; i < ev->fixtures; i++)
        json_array_append_new(names, control_string(ev->list[i].name));
    return json_pack("{s:s, s:o}", "event", "ready", "fixtures", names);
}

static json_t *busy_json(const struct line_event *ev)
{
    return with_order(json_pack("{s:s, s:o, s:s, s:o, s:s}", "event", "busy",
                                "fixture", control_string(ev->fixture), "step",
                                ev->step, "serial", control_string(ev->serial),
                                "eid", ev->eid), ev);
}

static json_t *unresolved_json(const struct line_event *ev)
{
    return json_pack("{s:s, s:o, s:o, s:s, s:s, s:s, s:s}", "event",
                     "unresolved", "fixture", control_string(ev->fixture), "serial",
                     control_string(ev->serial), "eid", ev->eid, "iccid", ev->iccid,
                     "transactionId", ev->txid, "next",
                     verdict_row(V_UNRESOLVED)->next);
}

static json_t *verdict_json(const struct line_event *ev)
{
    const struct verdict_row *v = ev->verdict;
    json_t *j = json_pack(
        "{s:s, s:o, s:s, s:s, s:o, s:s, s:i, s:s, s:s, s:o, s:I, s:I}", "event",
        "verdict", "fixture", control_string(ev->fixture), "verdict",
        verdict_kind_text(v->kind), "code", v->code, "serial",
        control_string(ev->serial), "eid", ev->eid, "installed", (int)ev->installed,
        "cause", v->cause, "next", v->next, "detail",
        control_string(ev->detail), "apdus", (json_int_t)ev->apdus, "ms", (json_int_t)ev->ms);
    char sw[5];

    if (j && *ev->person)
        json_object_set_new(j, "person", control_string(ev->person));
    if (j && ev->sw) {
        snprintf(sw, sizeof sw, "%04X", ev->sw);
        json_object_set_new(j, "sw", json_string(sw));
    }
    /* Of a unit that ends it goes without saying. */
    if (j && ev->taken && v->kind == VERDICT_REFUSED)
        json_object_set_new(j, "taken", json_true());
    with_order(j, ev);
    return j;
}

static json_t *place_json(const struct line_event *ev, const char *event,
                          const char *fixture)
{
    json_t *j = json_pack("{s:s, s:o, s:o, s:s}", "event", event, "place",
                          control_string(ev->place), "reason",
                          control_string(ev->detail), "state", ev->state);

    if (j && fixture)
        json_object_set_new(j, "fixture", control_string(fixture));
    return j;
}

static json_t *fixture_json(const struct line_event *ev)
{
    return place_json(ev, "fixture", ev->fixture);
}

static json_t *scanner_json(const struct line_event *ev)
{
    return place_json(ev, "scanner", NULL);
}

static json_t *chosen_json(const struct line_event *ev)
{
    return json_pack("{s:s, s:o, s:o}", "event", "chosen", "fixture",
                     control_string(ev->fixture), "scanner", control_string(ev->place));
}

static json_t *session_json(const struct line_event *ev)
{
    return json_pack("{s:s, s:s, s:o, s:o, s:o}", "event", "session", "state",
                     ev->state, "fixture", control_string(ev->fixture), "person",
                     control_string(ev->person), "reason", control_string(ev->detail));
}

static json_t *command_json(const struct line_event *ev)
{
    return json_pack("{s:s, s:s}", "event", "command", "command", ev->state);
}

void control_stand_json(json_t *j, unsigned row, unsigned column)
{
    if (!j || !row)
        return;
    json_object_set_new(j, "row", json_integer(row));
    json_object_set_new(j, "column", json_integer(column));
}

static json_t *stands_json(const struct line_event *ev)
{
    json_t *j = json_pack("{s:s, s:o}", "event", "stands", "fixture",
                          control_string(ev->fixture));

    control_stand_json(j, ev->row, ev->column);
    return j;
}

static json_t *(*const shapes[])(const struct line_event *ev) = {
    [LINE_READY] = ready_json,       [LINE_UNRESOLVED] = unresolved_json,
    [LINE_BUSY] = busy_json,         [LINE_VERDICT] = verdict_json,
    [LINE_FIXTURE] = fixture_json,   [LINE_SCANNER] = scanner_json,
    [LINE_CHOSEN] = chosen_json,     [LINE_SESSION] = session_json,
    [LINE_HEALTH] = fixture_json,    [LINE_COMMAND] = command_json,
    [LINE_STANDS] = stands_json,
};

json_t *control_event_json(const struct line_event *ev)
{
    return shapes[ev->kind](ev);
}

void told_keep(struct told *t, const struct line_event *ev)
{
    const char **text[] = { &t->ev.fixture, &t->ev.serial, &t->ev.eid,
                            &t->ev.step, &t->ev.txid, &t->ev.iccid,
                            &t->ev.place, &t->ev.state, &t->ev.person,
                            &t->ev.order, &t->ev.position, &t->ev.detail };
    char *at = t->text;

    t->ev = *ev;
    t->ev.list = NULL;
    t->ev.fixtures = 0;
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        size_t room = (size_t)(t->text + sizeof t->text - at) - 1;
        size_t n = strnlen(*text[i], room);
        memcpy(at, *text[i], n);
        at[n] = '\0';
        *text[i] = at;
        at += n < room ? n + 1 : n;
    }
}

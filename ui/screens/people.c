/* People: who works here, in which role; a supervisor adds them and says what they are. */
#include "ui/screens/screens.h"
#include "ui/widgets/parts.h"
#include "ui/widgets/table.h"

#include <stdio.h>
#include <string.h>

static const struct column columns[] = {
    { N_("Name"), 34, 2, false }, { N_("Role"), 20, 1, false }, { N_("State"), 20, 1, false },
};
#define COLUMNS (sizeof columns / sizeof *columns)

static const struct choice roles[] = {
    { "operator", N_("Operator") }, { "engineer", N_("Line engineer") },
    { "supervisor", N_("Supervisor") }, { "auditor", N_("Auditor") },
};
#define ROLES (sizeof roles / sizeof *roles)

static const char *role_word(const struct view *v, const char *role)
{
    for (size_t i = 0; i < ROLES; i++)
        if (strcmp(roles[i].value, role) == 0)
            return say(v, roles[i].text);
    return role;
}

static const json_t *all_of(const struct snapshot *s)
{
    return json_object_get(snapshot_answer(s, screen_people.name), "people");
}

static void row(const struct view *v, const void *ctx, size_t i, struct cell_text *out)
{
    const json_t *p = json_array_get(ctx, i);
    bool blocked = strcmp(json_word(p, "state"), "blocked") == 0;

    snprintf(out[0].text, sizeof out[0].text, "%s", json_word(p, "name"));
    out[0].tone = blocked ? TONE_DIM : TONE_BOLD;
    snprintf(out[1].text, sizeof out[1].text, "%s", role_word(v, json_word(p, "role")));
    snprintf(out[2].text, sizeof out[2].text, "%s",
             blocked ? say(v, N_("blocked"))
             : json_count(p, "recoveredEvent") > 0 ? say(v, N_("made at the console")) : "");
    out[2].tone = TONE_WARN;
}

#define HINT_ROWS 2
static void draw(struct grid *g, struct area a, const struct view *v)
{
    if (no_answer(g, a, v))
        return;
    struct area hint = area_take(&a, HINT_ROWS);
    grid_wrap(g, (struct area){ hint.x + 1, hint.y, hint.w - 1, hint.h }, TONE_DIM,
              say(v, N_("Up and down choose somebody, left and right what is done, Enter begins.")));
    list_draw(g, a, v, columns, COLUMNS, json_array_size(all_of(v->s)), row, all_of(v->s),
              N_("Nobody is known yet: the first one is a supervisor."));
}

static bool act(struct desk *d, const struct snapshot *s, int cols, int rows, enum act a)
{
    const struct view v = { s, d, screen_people.name, screen_people.title };
    size_t shown = (size_t)screen_rest(&screen_people, &v, cols, rows);

    return deeds_act(&screen_people, d, s, a) ||
           list_act(d, json_array_size(all_of(s)),
                    shown > HINT_ROWS + 1 ? shown - HINT_ROWS - 1 : 1, a);
}

/* --- deeds ---------------------------------------------------------------------------- */

static const json_t *picked(const struct desk *d, const struct snapshot *s)
{
    size_t n = json_array_size(all_of(s));

    return n ? json_array_get(all_of(s), d->at < n ? d->at : n - 1) : NULL;
}

static bool chosen(const struct desk *d, const struct snapshot *s, char what[WHAT_CAP])
{
    snprintf(what, WHAT_CAP, "%s", json_word(picked(d, s), "name"));
    return *what;
}

static bool somebody(const struct desk *d, const struct snapshot *s)
{
    return *json_word(picked(d, s), "name");
}

static bool is_blocked(const struct desk *d, const struct snapshot *s)
{
    return somebody(d, s) && strcmp(json_word(picked(d, s), "state"), "blocked") == 0;
}

static bool is_active(const struct desk *d, const struct snapshot *s)
{
    return somebody(d, s) && !is_blocked(d, s);
}

static bool answered(const struct desk *d, const struct snapshot *s)
{
    (void)d;
    return all_of(s) != NULL;
}

#define NEW_PIN                                                               \
    { .member = "newPin", .label = N_("New PIN"), .kind = FIELD_PIN },        \
    { .label = N_("The same PIN again"), .kind = FIELD_PIN }
#define ROLE { .member = "role", .label = N_("Role"), .kind = FIELD_CHOICE, .choices = roles, .count = ROLES }
#define BADGE { .member = "badge", .label = N_("Badge"), .kind = FIELD_BADGE }

static const struct field pin[] = { NEW_PIN };
static const struct field badge[] = { BADGE };
static const struct field role[] = { ROLE };
static const struct field person[] = {
    { .member = "name", .label = N_("Name"), .kind = FIELD_TEXT, .least = 1, .most = 63 },
    ROLE, BADGE, NEW_PIN,
};
static const struct deed deeds[] = {
    { .verb = "person-pin", .label = N_("Give a new PIN"), .can = is_active, .member = "name", FORM(pin),
      .sure = N_("The PIN before is no good any more.") },
    { .verb = "person-badge", .label = N_("Give another badge"), .can = is_active, .member = "name", FORM(badge),
      .sure = N_("The badge before is nobody's any more.") },
    { .verb = "person-role", .label = N_("Change the role"), .can = is_active, .member = "name", FORM(role),
      .sure = N_("From now on this person may do what that role may.") },
    { .verb = "person-block", .label = N_("Block this person"), .can = is_active, .member = "name",
      .sure = N_("This person can do nothing here any more, until unblocked; what they did stays theirs.") },
    { .verb = "person-unblock", .label = N_("Unblock this person"), .can = is_blocked, .member = "name",
      .sure = N_("Badge and PIN are good again.") },
    { .verb = "person-add", .label = N_("Add somebody"), .can = answered, FORM(person),
      .sure = N_("This person may log in at once. Nobody is ever removed, only blocked.") },
};

static const struct part parts[] = {
    { head_draw, one_row },       { draw, NULL },
    { deeds_draw, deeds_height }, { message_draw, message_height }, { keyline_draw, one_row },
};
static const struct doings does = {
    .deed = deeds, .deeds = sizeof deeds / sizeof *deeds, .chosen = chosen,
};
const struct screen screen_people = {
    "people", N_("People"), N_("Who works here; add, block, roles, badges, PINs."), parts,
    sizeof parts / sizeof *parts, "people", 10, false, false, act, &does
};

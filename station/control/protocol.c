#include "station/control/protocol.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static const char *const verbs[CONTROL_VERBS] = {
    [CONTROL_SNAPSHOT] = "snapshot",
    [CONTROL_SUBSCRIBE] = "subscribe",
    [CONTROL_UNSUBSCRIBE] = "unsubscribe",
    [CONTROL_SCAN] = "scan",
    [CONTROL_STOP] = "stop",
    [CONTROL_VERSION] = "version",
    [CONTROL_LOGIN] = "login",
    [CONTROL_LOGOUT] = "logout",
    [CONTROL_WHO] = "who",
    [CONTROL_MAY] = "may",
    [CONTROL_LOOK] = "look",
    [CONTROL_RETURN] = "return",
    [CONTROL_UNIT] = "unit",
    [CONTROL_UNITS] = "units",
    [CONTROL_STOCK] = "stock",
    [CONTROL_ORDERS] = "orders",
    [CONTROL_ORDER] = "order",
    [CONTROL_FIXTURES] = "fixtures",
    [CONTROL_TRENDS] = "trends",
    [CONTROL_QUARANTINE] = "quarantine",
    [CONTROL_SHIFT] = "shift",
    [CONTROL_SHIFTS] = "shifts",
    [CONTROL_DAY] = "day",
    [CONTROL_LOG] = "log",
    [CONTROL_REPORTS] = "reports",
    [CONTROL_PEOPLE] = "people",
    [CONTROL_RIGHTS] = "rights",
    [CONTROL_RULES] = "rules",
    [CONTROL_SETTINGS] = "settings",
    [CONTROL_ABOUT] = "about",
    [CONTROL_DOCTOR] = "doctor",
    [CONTROL_ORDER_MAKE] = "order-make",
    [CONTROL_ORDER_ACTIVATE] = "order-activate",
    [CONTROL_ORDER_CLOSE] = "order-close",
    [CONTROL_ORDER_BIND] = "order-bind",
    [CONTROL_ORDER_UNBIND] = "order-unbind",
    [CONTROL_SHIFT_OPEN] = "shift-open",
    [CONTROL_SHIFT_CLOSE] = "shift-close",
    [CONTROL_QUARANTINE_RELEASE] = "quarantine-release",
    [CONTROL_QUARANTINE_RESOLVE] = "quarantine-resolve",
    [CONTROL_QUARANTINE_SCRAP] = "quarantine-scrap",
    [CONTROL_QUARANTINE_LIMIT] = "quarantine-limit",
    [CONTROL_VOID] = "void",
    [CONTROL_REPLACE] = "replace",
    [CONTROL_IMEI] = "imei",
    [CONTROL_PERSON_ADD] = "person-add",
    [CONTROL_PERSON_ROLE] = "person-role",
    [CONTROL_PERSON_BLOCK] = "person-block",
    [CONTROL_PERSON_UNBLOCK] = "person-unblock",
    [CONTROL_PERSON_BADGE] = "person-badge",
    [CONTROL_PERSON_PIN] = "person-pin",
    [CONTROL_RULE] = "rule",
    [CONTROL_FIXTURE_LABEL] = "fixture-label",
    [CONTROL_FIXTURE_ALLOW] = "fixture-allow",
    [CONTROL_FIXTURE_POSITION] = "fixture-position",
    [CONTROL_FIXTURE_LIMITS] = "fixture-limits",
    [CONTROL_FIXTURE_CYCLES] = "fixture-cycles",
    [CONTROL_SCANNER] = "scanner",
    [CONTROL_GOLDEN] = "golden",
    [CONTROL_CLOCK_CONFIRM] = "clock-confirm",
    [CONTROL_MEDIA] = "media",
    [CONTROL_IMPORT] = "import",
    [CONTROL_ORDER_IMPORT] = "order-import",
    [CONTROL_EXPORT] = "export",
    [CONTROL_CANCEL] = "cancel",
    [CONTROL_RELEASE] = "release",
    [CONTROL_MAINTAINED] = "maintained",
};

const char *control_verb_name(enum control_verb v)
{
    return verbs[v];
}

json_t *control_string(const char *s)
{
    json_t *j = json_string(s);

    if (j)
        return j;
    char plain[512];
    size_t n = 0;
    for (; s[n] && n < sizeof plain - 1; n++)
        plain[n] = (unsigned char)s[n] < 0x80 ? s[n] : '?';
    plain[n] = '\0';
    return json_string(plain);
}

/* --- requests ---------------------------------------------------------------- */

static bool id_ok(const json_t *id)
{
    return json_is_integer(id) ||
           (json_is_string(id) && json_string_length(id) <= CONTROL_ID_MAX);
}

int control_verb_parse(const char *name, enum control_verb *out, struct err *e)
{
    for (int v = 0; v < CONTROL_VERBS; v++)
        if (strcmp(verbs[v], name) == 0) {
            *out = (enum control_verb)v;
            return 0;
        }
    return err_set(e, ERR_NOT_FOUND, "this line knows no command '%.40s'; is it of "
                   "the same version? docs/formats/control.md lists them", name);
}

int control_request_read(struct span line, struct control_request *out,
                         struct err *e)
{
    json_error_t why;

    *out = (struct control_request){ .id = json_null() };
    if (line.n >= CONTROL_REQUEST_MAX)
        return err_set(e, ERR_LIMIT, "a request has at most %d octets, its line "
                       "end included; send a shorter one", CONTROL_REQUEST_MAX);
    out->words = json_loadb((const char *)line.p, line.n,
                            JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(out->words))
        return err_set(e, ERR_FORMAT, "this is no request: send one JSON object "
                       "a line, as {\"id\":1,\"do\":\"snapshot\"}");
    json_t *id = json_object_get(out->words, "id");
    if (!id_ok(id))
        return err_set(e, ERR_FORMAT, "give each request an id: a whole number, "
                       "or text of at most %d octets", CONTROL_ID_MAX);
    out->id = json_incref(id);
    const char *verb = json_string_value(json_object_get(out->words, "do"));
    if (!verb)
        return err_set(e, ERR_FORMAT, "say in \"do\" what is to be done, as "
                       "{\"id\":1,\"do\":\"snapshot\"}");
    return control_verb_parse(verb, &out->verb, e);
}

void control_request_clear(struct control_request *r)
{
    json_decref(r->id);
    json_decref(r->words);
    *r = (struct control_request){ .id = NULL };
}

int control_text(const struct control_request *r, const char *name,
                 struct span *out, struct err *e)
{
    const json_t *j = json_object_get(r->words, name);

    if (!json_is_string(j))
        return err_set(e, ERR_FORMAT, "'%s' needs a member \"%s\" that is text",
                       verbs[r->verb], name);
    *out = SPAN(json_string_value(j), json_string_length(j));
    return 0;
}

int control_need(const struct control_request *r, const char *name,
                 const char **out, struct err *e)
{
    struct span there;

    return control_text(r, name, &there, e) != 0 ? -1 : control_word(r, name, out, e);
}

int control_word(const struct control_request *r, const char *name,
                 const char **out, struct err *e)
{
    const json_t *j = json_object_get(r->words, name);

    *out = json_string_value(j);
    if (j && !*out)
        return err_set(e, ERR_FORMAT, "'%s' takes a member \"%s\" that is text",
                       verbs[r->verb], name);
    return 0;
}

int control_number(const struct control_request *r, const char *name,
                   uint64_t least, uint64_t most, uint64_t *out, struct err *e)
{
    const json_t *j = json_object_get(r->words, name);
    json_int_t n = json_integer_value(j);

    if (!j)
        return 0;
    if (!json_is_integer(j) || n < 0 || (uint64_t)n < least || (uint64_t)n > most)
        return err_set(e, ERR_FORMAT, "'%s' takes a member \"%s\" that is a whole "
                       "number from %llu to %llu", verbs[r->verb], name,
                       (unsigned long long)least, (unsigned long long)most);
    *out = (uint64_t)n;
    return 0;
}

int control_flag(const struct control_request *r, const char *name, bool *out,
                 struct err *e)
{
    const json_t *j = json_object_get(r->words, name);

    *out = json_is_true(j);
    if (j && !json_is_boolean(j))
        return err_set(e, ERR_FORMAT, "'%s' takes a member \"%s\" that is true or "
                       "false", verbs[r->verb], name);
    return 0;
}

void control_forget(json_t *words, const char *name)
{
    json_t *j = json_object_get(words, name);

    if (json_is_string(j))
        explicit_bzero((char *)json_string_value(j), json_string_length(j));
}

void control_forget_secrets(json_t *words)
{
    static const char *const names[] = { "pin", "newPin" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        control_forget(words, names[i]);
        control_forget(json_object_get(words, "second"), names[i]);
    }
}

/* --- replies ------------------------------------------------------------------ */

json_t *control_reply_ok(json_t *id)
{
    return json_pack("{s:O, s:b}", "id", id, "ok", 1);
}

json_t *control_reply_refused(json_t *id, const struct err *e)
{
    return json_pack("{s:O, s:b, s:s, s:o}", "id", id, "ok", 0, "error",
                     err_name(e->code), "message", control_string(e->msg));
}

enum err_code control_error_code(const char *name)
{
    for (int c = ERR_NONE + 1; name && c < ERR_CODES; c++)
        if (strcmp(err_name((enum err_code)c), name) == 0)
            return (enum err_code)c;
    return ERR_INTERNAL;
}

/* --- the socket's place --------------------------------------------------------- */

int control_address(const char *data_dir, struct sockaddr_un *out, int *dir,
                    struct err *e)
{
    return control_address_of(data_dir, CONTROL_SOCKET, out, dir, e);
}

int control_address_of(const char *data_dir, const char *name,
                       struct sockaddr_un *out, int *dir, struct err *e)
{
    *out = (struct sockaddr_un){ .sun_family = AF_UNIX };
    *dir = -1;
    size_t n = (size_t)snprintf(out->sun_path, sizeof out->sun_path, "%s/%s",
                                data_dir, name);
    if (n < sizeof out->sun_path)
        return 0;
    *dir = open(data_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*dir < 0)
        return err_errno(e, "%s", data_dir);
    snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d/%s", *dir,
             name);
    return 0;
}

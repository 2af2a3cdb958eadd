#include "station/cmd/ctl_ask.h"

#include "station/cmd/json_line.h"

#include <string.h>

/* "limit:=5" is a number, "limit=5" is text. */
static json_t *value_of(const char *text, bool json)
{
    return json ? json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL)
                : json_string(text);
}

static int add_member(json_t *members, const char *word, struct err *e)
{
    const char *equals = strchr(word, '=');
    size_t n = equals ? (size_t)(equals - word) : 0;
    bool json = n > 1 && word[n - 1] == ':';
    char name[64];

    n -= json;
    if (n == 0 || n >= sizeof name)
        return err_set(e, ERR_USAGE, "'%.80s' is no member: write MEMBER=TEXT, or "
                       "MEMBER:=JSON for what is no text", word);
    memcpy(name, word, n);
    name[n] = '\0';
    json_t *value = value_of(equals + 1, json);
    if (!value)
        return err_set(e, ERR_USAGE, "the value of %s is no %s", name,
                       json ? "JSON" : "UTF-8");
    if (json_object_get(members, name)) {
        json_decref(value);
        return err_set(e, ERR_USAGE, "%s is said twice", name);
    }
    return json_object_set_new(members, name, value) == 0
               ? 0 : err_set(e, ERR_USAGE, "'%.80s' is no name of a member", name);
}

int ctl_ask(struct client *c, const char *verb, char **words, struct err *e)
{
    AUTO(json_decrefp) json_t *members = json_object();
    AUTO(json_decrefp) json_t *reply = NULL;
    enum control_verb v;

    if (control_verb_parse(verb, &v, e) != 0)
        return -1;
    for (; *words; words++)
        if (add_member(members, *words, e) != 0)
            return -1;
    if (client_ask_long(c, v, json_incref(members), &reply, e) != 0)
        return -1;
    json_t *answer = json_object_get(reply, "answer");
    json_line(json_incref(answer ? answer : reply));
    return 0;
}

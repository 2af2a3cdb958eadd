#include "station/cmd/ctl_ask.h"

#include "station/cmd/actor.h"
#include "station/cmd/json_line.h"

#include <openssl/crypto.h>
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

static int add_pin(json_t *to, const char *name, const char *prompt, struct err *e)
{
    char pin[CMD_PIN_CAP] = "";

    if (cmd_read_pin(prompt, pin, e) != 0)
        return -1;
    json_t *value = json_string(pin);
    OPENSSL_cleanse(pin, sizeof pin);
    return value && json_object_set_new(to, name, value) == 0
               ? 0 : err_set(e, ERR_USAGE, "a PIN is plain text");
}

static int add_people(json_t *members, const struct ctl_people *p, struct err *e)
{
    json_t *second = p->second ? json_pack("{s:s}", "badge", p->second) : NULL;

    if (p->second && !second)
        return err_set(e, ERR_USAGE, "a badge is plain text");
    if (second && (json_object_set_new(members, "second", second) != 0 ||
                   add_pin(second, "pin", "PIN of the second badge", e) != 0))
        return -1;
    return p->new_pin ? add_pin(members, "newPin", "The new PIN", e) : 0;
}

int ctl_ask(struct client *c, const char *verb, char **words,
            const struct ctl_people *p, struct err *e)
{
    AUTO(json_decrefp) json_t *members = json_object();
    AUTO(json_decrefp) json_t *reply = NULL;
    enum control_verb v;

    if (control_verb_parse(verb, &v, e) != 0)
        return -1;
    for (; *words; words++)
        if (add_member(members, *words, e) != 0)
            return -1;
    if (add_people(members, p, e) != 0) {
        control_forget_secrets(members);
        return -1;
    }
    if (client_ask_long(c, v, json_incref(members), &reply, e) != 0)
        return -1;
    json_t *answer = json_object_get(reply, "answer");
    json_line(json_incref(answer ? answer : reply));
    return 0;
}

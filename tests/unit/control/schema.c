#include "tests/unit/control/schema.h"

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SCHEMA "docs/formats/control.schema.json"

static json_t *defs(void)
{
    static json_t *all; /* read once; the program ends with it */
    json_error_t why;

    if (!all)
        all = json_load_file(SCHEMA, 0, &why);
    ck_assert_msg(all != NULL, SCHEMA ": %s", why.text);
    return json_object_get(all, "$defs");
}

static const char *type_name(const json_t *j)
{
    switch (json_typeof(j)) {
    case JSON_OBJECT: return "object";
    case JSON_ARRAY: return "array";
    case JSON_STRING: return "string";
    case JSON_INTEGER: return "integer";
    case JSON_REAL: return "number";
    case JSON_NULL: return "null";
    default: return "boolean";
    }
}

static bool is_type(const json_t *type, const json_t *j)
{
    size_t i;
    json_t *one;

    if (json_is_string(type))
        return strcmp(json_string_value(type), type_name(j)) == 0;
    json_array_foreach(type, i, one)
        if (is_type(one, j))
            return true;
    return false;
}

static bool is_one_of(const json_t *list, const json_t *j)
{
    size_t i;
    json_t *one;

    json_array_foreach(list, i, one)
        if (json_equal(one, j))
            return true;
    return false;
}

static void check(const json_t *schema, const json_t *j, const char *where);

/* Stricter than the schema, which lets a later line say more: what this one
 * says must be told. */
static void check_object(const json_t *schema, json_t *j, const char *where)
{
    const json_t *properties = json_object_get(schema, "properties");
    const json_t *required = json_object_get(schema, "required");
    const json_t *others = json_object_get(schema, "additionalProperties");
    const char *name;
    json_t *one;
    size_t i;

    json_array_foreach(required, i, one)
        ck_assert_msg(json_object_get(j, json_string_value(one)) != NULL,
                      "%s lacks %s", where, json_string_value(one));
    json_object_foreach(j, name, one) {
        const json_t *p = json_object_get(properties, name);
        p = p ? p : others;
        ck_assert_msg(p != NULL, "%s: the schema does not know %s", where, name);
        check(p, one, name);
    }
}

static void check(const json_t *schema, const json_t *j, const char *where)
{
    const char *ref = json_string_value(json_object_get(schema, "$ref"));

    if (ref) {
        schema = json_object_get(defs(), strrchr(ref, '/') + 1);
        ck_assert_msg(schema != NULL, "%s: no %s in the schema", where, ref);
    }
    if (json_object_get(schema, "anyOf"))
        return; /* schema_check_answer knows which */
    const json_t *type = json_object_get(schema, "type");
    const json_t *list = json_object_get(schema, "enum");
    const json_t *only = json_object_get(schema, "const");
    json_t *one;
    size_t i;

    ck_assert_msg(!type || is_type(type, j), "%s is of type %s", where, type_name(j));
    ck_assert_msg(!list || is_one_of(list, j), "%s is none of its values", where);
    ck_assert_msg(!only || json_equal(only, j), "%s is not its one value", where);
    if (json_is_object(j))
        check_object(schema, (json_t *)j, where);
    json_array_foreach(j, i, one)
        check(json_object_get(schema, "items"), one, where);
}

void schema_check(const json_t *message)
{
    const char *event = json_string_value(json_object_get(message, "event"));
    char name[64] = "reply";

    if (event)
        snprintf(name, sizeof name, "event-%s", event);
    const json_t *schema = json_object_get(defs(), name);
    ck_assert_msg(schema != NULL, "the schema has no %s", name);
    check(schema, message, name);
    if (!event && !json_is_true(json_object_get(message, "ok")))
        ck_assert(json_object_get(message, "error") && json_object_get(message, "message"));
}

void schema_check_answer(const char *verb, const json_t *reply)
{
    char name[64];

    schema_check(reply);
    snprintf(name, sizeof name, "answer-%s", verb);
    const json_t *schema = json_object_get(defs(), name);
    ck_assert_msg(schema != NULL, "the schema has no %s", name);
    const json_t *answer = json_object_get(reply, "answer");
    ck_assert_msg(answer != NULL, "the reply to %s has no answer", verb);
    check(schema, answer, name);
}

bool schema_knows_verb(const char *verb)
{
    const json_t *request = json_object_get(defs(), "request");
    const json_t *all = json_object_get(json_object_get(json_object_get(
        request, "properties"), "do"), "enum");
    size_t i;
    json_t *one;

    json_array_foreach(all, i, one)
        if (strcmp(json_string_value(one), verb) == 0)
            return true;
    return false;
}

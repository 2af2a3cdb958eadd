/* What the line answers to the screens' questions, recorded; for a full scene the
 * list in it is repeated, for the worst one it says what it never would. */
#include "tests/unit/ui/scenes.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

/* --- trends: three screens show them ------------------------------------------- */

#define F_1 \
    "{\"fixture\":\"F1\",\"place\":\"1-2.4\",\"state\":\"maintenance\",\"reason\":\"\",\"failuresInRow\":0,\"yield" \
    "\":{\"good\":19,\"units\":20},\"cycles\":1204,\"cyclesSinceMaintenance\":204,\"cycleLimit\":200,\"maintenanceD" \
    "ue\":true,\"problems\":{\"resets\":2,\"timeouts\":1},\"provenAt\":\"20261130092700Z\",\"row\":2,\"column\":3," \
    "\"all\":{\"units\":200,\"judged\":198,\"good\":195,\"problems\":7,\"ms\":8640},\"steps\":[{\"units\":10,\"judg" \
    "ed\":8,\"good\":8,\"problems\":0,\"ms\":8000},{\"units\":10,\"judged\":10,\"good\":10,\"problems\":0,\"ms\":83" \
    "60},{\"units\":10,\"judged\":10,\"good\":10,\"problems\":0,\"ms\":9320},{\"units\":10,\"judged\":10,\"good\":9" \
    ",\"problems\":1,\"ms\":8780},{\"units\":10,\"judged\":10,\"good\":10,\"problems\":0,\"ms\":8840},{\"units\":10" \
    ",\"judged\":10,\"good\":10,\"problems\":0,\"ms\":9500},{\"units\":10,\"judged\":10,\"good\":10,\"problems\":0," \
    "\"ms\":8660},{\"units\":10,\"judged\":10,\"good\":10,\"problems\":0,\"ms\":8420},{\"units\":10,\"judged\":10," \
    "\"good\":10,\"problems\":0,\"ms\":8780},{\"units\":10,\"judged\":10,\"good\":10,\"problems\":0,\"ms\":9740},{" \
    "\"units\":10,\"judged\":10,\"good\":10,\"problems\":0,\"ms\":9200},{\"units\":10,\"judged\":10,\"good\":9,\"pr" \
    "oblems\":2,\"ms\":9260},{\"units\":10,\"judged\":10,\"good\":10,\"problems\":0,\"ms\":9920},{\"units\":10,\"ju" \
    "dged\":10,\"good\":10,\"problems\":0,\"ms\":9080},{\"units\":10,\"judged\":10,\"good\":10,\"problems\":0,\"ms" \
    "\":8840},{\"units\":10,\"judged\":10,\"good\":10,\"problems\":0,\"ms\":9200},{\"units\":10,\"judged\":10,\"goo" \
    "d\":10,\"problems\":0,\"ms\":10160},{\"units\":10,\"judged\":10,\"good\":9,\"problems\":2,\"ms\":9620},{\"unit" \
    "s\":10,\"judged\":10,\"good\":10,\"problems\":0,\"ms\":9680},{\"units\":10,\"judged\":10,\"good\":10,\"problem" \
    "s\":0,\"ms\":10340}]}"
#define F_2 \
    "{\"fixture\":\"F2\",\"place\":\"\",\"state\":\"stopped\",\"reason\":\"3 failures in a row, the last one: no-ca" \
    "rd\",\"failuresInRow\":0,\"yield\":{\"good\":12,\"units\":20},\"cycles\":88,\"cyclesSinceMaintenance\":88,\"cy" \
    "cleLimit\":0,\"maintenanceDue\":false,\"problems\":{\"resets\":2,\"timeouts\":1},\"provenAt\":\"\",\"all\":{\"" \
    "units\":200,\"judged\":198,\"good\":183,\"problems\":7,\"ms\":8640},\"steps\":[{\"units\":10,\"judged\":8,\"go" \
    "od\":8,\"problems\":0,\"ms\":8000},{\"units\":10,\"judged\":10,\"good\":10,\"problems\":0,\"ms\":8360},{\"unit" \
    "s\":10,\"judged\":10,\"good\":10,\"problems\":0,\"ms\":9320},{\"units\":10,\"judged\":10,\"good\":10,\"problem" \
    "s\":0,\"ms\":8780},{\"units\":10,\"judged\":10,\"good\":10,\"problems\":0,\"ms\":8840},{\"units\":10,\"judged" \
    "\":10,\"good\":10,\"problems\":0,\"ms\":9500},{\"units\":10,\"judged\":10,\"good\":10,\"problems\":0,\"ms\":86" \
    "60},{\"units\":10,\"judged\":10,\"good\":10,\"problems\":0,\"ms\":8420},{\"units\":10,\"judged\":10,\"good\":1" \
    "0,\"problems\":0,\"ms\":8780},{\"units\":10,\"judged\":10,\"good\":10,\"problems\":0,\"ms\":9740},{\"units\":1" \
    "0,\"judged\":10,\"good\":10,\"problems\":0,\"ms\":9200},{\"units\":10,\"judged\":10,\"good\":10,\"problems\":0" \
    ",\"ms\":9260},{\"units\":10,\"judged\":10,\"good\":10,\"problems\":0,\"ms\":9920},{\"units\":10,\"judged\":10," \
    "\"good\":10,\"problems\":0,\"ms\":9080},{\"units\":10,\"judged\":10,\"good\":10,\"problems\":0,\"ms\":8840},{" \
    "\"units\":10,\"judged\":10,\"good\":9,\"problems\":1,\"ms\":9200},{\"units\":10,\"judged\":10,\"good\":8,\"pro" \
    "blems\":4,\"ms\":10160},{\"units\":10,\"judged\":10,\"good\":7,\"problems\":6,\"ms\":9620},{\"units\":10,\"jud" \
    "ged\":10,\"good\":6,\"problems\":4,\"ms\":9680},{\"units\":10,\"judged\":10,\"good\":5,\"problems\":10,\"ms\":" \
    "10340}]}"
#define F_WORST \
    "{\"fixture\":\"\\u202e夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具\",\"place\":\"1-2.4.4.4.4.4.4:255\",\"state\":\"stopped" \
    "\",\"reason\":\"夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具\",\"cyclesSinceMaintenance\":922337203685" \
    "4775807,\"cycleLimit\":9223372036854775807,\"maintenanceDue\":true,\"row\":9223372036854775807,\"column\":-1," \
    "\"provenAt\":\"19700101000000Z\",\"all\":{\"good\":198,\"judged\":198,\"ms\":655350,\"problems\":12600},\"step" \
    "s\":[{},{\"judged\":10,\"good\":0,\"ms\":655350,\"problems\":630},{\"judged\":10,\"good\":10,\"ms\":1}]},"
#define EMPTY_TRENDS \
    "{\"unitsOfAStep\":10,\"limits\":{},\"golden\":[],\"fixtures\":[]}"
#define TRENDS(f) \
    "{\"unitsOfAStep\":10,\"limits\":{\"failures\":3,\"yield\":70,\"units\":20,\"goldenHours\":24},\"golden\":[\"89" \
    "049032000000000000000000000012\"],\"fixtures\":[" f \
    "]}"
#define WORST_TRENDS(f) \
    "{\"golden\":[1,\"\\u001b[2J夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具\"],\"limits\":{\"goldenHours\":9223372" \
    "036854775807},\"fixtures\":[" f \
    "[],{},{\"fixture\":\"夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具\",\"state\":\"\\u0007\",\"reason\":\"x\\ny\",\"cycles\":922337203685" \
    "4775807,\"provenAt\":\"99999999999999Z\",\"all\":{\"good\":-5,\"judged\":9223372036854775807,\"ms\":9223372036" \
    "854775807,\"problems\":-9223372036854775807},\"steps\":[1,{},{\"good\":5,\"judged\":3,\"ms\":-1,\"problems\":9" \
    "223372036854775807},{\"good\":5,\"judged\":7,\"ms\":9223372036854775807,\"problems\":-3}]},{\"steps\":7,\"prov" \
    "enAt\":\"20990101000000Z\"}]}"

static const struct {
    const char *screen;
    const char *list; /* which of its members is repeated; "a.b": of a member's */
    const char *empty, *answer, *worst;
} answers[] = {
    { "stock", "bundles", "{\"total\":{},\"bundles\":[]}",
      "{\"total\":{\"received\":400,\"in-stock\":240,\"reserved\":2,\"loading\":1,\"installed\":150,\"failed\":4,"
      "\"quarantined\":2,\"voided\":1,\"deleted\":0},\"bundles\":[{\"received\":400,\"in-stock\":240,\"installed\":150,"
      "\"failed\":4,\"id\":\"ca13520c-2c8d-4d94-89d7-1bf7f3e6510a\",\"smdp\":\"2.999.10\",\"sequence\":1}]}",
      "{\"total\":{\"received\":-1,\"in-stock\":9223372036854775807,\"installed\":\"x\"},\"bundles\":[1,{},{\"id\":"
      "\"\\u001b[2J夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具\",\"smdp\":{},\"received\":9223372036854775807}]}" },
    { "fixtures", "fixtures", EMPTY_TRENDS, TRENDS(F_1 "," F_2), WORST_TRENDS("") },
    { "fixture", "fixtures", EMPTY_TRENDS, TRENDS(F_1), WORST_TRENDS(F_WORST) },
    { "golden", "golden", EMPTY_TRENDS, TRENDS(F_1 "," F_2), WORST_TRENDS("") },
    { "quarantine", "units", "{\"limit\":3,\"units\":[],\"bpps\":[],\"stranded\":0}",
      "{\"limit\":3,\"units\":[{\"serial\":\"SN-004002\",\"position\":\"main\",\"eid\":\"89049032000000000000000000000012\","
      "\"state\":\"quarantined\",\"code\":\"load-failed\",\"reason\":\"3 visits failed\",\"since\":\"20261130113000Z\","
      "\"fixture\":\"F2\",\"event\":812}],\"bpps\":[{\"iccid\":\"8900101000000000019\",\"transactionId\":\"eb35ced2\","
      "\"serial\":\"\",\"reason\":\"no evidence\",\"since\":\"20261129080000Z\",\"fixture\":\"F7\"}]}",
      "{\"units\":[{},[],{\"serial\":\"夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具\",\"since\":\"99999999999999Z\",\"reason\":"
      "\"\\u202eabc\\u0301\\u0000\"}],\"bpps\":7}" },
    { "unit", "units.events", "{\"units\":[]}",
      "{\"units\":[{\"serial\":\"SN-004711\",\"positions\":[{\"position\":\"main\",\"eid\":\"89049032000000000000000000000012\","
      "\"state\":\"passed\",\"bpps\":[{\"state\":\"installed\"},{\"state\":\"in-stock\"}]}],\"events\":[{\"event\":8,\"at\":"
      "\"20261130122500Z\",\"kind\":\"bpp-moved\",\"actor\":\"Ada Lovelace\",\"fields\":{\"from\":\"loading\",\"to\":"
      "\"installed\",\"fixture\":\"F1\"}},{\"event\":13,\"at\":\"20261130122504Z\",\"kind\":\"position-moved\",\"actor\":"
      "\"Ada Lovelace\",\"fields\":{\"from\":\"open\",\"to\":\"passed\",\"fixture\":\"F1\"}}]}]}",
      "{\"units\":[{\"serial\":{},\"positions\":[1,{},{\"position\":\"夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具\",\"bpps\":"
      "[{},1]},{},{}],\"events\":[{},1,{\"event\":-9223372036854775807,\"at\":\"x\",\"kind\":\"\\u009b\",\"fields\":{\"夹\":"
      "\"\\t\",\"b\":{}}}]}]}" },
    { "orders", "orders", "{\"orders\":[]}",
      "{\"orders\":[{\"order\":\"WO-6\",\"product\":\"Two eUICCs\",\"state\":\"waiting\",\"serials\":\"*\",\"quantity\":10,"
      "\"left\":10,\"event\":4,\"fixtures\":[],\"open\":0,\"passed\":0,\"stocked\":0,\"failed\":0},{\"order\":\"WO-7\","
      "\"product\":\"Meter\",\"state\":\"active\",\"serials\":\"SN-###\",\"quantity\":300,\"left\":181,\"event\":6,\"fixtures\":["
      "{\"fixture\":\"F1\",\"position\":\"\"},{\"fixture\":\"F2\",\"position\":\"main\"}],\"open\":1,\"passed\":119,\"stocked\":0,"
      "\"failed\":3}]}",
      "{\"orders\":[{},[],{\"order\":\"夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具\",\"product\":\"\\u001b[2J\",\"state\":"
      "\"\\u202e\",\"quantity\":-1,\"left\":9223372036854775807,\"passed\":9223372036854775807,\"stocked\":9223372036854775807,"
      "\"fixtures\":[{\"fixture\":\"a very long name of a fixture that is longer than any column of any table is wide\"},1]}]}" },
    { "order", "findings", "{\"order\":\"WO-6\",\"state\":\"waiting\"}",
      "{\"order\":\"WO-6\",\"product\":\"Two eUICCs\",\"state\":\"waiting\",\"serials\":\"*\",\"quantity\":10,\"left\":7,\"event\":4,"
      "\"fixtures\":[{\"fixture\":\"F1\",\"position\":\"\"}],\"open\":0,\"passed\":2,\"stocked\":1,\"failed\":1,\"barcode\":\"order:WO-6\","
      "\"recipes\":[{\"position\":\"left\",\"recipe\":\"load class=test; close\"},{\"position\":\"right\",\"recipe\":\"register\"}],"
      "\"stock\":[{\"position\":\"left\",\"complete\":0,\"profiles\":[{\"profile\":\"class=test\",\"bpps\":0,\"euiccs\":0}]},{\"position\":"
      "\"right\",\"complete\":3,\"profiles\":[]}],\"findings\":[{\"refuses\":true,\"text\":\"position left, profile 1 (class=test): nobody "
      "has delivered one: 0 in stock for 10 units. Import the bundles first, or correct the recipe\"}]}",
      "{\"order\":{},\"state\":\"active\",\"product\":\"夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具\",\"serials\":\"\\u009b\","
      "\"quantity\":9223372036854775807,\"left\":-9223372036854775807,\"recipes\":[1,{},{\"position\":\"x\",\"recipe\":\"load smdp=2.999.10; load "
      "smdp=2.999.11; load smdp=2.999.12; load smdp=2.999.13; load smdp=2.999.14; enable 1; connectivity-check; keep 2; close\"}],"
      "\"stock\":[[],{\"profiles\":[{},7]}],\"findings\":[{},{\"text\":\"\\u001b[31m夹具夹具夹具夹具夹具夹具夹具\"}],\"fixtures\":[1,{}]}" },
    { "shift", "bundles", "{\"shift\":1}",
      "{\"shift\":12,\"name\":\"early\",\"open\":true,\"openedBy\":\"Ada Lovelace\",\"openedAt\":\"20261130060012Z\",\"bundles\":[{\"id\":"
      "\"ca13520c\",\"before\":{\"received\":400,\"in-stock\":358,\"reserved\":0,\"loading\":0,\"installed\":40,\"failed\":2,\"quarantined\":0,"
      "\"voided\":0,\"deleted\":0},\"after\":{\"received\":400,\"in-stock\":240,\"reserved\":2,\"loading\":1,\"installed\":150,\"failed\":4,"
      "\"quarantined\":2,\"voided\":1,\"deleted\":0}}],\"total\":{\"unit\":{\"passed\":109,\"stocked\":0,\"failed\":3},\"bpp\":{\"installed\":110}},"
      "\"operators\":{\"Ada Lovelace\":{\"unit\":{\"passed\":60,\"failed\":3}},\"Bo\":{\"unit\":{\"passed\":49}}}}",
      "{\"shift\":9223372036854775807,\"name\":\"夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具\","
      "\"openedBy\":\"\\u001b]0;x\\u0007\",\"openedAt\":7,\"bundles\":[1,{},{\"before\":{\"received\":9223372036854775807,\"in-stock\":-9223372036854775807},"
      "\"after\":{\"received\":-9223372036854775807,\"in-stock\":9223372036854775807}},{\"after\":{\"in-stock\":9223372036854775807}}],"
      "\"total\":{\"unit\":{\"failed\":-9223372036854775807}},\"operators\":{\"\":{},\"\\u202e夹\":{\"unit\":{\"passed\":9223372036854775807,\"failed\":1}}}}" },
    { "scanners", "scanners", "{\"labels\":[],\"allowed\":[],\"scanners\":[],\"positions\":[]}",
      "{\"scanners\":[{\"place\":\"1-3\",\"fixture\":\"1-2.4\",\"layout\":\"de\",\"suffix\":\"tab\",\"prefix\":\"~\"},{\"place\":\"1-4\","
      "\"fixture\":\"\",\"layout\":\"us\",\"suffix\":\"cr\",\"prefix\":\"\"}]}",
      "{\"scanners\":[{\"place\":\"夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具\",\"fixture\":\"\\u001b[2J\",\"layout\":7},[],{},"
      "{\"place\":\"\",\"prefix\":\"\\u202e\"}]}" },
    { "people", "people", "{\"people\":[]}",
      "{\"people\":[{\"name\":\"Ada Lovelace\",\"role\":\"supervisor\",\"state\":\"active\",\"recoveredEvent\":0},{\"name\":\"Bo\","
      "\"role\":\"operator\",\"state\":\"blocked\",\"recoveredEvent\":0},{\"name\":\"Eve\",\"role\":\"auditor\",\"state\":\"active\","
      "\"recoveredEvent\":812}]}",
      "{\"people\":[{\"name\":\"夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具\",\"role\":\"\\u001b[2J\",\"state\":7},[],{},"
      "{\"name\":{},\"role\":\"operator\",\"recoveredEvent\":9223372036854775807}]}" },
    { "settings", "none", "{\"rules\":{\"required\":false,\"badgeAlone\":false,\"idleMinutes\":30,\"badgePrefix\":\"\"},\"quarantineLimit\":3,"
      "\"fixtureLimits\":{\"failures\":3,\"yield\":70,\"units\":20,\"goldenHours\":0}}",
      "{\"rules\":{\"required\":true,\"badgeAlone\":false,\"idleMinutes\":30,\"badgePrefix\":\"B-\"},\"quarantineLimit\":3,"
      "\"fixtureLimits\":{\"failures\":0,\"yield\":70,\"units\":20,\"goldenHours\":24}}",
      "{\"rules\":{\"required\":7,\"badgeAlone\":{},\"idleMinutes\":9223372036854775807,\"badgePrefix\":\"\\u001b[2J夹具夹具夹具夹具夹具夹具\"},"
      "\"quarantineLimit\":\"\\u202e\",\"fixtureLimits\":[]}" },
    { "log", "events", "{\"events\":[],\"lookedTo\":null,\"chain\":{\"event\":0,\"hash\":\"\"}}",
      "{\"events\":[{\"event\":1313,\"at\":\"20261130122504Z\",\"kind\":\"position-moved\",\"actor\":\"Ada Lovelace\","
      "\"fields\":{\"serial\":\"SN-004711\",\"position\":\"main\",\"from\":\"open\",\"to\":\"passed\"}},{\"event\":1312,\"at\":"
      "\"20261130122504Z\",\"kind\":\"receipt\",\"actor\":\"line\",\"fields\":{\"function\":\"close\"}}],\"lookedTo\":1100,"
      "\"chain\":{\"event\":1313,\"hash\":\"2e48c5aeeac8ff0abcef205b4a5bc3ca999cb54c90bbc214c344b891797ee72f\"}}",
      "{\"events\":[{},[],{\"event\":9223372036854775807,\"at\":\"20261130122504Z夹\",\"kind\":\"夹具夹具夹具夹具夹具夹具夹具夹具\","
      "\"actor\":\"\\u001b]0;x\\u0007\",\"fields\":[]}],\"chain\":[]}" },
    { "import", "containers", "{\"containers\":[],\"more\":false}",
      "{\"containers\":[{\"kind\":\"bpp-bundle\",\"id\":\"ca13520c-2c8d-4d94-89d7-1bf7f3e6510a\",\"container\":"
      "\"/media/stick/bpp-bundle-ca13520c-2c8d-4d94-89d7-1bf7f3e6510a\"},{\"kind\":\"work-order\",\"id\":\"0b1d3f58-2c8d-4d94-"
      "89d7-1bf7f3e6510b\",\"container\":\"/media/stick/work-order-0b1d3f58-2c8d-4d94-89d7-1bf7f3e6510b\"},{\"kind\":\"audit-log\","
      "\"id\":\"1b1d3f58-2c8d-4d94-89d7-1bf7f3e6510c\",\"container\":\"/media/stick/audit-log-1b1d3f58-2c8d-4d94-89d7-1bf7f3e6510c\"}],"
      "\"more\":false}",
      "{\"containers\":[1,{},{\"kind\":\"夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具\",\"id\":\"\\u001b[2J\",\"container\":7},"
      "{\"kind\":\"euicc-data\",\"id\":[]}],\"more\":3}" },
    { "export", "reports", "{\"reports\":[]}",
      "{\"unacknowledged\":1,\"since\":\"20261129180000Z\",\"ageS\":3600,\"reports\":[{\"id\":\"5a13520c-2c8d-4d94-89d7-1bf7f3e6510a\","
      "\"sequence\":2,\"created\":\"20261129180000Z\",\"firstEvent\":400,\"lastEvent\":812,\"state\":\"waiting\",\"ageS\":3600,\"smdps\":[]},"
      "{\"id\":\"4a13520c-2c8d-4d94-89d7-1bf7f3e65109\",\"sequence\":1,\"created\":\"20261128180000Z\",\"firstEvent\":1,\"lastEvent\":399,"
      "\"state\":\"acknowledged\",\"ageS\":0,\"smdps\":[]}]}",
      "{\"reports\":[{},[],{\"id\":\"夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具\",\"sequence\":-9223372036854775807,"
      "\"created\":\"\\u202e\",\"state\":\"夹具夹具夹具夹具夹具夹具\"}]}" },
    { "about", "smdps", "{}",
      "{\"station\":\"ST-1\",\"site\":\"Hall 3\",\"commissioned\":true,\"certificate\":{\"sequence\":1,\"notAfter\":"
      "\"20311127133314Z\",\"daysLeft\":1824},\"smdps\":[\"2.999.10\"],\"schema\":14,\"epoch\":1,\"version\":\"0.1\","
      "\"clock\":{\"machine\":\"20261130122711Z\",\"floor\":\"20261020120000Z\",\"now\":\"20261020120000Z\",\"believed\":false,\"confirmedNow\":false}}",
      "{\"station\":[],\"site\":\"夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具\","
      "\"certificate\":{\"notAfter\":7,\"daysLeft\":-3},\"smdps\":[{},\"\\u0007\"],\"version\":\"\\u001b\"}" },
};

static json_t *parse(const char *text)
{
    json_error_t e;
    json_t *j = json_loads(text, JSON_ALLOW_NUL, &e);

    ck_assert_msg(j != NULL, "%s: %s", e.text, text);
    return j;
}

/* Forty of each in the list. */
static void repeat(json_t *j, const char *list)
{
    char name[32];
    size_t n = strcspn(list, ".");

    snprintf(name, sizeof name, "%.*s", (int)n, list);
    json_t *there = json_object_get(j, name);
    if (list[n] == '.') {
        repeat(json_is_array(there) ? json_array_get(there, 0) : there, list + n + 1);
        return;
    }
    for (size_t i = 0, k = json_array_size(there); i < 40 * k; i++)
        json_array_append(there, json_array_get(there, i % k));
}

json_t *scene_reply(const char *screen, enum scene s)
{
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        if (strcmp(answers[i].screen, screen) != 0)
            continue;
        json_t *j = parse(s == SCENE_EMPTY ? answers[i].empty
                        : s == SCENE_WORST ? answers[i].worst : answers[i].answer);
        if (s == SCENE_FULL)
            repeat(j, answers[i].list);
        return j;
    }
    return NULL;
}

void scene_answer(struct model *m, const char *screen, enum scene s)
{
    json_t *j = scene_reply(screen, s);

    if (!j)
        return;
    json_t *reply = json_pack("{s:i, s:b, s:o}", "id", 1, "ok", 1, "answer", j);
    model_answer(m, screen, reply);
    json_decref(reply);
}

/* For whom a container is, and when it may be imported. */
#include "station/import/accept.h"

#include "tests/unit/support.h"

#include <stdio.h>
#include <string.h>

#define NOW 1795473660
#define US 0x11   /* key ids: 32 octets of this */
#define THEM 0x22
#define DAY 86400

struct row {
    const char *name;
    enum container_kind kind;
    enum recipients_kind to;
    const char *texts[3];  /* sites or parties     */
    int key_ids[3];        /* stations             */
    const char *site;      /* this station's       */
    int64_t created, not_after, now;
    bool confirmed;
    enum err_code want;
    const char *words;
};

#define FRESH .created = NOW - 60, .not_after = NOW + DAY, .now = NOW, \
    .confirmed = true
#define TO_US .kind = KIND_BPP_BUNDLE, .to = RCPT_STATIONS, .key_ids = { US }

static const struct row rows[] = {
    { "our key id", TO_US, FRESH },
    { "one of several", .kind = KIND_BPP_BUNDLE, .to = RCPT_STATIONS,
      .key_ids = { THEM, US }, FRESH },
    { "another's key id", .kind = KIND_BPP_BUNDLE, .to = RCPT_STATIONS,
      .key_ids = { THEM }, FRESH, .want = ERR_TRUST,
      .words = "another station" },
    { "nobody", .kind = KIND_BPP_BUNDLE, .to = RCPT_STATIONS, FRESH,
      .want = ERR_TRUST, .words = "ask its issuer 2.999.10" },
    { "our site", .kind = KIND_BPP_BUNDLE, .to = RCPT_SITE,
      .texts = { "plant-1" }, .site = "plant-1", FRESH },
    { "another site", .kind = KIND_BPP_BUNDLE, .to = RCPT_SITE,
      .texts = { "plant-2" }, .site = "plant-1", FRESH, .want = ERR_TRUST },
    { "the beginning of our site", .kind = KIND_BPP_BUNDLE, .to = RCPT_SITE,
      .texts = { "plant" }, .site = "plant-1", FRESH, .want = ERR_TRUST },
    { "a site, and we have none", .kind = KIND_BPP_BUNDLE, .to = RCPT_SITE,
      .texts = { "" }, .site = "", FRESH, .want = ERR_TRUST },
    { "our id among parties", .kind = KIND_STATION_CERT, .to = RCPT_PARTIES,
      .texts = { "x", "LS-1" }, FRESH },
    { "eUICC data for an SM-DPf of ours", .kind = KIND_EUICC_DATA,
      .to = RCPT_PARTIES, .texts = { "2.999.10" }, FRESH },
    { "eUICC data for another SM-DPf", .kind = KIND_EUICC_DATA,
      .to = RCPT_PARTIES, .texts = { "2.999.77" }, FRESH, .want = ERR_TRUST },
    { "a bundle for an SM-DPf", .kind = KIND_BPP_BUNDLE, .to = RCPT_PARTIES,
      .texts = { "2.999.10" }, FRESH, .want = ERR_TRUST },

    { "in its last second", TO_US, .created = NOW - DAY, .not_after = NOW,
      .now = NOW, .confirmed = true },
    { "a second late", TO_US, .created = NOW - DAY, .not_after = NOW - 1,
      .now = NOW, .confirmed = true, .want = ERR_EXPIRED,
      .words = "was to be imported by" },
    { "late by a clock that is not confirmed", TO_US, .created = NOW - DAY,
      .not_after = NOW - 1, .now = NOW, .confirmed = false,
      .want = ERR_EXPIRED },
    { "made a day ahead", TO_US, .created = NOW + DAY, .not_after = NOW + 2 * DAY,
      .now = NOW, .confirmed = true },
    { "made more than a day ahead", TO_US, .created = NOW + DAY + 1,
      .not_after = NOW + 2 * DAY, .now = NOW, .confirmed = true,
      .want = ERR_EXPIRED, .words = "set the station's clock" },
    /* The floor stands in for a clock that is not believed, and may lie far
     * behind: it cannot say that something comes from the future. */
    { "ahead of a floor", TO_US, .created = NOW + 90 * DAY,
      .not_after = NOW + 91 * DAY, .now = NOW, .confirmed = false },
};
#define ROWS ((int)(sizeof rows / sizeof *rows))

static void fill(struct manifest *m, const struct row *r)
{
    manifest_init(m);
    m->kind = r->kind;
    m->created_at = r->created;
    m->not_after = r->not_after;
    m->recipients.kind = r->to;
    strcpy(m->issuer, "2.999.10");
    for (int i = 0; i < 3 && r->texts[i]; i++)
        ck_assert_int_eq(blobs_add(&m->recipients.list,
                                   SPAN_STR(r->texts[i])), 0);
    for (int i = 0; i < 3 && r->key_ids[i]; i++) {
        uint8_t id[32];
        memset(id, r->key_ids[i], sizeof id);
        ck_assert_int_eq(blobs_add(&m->recipients.list, SPAN_ARRAY(id)), 0);
    }
}

START_TEST(accepts)
{
    const struct row *r = &rows[_i];
    char allowed[1][STATION_TEXT_MAX + 1] = { "2.999.10" };
    struct station s = { .id = "LS-1", .allowed_smdp = allowed,
                         .allowed_smdp_count = 1 };
    struct ledger_clock clock = { .now = r->now, .confirmed = r->confirmed };
    struct err e = ERR_INIT;
    struct manifest m;

    memset(s.key_id, US, sizeof s.key_id);
    if (r->site)
        strcpy(s.site, r->site);
    fill(&m, r);
    int got = accept_manifest(&m, &s, &clock, &e);
    ck_assert_msg(got == (r->want ? -1 : 0) && e.code == r->want,
                  "%s: %d, %s: %s", r->name, got, err_name(e.code), e.msg);
    if (r->words)
        ck_assert_msg(strstr(e.msg, r->words) != NULL, "%s: %s", r->name, e.msg);
    manifest_clear(&m);
}
END_TEST

/* The hash tells lists apart that would be the same octets in a row. */
START_TEST(recipients_hash)
{
    static const struct { enum recipients_kind kind; const char *a, *b; } v[] = {
        { RCPT_SITE, "ab", NULL },   { RCPT_PARTIES, "ab", NULL },
        { RCPT_PARTIES, "a", "b" },  { RCPT_PARTIES, "b", "a" },
        { RCPT_PARTIES, NULL, NULL }, { RCPT_PARTIES, "", "ab" },
        { RCPT_PARTIES, "ab", "" },
    };
    enum { N = sizeof v / sizeof *v };
    uint8_t hash[N][32], again[32];

    for (int i = 0; i < N; i++) {
        struct recipients r = { .kind = v[i].kind };
        if (v[i].a)
            ck_assert_int_eq(blobs_add(&r.list, SPAN_STR(v[i].a)), 0);
        if (v[i].b)
            ck_assert_int_eq(blobs_add(&r.list, SPAN_STR(v[i].b)), 0);
        accept_recipients_hash(&r, hash[i]);
        accept_recipients_hash(&r, again);
        ck_assert_mem_eq(hash[i], again, 32);
        blobs_clear(&r.list);
        for (int j = 0; j < i; j++)
            ck_assert_msg(memcmp(hash[i], hash[j], 32) != 0, "%d and %d", i, j);
    }
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "accepts", accepts, ROWS },
        { "recipients hash", recipients_hash, 1 },
    };

    return run_tests("import accept", tests, sizeof tests / sizeof *tests);
}

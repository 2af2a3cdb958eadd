/* Each check, of stations that are made up: what is well, what is odd, what
 * is bad, and that the two latter say who does what. */
#include "station/doctor/around.h"
#include "tests/unit/support.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NOW 1795473660
#define DAYS(n) ((n) * (int64_t)86400)
#define TIB (1024ull * 1024 * 1024 * 1024)

static struct doctor_cert certs[3];

/* A station that is well, at work since yesterday. */
static struct doctor_seen healthy(void)
{
    certs[0] = (struct doctor_cert){ DOCTOR_OF_STATION, "the station's certificate",
                                     NOW - DAYS(1), NOW + DAYS(400) };
    certs[1] = (struct doctor_cert){ DOCTOR_OF_CI, "CI root 1", NOW - DAYS(1),
                                     NOW + DAYS(9000) };
    certs[2] = (struct doctor_cert){ DOCTOR_OF_SMDP, "SM-DPf 1.2", NOW - DAYS(1),
                                     NOW + DAYS(31) };
    return (struct doctor_seen){
        .limits = doctor_limits_default, .dir = "/data", .self = 7,
        .data = { .is_dir = true, .mode = 0700, .owner = 7 },
        .ledger_file = { .mode = 0600, .owner = 7 },
        .key_file = { .mode = 0600, .owner = 7 },
        .schema = 3, .events = 812, .time = { NOW - 60, NOW, true },
        .machine = NOW, .commissioned = true, .certs = certs, .cert_count = 3,
        .received = 60, .adds_up = true, .free_octets = TIB,
        .free_inodes = 1000000, .inodes_counted = true, .usb_asked = true,
        .slots = 2, .slot_names = "LEFT, RIGHT",
    };
}

static void went_wrong(struct err *e, enum err_code code)
{
    err_set(e, code, "it says why");
}

/* --- what can be odd ------------------------------------------------------------ */

static void well(struct doctor_seen *s) { (void)s; }
static void no_dir(struct doctor_seen *s) { s->data.error = ENOENT; }
static void a_file(struct doctor_seen *s) { s->data.is_dir = false; }
static void other_owner(struct doctor_seen *s) { s->data.owner = 8; }
static void root_looks(struct doctor_seen *s) { s->self = 0; }
static void roots_ledger(struct doctor_seen *s) { s->ledger_file.owner = 0; }
static void dir_group_writes(struct doctor_seen *s) { s->data.mode = 0770; }
static void dir_group_enters(struct doctor_seen *s) { s->data.mode = 0710; }
static void dir_others_read(struct doctor_seen *s) { s->data.mode = 0755; }
static void ledger_written(struct doctor_seen *s) { s->ledger_file.mode = 0666; }
static void ledger_read(struct doctor_seen *s) { s->ledger_file.mode = 0604; }
static void open_damaged(struct doctor_seen *s) { went_wrong(&s->open, ERR_FORMAT); }
static void open_none(struct doctor_seen *s) { went_wrong(&s->open, ERR_NOT_FOUND); }
static void open_busy(struct doctor_seen *s) { went_wrong(&s->open, ERR_BUSY); }
static void open_older(struct doctor_seen *s) { went_wrong(&s->open, ERR_WRONG_STATE); }
static void damaged(struct doctor_seen *s) { went_wrong(&s->damage, ERR_FORMAT); }
static void books_differ(struct doctor_seen *s) { went_wrong(&s->books, ERR_CONFLICT); }
static void no_sum(struct doctor_seen *s) { s->adds_up = false; }
static void no_counts(struct doctor_seen *s) { went_wrong(&s->counts, ERR_IO); }
static void broken(struct doctor_seen *s) { went_wrong(&s->chain, ERR_CONFLICT); }
static void behind(struct doctor_seen *s) { s->machine = s->time.floor - 1; s->time.confirmed = false; }
static void stood_still(struct doctor_seen *s) { s->machine += DAYS(40); s->time.confirmed = false; }
static void new_ledger(struct doctor_seen *s) { s->time.floor = 0; }
static void no_clock(struct doctor_seen *s) { went_wrong(&s->clock, ERR_IO); }
static void one_shift(struct doctor_seen *s) { s->free_octets = s->limits.octets; }
static void under_shift(struct doctor_seen *s) { s->free_octets = s->limits.octets - 1; }
static void nearly_full(struct doctor_seen *s) { s->free_octets = s->limits.octets / 10 - 1; }
static void few_inodes(struct doctor_seen *s) { s->free_inodes = 999; }
static void no_inodes(struct doctor_seen *s) { s->free_inodes = 0; }
static void uncounted(struct doctor_seen *s) { s->free_inodes = 0; s->inodes_counted = false; }
static void no_space_known(struct doctor_seen *s) { went_wrong(&s->space, ERR_IO); }
static void key_read(struct doctor_seen *s) { s->key_file.mode = 0640; }
static void other_key(struct doctor_seen *s) { went_wrong(&s->key, ERR_CONFLICT); }
static void no_cert(struct doctor_seen *s) { s->commissioned = false; s->cert_count = 0; }
static void no_trust(struct doctor_seen *s) { went_wrong(&s->trust, ERR_FORMAT); }
static void days_30(struct doctor_seen *s) { s->time.now = certs[0].not_after - DAYS(30); }
static void days_29(struct doctor_seen *s) { s->time.now = certs[0].not_after - DAYS(30) + 1; }
static void last_second(struct doctor_seen *s) { s->time.now = certs[0].not_after; }
static void expired(struct doctor_seen *s) { s->time.now = certs[0].not_after + 1; }
static void too_early(struct doctor_seen *s) { s->time.now = NOW - DAYS(2); }
static void root_expired(struct doctor_seen *s) { s->certs[1].not_after = NOW - DAYS(3); }
static void root_ends(struct doctor_seen *s) { s->certs[1].not_after = NOW + DAYS(1); }
static void smdp_ends(struct doctor_seen *s) { s->certs[2].not_after = NOW + DAYS(9); }
static void smdp_expired(struct doctor_seen *s) { s->certs[2].not_after = NOW - 1; }
static void no_smdp(struct doctor_seen *s) { s->cert_count = 2; }
static void evidence(struct doctor_seen *s) { s->pending.evidence = 5; s->pending.results = 4; }
static void events_only(struct doctor_seen *s) { s->pending.events = 5; }
static void in_outbox(struct doctor_seen *s) { s->undelivered = 1; }
static void to_acknowledge(struct doctor_seen *s) { s->unacknowledged = (struct reports_open){ .reports = 2, .since = NOW - DAYS(14), .age_s = DAYS(14) }; }
static void unacknowledged(struct doctor_seen *s) { s->unacknowledged = (struct reports_open){ .reports = 1, .since = NOW - DAYS(14) - 1, .age_s = DAYS(14) + 1 }; }
static void never_acknowledged(struct doctor_seen *s) { s->unacknowledged = (struct reports_open){ .never = 3 }; }
static void young(struct doctor_seen *s) { s->backup = (struct backup_need){ .age_s = DAYS(2), .events = 9 }; }
static void never_saved(struct doctor_seen *s) { s->backup = (struct backup_need){ .age_s = DAYS(8), .events = 9, .overdue = true }; }
static void saved(struct doctor_seen *s) { s->backup = (struct backup_need){ true, NOW - DAYS(1), DAYS(1), 1, false }; }
static void saved_long_ago(struct doctor_seen *s) { s->backup = (struct backup_need){ true, NOW - DAYS(9), DAYS(9), 5, true }; }
static void backups_unread(struct doctor_seen *s) { went_wrong(&s->backups, ERR_IO); }
static void in_doubt(struct doctor_seen *s) { s->loading = 1; }
static void at_work(struct doctor_seen *s) { s->loading = 1; s->running = true; }
static void work_and_doubt(struct doctor_seen *s) { at_work(s); s->units_unresolved = 2; }
static void quarantine(struct doctor_seen *s) { s->quarantined = 3; s->units_quarantined = 1; }
static void held(struct doctor_seen *s) { s->units_quarantined = 2; }
static void running(struct doctor_seen *s) { s->running = true; s->pid = 4711; s->slots = 0; }
static void running_who(struct doctor_seen *s) { s->running = true; s->slots = 0; }
static void no_lock(struct doctor_seen *s) { went_wrong(&s->line, ERR_IO); }
static void no_usb(struct doctor_seen *s) { went_wrong(&s->usb, ERR_IO); }
static void no_reader(struct doctor_seen *s) { s->slots = 0; }
static void unplugged(struct doctor_seen *s) { s->absent = 1; around_list_add(s->absent_names, "LEFT"); }
static void bad_reader(struct doctor_seen *s) { s->refused = 1; around_list_add(s->refused_names, "1-4"); }
static void on_network(struct doctor_seen *s) { s->interfaces = 1; around_list_add(s->interface_names, "wlan0"); }
static void network_unknown(struct doctor_seen *s) { went_wrong(&s->network, ERR_IO); }

#define OK DOCTOR_OK
#define WARN DOCTOR_WARN
#define BAD DOCTOR_BAD
static const struct {
    const char *check;
    void (*make)(struct doctor_seen *s);
    enum doctor_verdict verdict;
    const char *what, *next; /* words of it */
} rows[] = {
    { "directory", well, OK, "/data, of user 7, mode 0700", "" },
    { "directory", no_dir, BAD, "/data: No such file", "lineside init" },
    { "directory", a_file, BAD, "is no directory", "--data" },
    { "directory", other_owner, BAD, "belongs to user 8, and this is user 7", "owner" },
    { "directory", root_looks, OK, "of user 7", "" },
    { "directory", roots_ledger, BAD, "the ledger in it to user 0", "chown -R" },
    { "directory", dir_group_writes, BAD, "write the data directory (mode 0770)", "chmod go-w" },
    { "directory", dir_group_enters, OK, "mode 0710", "" },
    { "directory", dir_others_read, WARN, "look into the data directory", "chmod o-rwx" },
    { "directory", ledger_written, BAD, "write the ledger", "chmod go-w" },
    { "directory", ledger_read, WARN, "look into the ledger", "chmod o-rwx" },
    { "ledger", well, OK, "schema 3", "" },
    { "ledger", open_damaged, BAD, "it says why", "keeps a copy" },
    { "ledger", open_none, BAD, "it says why", "name and owner" },
    { "ledger", open_busy, WARN, "nothing in it was looked at", "asks again" },
    { "ledger", open_older, WARN, "nothing in it was looked at", "copies the data directory" },
    { "ledger", damaged, BAD, "it says why", "keeps a copy" },
    { "books", well, OK, "60 BPPs", "" },
    { "books", books_differ, BAD, "it says why", "keeps a copy" },
    { "books", no_sum, BAD, "does not add up", "keeps a copy" },
    { "books", no_counts, BAD, "it says why", "keeps a copy" },
    { "chain", well, OK, "812 events", "" },
    { "chain", broken, BAD, "it says why", "keeps a copy" },
    { "clock", well, OK, "is believed", "" },
    { "clock", new_ledger, OK, "nothing yet", "" },
    { "clock", stood_still, WARN, "not believed", "clock --confirm" },
    { "clock", behind, BAD, "behind the ledger", "sets the machine's clock" },
    { "clock", no_clock, BAD, "it says why", "keeps a copy" },
    { "space", well, OK, "1.0 TiB and 1000000 inodes are free", "" },
    { "space", one_shift, OK, "a shift needs 1.1 GiB", "" },
    { "space", under_shift, WARN, "are free", "before the next shift" },
    { "space", nearly_full, BAD, "within the hour", "stops the line" },
    { "space", few_inodes, WARN, "999 inodes", "before the next shift" },
    { "space", no_inodes, BAD, "0 inodes", "stops the line" },
    { "space", uncounted, OK, "1.0 TiB are free", "" },
    { "space", no_space_known, BAD, "it says why", "disk" },
    { "key", well, OK, "is the certificate's", "" },
    { "key", no_cert, OK, "waits for its certificate", "" },
    { "key", key_read, BAD, "mode 0640", "chmod 600" },
    { "key", other_key, BAD, "it says why", "from a copy" },
    { "station-cert", well, OK, "in 400 days", "" },
    { "station-cert", no_cert, WARN, "no certificate yet", "station-csr" },
    { "station-cert", no_trust, BAD, "it says why", "keeps a copy" },
    { "station-cert", days_30, OK, "in 30 days", "" },
    { "station-cert", days_29, WARN, "in 29 days", "station-csr" },
    { "station-cert", last_second, WARN, "in 0 days", "station-csr" },
    { "station-cert", expired, BAD, "the station's certificate expired", "station-csr" },
    { "station-cert", too_early, BAD, "not valid yet", "lineside clock" },
    { "ci-roots", well, OK, "in 9000 days", "" },
    { "ci-roots", no_cert, OK, "no CI root is known", "" },
    { "ci-roots", root_ends, WARN, "CI root 1 expires", "new root" },
    { "ci-roots", root_expired, BAD, "3 days ago", "new root" },
    { "smdp-certs", well, OK, "SM-DPf 1.2, in 31 days", "" },
    { "smdp-certs", no_smdp, OK, "no SM-DPf has delivered", "" },
    { "smdp-certs", smdp_ends, WARN, "in 9 days", "tells this SM-DPf" },
    { "smdp-certs", smdp_expired, BAD, "1 day ago", "tells this SM-DPf" },
    { "export", well, OK, "has been exported", "" },
    { "export", events_only, OK, "has been exported", "" },
    { "export", evidence, WARN, "5 pieces of evidence wait for export (4 results", "lineside export" },
    { "export", in_outbox, WARN, "1 export did not reach", "lineside export" },
    { "export", no_counts, BAD, "it says why", "keeps a copy" },
    { "reports", well, OK, "every loading-report was acknowledged", "" },
    { "reports", to_acknowledge, OK, "2 loading-reports are to be acknowledged, the oldest for 14 days", "" },
    { "reports", unacknowledged, WARN, "1 loading-report not acknowledged, the oldest for 14 days", "reports --open" },
    { "reports", never_acknowledged, OK, "every loading-report was acknowledged, but for 3 by SM-DPfs that are not on the allow-list", "" },
    { "reports", no_counts, BAD, "it says why", "keeps a copy" },
    { "backup", young, OK, "none yet; the ledger is 2 days old", "" },
    { "backup", never_saved, WARN, "no backup in 8 days and 9 events", "lineside backup" },
    { "backup", saved, OK, "made 1 day ago, 1 event since", "" },
    { "backup", saved_long_ago, WARN, "9 days and 5 events since the last backup", "lineside backup" },
    { "backup", backups_unread, BAD, "it says why", "keeps a copy" },
    { "doubt", well, OK, "nothing is unresolved", "" },
    { "doubt", in_doubt, WARN, "1 BPP and 0 units unresolved", "scans it" },
    { "doubt", at_work, OK, "nothing is unresolved", "" },
    { "doubt", work_and_doubt, WARN, "0 BPPs and 2 units unresolved", "scans it" },
    { "doubt", quarantine, WARN, "3 BPPs and 1 unit in quarantine",
      "lineside quarantine" },
    { "doubt", held, WARN, "0 BPPs and 2 units in quarantine", "a second person" },
    { "doubt", no_counts, BAD, "it says why", "keeps a copy" },
    { "line", well, OK, "no line is running", "" },
    { "line", running, OK, "is running (process 4711)", "" },
    { "line", no_lock, WARN, "not known", "run.lock" },
    { "fixtures", well, OK, "2 slots of readers (LEFT, RIGHT), 0 scanners", "" },
    { "fixtures", running, OK, "the line that runs (process 4711) has the readers", "" },
    { "fixtures", running_who, OK, "the line that runs has the readers", "" },
    { "fixtures", no_usb, WARN, "USB cannot be looked at", "--no-usb" },
    { "fixtures", no_reader, WARN, "no card reader", "plugs a card reader in" },
    { "fixtures", unplugged, WARN, "nothing is plugged in at LEFT", "plugs them in" },
    { "fixtures", bad_reader, WARN, "reader at 1-4", "lineside fixtures" },
    { "network", well, OK, "loopback", "" },
    { "network", on_network, WARN, "wlan0", "off every network" },
    { "network", network_unknown, WARN, "it says why", "connected" },
};
#define ROWS(a) (int)(sizeof(a) / sizeof *(a))

static const struct doctor_check *check_of(const char *name)
{
    for (size_t i = 0; i < doctor_check_count; i++)
        if (strcmp(doctor_checks[i].name, name) == 0)
            return &doctor_checks[i];
    ck_abort_msg("no check %s", name);
    return NULL;
}

START_TEST(verdicts)
{
    struct doctor_seen s = healthy();
    struct doctor_finding f;

    rows[_i].make(&s);
    /* judged whatever applies: doctor_judge is for the page */
    f = (struct doctor_finding){ .verdict = DOCTOR_BAD };
    check_of(rows[_i].check)->judge(&s, &f);
    ck_assert_msg(f.verdict == rows[_i].verdict &&
                  strstr(f.what, rows[_i].what) && strstr(f.next, rows[_i].next),
                  "row %d: %s: %s: %s / %s", _i, rows[_i].check,
                  doctor_verdict_name(f.verdict), f.what, f.next);
    ck_assert_msg((f.verdict == OK) == (f.next[0] == '\0'), "row %d: next: %s",
                  _i, f.next);
}
END_TEST

/* Every check has a row for well, and one that is not ok. */
START_TEST(all_are_tested)
{
    for (size_t i = 0; i < doctor_check_count; i++) {
        bool ok = false, odd = false;
        for (int r = 0; r < ROWS(rows); r++)
            if (strcmp(rows[r].check, doctor_checks[i].name) == 0) {
                ok = ok || rows[r].verdict == OK;
                odd = odd || rows[r].verdict != OK;
            }
        ck_assert_msg(ok && odd, "%s", doctor_checks[i].name);
    }
}
END_TEST

static unsigned judged(const struct doctor_seen *s)
{
    struct doctor_finding f;
    unsigned n = 0;

    for (size_t i = 0; i < doctor_check_count; i++)
        n += doctor_judge(&doctor_checks[i], s, &f);
    return n;
}

START_TEST(what_cannot_be_seen_is_not_judged)
{
    struct doctor_seen s = healthy();

    ck_assert_uint_eq(judged(&s), doctor_check_count);
    s.usb_asked = false;
    ck_assert_uint_eq(judged(&s), doctor_check_count - 1);
    open_damaged(&s);
    ck_assert_uint_eq(judged(&s), 5); /* directory ledger space line network */
    no_dir(&s);
    ck_assert_uint_eq(judged(&s), 2); /* directory network */
}
END_TEST

START_TEST(control_characters_are_harmless)
{
    struct doctor_seen s = healthy();
    struct doctor_finding f;

    err_set(&s.chain, ERR_FORMAT, "event \x1b[2J\x07\xff of \xc2\x9b" "1m \xc3\xa4");
    ck_assert(doctor_judge(check_of("chain"), &s, &f));
    ck_assert_msg(strstr(f.what, "event ?[2J?? of ") && strstr(f.what, "\xc3\xa4"),
                  "%s", f.what);
    for (const char *p = f.what; *p; p++)
        ck_assert_msg((unsigned char)*p >= 0x20, "%s", f.what);
    ck_assert_ptr_null(strstr(f.what, "\xc2\x9b"));
}
END_TEST

START_TEST(lists_are_cut)
{
    doctor_list list = "";
    char name[20];

    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "1-2.%d", i);
        around_list_add(list, name);
    }
    size_t n = strlen(list);
    ck_assert_uint_le(n, DOCTOR_LIST_MAX);
    ck_assert_msg(strncmp(list, "1-2.0, 1-2.1, ", 14) == 0 &&
                  strcmp(list + n - 5, ", ...") == 0, "%s", list);
    list[0] = '\0';
    char longest[400];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    around_list_add(list, longest);
    around_list_add(list, "y");
    ck_assert_msg(strncmp(list, "...", 3) == 0, "%s", list);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "verdicts", verdicts, ROWS(rows) },
        { "all are tested", all_are_tested, 1 },
        { "not judged", what_cannot_be_seen_is_not_judged, 1 },
        { "control characters", control_characters_are_harmless, 1 },
        { "lists", lists_are_cut, 1 },
    };

    return run_tests("doctor/checks", tests, sizeof tests / sizeof *tests);
}

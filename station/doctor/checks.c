/* The checks, in the order of the page: what the station stands on first. */
#include "station/doctor/doctor.h"

#include "station/base/clock.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DAY_S 86400

static const char keep_it[] =
    "A line engineer stops the line and keeps a copy of the data directory as "
    "it is; then a supervisor shows it to whoever looks after the software.";

const char *doctor_verdict_name(enum doctor_verdict v)
{
    static const char *const names[] = { "ok", "warn", "bad" };

    return names[v];
}

/* --- saying ------------------------------------------------------------------------- */

static void say(struct doctor_finding *f, enum doctor_verdict v,
                const char *next, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static void say(struct doctor_finding *f, enum doctor_verdict v,
                const char *next, const char *fmt, ...)
{
    char what[sizeof f->what];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    f->verdict = v;
    text_plain(what, f->what, sizeof f->what - 1);
    text_plain(next, f->next, sizeof f->next - 1);
}

static void figure(struct doctor_finding *f, const char *name, int64_t value)
{
    if (f->figure_count < DOCTOR_FIGURES) {
        f->figures[f->figure_count].name = name;
        f->figures[f->figure_count++].value = value;
    }
}

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

/* The calls that fail for want of the machine's help say so themselves. */
static bool failed(struct doctor_finding *f, const struct err *e,
                   const char *next)
{
    if (e->code == ERR_NONE)
        return false;
    say(f, DOCTOR_BAD, next, "%s", e->msg);
    return true;
}

static bool opened(const struct doctor_seen *s)
{
    return s->open.code == ERR_NONE;
}

static bool directory_there(const struct doctor_seen *s)
{
    return s->data.error == 0 && s->data.is_dir;
}

/* --- files -------------------------------------------------------------------------- */

static bool mode_bad(const char *what, const struct doctor_file *file,
                     struct doctor_finding *f)
{
    if (!(file->mode & 022))
        return false;
    say(f, DOCTOR_BAD, "Whoever administers this machine runs chmod go-w on it, "
        "and finds out who has been there.", "others than the station's user may "
        "write %s (mode %04o)", what, file->mode);
    return true;
}

static bool mode_open(const char *what, const struct doctor_file *file,
                      struct doctor_finding *f)
{
    if (!(file->mode & 07))
        return false;
    say(f, DOCTOR_WARN, "Whoever administers this machine runs chmod o-rwx on "
        "it.", "everybody on this machine may look into %s (mode %04o)", what,
        file->mode);
    return true;
}

static void judge_directory(const struct doctor_seen *s, struct doctor_finding *f)
{
    const struct doctor_file *d = &s->data, *l = &s->ledger_file;

    if (d->error || !d->is_dir) {
        say(f, DOCTOR_BAD, "A line engineer checks the name given by --data or "
            "LINESIDE_DATA; a new station is made with `lineside init`.",
            d->error ? "%s: %s" : "%s%s", s->dir,
            d->error ? strerror(d->error) : " is no directory");
        return;
    }
    figure(f, "ownerUid", d->owner);
    if (s->self != 0 && d->owner != s->self)
        say(f, DOCTOR_BAD, "A line engineer runs lineside as the directory's "
            "owner; else whoever administers this machine runs chown -R.",
            "%s belongs to user %u, and this is user %u", s->dir, d->owner,
            s->self);
    else if (l->error == 0 && l->owner != d->owner)
        say(f, DOCTOR_BAD, "Whoever administers this machine gives all of the "
            "directory to the station's user (chown -R).",
            "%s belongs to user %u, the ledger in it to user %u", s->dir,
            d->owner, l->owner);
    else if (!mode_bad("the data directory", d, f) &&
             !(l->error == 0 && mode_bad("the ledger", l, f)) &&
             !mode_open("the data directory", d, f) &&
             !(l->error == 0 && mode_open("the ledger", l, f)))
        say(f, DOCTOR_OK, "", "%s, of user %u, mode %04o", s->dir, d->owner,
            d->mode);
}

static void judge_ledger(const struct doctor_seen *s, struct doctor_finding *f)
{
    if (s->open.code == ERR_WRONG_STATE) {
        say(f, DOCTOR_WARN, "A line engineer copies the data directory while "
            "nothing runs, then runs any other command, such as `lineside "
            "stock`, and asks the doctor again.", "%s; nothing in it was looked "
            "at", s->open.msg);
        return;
    }
    if (s->open.code == ERR_BUSY) {
        say(f, DOCTOR_WARN, "A line engineer asks again when the other command "
            "is done.", "%s; nothing in it was looked at", s->open.msg);
        return;
    }
    if (s->open.code == ERR_NOT_FOUND || s->open.code == ERR_IO) {
        say(f, DOCTOR_BAD, "A line engineer checks the data directory's name and "
            "owner; without a ledger nothing can be loaded.", "%s", s->open.msg);
        return;
    }
    if (failed(f, &s->open, keep_it) || failed(f, &s->damage, keep_it))
        return;
    figure(f, "schema", s->schema);
    say(f, DOCTOR_OK, "", "opens, schema %d; SQLite finds its file in order",
        s->schema);
}

static void judge_books(const struct doctor_seen *s, struct doctor_finding *f)
{
    if (failed(f, &s->books, keep_it) || failed(f, &s->counts, keep_it))
        return;
    figure(f, "received", (int64_t)s->received);
    if (!s->adds_up)
        say(f, DOCTOR_BAD, keep_it, "the balance does not add up; `lineside "
            "stock` shows where");
    else
        say(f, DOCTOR_OK, "", "%" PRIu64 " BPP%s received; counted again from "
            "every BPP and every event, the balance is the same", s->received,
            plural(s->received));
}

static void judge_chain(const struct doctor_seen *s, struct doctor_finding *f)
{
    if (failed(f, &s->chain, keep_it))
        return;
    figure(f, "events", (int64_t)s->events);
    say(f, DOCTOR_OK, "", "%" PRIu64 " event%s, each bound to the one before it",
        s->events, plural(s->events));
}

/* --- clock ---------------------------------------------------------------------------- */

static void judge_clock(const struct doctor_seen *s, struct doctor_finding *f)
{
    int64_t behind = s->time.floor - s->machine;
    char machine[24], floor[24];

    if (failed(f, &s->clock, keep_it))
        return;
    clock_text(s->machine, machine);
    clock_text(s->time.floor, floor);
    figure(f, "machineUnixS", s->machine);
    figure(f, "floorUnixS", s->time.floor);
    figure(f, "believed", s->time.confirmed);
    if (behind > 0)
        say(f, DOCTOR_BAD, "A line engineer sets the machine's clock; it may not "
            "be behind what the ledger has seen.", "the machine's clock says %s "
            "and is behind the ledger, which has seen %s", machine, floor);
    else if (!s->time.confirmed)
        say(f, DOCTOR_WARN, "A line engineer compares it with a clock they "
            "trust, sets it if it is wrong, and runs `lineside clock --confirm`.",
            "the machine's clock says %s and is not believed: the ledger has "
            "seen nothing since %s", machine, floor);
    else if (s->time.floor == 0)
        say(f, DOCTOR_OK, "", "the machine's clock says %s; the ledger has seen "
            "nothing yet", machine);
    else
        say(f, DOCTOR_OK, "", "the machine's clock says %s and is believed; the "
            "ledger has seen %s", machine, floor);
}

/* --- space ---------------------------------------------------------------------------- */

static char *octets_text(uint64_t n, char out[32])
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
    double v = (double)n;
    size_t u = 0;

    while (v >= 1024 && u + 1 < sizeof units / sizeof *units) {
        v /= 1024;
        u++;
    }
    snprintf(out, 32, u ? "%.1f %s" : "%.0f %s", v, units[u]);
    return out;
}

static enum doctor_verdict enough(uint64_t have, uint64_t shift)
{
    return have >= shift ? DOCTOR_OK
         : have >= shift / DOCTOR_SHIFT_PART ? DOCTOR_WARN : DOCTOR_BAD;
}

static void judge_space(const struct doctor_seen *s, struct doctor_finding *f)
{
    char have[32], need[32], inodes[64] = "";

    if (failed(f, &s->space, "Whoever administers this machine looks at its disk "
               "and its system log."))
        return;
    enum doctor_verdict v = enough(s->free_octets, s->limits.octets);
    octets_text(s->free_octets, have);
    octets_text(s->limits.octets, need);
    figure(f, "freeOctets", (int64_t)s->free_octets);
    figure(f, "shiftOctets", (int64_t)s->limits.octets);
    if (s->inodes_counted) {
        enum doctor_verdict i = enough(s->free_inodes, s->limits.inodes);
        if (i > v)
            v = i;
        figure(f, "freeInodes", (int64_t)s->free_inodes);
        figure(f, "shiftInodes", (int64_t)s->limits.inodes);
        snprintf(inodes, sizeof inodes, " and %" PRIu64 " inodes",
                 s->free_inodes);
    }
    say(f, v, v == DOCTOR_OK ? ""
        : v == DOCTOR_WARN ? "Whoever administers this machine makes room on the "
          "data directory's disk before the next shift, never in the data "
          "directory itself."
        : "A line engineer stops the line; whoever administers this machine makes "
          "room on the data directory's disk, never in the data directory itself.",
        "%s%s are free; a shift needs %s%s", have, inodes, need,
        v == DOCTOR_BAD ? ", and this may be used up within the hour" : "");
}

/* --- key and certificates --------------------------------------------------------------- */

static void judge_key(const struct doctor_seen *s, struct doctor_finding *f)
{
    if (s->key_file.error == 0 && s->key_file.mode & 077)
        say(f, DOCTOR_BAD, "Whoever administers this machine runs chmod 600 on "
            "station.key; a line engineer tells the Device Manufacturer's "
            "authority, since others may have the key.", "others than the "
            "station's user may use its key (mode %04o)", s->key_file.mode);
    else if (!failed(f, &s->key, "A line engineer puts the station's own key back "
                     "from a copy; without it nothing can be exported."))
        say(f, DOCTOR_OK, "", "the station's key is there, for its owner alone, "
            "and %s", s->commissioned ? "is the certificate's"
                                      : "waits for its certificate");
}

static int64_t days_left(int64_t until, int64_t now)
{
    int64_t s = until - now;

    return s >= 0 ? s / DAY_S : -((-s + DAY_S - 1) / DAY_S);
}

/* The first to expire stands for all of them. */
static const struct doctor_cert *first_to_expire(const struct doctor_seen *s,
                                                 enum doctor_holder of,
                                                 size_t *n)
{
    const struct doctor_cert *first = NULL;

    *n = 0;
    for (size_t i = 0; i < s->cert_count; i++)
        if (s->certs[i].of == of) {
            ++*n;
            if (!first || s->certs[i].not_after < first->not_after)
                first = &s->certs[i];
        }
    return first;
}

static const struct doctor_cert *not_valid_yet(const struct doctor_seen *s,
                                               enum doctor_holder of)
{
    for (size_t i = 0; i < s->cert_count; i++)
        if (s->certs[i].of == of && s->certs[i].not_before > s->time.now)
            return &s->certs[i];
    return NULL;
}

static void judge_certs(const struct doctor_seen *s, enum doctor_holder of,
                        const char *next, const char *none,
                        struct doctor_finding *f)
{
    size_t n;
    const struct doctor_cert *c = first_to_expire(s, of, &n), *early;
    char until[24];

    if (failed(f, &s->trust, keep_it))
        return;
    figure(f, "certificates", (int64_t)n);
    if (!c) {
        say(f, DOCTOR_OK, "", "%s", none);
        return;
    }
    int64_t days = days_left(c->not_after, s->time.now);
    clock_text(c->not_after, until);
    figure(f, "daysLeft", days);
    if (c->not_after < s->time.now)
        say(f, DOCTOR_BAD, next, "%s expired on %s, by the ledger's clock %lld "
            "day%s ago", c->name, until, (long long)-days,
            plural((uint64_t)-days));
    else if ((early = not_valid_yet(s, of)) != NULL)
        say(f, DOCTOR_BAD, "A line engineer looks at the clock first (`lineside "
            "clock`).", "%s is not valid yet by the ledger's clock", early->name);
    else if (days < s->limits.cert_days)
        say(f, DOCTOR_WARN, next, "%s expires on %s, in %lld day%s", c->name,
            until, (long long)days, plural((uint64_t)days));
    else
        say(f, DOCTOR_OK, "", "%zu certificate%s; the first to expire is %s, in "
            "%lld days (%s)", n, plural(n), c->name, (long long)days, until);
}

static void judge_station_cert(const struct doctor_seen *s,
                               struct doctor_finding *f)
{
    static const char next[] = "A line engineer takes `lineside station-csr` to "
        "the Device Manufacturer's authority, and its answer to `lineside "
        "station-cert`.";

    if (s->trust.code == ERR_NONE && !s->commissioned)
        say(f, DOCTOR_WARN, next, "the station has no certificate yet, and can "
            "neither import nor export");
    else
        judge_certs(s, DOCTOR_OF_STATION, next, "no certificate", f);
}

static void judge_ci_roots(const struct doctor_seen *s, struct doctor_finding *f)
{
    judge_certs(s, DOCTOR_OF_CI, "A line engineer asks the Device Manufacturer's "
                "authority for a station-cert with the CI's new root.",
                "no CI root is known before the station has its certificate", f);
}

static void judge_smdp_certs(const struct doctor_seen *s,
                             struct doctor_finding *f)
{
    judge_certs(s, DOCTOR_OF_SMDP, "A supervisor tells this SM-DPf: bundles under "
                "that certificate are refused once it has expired; what is in "
                "stock can be loaded.", "no SM-DPf has delivered yet", f);
}

/* --- what is left to do ------------------------------------------------------------------- */

static void judge_export(const struct doctor_seen *s, struct doctor_finding *f)
{
    static const char next[] = "A line engineer runs `lineside export --to` a "
        "stick, and sends the stick.";

    if (failed(f, &s->counts, keep_it))
        return;
    figure(f, "evidence", (int64_t)s->pending.evidence);
    figure(f, "events", (int64_t)s->pending.events);
    figure(f, "undelivered", (int64_t)s->undelivered);
    if (s->undelivered)
        say(f, DOCTOR_WARN, next, "%" PRIu64 " export%s did not reach a medium; "
            "%" PRIu64 " piece%s of evidence are in no export", s->undelivered,
            plural(s->undelivered), s->pending.evidence,
            plural(s->pending.evidence));
    else if (s->pending.evidence)
        say(f, DOCTOR_WARN, next, "%" PRIu64 " piece%s of evidence wait%s for "
            "export (%" PRIu64 " result%s, %" PRIu64 " failure%s)",
            s->pending.evidence, plural(s->pending.evidence),
            s->pending.evidence == 1 ? "s" : "", s->pending.results,
            plural(s->pending.results), s->pending.failures,
            plural(s->pending.failures));
    else
        say(f, DOCTOR_OK, "", "all evidence has been exported");
}

static void judge_reports(const struct doctor_seen *s, struct doctor_finding *f)
{
    const struct reports_open *r = &s->unacknowledged;
    int64_t days = r->age_s / DAY_S;

    if (failed(f, &s->counts, keep_it))
        return;
    figure(f, "unacknowledged", (int64_t)r->reports);
    figure(f, "oldestDays", days);
    figure(f, "neverAcknowledged", (int64_t)r->never);
    if (r->reports && r->age_s > (int64_t)s->limits.receipt_days * DAY_S)
        say(f, DOCTOR_WARN, "`lineside reports --open` says whose receipts are "
            "missing; a line engineer asks these SM-DPfs, and writes a report that "
            "did not arrive once more: `lineside export --again ID`.",
            "%" PRIu64 " loading-report%s not acknowledged, the oldest for %" PRId64
            " day%s", r->reports, plural(r->reports), days, plural((uint64_t)days));
    else if (r->reports)
        say(f, DOCTOR_OK, "", "%" PRIu64 " loading-report%s to be acknowledged, the "
            "oldest for %" PRId64 " day%s", r->reports, r->reports == 1 ? " is" : "s are",
            days, plural((uint64_t)days));
    else if (r->never)
        say(f, DOCTOR_OK, "", "every loading-report was acknowledged, but for %" PRIu64
            " by SM-DPfs that are not on the allow-list any more", r->never);
    else
        say(f, DOCTOR_OK, "", "every loading-report was acknowledged");
}

static void judge_backup(const struct doctor_seen *s, struct doctor_finding *f)
{
    const struct backup_need *b = &s->backup;
    int64_t days = b->age_s / DAY_S;

    if (failed(f, &s->backups, keep_it))
        return;
    figure(f, "epoch", (int64_t)s->epoch);
    figure(f, "ageDays", days);
    figure(f, "events", (int64_t)b->events);
    if (b->overdue)
        say(f, DOCTOR_WARN, "A line engineer makes one: `lineside backup --to "
            "STICK`; the line may run meanwhile.", b->any
            ? "%" PRId64 " days and %" PRIu64 " events since the last backup"
            : "no backup in %" PRId64 " days and %" PRIu64 " events", days, b->events);
    else if (b->any)
        say(f, DOCTOR_OK, "", "made %" PRId64 " day%s ago, %" PRIu64 " event%s "
            "since", days, plural((uint64_t)days), b->events, plural(b->events));
    else
        say(f, DOCTOR_OK, "", "none yet; the ledger is %" PRId64 " day%s old",
            days, plural((uint64_t)days));
}

static void judge_doubt(const struct doctor_seen *s, struct doctor_finding *f)
{
    /* While a line runs, a load under way is no load in doubt. */
    uint64_t loading = s->running ? 0 : s->loading;

    if (failed(f, &s->counts, keep_it))
        return;
    figure(f, "unresolvedUnits", (int64_t)s->units_unresolved);
    figure(f, "loading", (int64_t)s->loading);
    figure(f, "quarantined", (int64_t)s->quarantined);
    figure(f, "quarantinedUnits", (int64_t)s->units_quarantined);
    if (loading || s->units_unresolved)
        say(f, DOCTOR_WARN, "An operator puts each of these units into a fixture "
            "and scans it: the card decides; `lineside stock` lists them.",
            "%" PRIu64 " BPP%s and %" PRIu64 " unit%s unresolved, %" PRIu64
            " BPP%s and %" PRIu64 " unit%s in quarantine", loading,
            plural(loading), s->units_unresolved, plural(s->units_unresolved),
            s->quarantined, plural(s->quarantined), s->units_quarantined,
            plural(s->units_quarantined));
    else if (s->quarantined || s->units_quarantined)
        say(f, DOCTOR_WARN, "`lineside quarantine` says why; a line engineer and "
            "a second person decide what becomes of them.",
            "%" PRIu64 " BPP%s and %" PRIu64 " unit%s in quarantine",
            s->quarantined, plural(s->quarantined), s->units_quarantined,
            plural(s->units_quarantined));
    else
        say(f, DOCTOR_OK, "", "nothing is unresolved or in quarantine");
}

/* --- line, fixtures, network ---------------------------------------------------------------- */

static char *pid_text(const struct doctor_seen *s, char out[32])
{
    out[0] = '\0';
    if (s->pid > 0)
        snprintf(out, 32, " (process %ld)", s->pid);
    return out;
}

static void judge_line(const struct doctor_seen *s, struct doctor_finding *f)
{
    char pid[32];

    if (s->line.code != ERR_NONE) {
        say(f, DOCTOR_WARN, "Whoever administers this machine lets the station's "
            "user read run.lock.", "whether a line runs is not known: %s",
            s->line.msg);
        return;
    }
    figure(f, "running", s->running);
    if (s->running)
        say(f, DOCTOR_OK, "", "a line is running%s", pid_text(s, pid));
    else
        say(f, DOCTOR_OK, "", "no line is running");
}

static bool usb_asked(const struct doctor_seen *s)
{
    return s->usb_asked;
}

static void judge_fixtures(const struct doctor_seen *s, struct doctor_finding *f)
{
    char pid[32];

    if (s->running) {
        say(f, DOCTOR_OK, "", "the line that runs%s has the readers, and they "
            "were left alone; `lineside ctl snapshot` shows them",
            pid_text(s, pid));
        return;
    }
    if (s->usb.code != ERR_NONE) {
        say(f, DOCTOR_WARN, "Whoever administers this machine lets the station's "
            "user at USB, if it has readers there; else ask with --no-usb.",
            "USB cannot be looked at: %s", s->usb.msg);
        return;
    }
    figure(f, "slots", s->slots);
    figure(f, "scanners", s->scanners);
    figure(f, "refused", s->refused);
    figure(f, "absent", s->absent);
    if (s->absent)
        say(f, DOCTOR_WARN, "A line engineer plugs them in, or takes their names "
            "away with `lineside fixtures`.", "nothing is plugged in at %s; %u "
            "slot%s of readers can be used", s->absent_names, s->slots,
            plural(s->slots));
    else if (s->refused)
        say(f, DOCTOR_WARN, "A line engineer runs `lineside fixtures`, which says "
            "why, and changes the reader.", "the reader at %s cannot be used",
            s->refused_names);
    else if (!s->slots)
        say(f, DOCTOR_WARN, "A line engineer plugs a card reader in, and looks at "
            "`lineside fixtures`.", "no card reader of this station is plugged in");
    else
        say(f, DOCTOR_OK, "", "%u slot%s of readers (%s), %u scanner%s",
            s->slots, plural(s->slots), s->slot_names, s->scanners,
            plural(s->scanners));
}

static void judge_network(const struct doctor_seen *s, struct doctor_finding *f)
{
    if (s->network.code != ERR_NONE) {
        say(f, DOCTOR_WARN, "Whoever administers this machine looks whether it is "
            "connected to anything.", "not known: %s", s->network.msg);
        return;
    }
    figure(f, "interfaces", s->interfaces);
    if (s->interfaces)
        say(f, DOCTOR_WARN, "Whoever administers this machine takes it off every "
            "network: a station is air-gapped.", "up besides loopback: %s",
            s->interface_names);
    else
        say(f, DOCTOR_OK, "", "none is up but loopback");
}

/* --- the table --------------------------------------------------------------------------- */

const struct doctor_check doctor_checks[] = {
    { "directory", NULL, judge_directory },
    { "ledger", directory_there, judge_ledger },
    { "books", opened, judge_books },
    { "chain", opened, judge_chain },
    { "clock", opened, judge_clock },
    { "space", directory_there, judge_space },
    { "key", opened, judge_key },
    { "station-cert", opened, judge_station_cert },
    { "ci-roots", opened, judge_ci_roots },
    { "smdp-certs", opened, judge_smdp_certs },
    { "export", opened, judge_export },
    { "reports", opened, judge_reports },
    { "backup", opened, judge_backup },
    { "doubt", opened, judge_doubt },
    { "line", directory_there, judge_line },
    { "fixtures", usb_asked, judge_fixtures },
    { "network", NULL, judge_network },
};
const size_t doctor_check_count = sizeof doctor_checks / sizeof *doctor_checks;

bool doctor_judge(const struct doctor_check *c, const struct doctor_seen *s,
                  struct doctor_finding *out)
{
    if (c->applies && !c->applies(s))
        return false;
    *out = (struct doctor_finding){ .verdict = DOCTOR_OK };
    c->judge(s, out);
    return true;
}

/* What the ledger says, read once through a connection that may not write. */
#include "station/doctor/around.h"

#include "station/base/clock.h"
#include "station/identity/identity.h"
#include "station/ifpp/cert.h"
#include "station/report/report.h"
#include "storage/queries.h"
#include "storage/station.h"
#include "storage/unit_list.h"

#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const struct doctor_limits doctor_limits_default = {
    DOCTOR_SHIFT_OCTETS, DOCTOR_SHIFT_INODES, DOCTOR_CERT_DAYS,
    DOCTOR_RECEIPT_DAYS
};

void doctor_clear(struct doctor_seen *s)
{
    free(s->certs);
    s->certs = NULL;
    s->cert_count = 0;
}

/* --- certificates -------------------------------------------------------------------- */

static int time_of(const ASN1_TIME *t, int64_t *out)
{
    struct tm tm;

    if (ASN1_TIME_to_tm(t, &tm) != 1)
        return -1;
    *out = (int64_t)timegm(&tm);
    return 0;
}

static int add_cert(struct doctor_seen *s, enum doctor_holder of,
                    const char *name, X509 *x, struct err *e)
{
    struct doctor_cert *v = realloc(s->certs, (s->cert_count + 1) * sizeof *v);

    if (!v)
        return err_set(e, ERR_NOMEM, "no memory for the certificates");
    s->certs = v;
    struct doctor_cert *c = &v[s->cert_count];
    *c = (struct doctor_cert){ .of = of };
    snprintf(c->name, sizeof c->name, "%s", name);
    if (time_of(X509_get0_notBefore(x), &c->not_before) != 0 ||
        time_of(X509_get0_notAfter(x), &c->not_after) != 0)
        return err_set(e, ERR_FORMAT, "%s: its times cannot be read", name);
    s->cert_count++;
    return 0;
}

/* The leaf bears the name; those above it are what it hangs on. */
static int add_chain(struct doctor_seen *s, enum doctor_holder of,
                     const char *name, struct span der, struct err *e)
{
    AUTO(cert_stack_free) STACK_OF(X509) *chain = NULL;
    char above[128]; /* "an issuer of " and at most 95 more */

    if (cert_chain_decode(der, &chain, e) != 0)
        return err_wrap(e, "%s", name);
    snprintf(above, sizeof above, "an issuer of %.95s", name);
    for (int i = 0; i < sk_X509_num(chain); i++)
        if (add_cert(s, of, i ? above : name, sk_X509_value(chain, i), e) != 0)
            return -1;
    return 0;
}

struct smdp_walk {
    struct doctor_seen *seen;
    const char *name;
};

static int on_dp_chain(void *ctx, struct span der, struct err *e)
{
    struct smdp_walk *w = ctx;

    return add_chain(w->seen, DOCTOR_OF_SMDP, w->name, der, e);
}

/* Of SM-DPfs this station may still take bundles from: an SM-DPf that was
 * given up may let its certificate expire. */
static int look_at_smdps(struct db *db, const struct station *st,
                         struct doctor_seen *s, struct err *e)
{
    char name[96];
    struct smdp_walk w = { s, name };

    for (size_t i = 0; i < st->allowed_smdp_count; i++) {
        snprintf(name, sizeof name, "the certificate of SM-DPf %.63s", st->allowed_smdp[i]);
        if (bundle_dp_chains(db, st->allowed_smdp[i], on_dp_chain, &w, e) != 0)
            return -1;
    }
    return 0;
}

static int look_at_roots(const struct station *st, struct doctor_seen *s,
                         struct err *e)
{
    char name[32];

    for (size_t i = 0; i < st->ci_root_count; i++) {
        snprintf(name, sizeof name, "CI root %zu", i + 1);
        if (add_chain(s, DOCTOR_OF_CI, name, buf_span(&st->ci_roots[i]), e) != 0)
            return -1;
    }
    return 0;
}

static void look_at_key(const char *data_dir, const struct station *st,
                        struct doctor_seen *s)
{
    struct identity self;
    uint8_t id[32];

    if (identity_open(data_dir, buf_span(&st->chain), &self, &s->key) != 0)
        return;
    if (identity_key_id(&self, id, &s->key) == 0 &&
        memcmp(id, st->key_id, sizeof id) != 0)
        err_set(&s->key, ERR_CONFLICT, "%s is not the key that this ledger was "
                "made with", IDENTITY_KEY_FILE);
    identity_close(&self);
}

static int look_at_certs(struct db *db, const struct station *st,
                         struct doctor_seen *s, struct err *e)
{
    return add_chain(s, DOCTOR_OF_STATION, "the station's certificate",
                     buf_span(&st->chain), e) != 0 ||
           add_chain(s, DOCTOR_OF_STATION, "the Device Manufacturer's root",
                     buf_span(&st->dm_root), e) != 0 ||
           (st->recovery.n &&
            add_chain(s, DOCTOR_OF_STATION, "the recovery certificate",
                      buf_span(&st->recovery), e) != 0) ||
           look_at_roots(st, s, e) != 0 || look_at_smdps(db, st, s, e) != 0
         ? -1 : 0;
}

static void look_at_trust(struct db *db, const char *data_dir,
                          struct doctor_seen *s)
{
    struct station st;

    station_init_empty(&st);
    if (station_get(db, &st, &s->trust) != 0) {
        s->key = s->trust;
        return;
    }
    s->commissioned = st.commissioned;
    s->epoch = st.epoch;
    look_at_key(data_dir, &st, s);
    if (st.commissioned)
        look_at_certs(db, &st, s, &s->trust);
    station_clear(&st);
}

/* --- books ----------------------------------------------------------------------------- */

static void look_at_counts(struct db *db, const char *data_dir,
                           struct doctor_seen *s)
{
    struct report_list waiting = { NULL, 0 };
    struct stock_overview o = { .total.received = 0 };
    uint64_t positions[POSITION_STATES];

    if (query_overview(db, &o, &s->counts) != 0)
        return;
    s->received = o.total.received;
    s->loading = o.total.by_state[BPP_LOADING];
    s->quarantined = o.total.by_state[BPP_QUARANTINED];
    s->pending = o.pending;
    s->unacknowledged = o.unacknowledged;
    s->adds_up = stock_balance_ok(&o.total);
    for (size_t i = 0; i < o.bundles.n; i++)
        s->adds_up = s->adds_up && stock_balance_ok(&o.bundles.v[i].b);
    stock_overview_clear(&o);
    if (units_count(db, NULL, positions, &s->counts) == 0) {
        s->units_unresolved = positions[POSITION_UNRESOLVED];
        s->units_quarantined = positions[POSITION_QUARANTINED];
    }
    if (report_waiting(db, data_dir, &waiting, &s->counts) == 0)
        s->undelivered = waiting.n;
    report_list_clear(&waiting);
}

static void look_at_ledger(struct db *db, const char *data_dir,
                           struct doctor_seen *s)
{
    struct event_head head = { .number = 0 };

    schema_version(db, &s->schema, &s->damage);
    if (s->damage.code == ERR_NONE)
        db_quick_check(db, &s->damage);
    query_cross_check(db, &s->books);
    if (event_verify(db, &head, &s->chain) == 0)
        s->events = head.number;
    ledger_clock(db, &s->time, &s->clock);
    backup_needed(db, &s->backup, &s->backups);
    look_at_counts(db, data_dir, s);
    look_at_trust(db, data_dir, s);
}

/* --- all ---------------------------------------------------------------------------------- */

static void look_at_usb(struct db *db, struct doctor_seen *s)
{
    AUTO(places_clear) struct places said = { NULL, 0, NULL, 0 };

    if (db && places_get(db, &said, &s->usb) != 0)
        return;
    around_usb(&said, s);
}

void doctor_look(const struct doctor_ask *ask, struct doctor_seen *out)
{
    struct db_options o = ask->db ? *ask->db : (struct db_options){ .vfs = NULL };
    AUTO(db_close_p) struct db *db = NULL;

    *out = (struct doctor_seen){ .limits = ask->limits, .usb_asked = ask->usb };
    o.as_is = true; /* a doctor migrates nothing */
    out->machine = o.now ? o.now() : clock_system();
    around_files(ask->data_dir, out);
    around_network(out);
    if (out->data.error == 0 && out->data.is_dir) {
        around_space(ask->data_dir, out);
        around_line(ask->data_dir, out);
    }
    if (db_open(ask->data_dir, DB_READ, &o, &db, &out->open) == 0)
        look_at_ledger(db, ask->data_dir, out);
    if (ask->usb && !out->running)
        look_at_usb(db, out);
}

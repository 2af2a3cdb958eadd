/* station-csr out, station-cert in. */
#include "station/cmd/cmd.h"

#include "station/base/clock.h"
#include "station/identity/identity.h"
#include "station/import/import.h"
#include "storage/events.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CSR_VALID_S (31 * 86400ll)

enum { OPT_TO = 256, OPT_SITE };

struct opts {
    const char *to, *site;
};

static int own(void *ctx, int val, const char *arg, struct err *e)
{
    struct opts *o = ctx;

    (void)e;
    if (val == OPT_TO)
        o->to = arg;
    else
        o->site = arg;
    return 0;
}

static int write_csr(const struct opts *o, const struct station *s,
                     const char *data_dir, int64_t now, char **path,
                     struct err *e)
{
    struct identity self;
    struct manifest m;
    struct container_writer *w = NULL;

    if (identity_open(data_dir, SPAN(NULL, 0), &self, e) != 0)
        return -1;
    manifest_init(&m);
    m.version = 1;
    m.kind = KIND_STATION_CSR;
    snprintf(m.issuer, sizeof m.issuer, "%s", s->id);
    snprintf(m.site, sizeof m.site, "%s", o->site ? o->site : s->site);
    /* To the authority of the root pinned at init: the one name for it that
     * this station has. */
    char root[65];
    m.recipients.kind = RCPT_PARTIES;
    hex_encode(SPAN_ARRAY(s->root_sha256), root, sizeof root);
    root[REGISTERED_ID_MAX] = '\0';
    m.sequence = 1;
    m.created_at = now;
    m.not_after = now + CSR_VALID_S;
    int bad = blobs_add(&m.recipients.list, SPAN_STR(root)) != 0
                  ? err_set(e, ERR_NOMEM, "out of memory")
                  : identity_request(&self, s->id, now, &m.csr, e);
    if (!bad)
        bad = container_writer_open(o->to, &m, &w, e);
    if (!bad)
        bad = container_writer_seal(w, &self.signer, NULL, path, e);
    manifest_clear(&m);
    identity_close(&self);
    return bad;
}

static int run_csr(const struct command *self, int argc, char **argv)
{
    static const struct option options[] = {
        { "to", required_argument, NULL, OPT_TO },
        { "site", required_argument, NULL, OPT_SITE },
        { 0 },
    };
    struct opts o = { 0 };
    struct cmd_common c;
    struct station s;
    struct ledger_clock clock;
    struct err e = ERR_INIT;
    AUTO(db_close_p) struct db *db = NULL;
    char *path = NULL;

    int end = cmd_options(self, argc, argv, options, own, &o, &c);
    if (end)
        return end - 1;
    if (optind != argc || !o.to)
        return cmd_usage(self, "--to DIR is needed: where the request goes");
    if (o.site && !identity_id_valid(o.site))
        return cmd_usage(self, "--site takes 1 to 63 letters, digits, '-', "
                               "'_' or '.'");
    station_init_empty(&s);
    int bad = db_open(c.data_dir, DB_READ, NULL, &db, &e) != 0 ||
              station_get(db, &s, &e) != 0 ||
              ledger_clock(db, &clock, &e) != 0 ||
              write_csr(&o, &s, c.data_dir, clock.now, &path, &e) != 0;
    station_clear(&s);
    if (bad)
        return cmd_fail(self, &e);
    if (c.json)
        printf("{\"container\":\"%s\"}\n", strrchr(path, '/') + 1);
    else
        printf("%s\nNext: the authority answers with a station-cert; bring "
               "it to `lineside station-cert`\n", path);
    free(path);
    return 0;
}

static int run_cert(const struct command *self, int argc, char **argv)
{
    struct cmd_common c;
    struct station s;
    struct import_result r;
    struct err e = ERR_INIT;
    AUTO(db_close_p) struct db *db = NULL;
    AUTO(lock_release_p) struct lock *lock = NULL;

    int end = cmd_options(self, argc, argv, NULL, NULL, NULL, &c);
    if (end)
        return end - 1;
    if (optind + 1 != argc)
        return cmd_usage(self, "one CONTAINER is needed: the station-cert "
                               "folder on the stick");
    station_init_empty(&s);
    /* No import may go by the trust that is about to change. */
    if (db_open(c.data_dir, DB_WRITE, NULL, &db, &e) != 0 ||
        lock_take(c.data_dir, LOCK_IMPORT, &lock, &e) != 0 ||
        station_get(db, &s, &e) != 0)
        return cmd_fail(self, &e);
    int bad = import_station_cert(db, &s, argv[optind], &r, &e);
    station_clear(&s);
    if (bad)
        return cmd_fail_container(self, argv[optind], db, &e);
    station_init_empty(&s);
    if (station_get(db, &s, &e) != 0)
        return cmd_fail(self, &e);
    if (c.json) {
        printf("{\"station\":\"%s\",\"sequence\":%llu}\n", s.id,
               (unsigned long long)r.sequence);
    } else {
        printf("station %s is commissioned (certificate %llu): %zu CI root(s), "
               "bundles from", s.id, (unsigned long long)r.sequence,
               s.ci_root_count);
        for (size_t i = 0; i < s.allowed_smdp_count; i++)
            printf(" %s", s.allowed_smdp[i]);
        printf("\n");
    }
    station_clear(&s);
    return 0;
}

const struct command cmd_station_csr = {
    "station-csr", "--to DIR [--site ID]",
    "write the request for the station's certificate",
    "  --to DIR     where the station-csr container goes\n"
    "  --site ID    the site this station wants to belong to\n",
    run_csr
};

const struct command cmd_station_cert = {
    "station-cert", "CONTAINER",
    "take in the authority's answer: certificate, CI roots, allowed SM-DPfs",
    NULL, run_cert
};

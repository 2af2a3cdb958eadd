#include "station/cmd/cmd.h"

#include "station/identity/identity.h"
#include "storage/db.h"
#include "storage/station.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct opts {
    const char *root, *id;
};

enum { OPT_ROOT = 256, OPT_ID };

static int own(void *ctx, int val, const char *arg, struct err *e)
{
    struct opts *o = ctx;

    (void)e;
    if (val == OPT_ROOT)
        o->root = arg;
    else
        o->id = arg;
    return 0;
}

struct made {
    const char *id;
    uint8_t root[32], key_id[32];
};

static int create_station(struct tx *tx, void *ctx, struct err *e)
{
    const struct made *m = ctx;

    return station_create(tx, m->id, m->root, m->key_id, "station", e);
}

/* In this order, so that an init cut short anywhere is simply run again: the
 * directory, the empty ledger, the key, and last the row that makes it a
 * station. */
static int initialise(const char *dir, const struct opts *o, char *id,
                      size_t id_cap, struct made *m, struct err *e)
{
    AUTO(db_close_p) struct db *db = NULL;
    struct identity self;
    struct err key_err = ERR_INIT;

    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return err_errno(e, "%s cannot be made", dir);
    if (db_create(dir, NULL, e) != 0)
        return -1;
    if (identity_create_key(dir, &key_err) != 0 &&
        key_err.code != ERR_CONFLICT) {
        *e = key_err;
        return -1;
    }
    if (identity_open(dir, SPAN(NULL, 0), &self, e) != 0)
        return -1;
    int bad = identity_key_id(&self, m->key_id, e);
    if (!bad && !o->id)
        bad = identity_default_id(&self, id, id_cap, e);
    identity_close(&self);
    if (bad || db_open(dir, DB_WRITE, NULL, &db, e) != 0)
        return -1;
    m->id = o->id ? o->id : id;
    return db_write(db, create_station, m, e);
}

static int run(const struct command *self, int argc, char **argv)
{
    static const struct option options[] = {
        { "root", required_argument, NULL, OPT_ROOT },
        { "id", required_argument, NULL, OPT_ID },
        { 0 },
    };
    struct opts o = { 0 };
    struct cmd_common c;
    struct made m;
    struct err e = ERR_INIT;
    char id[REGISTERED_ID_MAX + 1], kid[65];

    int end = cmd_options(self, argc, argv, options, own, &o, &c);
    if (end)
        return end - 1;
    if (optind != argc || !o.root)
        return cmd_usage(self, "--root SHA256 is needed, and nothing else: the "
                               "SHA-256 of the Device Manufacturer's root "
                               "certificate");
    if (hex_decode(o.root, m.root, sizeof m.root) != 0)
        return cmd_usage(self, "--root takes 64 hex digits: the SHA-256 of the "
                               "Device Manufacturer's root certificate (DER)");
    if (o.id && !identity_id_valid(o.id))
        return cmd_usage(self, "--id takes 1 to 63 letters, digits, '-', '_' "
                               "or '.'");
    if (initialise(c.data_dir, &o, id, sizeof id, &m, &e) != 0)
        return cmd_fail(self, &e);
    hex_encode(SPAN_ARRAY(m.key_id), kid, sizeof kid);
    if (c.json)
        printf("{\"station\":\"%s\",\"keyId\":\"%s\"}\n", m.id, kid);
    else
        printf("station %s\nkey id  %s\nNext: lineside station-csr --to "
               "STICK\n", m.id, kid);
    return 0;
}

const struct command cmd_init = {
    "init", "--root SHA256 [--id STATION]",
    "make a new station: its ledger and its key",
    "  --root SHA256  the Device Manufacturer's root certificate to trust, as "
    "typed or\n                 scanned from paper\n"
    "  --id STATION   the station's id (default: LS- and 12 digits of its key "
    "id)\n",
    run
};

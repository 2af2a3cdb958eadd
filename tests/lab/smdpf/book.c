#include "tests/lab/smdpf/book.h"

static const char schema[] =
    SEQUENCE_SCHEMA
    /* eUICC data taken in, and what came with it */
    "CREATE TABLE IF NOT EXISTS source("
    " id TEXT PRIMARY KEY, sha256 BLOB NOT NULL,"
    " eum_chain BLOB NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS euicc("
    " eid BLOB PRIMARY KEY, cert BLOB NOT NULL,"
    " source TEXT NOT NULL REFERENCES source) STRICT;"
    /* bundle: the one that carries the BPP bound to this key */
    "CREATE TABLE IF NOT EXISTS otk("
    " txid BLOB PRIMARY KEY, eid BLOB NOT NULL REFERENCES euicc,"
    " number INTEGER NOT NULL, smdpf TEXT NOT NULL,"
    " signed2 BLOB NOT NULL, sign BLOB NOT NULL,"
    " bundle TEXT REFERENCES bundle) STRICT;"
    "CREATE INDEX IF NOT EXISTS otk_free ON otk(smdpf, bundle, eid, number);"
    /* sha256: of manifest.cms, once sealed */
    "CREATE TABLE IF NOT EXISTS bundle("
    " id TEXT PRIMARY KEY, smdpf TEXT NOT NULL, sequence INTEGER NOT NULL,"
    " created_at INTEGER NOT NULL, sha256 BLOB) STRICT;"
    "CREATE TABLE IF NOT EXISTS issued("
    " txid BLOB PRIMARY KEY REFERENCES otk, bundle TEXT NOT NULL"
    "  REFERENCES bundle, eid BLOB NOT NULL, iccid BLOB NOT NULL UNIQUE,"
    " imsi TEXT NOT NULL, msp TEXT NOT NULL, name TEXT NOT NULL,"
    " at INTEGER NOT NULL,"
    " upp_sha256 BLOB NOT NULL, upp BLOB) STRICT;"
    "CREATE INDEX IF NOT EXISTS issued_bundle ON issued(bundle);"
    /* stations' requests that were answered */
    "CREATE TABLE IF NOT EXISTS request("
    " id TEXT PRIMARY KEY, station TEXT NOT NULL, sequence INTEGER NOT NULL,"
    " bundle TEXT NOT NULL REFERENCES bundle) STRICT;"
    /* the one signed result of a transactionId, whoever brought it */
    "CREATE TABLE IF NOT EXISTS result("
    " txid BLOB PRIMARY KEY REFERENCES issued, installed INTEGER NOT NULL,"
    " bf37 BLOB NOT NULL, report TEXT NOT NULL) STRICT;"
    /* reports found good; complete: so are all before it. And what each
     * station said of a BPP; deleted: the event that says so, or 0; gone_on:
     * of a quarantined one, the event that says what became of it, or 0. */
    "CREATE TABLE IF NOT EXISTS report("
    " id TEXT PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE,"
    " station TEXT NOT NULL, sequence INTEGER NOT NULL,"
    " first_event INTEGER NOT NULL, last_event INTEGER NOT NULL,"
    " head_after BLOB NOT NULL, complete INTEGER NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS said("
    " station TEXT NOT NULL, txid BLOB NOT NULL REFERENCES issued,"
    " event INTEGER NOT NULL, what TEXT NOT NULL,"
    " deleted INTEGER NOT NULL DEFAULT 0,"
    " gone_on INTEGER NOT NULL DEFAULT 0,"
    " PRIMARY KEY(station, txid, event)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS receipt("
    " eid BLOB NOT NULL, function INTEGER NOT NULL, seq INTEGER NOT NULL,"
    " receipt BLOB NOT NULL, report TEXT NOT NULL,"
    " PRIMARY KEY(eid, function, seq)) STRICT, WITHOUT ROWID;";

int book_open(const struct world *w, struct sql **out, struct err *e)
{
    AUTO(str_free_p) char *path = world_path(w, e, "smdpf.db");

    return path ? sql_open(path, schema, out, e) : -1;
}

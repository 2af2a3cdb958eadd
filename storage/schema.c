/* The schema and its migrations (docs/formats/ledger.md). migrations[n] leads
 * from user_version n to n + 1. One that has shipped is never edited. */
#include "storage/inner.h"

#include <stdio.h>

static const char *const version_1[] = {
    /* Append-only. The insert trigger also stops REPLACE, which would delete
     * first, and keeps the numbers without a gap. */
    "CREATE TABLE event("
    " number INTEGER PRIMARY KEY,"
    " at INTEGER NOT NULL,"
    " kind TEXT NOT NULL,"
    " der BLOB NOT NULL,"
    " hash BLOB NOT NULL CHECK(length(hash) = 32)) STRICT;"
    "CREATE TRIGGER event_next BEFORE INSERT ON event"
    " WHEN NEW.number IS NOT (SELECT coalesce(max(number), 0) + 1 FROM event)"
    " BEGIN SELECT RAISE(ABORT, 'events are numbered without a gap'); END;"
    "CREATE TRIGGER event_keep BEFORE UPDATE ON event"
    " BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;"
    "CREATE TRIGGER event_stay BEFORE DELETE ON event"
    " BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;",

    "CREATE TABLE station("
    " one INTEGER PRIMARY KEY CHECK(one = 1),"
    " id TEXT NOT NULL,"
    " root_sha256 BLOB NOT NULL CHECK(length(root_sha256) = 32),"
    " key_id BLOB NOT NULL CHECK(length(key_id) = 32),"
    " site TEXT NOT NULL DEFAULT '',"
    " chain BLOB,"
    " dm_root BLOB,"
    " cert_container INTEGER REFERENCES container,"
    " event INTEGER NOT NULL REFERENCES event) STRICT;"
    "CREATE TABLE ci_root("
    " n INTEGER PRIMARY KEY,"
    " der BLOB NOT NULL) STRICT;"
    "CREATE TABLE allowed_smdp("
    " n INTEGER PRIMARY KEY,"
    " oid TEXT NOT NULL UNIQUE) STRICT;",

    "CREATE TABLE container("
    " container INTEGER PRIMARY KEY,"
    " id TEXT NOT NULL UNIQUE,"
    " kind INTEGER NOT NULL CHECK(kind BETWEEN 1 AND 3),"
    " state INTEGER NOT NULL CHECK(state IN (0, 1))," /* importing, live */
    " issuer TEXT NOT NULL,"
    " sequence INTEGER NOT NULL CHECK(sequence > 0),"
    " recipients BLOB NOT NULL CHECK(length(recipients) = 32),"
    " manifest_sha256 BLOB NOT NULL CHECK(length(manifest_sha256) = 32),"
    " created_at INTEGER NOT NULL,"
    " not_after INTEGER NOT NULL,"
    " smdp_oid TEXT,"
    /* Deferred: the row must be live before its event is written, so that
     * the event's time knows the new floor. */
    " event INTEGER REFERENCES event DEFERRABLE INITIALLY DEFERRED,"
    " received INTEGER NOT NULL DEFAULT 0,"
    " in_stock INTEGER NOT NULL DEFAULT 0,"
    " reserved INTEGER NOT NULL DEFAULT 0,"
    " loading INTEGER NOT NULL DEFAULT 0,"
    " installed INTEGER NOT NULL DEFAULT 0,"
    " failed INTEGER NOT NULL DEFAULT 0,"
    " quarantined INTEGER NOT NULL DEFAULT 0,"
    " voided INTEGER NOT NULL DEFAULT 0,"
    " deleted INTEGER NOT NULL DEFAULT 0,"
    " CHECK(in_stock >= 0 AND reserved >= 0 AND loading >= 0 AND"
    "  installed >= 0 AND failed >= 0 AND quarantined >= 0 AND voided >= 0),"
    " CHECK(received = in_stock + reserved + loading + installed + failed +"
    "  quarantined + voided),"
    " CHECK(deleted BETWEEN 0 AND installed),"
    " CHECK(state = 0 OR event IS NOT NULL)) STRICT;"
    "CREATE INDEX container_created ON container(created_at) WHERE state = 1;"
    "CREATE INDEX container_sequence ON container(issuer, recipients, sequence)"
    " WHERE state = 1;"
    "CREATE INDEX container_importing ON container(container) WHERE state = 0;"
    "CREATE TABLE chain("
    " chain INTEGER PRIMARY KEY,"
    " sha256 BLOB NOT NULL UNIQUE,"
    " der BLOB NOT NULL) STRICT;"
    "CREATE TABLE container_chain("
    " container INTEGER NOT NULL REFERENCES container,"
    " role INTEGER NOT NULL CHECK(role IN (0, 1))," /* EUM, DP */
    " n INTEGER NOT NULL,"
    " chain INTEGER NOT NULL REFERENCES chain,"
    " PRIMARY KEY(container, role, n)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX container_chain_chain ON container_chain(chain);",

    "CREATE TABLE unit("
    " unit INTEGER PRIMARY KEY,"
    " serial TEXT NOT NULL UNIQUE,"
    " event INTEGER NOT NULL REFERENCES event) STRICT;"
    "CREATE TABLE position("
    " position INTEGER PRIMARY KEY,"
    " unit INTEGER NOT NULL REFERENCES unit,"
    " name TEXT NOT NULL,"
    " eid BLOB NOT NULL UNIQUE CHECK(length(eid) = 16),"
    " state INTEGER NOT NULL DEFAULT 0 CHECK(state BETWEEN 0 AND 4),"
    " kind INTEGER NOT NULL DEFAULT 0 CHECK(kind BETWEEN 0 AND 2),"
    " closed INTEGER NOT NULL DEFAULT 0 CHECK(closed IN (0, 1)),"
    " keys_left INTEGER NOT NULL DEFAULT -1,"
    " last_code TEXT NOT NULL DEFAULT '',"
    " event INTEGER NOT NULL REFERENCES event,"
    " UNIQUE(unit, name)) STRICT;",

    /* The record is apart, so that a change of state moves few octets. */
    "CREATE TABLE bpp("
    " bpp INTEGER PRIMARY KEY,"
    " container INTEGER NOT NULL REFERENCES container,"
    " ordinal INTEGER NOT NULL,"
    " txid BLOB NOT NULL UNIQUE CHECK(length(txid) = 16),"
    " eid BLOB NOT NULL CHECK(length(eid) = 16),"
    " iccid BLOB NOT NULL CHECK(length(iccid) = 10),"
    " name TEXT NOT NULL,"
    " provider TEXT NOT NULL,"
    " delete_notified INTEGER NOT NULL CHECK(delete_notified IN (0, 1)),"
    " eum_chain INTEGER NOT NULL,"
    " dp_chain INTEGER NOT NULL,"
    " state INTEGER NOT NULL DEFAULT 0 CHECK(state BETWEEN 0 AND 6),"
    " attempts INTEGER NOT NULL DEFAULT 0,"
    " deleted INTEGER NOT NULL DEFAULT 0 CHECK(deleted IN (0, 1)),"
    " position INTEGER REFERENCES position,"
    " fixture TEXT,"
    " started_at INTEGER NOT NULL DEFAULT 0,"
    " event INTEGER REFERENCES event,"
    " UNIQUE(container, ordinal)) STRICT;"
    "CREATE INDEX bpp_eid ON bpp(eid);"
    "CREATE INDEX bpp_moved ON bpp(state) WHERE state <> 0;"
    "CREATE TABLE bpp_record("
    " bpp INTEGER PRIMARY KEY REFERENCES bpp,"
    " record BLOB NOT NULL) STRICT;"
    "CREATE VIEW live_bpp AS SELECT b.*, c.id AS container_id, c.smdp_oid,"
    " c.event AS import_event FROM bpp b JOIN container c USING(container)"
    " WHERE c.state = 1;",

    "CREATE TABLE euicc("
    " euicc INTEGER PRIMARY KEY,"
    " container INTEGER NOT NULL REFERENCES container,"
    " eid BLOB NOT NULL CHECK(length(eid) = 16),"
    " cert BLOB NOT NULL,"
    " eum_chain INTEGER NOT NULL) STRICT;"
    "CREATE INDEX euicc_eid ON euicc(eid);"
    "CREATE INDEX euicc_container ON euicc(container);"
    "CREATE TABLE one_time_key("
    " one_time_key INTEGER PRIMARY KEY,"
    " euicc INTEGER NOT NULL REFERENCES euicc,"
    " txid BLOB NOT NULL UNIQUE CHECK(length(txid) = 16),"
    " otpk BLOB NOT NULL CHECK(length(otpk) = 65),"
    " meant_for TEXT NOT NULL,"
    " offered_to TEXT) STRICT;"
    "CREATE INDEX one_time_key_euicc ON one_time_key(euicc);"
    "CREATE VIEW live_euicc AS SELECT e.* FROM euicc e"
    " JOIN container c USING(container) WHERE c.state = 1;"
    "CREATE VIEW live_key AS SELECT k.*, e.eid FROM one_time_key k"
    " JOIN live_euicc e USING(euicc);",

    /* What is reported. Append-only too: the same report can be made again. */
    "CREATE TABLE evidence("
    " event INTEGER PRIMARY KEY REFERENCES event,"
    " kind INTEGER NOT NULL CHECK(kind BETWEEN 1 AND 6),"
    " bpp INTEGER REFERENCES bpp,"
    " position INTEGER REFERENCES position,"
    " eid BLOB, txid BLOB, iccid BLOB, octets BLOB,"
    " state INTEGER, op INTEGER, function INTEGER, seq INTEGER,"
    " serial TEXT, position_name TEXT, fixture TEXT,"
    " started_at INTEGER NOT NULL DEFAULT 0,"
    " finished_at INTEGER NOT NULL DEFAULT 0,"
    " code TEXT, detail TEXT) STRICT;"
    "CREATE UNIQUE INDEX evidence_result ON evidence(bpp) WHERE kind = 1;"
    "CREATE UNIQUE INDEX evidence_notification ON evidence(eid, seq)"
    " WHERE kind = 3;"
    "CREATE INDEX evidence_bpp ON evidence(bpp) WHERE bpp IS NOT NULL;"
    "CREATE INDEX evidence_receipt ON evidence(position, function)"
    " WHERE kind = 4;"
    "CREATE TRIGGER evidence_keep BEFORE UPDATE ON evidence"
    " BEGIN SELECT RAISE(ABORT, 'evidence is never changed'); END;"
    "CREATE TRIGGER evidence_stay BEFORE DELETE ON evidence"
    " BEGIN SELECT RAISE(ABORT, 'evidence is never deleted'); END;",

    "CREATE TABLE export("
    " export INTEGER PRIMARY KEY,"
    " id TEXT NOT NULL UNIQUE,"
    " kind INTEGER NOT NULL CHECK(kind BETWEEN 1 AND 2),"
    " sequence INTEGER NOT NULL,"
    " first_event INTEGER NOT NULL,"
    " last_event INTEGER NOT NULL,"
    " head_before BLOB NOT NULL CHECK(length(head_before) = 32),"
    " head_after BLOB NOT NULL CHECK(length(head_after) = 32),"
    " manifest BLOB NOT NULL,"
    " manifest_sha256 BLOB NOT NULL CHECK(length(manifest_sha256) = 32),"
    " created_at INTEGER NOT NULL,"
    " directory TEXT NOT NULL,"
    " event INTEGER NOT NULL REFERENCES event,"
    " UNIQUE(kind, sequence)) STRICT;",

    NULL
};

/* Places on the bus, as the line engineer named and allowed them. */
static const char *const version_2[] = {
    "CREATE TABLE fixture_place("
    " place TEXT PRIMARY KEY,"
    " label TEXT UNIQUE,"
    " allowed INTEGER NOT NULL CHECK(allowed IN (0, 1)),"
    " event INTEGER NOT NULL REFERENCES event) STRICT;"
    "CREATE TABLE scanner_place("
    " place TEXT PRIMARY KEY,"
    " fixture TEXT NOT NULL," /* '': the station's */
    " layout TEXT NOT NULL,"
    " suffix TEXT NOT NULL,"
    " prefix TEXT NOT NULL,"
    " event INTEGER NOT NULL REFERENCES event) STRICT;",

    NULL
};

/* People, and the tries at their PINs (one row a badge, also of badges that
 * nobody has). */
static const char *const version_3[] = {
    "CREATE TABLE person("
    " person INTEGER PRIMARY KEY,"
    " name TEXT NOT NULL UNIQUE COLLATE NOCASE,"
    " badge BLOB NOT NULL UNIQUE CHECK(length(badge) = 32),"
    " role INTEGER NOT NULL CHECK(role BETWEEN 0 AND 3),"
    " blocked INTEGER NOT NULL DEFAULT 0 CHECK(blocked IN (0, 1)),"
    " pin_salt BLOB NOT NULL CHECK(length(pin_salt) = 16),"
    " pin_hash BLOB NOT NULL CHECK(length(pin_hash) = 32),"
    " pin_log_n INTEGER NOT NULL CHECK(pin_log_n BETWEEN 10 AND 20),"
    " pin_r INTEGER NOT NULL CHECK(pin_r BETWEEN 1 AND 16),"
    " pin_p INTEGER NOT NULL CHECK(pin_p BETWEEN 1 AND 16),"
    " recovered INTEGER REFERENCES event,"
    " event INTEGER NOT NULL REFERENCES event) STRICT;"
    "CREATE TABLE login_try("
    " badge BLOB PRIMARY KEY CHECK(length(badge) = 32),"
    " failures INTEGER NOT NULL CHECK(failures >= 0),"
    " last_at INTEGER NOT NULL) STRICT;"
    "CREATE INDEX login_try_last ON login_try(last_at);"
    /* Strangers' failures that no event has told yet. */
    "CREATE TABLE login_stranger("
    " one INTEGER PRIMARY KEY CHECK(one = 1),"
    " untold INTEGER NOT NULL,"
    " told_at INTEGER NOT NULL) STRICT;",

    NULL
};

/* A CHECK of a table, as it was and as it is to be; ends with {NULL}. */
struct check_change {
    const char *table, *was, *is;
};

/* What leads to the events of a unit, and to a BPP by its ICCID. */
static const char *const version_4[] = {
    "CREATE TABLE event_word("
    " word TEXT NOT NULL,"
    " event INTEGER NOT NULL REFERENCES event,"
    " PRIMARY KEY(word, event)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX bpp_iccid ON bpp(iccid);",

    NULL
};

/* Work orders and receipts that come in; requests, shift records and backups
 * that go out; units in quarantine, and scrapped ones. */
static const struct check_change checks_4[] = {
    { "container", "kind BETWEEN 1 AND 3", "kind BETWEEN 1 AND 5" },
    { "export", "kind BETWEEN 1 AND 2", "kind BETWEEN 1 AND 5" },
    { "position", "state BETWEEN 0 AND 4", "state BETWEEN 0 AND 6" },
    { NULL }
};

static int change_check(struct db *db, const struct check_change *c,
                        struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "UPDATE sqlite_schema SET sql = replace(sql, ?2, ?3)"
               " WHERE type = 'table' AND name = ?1 AND instr(sql, ?2)", e) != 0)
        return -1;
    q_text(&q, c->table);
    q_text(&q, c->was);
    q_text(&q, c->is);
    if (q_run(&q, e) != 0)
        return -1;
    return sqlite3_changes(db->sql) == 1
         ? 0 : err_set(e, ERR_CONFLICT, "table %s is not as this program made it",
                       c->table);
}

/* A CHECK changes no octet of what is stored, so the text of the table may be
 * changed in place (SQLite's "ALTER TABLE", section 7); copying every BPP to a
 * new table would take minutes. */
static int change_checks(struct db *db, const struct check_change *c,
                         struct err *e)
{
    int bad = 0;

    sqlite3_db_config(db->sql, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
    bad = sql_exec(db, "PRAGMA writable_schema = ON", e);
    for (; c->table && !bad; c++)
        bad = change_check(db, c, e);
    if (sql_exec(db, "PRAGMA writable_schema = RESET", bad ? NULL : e) != 0)
        bad = -1;
    sqlite3_db_config(db->sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return bad ? -1 : 0;
}

/* Logging in at a running line: its rules (no row: the defaults of
 * storage/sessions.h), and the sessions that are open. */
static const char *const version_5[] = {
    "CREATE TABLE login_rules("
    " one INTEGER PRIMARY KEY CHECK(one = 1),"
    " required INTEGER NOT NULL CHECK(required IN (0, 1)),"
    " badge_alone INTEGER NOT NULL CHECK(badge_alone IN (0, 1)),"
    " idle_s INTEGER NOT NULL CHECK(idle_s > 0),"
    " badge_prefix TEXT NOT NULL,"
    " ended INTEGER NOT NULL DEFAULT 0,"
    " event INTEGER NOT NULL REFERENCES event) STRICT;"
    "CREATE TABLE session("
    " place INTEGER NOT NULL CHECK(place BETWEEN 0 AND 2),"
    " name TEXT NOT NULL," /* fixture; connection's number; '' */
    " person INTEGER NOT NULL REFERENCES person,"
    " event INTEGER NOT NULL REFERENCES event,"
    " PRIMARY KEY(place, name)) STRICT, WITHOUT ROWID;",

    NULL
};

/* Work orders, the units and fixtures they have, and the class of profiles,
 * which recipes may ask for (-1: of a bundle that came before this). */
static const char *const version_6[] = {
    "ALTER TABLE bpp ADD COLUMN class INTEGER NOT NULL DEFAULT -1"
    " CHECK(class >= -1);"
    "CREATE TABLE work_order("
    " work_order INTEGER PRIMARY KEY,"
    " number TEXT NOT NULL UNIQUE COLLATE NOCASE,"
    " container INTEGER REFERENCES container,"
    " product TEXT NOT NULL,"
    " quantity INTEGER NOT NULL CHECK(quantity > 0),"
    " serials TEXT NOT NULL,"
    " state INTEGER NOT NULL DEFAULT 0 CHECK(state BETWEEN 0 AND 2),"
    " open INTEGER NOT NULL DEFAULT 0 CHECK(open >= 0),"
    " passed INTEGER NOT NULL DEFAULT 0 CHECK(passed >= 0),"
    " stocked INTEGER NOT NULL DEFAULT 0 CHECK(stocked >= 0),"
    " failed INTEGER NOT NULL DEFAULT 0 CHECK(failed >= 0),"
    " event INTEGER NOT NULL REFERENCES event) STRICT;"
    "CREATE INDEX work_order_active ON work_order(work_order) WHERE state = 1;"
    "CREATE TABLE order_recipe("
    " work_order INTEGER NOT NULL REFERENCES work_order,"
    " n INTEGER NOT NULL,"
    " position TEXT NOT NULL,"
    " recipe TEXT NOT NULL,"
    " PRIMARY KEY(work_order, n),"
    " UNIQUE(work_order, position)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE order_fixture("
    " fixture TEXT PRIMARY KEY,"
    " work_order INTEGER NOT NULL REFERENCES work_order,"
    " position TEXT NOT NULL," /* '': the unit's next one */
    " event INTEGER NOT NULL REFERENCES event) STRICT;"
    "CREATE TABLE order_unit("
    " work_order INTEGER NOT NULL REFERENCES work_order,"
    " unit INTEGER NOT NULL REFERENCES unit,"
    " state INTEGER NOT NULL CHECK(state BETWEEN 0 AND 3),"
    " PRIMARY KEY(work_order, unit)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX order_unit_unit ON order_unit(unit);"
    /* By which order a position was worked on last. */
    "CREATE TABLE order_position("
    " position INTEGER PRIMARY KEY REFERENCES position,"
    " work_order INTEGER NOT NULL REFERENCES work_order) STRICT;",

    NULL
};

/* One-time keys that eUICCs tell of themselves, and the requests that offer
 * keys to an SM-DPf. */
static const char *const version_7[] = {
    /* NULL: came before it was kept. */
    "ALTER TABLE one_time_key ADD COLUMN sign BLOB"
    " CHECK(sign IS NULL OR length(sign) = 64);"
    "ALTER TABLE one_time_key DROP COLUMN offered_to;"
    "CREATE TABLE card_euicc("
    " eid BLOB PRIMARY KEY CHECK(length(eid) = 16),"
    " cert BLOB NOT NULL,"
    " chain INTEGER NOT NULL REFERENCES chain,"
    " event INTEGER NOT NULL REFERENCES event DEFERRABLE INITIALLY DEFERRED"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX card_euicc_chain ON card_euicc(chain);"
    /* In the order in which the card told them. */
    "CREATE TABLE card_key("
    " card_key INTEGER PRIMARY KEY,"
    " txid BLOB NOT NULL UNIQUE CHECK(length(txid) = 16),"
    " eid BLOB NOT NULL CHECK(length(eid) = 16),"
    " otpk BLOB NOT NULL CHECK(length(otpk) = 65),"
    " sign BLOB NOT NULL CHECK(length(sign) = 64),"
    " event INTEGER NOT NULL REFERENCES event DEFERRABLE INITIALLY DEFERRED"
    ") STRICT;"
    "CREATE INDEX card_key_eid ON card_key(eid);"
    /* Known once, and not among those that the card had left. */
    "CREATE TABLE key_gone("
    " txid BLOB PRIMARY KEY CHECK(length(txid) = 16),"
    " event INTEGER NOT NULL REFERENCES event DEFERRABLE INITIALLY DEFERRED"
    ") STRICT, WITHOUT ROWID;",

    "CREATE TABLE request("
    " request INTEGER PRIMARY KEY REFERENCES export,"
    " smdp TEXT NOT NULL,"
    " sequence INTEGER NOT NULL,"
    " msp TEXT NOT NULL,"
    " profile TEXT NOT NULL,"
    " keys INTEGER NOT NULL,"
    " UNIQUE(smdp, sequence)) STRICT;"
    /* The record is kept as it went out: what it is made of may be told
     * another way later. */
    "CREATE TABLE offered_key("
    " request INTEGER NOT NULL REFERENCES request,"
    " n INTEGER NOT NULL,"
    " txid BLOB NOT NULL UNIQUE CHECK(length(txid) = 16),"
    " record BLOB NOT NULL,"
    " UNIQUE(request, n)) STRICT;",

    NULL
};

/* How each fixture does, the limits that stop one, and golden units. `stopped`,
 * `due` and `proven` are the events that say so. */
static const char *const version_8[] = {
    "CREATE TABLE fixture_health("
    " fixture TEXT PRIMARY KEY," /* a place, or a bench fixture's name */
    " name TEXT NOT NULL,"
    " cycles INTEGER NOT NULL DEFAULT 0 CHECK(cycles >= 0),"
    " atr_missing INTEGER NOT NULL DEFAULT 0,"
    " resets INTEGER NOT NULL DEFAULT 0,"
    " slower INTEGER NOT NULL DEFAULT 0,"
    " timeouts INTEGER NOT NULL DEFAULT 0,"
    " transport INTEGER NOT NULL DEFAULT 0,"
    " serviced_at INTEGER NOT NULL DEFAULT 0,"
    " cycle_limit INTEGER NOT NULL DEFAULT 0 CHECK(cycle_limit >= 0),"
    " due INTEGER REFERENCES event,"
    " stopped INTEGER REFERENCES event,"
    " reason TEXT NOT NULL DEFAULT '',"
    " in_row INTEGER NOT NULL DEFAULT 0,"
    " judged INTEGER NOT NULL DEFAULT 0,"
    " recent BLOB NOT NULL CHECK(length(recent) <= 200),"
    " proven INTEGER REFERENCES event,"
    " proven_at INTEGER NOT NULL DEFAULT 0,"
    " CHECK(serviced_at BETWEEN 0 AND cycles)) STRICT;"
    "CREATE TABLE fixture_limits("
    " one INTEGER PRIMARY KEY CHECK(one = 1),"
    " failures INTEGER NOT NULL,"
    " yield INTEGER NOT NULL CHECK(yield BETWEEN 0 AND 100),"
    " units INTEGER NOT NULL CHECK(units >= 1),"
    " golden_hours INTEGER NOT NULL,"
    " event INTEGER NOT NULL REFERENCES event) STRICT;"
    "CREATE TABLE golden_unit("
    " eid BLOB PRIMARY KEY CHECK(length(eid) = 16),"
    " event INTEGER NOT NULL REFERENCES event) STRICT;",

    NULL
};

/* Units in trouble: failures in a row at one step, and why one is held. Boards
 * that were taken out of their units. */
static const char *const version_9[] = {
    "CREATE TABLE unit_trouble("
    " position INTEGER PRIMARY KEY REFERENCES position,"
    " step TEXT NOT NULL,"
    " failures INTEGER NOT NULL CHECK(failures >= 0),"
    " events TEXT NOT NULL,"
    " resolving INTEGER NOT NULL CHECK(resolving IN (0, 1)),"
    " reason TEXT NOT NULL DEFAULT '',"
    " fixture TEXT NOT NULL DEFAULT '',"
    " held_event INTEGER REFERENCES event) STRICT;"
    "CREATE TABLE quarantine_limit("
    " one INTEGER PRIMARY KEY CHECK(one = 1),"
    " failures INTEGER NOT NULL CHECK(failures BETWEEN 1 AND 20),"
    " event INTEGER NOT NULL REFERENCES event) STRICT;"
    "CREATE TABLE retired_board("
    " event INTEGER PRIMARY KEY REFERENCES event,"
    " position INTEGER NOT NULL REFERENCES position,"
    " eid BLOB NOT NULL CHECK(length(eid) = 16)) STRICT;"
    "CREATE INDEX retired_board_eid ON retired_board(eid);"
    "CREATE INDEX position_held ON position(state) WHERE state >= 5;",

    NULL
};

/* The accounts: shifts, and what events add up to by day, shift, fixture and
 * person, counted as each event is written (tally.h). */
static const char *const version_10[] = {
    "CREATE TABLE shift("
    " shift INTEGER PRIMARY KEY CHECK(shift > 0),"
    " name TEXT NOT NULL,"
    " opened_by TEXT NOT NULL,"
    " opened_at INTEGER NOT NULL,"
    " first_event INTEGER NOT NULL UNIQUE REFERENCES event,"
    " closed_by TEXT,"
    " closed_at INTEGER,"
    " last_event INTEGER UNIQUE REFERENCES event,"
    " records BLOB," /* as they stood when it closed: never change again */
    " CHECK((last_event IS NULL) = (closed_by IS NULL) AND"
    "  (last_event IS NULL) = (closed_at IS NULL) AND"
    "  (last_event IS NULL) = (records IS NULL)),"
    " CHECK(last_event > first_event)) STRICT;"
    "CREATE UNIQUE INDEX shift_open ON shift((1)) WHERE last_event IS NULL;"
    "CREATE TRIGGER shift_keep BEFORE UPDATE ON shift"
    " WHEN OLD.last_event IS NOT NULL"
    " BEGIN SELECT RAISE(ABORT, 'a closed shift is never changed'); END;"
    "CREATE TRIGGER shift_stay BEFORE DELETE ON shift"
    " BEGIN SELECT RAISE(ABORT, 'shifts are never deleted'); END;",

    /* shift 0: outside of any. fixture '': at none. */
    "CREATE TABLE tally("
    " day INTEGER NOT NULL," /* since 1970, UTC */
    " shift INTEGER NOT NULL,"
    " fixture TEXT NOT NULL,"
    " actor TEXT NOT NULL,"
    " what INTEGER NOT NULL,"
    " outcome TEXT NOT NULL,"
    " code TEXT NOT NULL,"
    " n INTEGER NOT NULL CHECK(n > 0),"
    " PRIMARY KEY(day, shift, fixture, actor, what, outcome, code))"
    " STRICT, WITHOUT ROWID;"
    "CREATE INDEX tally_shift ON tally(shift);"
    /* subject: a container, or 0: positions. */
    "CREATE TABLE tally_move("
    " shift INTEGER NOT NULL,"
    " subject INTEGER NOT NULL,"
    " came_from TEXT NOT NULL," /* '': it was not there before */
    " went_to TEXT NOT NULL,"
    " n INTEGER NOT NULL CHECK(n > 0),"
    " PRIMARY KEY(shift, subject, came_from, went_to)) STRICT, WITHOUT ROWID;",

    /* Where a position was seen last, and the event of its last change of
     * state: what `units` lists by. */
    "ALTER TABLE position ADD COLUMN fixture TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE position ADD COLUMN moved INTEGER NOT NULL DEFAULT 0;"
    "UPDATE position SET moved = event, fixture = coalesce((SELECT v.fixture"
    " FROM evidence v WHERE v.kind = 4 AND v.position = position.position"
    " ORDER BY v.event DESC LIMIT 1), '');"
    "CREATE INDEX position_state ON position(state, moved);"
    "CREATE INDEX position_fixture ON position(fixture, state, moved);"
    "CREATE TABLE position_count("
    " fixture TEXT NOT NULL,"
    " state INTEGER NOT NULL,"
    " n INTEGER NOT NULL CHECK(n >= 0),"
    " PRIMARY KEY(fixture, state)) STRICT, WITHOUT ROWID;"
    "INSERT INTO position_count SELECT fixture, state, count(*)"
    " FROM position GROUP BY fixture, state;"
    "CREATE TRIGGER position_counted AFTER INSERT ON position BEGIN"
    " INSERT INTO position_count VALUES(NEW.fixture, NEW.state, 1)"
    "  ON CONFLICT DO UPDATE SET n = n + 1; END;"
    "CREATE TRIGGER position_recounted AFTER UPDATE OF state, fixture"
    " ON position BEGIN"
    " UPDATE position_count SET n = n - 1"
    "  WHERE fixture = OLD.fixture AND state = OLD.state;"
    " INSERT INTO position_count VALUES(NEW.fixture, NEW.state, 1)"
    "  ON CONFLICT DO UPDATE SET n = n + 1; END;",

    NULL
};

/* Backups, and who this ledger's station was before it was restored. */
static const char *const version_11[] = {
    "ALTER TABLE station ADD COLUMN recovery BLOB;"
    "ALTER TABLE station ADD COLUMN epoch INTEGER NOT NULL DEFAULT 1"
    " CHECK(epoch >= 1);"
    "CREATE TABLE retired_station("
    " epoch INTEGER PRIMARY KEY,"
    " id TEXT NOT NULL,"
    " key_id BLOB NOT NULL CHECK(length(key_id) = 32),"
    " backup TEXT NOT NULL,"
    " last_event INTEGER NOT NULL REFERENCES event,"
    " event INTEGER NOT NULL REFERENCES event) STRICT;"
    "CREATE TABLE backup("
    " sequence INTEGER PRIMARY KEY,"
    " id TEXT NOT NULL UNIQUE,"
    " epoch INTEGER NOT NULL,"
    " last_event INTEGER NOT NULL REFERENCES event,"
    " manifest_sha256 BLOB NOT NULL CHECK(length(manifest_sha256) = 32),"
    " created_at INTEGER NOT NULL,"
    " event INTEGER NOT NULL REFERENCES event) STRICT;",

    NULL
};

/* Whom each loading-report concerns: the SM-DPfs that bound a BPP which one of
 * its records names. What was reported before still waits for its receipts. */
static const char *const version_12[] = {
    "CREATE TABLE report_party("
    " export INTEGER NOT NULL REFERENCES export,"
    " smdp_oid TEXT NOT NULL,"
    " records INTEGER NOT NULL CHECK(records > 0)," /* about its BPPs */
    " container INTEGER UNIQUE REFERENCES container," /* its receipt */
    " accepted INTEGER CHECK(accepted BETWEEN 0 AND records),"
    " PRIMARY KEY(export, smdp_oid),"
    " CHECK((container IS NULL) = (accepted IS NULL))) STRICT, WITHOUT ROWID;"
    "CREATE INDEX report_party_open ON report_party(export)"
    " WHERE container IS NULL;"
    "INSERT INTO report_party(export, smdp_oid, records)"
    " SELECT x.export, c.smdp_oid, count(*) FROM export x"
    " CROSS JOIN evidence e ON e.event BETWEEN x.first_event AND x.last_event"
    " CROSS JOIN bpp b ON b.txid = e.txid"
    " CROSS JOIN container c ON c.container = b.container AND c.state = 1"
    " WHERE x.kind = 1 AND (e.kind <> 3 OR e.op & 16) GROUP BY 1, 2;"
    "CREATE TRIGGER report_party_keep BEFORE UPDATE ON report_party"
    " WHEN OLD.container IS NOT NULL OR NEW.export <> OLD.export OR"
    "  NEW.smdp_oid <> OLD.smdp_oid OR NEW.records <> OLD.records"
    " BEGIN SELECT RAISE(ABORT, 'a report is acknowledged once'); END;"
    "CREATE TRIGGER report_party_stay BEFORE DELETE ON report_party"
    " BEGIN SELECT RAISE(ABORT, 'whom a report concerns stays'); END;",

    NULL
};

/* What no loading report carries yet, counted as it comes: whoever looks at the
 * stock does not wait for a month of evidence to be counted. A report reaches
 * up to an event, and what came after it meanwhile is still to be reported. */
#define UNREPORTED(after) \
    "SELECT coalesce(b.container, 0), e.kind, count(*)," \
    " sum(e.kind <> 3 OR e.op & 16 <> 0) FROM evidence e" \
    /* CROSS would leave out what is of no BPP; LEFT keeps the order as well. */ \
    " LEFT JOIN bpp b ON b.bpp = e.bpp WHERE e.event > " after " GROUP BY 1, 2"

static const char *const version_13[] = {
    "CREATE TABLE unreported("
    " container INTEGER NOT NULL," /* 0: of no BPP */
    " kind INTEGER NOT NULL,"
    " n INTEGER NOT NULL,"
    " shown INTEGER NOT NULL,"     /* all but notifications of no deletion */
    " PRIMARY KEY(container, kind)) STRICT, WITHOUT ROWID;"
    "INSERT INTO unreported "
    UNREPORTED("(SELECT coalesce(max(last_event), 0) FROM export WHERE kind = 1)") ";"
    "CREATE TRIGGER evidence_unreported AFTER INSERT ON evidence BEGIN"
    " INSERT INTO unreported VALUES(coalesce((SELECT container FROM bpp"
    "  WHERE bpp = NEW.bpp), 0), NEW.kind, 1, NEW.kind <> 3 OR NEW.op & 16 <> 0)"
    "  ON CONFLICT DO UPDATE SET n = n + 1, shown = shown + excluded.shown; END;"
    "CREATE TRIGGER evidence_reported AFTER INSERT ON export WHEN NEW.kind = 1"
    " BEGIN DELETE FROM unreported;"
    " INSERT INTO unreported " UNREPORTED("NEW.last_event") "; END;",

    NULL
};

/* The IMEI of what stands at a position, and the one that was known when evidence
 * was kept, so that a report made again is the same. */
static const char *const version_14[] = {
    "ALTER TABLE position ADD COLUMN imei TEXT CHECK(length(imei) = 15);"
    "CREATE UNIQUE INDEX position_imei ON position(imei) WHERE imei IS NOT NULL;"
    "ALTER TABLE evidence ADD COLUMN imei TEXT CHECK(length(imei) = 15);",

    NULL
};

/* Where fixtures stand on the bench; how long each of a fixture's last units took. */
static const char *const version_15[] = {
    "CREATE TABLE fixture_stand("
    " fixture TEXT PRIMARY KEY," /* as fixture_health.fixture */
    " at_row INTEGER NOT NULL CHECK(at_row BETWEEN 1 AND 99),"
    " at_column INTEGER NOT NULL CHECK(at_column BETWEEN 1 AND 99),"
    " event INTEGER NOT NULL REFERENCES event,"
    " UNIQUE(at_row, at_column)) STRICT;"
    "ALTER TABLE fixture_health ADD COLUMN took BLOB NOT NULL DEFAULT x''"
    " CHECK(length(took) <= 400);",

    NULL
};

/* Done in this order; all but the SQL may be NULL. */
static const struct {
    const struct check_change *checks;
    const char *const *sql;
    int (*fill)(struct db *db, struct err *e);
} migrations[SCHEMA_VERSION] = {
    { NULL, version_1, NULL },
    { NULL, version_2, NULL },
    { NULL, version_3, NULL },
    { checks_4, version_4, event_words_again },
    { NULL, version_5, NULL },
    { NULL, version_6, NULL },
    { NULL, version_7, NULL },
    { NULL, version_8, NULL },
    { NULL, version_9, NULL },
    { NULL, version_10, tally_again },
    { NULL, version_11, NULL },
    { NULL, version_12, NULL },
    { NULL, version_13, NULL },
    { NULL, version_14, NULL },
    { NULL, version_15, NULL },
};

static int step_up(struct db *db, int from, struct err *e)
{
    char mark[80];

    if (migrations[from].checks &&
        change_checks(db, migrations[from].checks, e) != 0)
        return -1;
    for (const char *const *s = migrations[from].sql; *s; s++)
        if (sql_exec(db, *s, e) != 0)
            return -1;
    if (migrations[from].fill && migrations[from].fill(db, e) != 0)
        return -1;
    snprintf(mark, sizeof mark,
             "PRAGMA application_id = %d; PRAGMA user_version = %d",
             APPLICATION_ID, from + 1);
    return sql_exec(db, mark, e);
}

int schema_migrate(struct db *db, struct err *e)
{
    int version = 0;

    /* Inside the transaction the version is read again: another process may
     * have migrated meanwhile. */
    if (sql_exec(db, "BEGIN EXCLUSIVE", e) != 0)
        return -1;
    int rc = schema_version(db, &version, e);
    for (; rc == 0 && version < SCHEMA_VERSION; version++)
        rc = step_up(db, version, e);
    if (rc == 0)
        rc = sql_exec(db, "COMMIT", e);
    if (rc != 0)
        sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
    return rc == 0 ? 0 : err_wrap(e, "preparing the ledger in %s", db->dir);
}

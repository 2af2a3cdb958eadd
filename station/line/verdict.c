#include "station/line/verdict.h"

static const char *const kinds[VERDICT_KINDS] = {
    [VERDICT_PASS] = "PASS",
    [VERDICT_ALREADY_DONE] = "ALREADY DONE",
    [VERDICT_FAIL] = "FAIL",
    [VERDICT_REFUSED] = "REFUSED",
    [VERDICT_STOCKED] = "STOCKED",
    [VERDICT_INCOMPLETE] = "INCOMPLETE",
    [VERDICT_ORDER] = "ORDER",
    [VERDICT_IMEI] = "IMEI",
    [VERDICT_GOLDEN] = "GOLDEN OK",
    [VERDICT_RETURNED] = "RETURNED",
};

#define ROW_PASS VERDICT_PASS, false, SAYS_GOOD
#define ROW_REFUSED VERDICT_REFUSED, false, SAYS_NOTHING
#define ROW_FAIL VERDICT_FAIL, false, SAYS_NOTHING
#define ROW_FPA VERDICT_FAIL, true, SAYS_NOTHING
/* As ROW_FPA, and it may be the fixture: its contacts, its cable, its reader.
 * Corrupted octets make a card refuse a profile as a damaged one would. */
#define ROW_SUSPECT VERDICT_FAIL, true, SAYS_BAD

static const struct verdict_row rows[VERDICTS] = {
    [V_DONE] = { "done", ROW_PASS,
        "Every profile is installed and all evidence is in the ledger.",
        "Take the unit out." },
    [V_ALREADY_DONE] = { "already-done", VERDICT_ALREADY_DONE, false, SAYS_NOTHING,
        "This unit was finished before. Nothing was sent to it now.",
        "Take the unit out. If it should not be here, find out why it came back." },
    [V_RETURNED] = { "returned", VERDICT_RETURNED, false, SAYS_GOOD,
        "The unit's profiles are deleted, and the eUICC's proof is in the ledger. It is in stock again.",
        "Take the unit out. It can be loaded when a bundle brings a new profile for it." },
    [V_RETURNED_SPENT] = { "returned-spent", VERDICT_RETURNED, false, SAYS_GOOD,
        "The unit's profiles are deleted, and the eUICC's proof is in the ledger. It has no key left, or is closed.",
        "Take the unit out and set it aside: nothing can be loaded into it in a factory again." },
    [V_ALREADY_RETURNED] = { "already-returned", VERDICT_ALREADY_DONE, false, SAYS_NOTHING,
        "This unit gave its profiles back before. Nothing was changed now.",
        "Take the unit out." },

    [V_STOCKED] = { "stocked", VERDICT_STOCKED, false, SAYS_GOOD,
        "All that the unit's order asks for is done and in the ledger; its one-time keys are kept.",
        "Take the unit out and put it into stock." },
    [V_POSITIONS_MISSING] = { "positions-missing", VERDICT_INCOMPLETE, false, SAYS_GOOD,
        "This position of the unit is done. The detail names those that are not, or "
        "the one that tells the unit's verdict.",
        "Take the eUICC's contacts off and go on with the unit's next position." },
    [V_IMEI_TAKEN] = { "imei-taken", VERDICT_IMEI, false, SAYS_NOTHING,
        "This IMEI is that of the unit that is scanned here next.",
        "Scan the unit's label now." },
    [V_ORDER_CHOSEN] = { "order-chosen", VERDICT_ORDER, false, SAYS_NOTHING,
        "This fixture works by this order from now on.",
        "Scan the order's units." },

    [V_SCAN_EMPTY] = { "scan-empty", ROW_REFUSED,
        "The scan line is empty.",
        "Scan again: fixture, TAB, barcode." },
    [V_SCAN_TOO_LONG] = { "scan-too-long", ROW_REFUSED,
        "The scan line or its barcode is longer than a barcode can be.",
        "Scan again, one label only. If it stays so, check that the scanner sends a line end." },
    [V_SCAN_BINARY] = { "scan-binary", ROW_REFUSED,
        "The scan line holds octets that are no text.",
        "Scan again. If it stays so, check the scanner's interface settings." },
    [V_SCAN_NO_BARCODE] = { "scan-no-barcode", ROW_REFUSED,
        "The scan line names a fixture but no barcode.",
        "Scan again: fixture, TAB, barcode." },
    [V_SCAN_UNKNOWN_FIXTURE] = { "scan-unknown-fixture", ROW_REFUSED,
        "The scan line does not begin with the name of a fixture of this line.",
        "Scan the fixture's own label first, then the unit's." },
    [V_SCAN_MISREAD] = { "scan-misread", ROW_REFUSED,
        "The barcode was misread: its check digits do not hold, or blanks surround it.",
        "Clean the label and scan again. If it stays so, the label is printed wrongly." },
    [V_SCAN_BUSY] = { "scan-busy", ROW_REFUSED,
        "The fixture is still working on a unit. This scan was not kept.",
        "Wait for its verdict, then scan again." },
    [V_SCAN_STOPPING] = { "scan-stopping", ROW_REFUSED,
        "The line is being stopped and takes no more units.",
        "A line engineer starts the line again. Then scan again." },

    [V_SCAN_CUT] = { "scan-cut", ROW_REFUSED,
        "A scan did not come in whole.",
        "Scan again. If it stays so, a line engineer sets the scanner to the suffix it is registered with." },
    [V_SCAN_WHICH] = { "scan-which", ROW_REFUSED,
        "A unit's label was scanned, but not the fixture it stands in.",
        "Scan the fixture's own label first, then the unit's." },

    [V_SCAN_NO_LOGIN] = { "scan-no-login", ROW_REFUSED,
        "Nobody is logged in at this fixture, and this station works no unit without.",
        "Log in with badge and PIN, here or at the station, then scan again." },
    [V_SCAN_NO_RIGHT] = { "scan-no-right", ROW_REFUSED,
        "Who is logged in at this fixture may not work units.",
        "Let somebody who may log in here, then scan again." },
    [V_BADGE_REFUSED] = { "badge-refused", ROW_REFUSED,
        "This badge does not let anybody work here.",
        "Scan the badge again. If it stays so, log in with badge and PIN, or ask a supervisor." },
    [V_QUARANTINED] = { "quarantined", ROW_REFUSED,
        "This unit is in quarantine. Nothing was sent to it.",
        "Set the unit aside. A line engineer and a second person decide: LINESIDE-QUARANTINE says why it is held." },
    [V_SCRAPPED] = { "scrapped", ROW_REFUSED,
        "This unit was scrapped. Nothing was sent to it.",
        "Put the unit with the scrap, and find out why it came back." },

    [V_IMEI_MISREAD] = { "imei-misread", ROW_REFUSED,
        "The scan is an IMEI's, and it is none: 15 digits, the last one a check.",
        "Scan the IMEI again, then the unit." },
    [V_ORDER_UNKNOWN] = { "order-unknown", ROW_REFUSED,
        "There is no active order of this number at this station.",
        "Check the order's sheet. A line engineer imports and activates orders." },
    [V_NO_ORDER] = { "no-order", ROW_REFUSED,
        "Orders are active at this station, and this fixture works by none of them.",
        "Scan the order's barcode at this fixture first, then the unit's." },

    [V_FIXTURE_STOPPED] = { "fixture-stopped", ROW_REFUSED,
        "This fixture is stopped: too many of its units failed. Nothing was loaded.",
        "Use another fixture. A line engineer releases this one, or a golden unit that passes here." },
    [V_FIXTURE_UNPROVEN] = { "fixture-unproven", ROW_REFUSED,
        "No golden unit has passed in this fixture lately enough. Nothing was loaded.",
        "Put a golden unit in and scan it, then scan this unit again." },

    [V_GOLDEN_OK] = { "golden-ok", VERDICT_GOLDEN, false, SAYS_NOTHING,
        "This is a golden unit, and its self-test has passed: the fixture works.",
        "Take the golden unit out. The fixture takes units." },
    [V_FIXTURE] = { "fixture", ROW_SUSPECT,
        "The fixture itself does not work.",
        "Check its cable and power, then scan again. If it stays so, use another fixture." },
    [V_NO_CARD] = { "no-card", ROW_SUSPECT,
        "No eUICC answers in this fixture.",
        "Seat the unit again and scan again. If it stays so, set the unit aside as damaged." },
    [V_SILENT] = { "silent", ROW_SUSPECT,
        "The eUICC stopped answering in time.",
        "Seat the unit again and scan again. If it stays so, set the unit aside as damaged." },
    [V_NONSENSE] = { "nonsense", ROW_SUSPECT,
        "What came from the eUICC cannot be an answer.",
        "Clean the contacts and scan again. If it stays so, set the unit aside as damaged." },
    [V_CARD_REFUSED] = { "card-refused", ROW_SUSPECT,
        "The eUICC refused a command it must accept.",
        "Scan again. If it stays so, set the unit aside and show the detail to a line engineer." },

    [V_WRONG_EID] = { "wrong-eid", ROW_FPA,
        "The eUICC in the unit is not the one on its label. Nothing was loaded.",
        "Check that the label belongs to this unit. Set it aside until label and eUICC agree." },
    [V_SERIAL_HAS_OTHER_EID] = { "serial-has-other-eid", ROW_FPA,
        "This serial number is known with another eUICC. Nothing was loaded.",
        "Check the label. If the eUICC was replaced, a line engineer decides what the unit is." },
    [V_EID_HAS_OTHER_SERIAL] = { "eid-has-other-serial", ROW_FPA,
        "This eUICC is known in a unit with another serial number. Nothing was loaded.",
        "Check the label. If the eUICC was moved, a line engineer decides what the unit is." },
    [V_EID_RETIRED] = { "eid-retired", ROW_FPA,
        "This eUICC's board was taken out of a unit and recorded as replaced. Nothing was loaded.",
        "Find out which board this is. If it is to be used again, a line engineer and a second person record it." },
    [V_BUSY_ELSEWHERE] = { "busy-elsewhere", ROW_FAIL,
        "This position of the unit, or this eUICC, is being worked on in another fixture. "
        "Nothing was loaded.",
        "Check for a doubled label. Wait for the other fixture's verdict." },
    [V_IMEI_CONFLICT] = { "imei-conflict", ROW_FAIL,
        "The scanned IMEI is another unit's, or this unit is known with another one. "
        "Nothing was loaded.",
        "Check both labels. Another board or another IMEI: a line engineer and a second person record it." },

    [V_NOT_IN_ORDER] = { "not-in-order", ROW_FAIL,
        "This unit's serial number or position does not belong to the fixture's order. Nothing was loaded.",
        "Check the unit and its label. If the fixture has the wrong order, scan the right one's barcode." },
    [V_OTHER_ORDER] = { "other-order", ROW_FAIL,
        "This unit belongs to another order than the fixture. Nothing was loaded.",
        "Take the unit to a fixture of its own order, or scan that order's barcode here." },
    [V_ORDER_FULL] = { "order-full", ROW_FAIL,
        "The order's quantity is reached. Nothing was loaded.",
        "Take the unit out, and scan the next order's barcode. A line engineer closes the full one." },
    [V_ORDER_NOT_ACTIVE] = { "order-not-active", ROW_FAIL,
        "The fixture's order was closed meanwhile. Nothing was loaded.",
        "Scan another order's barcode at this fixture, then the unit's." },

    [V_NO_BPP] = { "no-bpp", ROW_FAIL,
        "There is no profile in stock for this eUICC.",
        "Import the bundle that holds its profile, or check that the unit belongs to this order." },
    [V_PROFILE_MISSING] = { "profile-missing", ROW_FAIL,
        "A profile that the order's recipe asks for is not in stock for this eUICC. Nothing was loaded.",
        "Import the bundle that holds it, then scan the unit again." },
    [V_NOT_REPLACED] = { "not-replaced", ROW_FAIL,
        "A profile of this unit was used up without being installed, and no replacement has come.",
        "Set the unit aside. A line engineer exports the loading report and asks for a new profile for this eUICC." },
    [V_FPA_CLOSED] = { "fpa-closed", ROW_FPA,
        "The eUICC's factory services were closed already; nothing more can be loaded.",
        "Set the unit aside. A line engineer finds out whether it was finished elsewhere or delivered closed." },
    [V_KEY_NOT_ON_CARD] = { "key-not-on-card", ROW_FPA,
        "The eUICC no longer has the one-time key that the profile in stock was made for.",
        "Set the unit aside. A line engineer exports the loading report and asks for a new profile for this eUICC." },
    [V_PROFILE_GONE] = { "profile-gone", ROW_FPA,
        "A profile that was installed in this unit is no longer on its eUICC.",
        "If a return of it was begun, return it again. Else set the unit aside and show the detail to a line engineer." },

    [V_NOTHING_TO_RETURN] = { "nothing-to-return", ROW_FAIL,
        "There is no profile in this unit that this station knows of.",
        "Check that it is the right unit. Nothing was changed." },
    [V_RETURN_UNPROVABLE] = { "return-unprovable", ROW_FAIL,
        "The return of a profile of this unit cannot be proven to its provider. Nothing was deleted.",
        "Set the unit aside. A line engineer asks the profile's provider what is to become of it." },
    [V_RETURN_NO_ACT] = { "return-no-act", ROW_FAIL,
        "An eUICC of this kind lets no station delete profiles. Nothing was changed.",
        "Set the unit aside; its profiles are deleted by whoever manages it remotely." },
    [V_RETURN] = { "return-refused", ROW_FPA,
        "The eUICC refused to disable or delete a profile. What was deleted before is proven by the next return.",
        "Return the unit again. If it stays so, set it aside and show the detail to a line engineer." },
    [V_RETURN_UNPROVEN] = { "return-unproven", ROW_FPA,
        "The profiles are deleted, but the eUICC's signed notifications of that were not all fetched.",
        "Return the unit again. If it stays so, set it aside and show the detail to a line engineer." },

    [V_KEYS_TOO_FEW] = { "keys-too-few", ROW_FPA,
        "The eUICC does not have as many one-time keys left as the order is to keep.",
        "Set the unit aside and show the detail to a line engineer. It can be made by an order that keeps fewer." },
    [V_NO_SUCH_ACT] = { "no-such-act", ROW_FAIL,
        "This kind of eUICC has no command for what the order's recipe asks. Nothing was loaded.",
        "Set the unit aside. A line engineer makes an order whose recipe fits this kind of eUICC." },

    [V_AUTHORISE_REFUSED] = { "authorise-refused", ROW_FPA,
        "The eUICC does not accept the profile server that made this profile.",
        "Set the unit aside and show the detail to a line engineer. The profile is still in stock." },
    [V_LOAD_FAILED] = { "load-failed", ROW_SUSPECT,
        "The eUICC refused the profile and signed that it did. The profile is used up.",
        "Set the unit aside. A line engineer exports the loading report and asks for a new profile for this eUICC." },
    [V_LOAD_AGAIN] = { "load-again", ROW_SUSPECT,
        "The load was interrupted, and the eUICC confirms that nothing was used up.",
        "Scan the unit again; it goes on where it stopped." },
    [V_UNRESOLVED] = { "unresolved", ROW_SUSPECT,
        "The load was interrupted and the eUICC does not say what became of it.",
        "Seat the unit again and scan it again; the eUICC's own records will decide." },
    [V_NO_EVIDENCE] = { "no-evidence", ROW_SUSPECT,
        "The profile is used up, but the eUICC has no signed result for it. It is quarantined.",
        "Set the unit aside. A line engineer exports the loading report and tells the profile's provider." },
    [V_CONSUMED_ELSEWHERE] = { "consumed-elsewhere", ROW_FPA,
        "The profile was used by someone else before this station sent any of it.",
        "Set the unit aside. A line engineer finds out which other station had this unit." },
    [V_BAD_EVIDENCE] = { "bad-evidence", ROW_SUSPECT,
        "A result from the eUICC is not signed by this eUICC, or is for another profile.",
        "Set the unit aside and show the detail to a line engineer; this may be tampering." },
    [V_ENABLE_FAILED] = { "enable-failed", ROW_SUSPECT,
        "The profile is installed but could not be enabled.",
        "Scan the unit again; it goes on at this step. If it stays so, set the unit aside." },
    [V_NOTIFICATIONS] = { "notifications", ROW_SUSPECT,
        "The profile is installed, but the eUICC's notifications could not be fetched or removed.",
        "Scan the unit again; it goes on at this step. If it stays so, set the unit aside." },
    [V_DELETE_KEYS] = { "delete-keys", ROW_SUSPECT,
        "The profile is installed, but the unused one-time keys could not be deleted with proof.",
        "Scan the unit again; it goes on at this step. If it stays so, set the unit aside." },
    [V_CLOSE] = { "close", ROW_SUSPECT,
        "The profile is installed, but the factory services could not be closed with proof.",
        "Scan the unit again; it goes on at this step. If it stays so, set the unit aside." },

    [V_LEDGER_FULL] = { "ledger-full", ROW_FAIL,
        "The station's disk is full; nothing more can be recorded.",
        "A line engineer stops the line and makes room on the station's disk. Then scan the unit again." },
    [V_LEDGER] = { "ledger", ROW_FAIL,
        "The station could not read or write its ledger.",
        "A line engineer stops the line and looks at the detail. Then scan the unit again." },
    [V_MACHINE] = { "machine", ROW_FAIL,
        "The station itself failed, not the unit.",
        "Scan the unit again. If it stays so, show the detail to a line engineer." },
};

const char *verdict_kind_text(enum verdict_kind k)
{
    return (unsigned)k < VERDICT_KINDS ? kinds[k] : "FAIL";
}

const struct verdict_row *verdict_row(enum verdict v)
{
    return &rows[(unsigned)v < VERDICTS ? v : V_MACHINE];
}

enum verdict verdict_of_scan(enum scan_answer a)
{
    static const enum verdict of[SCAN_ANSWERS] = {
        [SCAN_OK] = V_MACHINE, /* an accepted scan has no verdict yet */
        [SCAN_EMPTY] = V_SCAN_EMPTY,
        [SCAN_TOO_LONG] = V_SCAN_TOO_LONG,
        [SCAN_BINARY] = V_SCAN_BINARY,
        [SCAN_NO_BARCODE] = V_SCAN_NO_BARCODE,
        [SCAN_UNKNOWN_FIXTURE] = V_SCAN_UNKNOWN_FIXTURE,
        [SCAN_MISREAD] = V_SCAN_MISREAD,
    };

    return (unsigned)a < SCAN_ANSWERS ? of[a] : V_MACHINE;
}

enum verdict verdict_of_card(const struct err *e)
{
    static const enum verdict of[ERR_CODES] = {
        [ERR_NO_CARD] = V_NO_CARD,
        [ERR_CLOSED] = V_NO_CARD,
        [ERR_TIMEOUT] = V_SILENT,
        [ERR_FORMAT] = V_NONSENSE,
        [ERR_LIMIT] = V_NONSENSE,
        [ERR_CARD] = V_NONSENSE, /* an answer, but not as it must be */
        [ERR_SIGNATURE] = V_BAD_EVIDENCE,
        [ERR_CONFLICT] = V_BAD_EVIDENCE,
        [ERR_IO] = V_FIXTURE,
        [ERR_NOT_FOUND] = V_FIXTURE,
        [ERR_WRONG_STATE] = V_FIXTURE, /* parked, or not ours */
        [ERR_USAGE] = V_FIXTURE,
        [ERR_BUSY] = V_FIXTURE,
    };

    if (e->code == ERR_CARD && e->sw)
        return V_CARD_REFUSED;
    if ((unsigned)e->code >= ERR_CODES || of[e->code] == V_DONE)
        return V_MACHINE;
    return of[e->code];
}

bool verdict_of_contacts(const struct err *e)
{
    enum verdict v = verdict_of_card(e);

    return v == V_NO_CARD || v == V_FIXTURE;
}

enum verdict verdict_of_station(const struct err *e)
{
    switch (e->code) {
    case ERR_FULL:
        return V_LEDGER_FULL;
    case ERR_NOMEM:
    case ERR_INTERNAL:
        return V_MACHINE;
    default:
        return V_LEDGER;
    }
}

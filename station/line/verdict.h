/* line/verdict: every way a scan can end, in one table: a code for machines,
 * and for the person at the line the cause and the next step in plain words.
 *
 * Codes are stable: robots and reports read them. */
#ifndef LINESIDE_LINE_VERDICT_H
#define LINESIDE_LINE_VERDICT_H

#include "station/base/err.h"
#include "station/line/scan.h"

enum verdict_kind {
    VERDICT_PASS,         /* the last step's evidence is committed            */
    VERDICT_ALREADY_DONE, /* neither: nothing was changed                     */
    VERDICT_FAIL,         /* the unit was looked at and is not finished       */
    VERDICT_REFUSED,      /* the scan: no unit was touched, nothing changed   */
    VERDICT_STOCKED,      /* done as its order asks, and not finished by it   */
    VERDICT_INCOMPLETE,   /* this position is done, others of the unit are not */
    VERDICT_ORDER,        /* no unit: the scan was an order's                 */
    VERDICT_IMEI,         /* no unit: the scan was an IMEI's, for the next one */
    VERDICT_GOLDEN,       /* a golden unit: its self-test has proven the fixture */
    VERDICT_RETURNED,     /* its profiles are deleted, and that is committed  */
    VERDICT_KINDS
};
const char *verdict_kind_text(enum verdict_kind k); /* "ALREADY DONE" */

enum verdict {
    V_DONE,
    V_ALREADY_DONE,
    V_STOCKED,
    V_POSITIONS_MISSING,
    V_ORDER_CHOSEN,
    V_IMEI_TAKEN,
    V_RETURNED,
    V_RETURNED_SPENT,
    V_ALREADY_RETURNED,

    /* Scans that start nothing. */
    V_SCAN_EMPTY,
    V_SCAN_TOO_LONG,
    V_SCAN_BINARY,
    V_SCAN_NO_BARCODE,
    V_SCAN_UNKNOWN_FIXTURE,
    V_SCAN_MISREAD,
    V_SCAN_BUSY,
    V_SCAN_STOPPING,
    V_SCAN_CUT,
    V_SCAN_WHICH,
    V_SCAN_NO_LOGIN,
    V_SCAN_NO_RIGHT,
    V_BADGE_REFUSED,
    V_ORDER_UNKNOWN,
    V_IMEI_MISREAD,
    V_NO_ORDER,

    /* The fixture takes no units. */
    V_FIXTURE_STOPPED,
    V_FIXTURE_UNPROVEN,

    /* Units that no fixture may work on. */
    V_QUARANTINED,
    V_SCRAPPED,

    /* The fixture and the card. */
    V_GOLDEN_OK,
    V_FIXTURE,
    V_NO_CARD,
    V_SILENT,
    V_NONSENSE,
    V_CARD_REFUSED,

    /* Who is it? Nothing was sent but the EID read. */
    V_WRONG_EID,
    V_SERIAL_HAS_OTHER_EID,
    V_EID_HAS_OTHER_SERIAL,
    V_EID_RETIRED,
    V_BUSY_ELSEWHERE,
    V_IMEI_CONFLICT,
    V_NOT_IN_ORDER,
    V_OTHER_ORDER,
    V_ORDER_FULL,
    V_ORDER_NOT_ACTIVE,

    /* What is there for it? */
    V_NO_BPP,
    V_PROFILE_MISSING,
    V_NOT_REPLACED,
    V_FPA_CLOSED,
    V_KEY_NOT_ON_CARD,
    V_KEYS_TOO_FEW,
    V_NO_SUCH_ACT,
    V_PROFILE_GONE,

    /* Returns. */
    V_NOTHING_TO_RETURN,
    V_RETURN_UNPROVABLE,
    V_RETURN_NO_ACT,
    V_RETURN,
    V_RETURN_UNPROVEN,

    /* The recipe. */
    V_AUTHORISE_REFUSED,
    V_LOAD_FAILED,
    V_LOAD_AGAIN,
    V_UNRESOLVED,
    V_NO_EVIDENCE,
    V_CONSUMED_ELSEWHERE,
    V_BAD_EVIDENCE,
    V_ENABLE_FAILED,
    V_NOTIFICATIONS,
    V_DELETE_KEYS,
    V_CLOSE,

    /* The station itself. */
    V_LEDGER_FULL,
    V_LEDGER,
    V_MACHINE,

    VERDICTS
};

/* What a verdict says of the fixture that the unit was in. */
enum verdict_fixture {
    SAYS_NOTHING, /* it is the unit's, the operator's, the stock's, the station's */
    SAYS_GOOD,
    SAYS_BAD      /* counts against it: enough of them stop it (line/health.h) */
};

struct verdict_row {
    const char *code; /* "wrong-eid" */
    enum verdict_kind kind;
    /* What the FPA could not or would not do with a unit, as the Profile
     * Loading Report carries it (binding, clause 5); the rest is about the
     * station or its stock, and is in the audit log only. */
    bool fpa_failure;
    enum verdict_fixture says;
    const char *cause; /* one sentence      */
    const char *next;  /* what to do now    */
};
const struct verdict_row *verdict_row(enum verdict v);

/* The verdict a scan ends with that scan_parse did not accept. */
enum verdict verdict_of_scan(enum scan_answer a);

/* What a failure of the session with the card means when no step of the
 * recipe says it better. */
enum verdict verdict_of_card(const struct err *e);
/* The way to the card failed, not the card: contacts, cable, reader. */
bool verdict_of_contacts(const struct err *e);
/* ... and one of the ledger or the machine. */
enum verdict verdict_of_station(const struct err *e);

#endif

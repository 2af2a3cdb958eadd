#include "storage/states.h"

/* --- BPPs ---------------------------------------------------------------------- */

static const char *const bpp_names[BPP_STATES] = {
    [BPP_IN_STOCK] = "in-stock",
    [BPP_RESERVED] = "reserved",
    [BPP_LOADING] = "loading",
    [BPP_INSTALLED] = "installed",
    [BPP_FAILED] = "failed",
    [BPP_QUARANTINED] = "quarantined",
    [BPP_VOIDED] = "voided",
};

static const char *const cause_names[CAUSE_COUNT] = {
    [CAUSE_SCAN] = "scan",
    [CAUSE_RELEASED] = "released",
    [CAUSE_LEFTOVER] = "leftover",
    [CAUSE_LOAD] = "load",
    [CAUSE_RESULT] = "result",
    [CAUSE_KEY_UNUSED] = "key-unused",
    [CAUSE_EVIDENCE_FOUND] = "evidence-found",
    [CAUSE_NO_EVIDENCE] = "consumed-without-evidence",
    [CAUSE_CONSUMED_ELSEWHERE] = "consumed-elsewhere",
    [CAUSE_GIVEN_UP] = "given-up",
    [CAUSE_WRITTEN_OFF] = "written-off",
};

/* Nothing leads out of installed, failed and voided, and nothing that can be
 * loaded out of quarantined: the key is gone. A reserved BPP whose key turns out to be gone is judged by whether
 * this ledger ever sent it (binding, clause 4, "a station in doubt"). */
const struct stock_transition stock_transitions[] = {
    { BPP_IN_STOCK, BPP_RESERVED, CAUSE_SCAN, ATTEMPTS_ANY,
      "its eUICC stands in a fixture" },
    { BPP_IN_STOCK, BPP_VOIDED, CAUSE_GIVEN_UP, ATTEMPTS_ANY,
      "two people said that it will never be used" },
    { BPP_RESERVED, BPP_IN_STOCK, CAUSE_RELEASED, ATTEMPTS_ANY,
      "the visit ended before it was needed; not an octet was sent" },
    { BPP_RESERVED, BPP_IN_STOCK, CAUSE_LEFTOVER, ATTEMPTS_ANY,
      "the process that reserved it ended; the next start gives it back" },
    { BPP_RESERVED, BPP_LOADING, CAUSE_LOAD, ATTEMPTS_ANY,
      "its first octet is about to be sent: one more load begun, durable "
      "before that" },
    { BPP_RESERVED, BPP_INSTALLED, CAUSE_EVIDENCE_FOUND, ATTEMPTS_SOME,
      "the eUICC kept the signed result of an earlier load: installed" },
    { BPP_RESERVED, BPP_FAILED, CAUSE_EVIDENCE_FOUND, ATTEMPTS_SOME,
      "the eUICC kept the signed result of an earlier load: not installed" },
    { BPP_RESERVED, BPP_QUARANTINED, CAUSE_NO_EVIDENCE, ATTEMPTS_SOME,
      "its one-time key is gone and the eUICC has no result of it" },
    { BPP_RESERVED, BPP_VOIDED, CAUSE_CONSUMED_ELSEWHERE, ATTEMPTS_NONE,
      "its one-time key is gone, and this ledger never sent it" },
    { BPP_LOADING, BPP_INSTALLED, CAUSE_RESULT, ATTEMPTS_ANY,
      "the eUICC's signed result of this load: installed" },
    { BPP_LOADING, BPP_FAILED, CAUSE_RESULT, ATTEMPTS_ANY,
      "the eUICC's signed result of this load: not installed" },
    { BPP_LOADING, BPP_INSTALLED, CAUSE_EVIDENCE_FOUND, ATTEMPTS_ANY,
      "asked again after a load whose end is not known, the eUICC had kept "
      "its signed result: installed" },
    { BPP_LOADING, BPP_FAILED, CAUSE_EVIDENCE_FOUND, ATTEMPTS_ANY,
      "asked again after a load whose end is not known, the eUICC had kept "
      "its signed result: not installed" },
    { BPP_LOADING, BPP_IN_STOCK, CAUSE_KEY_UNUSED, ATTEMPTS_ANY,
      "the eUICC has no result, still has the one-time key and not the "
      "profile: it can be sent again" },
    { BPP_LOADING, BPP_QUARANTINED, CAUSE_NO_EVIDENCE, ATTEMPTS_ANY,
      "the one-time key is gone and the eUICC has no result" },
    { BPP_QUARANTINED, BPP_INSTALLED, CAUSE_EVIDENCE_FOUND, ATTEMPTS_SOME,
      "asked again, the eUICC had its signed result after all: installed" },
    { BPP_QUARANTINED, BPP_FAILED, CAUSE_EVIDENCE_FOUND, ATTEMPTS_SOME,
      "asked again, the eUICC had its signed result after all: not installed" },
    { BPP_QUARANTINED, BPP_VOIDED, CAUSE_WRITTEN_OFF, ATTEMPTS_ANY,
      "two people said that its eUICC will never tell" },
};
const size_t stock_transition_count =
    sizeof stock_transitions / sizeof *stock_transitions;

const char *bpp_state_name(enum bpp_state s)
{
    return (unsigned)s < BPP_STATES ? bpp_names[s] : "unknown";
}

const char *stock_cause_name(enum stock_cause c)
{
    return (unsigned)c < CAUSE_COUNT ? cause_names[c] : "unknown";
}

static bool attempts_fit(enum attempts_rule r, unsigned attempts)
{
    return r == ATTEMPTS_ANY || (r == ATTEMPTS_SOME) == (attempts > 0);
}

const struct stock_transition *stock_transition(enum bpp_state from,
                                                enum bpp_state to,
                                                enum stock_cause cause,
                                                unsigned attempts)
{
    for (size_t i = 0; i < stock_transition_count; i++) {
        const struct stock_transition *t = &stock_transitions[i];
        if (t->from == from && t->to == to && t->cause == cause &&
            attempts_fit(t->attempts, attempts))
            return t;
    }
    return NULL;
}

/* --- positions ----------------------------------------------------------------- */

static const char *const position_names[POSITION_STATES] = {
    [POSITION_OPEN] = "open",
    [POSITION_PASSED] = "passed",
    [POSITION_STOCKED] = "stocked",
    [POSITION_FAILED] = "failed",
    [POSITION_UNRESOLVED] = "unresolved",
    [POSITION_QUARANTINED] = "quarantined",
    [POSITION_SCRAPPED] = "scrapped",
};

static const char *const position_causes[POSITION_CAUSES] = {
    [POSITION_CAUSE_SCAN] = "scan",
    [POSITION_CAUSE_EVIDENCE] = "evidence",
    [POSITION_CAUSE_KEYS_KEPT] = "keys-kept",
    [POSITION_CAUSE_VERDICT] = "verdict",
    [POSITION_CAUSE_LEFTOVER] = "leftover",
    [POSITION_CAUSE_DOUBT] = "doubt",
    [POSITION_CAUSE_RETRIES] = "retries",
    [POSITION_CAUSE_RELEASED] = "released",
    [POSITION_CAUSE_RESOLVE] = "resolve",
    [POSITION_CAUSE_SCRAPPED] = "scrapped",
    [POSITION_CAUSE_REPLACED] = "replaced",
    [POSITION_CAUSE_RETURN] = "return",
    [POSITION_CAUSE_RETURNED] = "returned",
};

/* Every visit to a fixture starts by opening; a visit ends in one of the
 * others. Only a return or another board leads
 * out of passed, and nothing out of scrapped. A process that died leaves a position
 * open: it becomes unresolved where a card may have seen a BPP. Where the
 * opening itself could not be written, a failure still can. */
const struct position_transition position_transitions[] = {
    { POSITION_OPEN, POSITION_PASSED, POSITION_CAUSE_EVIDENCE,
      "the signed results and receipts that its recipe asks for are verified "
      "and committed" },
    { POSITION_OPEN, POSITION_STOCKED, POSITION_CAUSE_KEYS_KEPT,
      "done so far; one-time keys are kept for another visit" },
    { POSITION_OPEN, POSITION_FAILED, POSITION_CAUSE_VERDICT,
      "the visit ended without PASS" },
    { POSITION_OPEN, POSITION_UNRESOLVED, POSITION_CAUSE_VERDICT,
      "the visit ended without PASS, and what became of a BPP is not "
      "known: the eUICC has to be asked" },
    { POSITION_OPEN, POSITION_UNRESOLVED, POSITION_CAUSE_LEFTOVER,
      "the process ended while a BPP was loading; the next start finds it" },
    { POSITION_STOCKED, POSITION_OPEN, POSITION_CAUSE_SCAN,
      "the unit stands in a fixture again" },
    { POSITION_FAILED, POSITION_OPEN, POSITION_CAUSE_SCAN,
      "the unit stands in a fixture again" },
    { POSITION_FAILED, POSITION_FAILED, POSITION_CAUSE_VERDICT,
      "a visit whose beginning could not be written ended with another code" },
    { POSITION_FAILED, POSITION_UNRESOLVED, POSITION_CAUSE_VERDICT,
      "a visit whose beginning could not be written left a BPP loading" },
    { POSITION_FAILED, POSITION_UNRESOLVED, POSITION_CAUSE_LEFTOVER,
      "the process ended while a BPP was loading; the next start finds it" },
    { POSITION_UNRESOLVED, POSITION_OPEN, POSITION_CAUSE_SCAN,
      "the unit stands in a fixture again: its eUICC is asked first" },
    { POSITION_UNRESOLVED, POSITION_UNRESOLVED, POSITION_CAUSE_VERDICT,
      "a visit whose beginning could not be written ended with another code" },

    /* Quarantine: nothing leads out of it but two people. */
    { POSITION_OPEN, POSITION_QUARANTINED,
      POSITION_CAUSE_DOUBT,
      "the visit ended with its state in doubt" },
    { POSITION_OPEN, POSITION_QUARANTINED,
      POSITION_CAUSE_RETRIES,
      "too many visits in a row failed at the same step" },
    { POSITION_FAILED, POSITION_QUARANTINED,
      POSITION_CAUSE_DOUBT,
      "the visit ended with its state in doubt" },
    { POSITION_FAILED, POSITION_QUARANTINED,
      POSITION_CAUSE_RETRIES,
      "too many visits in a row failed at the same step" },
    { POSITION_UNRESOLVED, POSITION_QUARANTINED,
      POSITION_CAUSE_DOUBT,
      "the visit ended with its state in doubt" },
    { POSITION_UNRESOLVED, POSITION_QUARANTINED,
      POSITION_CAUSE_RETRIES,
      "too many visits in a row failed at the same step" },
    { POSITION_QUARANTINED, POSITION_OPEN,
      POSITION_CAUSE_RELEASED,
      "two people let it go on like any other unit" },
    { POSITION_QUARANTINED, POSITION_UNRESOLVED,
      POSITION_CAUSE_RELEASED,
      "two people let it go on; a BPP of it still waits for its eUICC's "
      "word" },
    { POSITION_QUARANTINED, POSITION_UNRESOLVED,
      POSITION_CAUSE_RESOLVE,
      "two people want its next visit to decide by what its eUICC says" },
    { POSITION_FAILED, POSITION_UNRESOLVED,
      POSITION_CAUSE_RESOLVE,
      "two people want its next visit to decide by what its eUICC says" },
    { POSITION_UNRESOLVED, POSITION_UNRESOLVED,
      POSITION_CAUSE_RESOLVE,
      "two people want its next visit to decide by what its eUICC says" },
    { POSITION_OPEN, POSITION_SCRAPPED,
      POSITION_CAUSE_SCRAPPED,
      "two people gave it up, while the line stood still" },
    { POSITION_STOCKED, POSITION_SCRAPPED,
      POSITION_CAUSE_SCRAPPED,
      "two people gave it up" },
    { POSITION_FAILED, POSITION_SCRAPPED,
      POSITION_CAUSE_SCRAPPED,
      "two people gave it up" },
    { POSITION_UNRESOLVED, POSITION_SCRAPPED,
      POSITION_CAUSE_SCRAPPED,
      "two people gave it up" },
    { POSITION_QUARANTINED, POSITION_SCRAPPED,
      POSITION_CAUSE_SCRAPPED,
      "two people gave it up" },
    { POSITION_OPEN, POSITION_OPEN,
      POSITION_CAUSE_REPLACED,
      "two people recorded that another board is in it, while the line "
      "stood still" },
    { POSITION_PASSED, POSITION_OPEN,
      POSITION_CAUSE_REPLACED,
      "two people recorded that another board is in it" },
    { POSITION_STOCKED, POSITION_OPEN,
      POSITION_CAUSE_REPLACED,
      "two people recorded that another board is in it" },
    { POSITION_FAILED, POSITION_OPEN,
      POSITION_CAUSE_REPLACED,
      "two people recorded that another board is in it" },
    { POSITION_UNRESOLVED, POSITION_OPEN,
      POSITION_CAUSE_REPLACED,
      "two people recorded that another board is in it" },
    { POSITION_QUARANTINED, POSITION_OPEN,
      POSITION_CAUSE_REPLACED,
      "two people recorded that another board is in it" },
    { POSITION_OPEN, POSITION_STOCKED, POSITION_CAUSE_RETURNED,
      "its profiles are deleted, by the eUICC's signed notifications" },
    { POSITION_PASSED, POSITION_OPEN, POSITION_CAUSE_RETURN,
      "it gives its profiles back: until that is proven it is not finished" },
    { POSITION_STOCKED, POSITION_OPEN, POSITION_CAUSE_RETURN,
      "it gives its profiles back" },
    { POSITION_FAILED, POSITION_OPEN, POSITION_CAUSE_RETURN,
      "it gives its profiles back" },
    { POSITION_UNRESOLVED, POSITION_OPEN, POSITION_CAUSE_RETURN,
      "it gives its profiles back; its eUICC is asked first" },
};
const size_t position_transition_count =
    sizeof position_transitions / sizeof *position_transitions;

const struct position_transition *position_transition(enum position_state from,
                                                      enum position_state to,
                                                      enum position_cause cause)
{
    for (size_t i = 0; i < position_transition_count; i++) {
        const struct position_transition *t = &position_transitions[i];
        if (t->from == from && t->to == to && t->cause == cause)
            return t;
    }
    return NULL;
}

const char *position_state_name(enum position_state s)
{
    return (unsigned)s < POSITION_STATES ? position_names[s] : "unknown";
}

const char *position_cause_name(enum position_cause c)
{
    return (unsigned)c < POSITION_CAUSES ? position_causes[c] : "unknown";
}

/* --- work orders ---------------------------------------------------------------- */

static const char *const order_names[ORDER_STATES] = {
    [ORDER_WAITING] = "waiting",
    [ORDER_ACTIVE] = "active",
    [ORDER_CLOSED] = "closed",
};

static const char *const order_causes[ORDER_CAUSES] = {
    [ORDER_CAUSE_ACTIVATED] = "activated",
    [ORDER_CAUSE_CLOSED] = "closed",
    [ORDER_CAUSE_WITHDRAWN] = "withdrawn",
};

/* An order that was closed stays closed: who wants more of the same makes or
 * imports another one. */
const struct order_transition order_transitions[] = {
    { ORDER_WAITING, ORDER_ACTIVE, ORDER_CAUSE_ACTIVATED,
      "its recipes were held against stock and eUICCs, and somebody said go" },
    { ORDER_WAITING, ORDER_CLOSED, ORDER_CAUSE_WITHDRAWN,
      "it was closed before anything was made by it" },
    { ORDER_ACTIVE, ORDER_CLOSED, ORDER_CAUSE_CLOSED,
      "somebody closed it, whatever it had reached; its fixtures are free" },
};
const size_t order_transition_count =
    sizeof order_transitions / sizeof *order_transitions;

const struct order_transition *order_transition(enum order_state from,
                                                enum order_state to,
                                                enum order_cause cause)
{
    for (size_t i = 0; i < order_transition_count; i++) {
        const struct order_transition *t = &order_transitions[i];
        if (t->from == from && t->to == to && t->cause == cause)
            return t;
    }
    return NULL;
}

const char *order_state_name(enum order_state s)
{
    return (unsigned)s < ORDER_STATES ? order_names[s] : "unknown";
}

const char *order_cause_name(enum order_cause c)
{
    return (unsigned)c < ORDER_CAUSES ? order_causes[c] : "unknown";
}

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
};

/* Nothing leads out of installed, failed, quarantined and voided: the key is
 * gone. A reserved BPP whose key turns out to be gone is judged by whether
 * this ledger ever sent it (binding, clause 4, "a station in doubt"). */
const struct stock_transition stock_transitions[] = {
    { BPP_IN_STOCK, BPP_RESERVED, CAUSE_SCAN, ATTEMPTS_ANY },
    { BPP_RESERVED, BPP_IN_STOCK, CAUSE_RELEASED, ATTEMPTS_ANY },
    { BPP_RESERVED, BPP_IN_STOCK, CAUSE_LEFTOVER, ATTEMPTS_ANY },
    { BPP_RESERVED, BPP_LOADING, CAUSE_LOAD, ATTEMPTS_ANY },
    { BPP_RESERVED, BPP_INSTALLED, CAUSE_EVIDENCE_FOUND, ATTEMPTS_SOME },
    { BPP_RESERVED, BPP_FAILED, CAUSE_EVIDENCE_FOUND, ATTEMPTS_SOME },
    { BPP_RESERVED, BPP_QUARANTINED, CAUSE_NO_EVIDENCE, ATTEMPTS_SOME },
    { BPP_RESERVED, BPP_VOIDED, CAUSE_CONSUMED_ELSEWHERE, ATTEMPTS_NONE },
    { BPP_LOADING, BPP_INSTALLED, CAUSE_RESULT, ATTEMPTS_ANY },
    { BPP_LOADING, BPP_FAILED, CAUSE_RESULT, ATTEMPTS_ANY },
    { BPP_LOADING, BPP_INSTALLED, CAUSE_EVIDENCE_FOUND, ATTEMPTS_ANY },
    { BPP_LOADING, BPP_FAILED, CAUSE_EVIDENCE_FOUND, ATTEMPTS_ANY },
    { BPP_LOADING, BPP_IN_STOCK, CAUSE_KEY_UNUSED, ATTEMPTS_ANY },
    { BPP_LOADING, BPP_QUARANTINED, CAUSE_NO_EVIDENCE, ATTEMPTS_ANY },
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
};

/* Every visit to a fixture starts by opening; a visit ends in one of the
 * others. Nothing leads out of passed. A process that died leaves a position
 * open: it becomes unresolved where a card may have seen a BPP. */
const struct position_transition position_transitions[] = {
    { POSITION_OPEN, POSITION_PASSED },
    { POSITION_OPEN, POSITION_STOCKED },
    { POSITION_OPEN, POSITION_FAILED },
    { POSITION_OPEN, POSITION_UNRESOLVED },
    { POSITION_STOCKED, POSITION_OPEN },
    { POSITION_FAILED, POSITION_OPEN },
    { POSITION_FAILED, POSITION_UNRESOLVED },
    { POSITION_UNRESOLVED, POSITION_OPEN },
};
const size_t position_transition_count =
    sizeof position_transitions / sizeof *position_transitions;

bool position_may(enum position_state from, enum position_state to)
{
    for (size_t i = 0; i < position_transition_count; i++)
        if (position_transitions[i].from == from &&
            position_transitions[i].to == to)
            return true;
    return false;
}

const char *position_state_name(enum position_state s)
{
    return (unsigned)s < POSITION_STATES ? position_names[s] : "unknown";
}

/* fpa/doubt: what became of a BPP, by the card's own records (binding, clause
 * 4, "A station in doubt"). Three steps, so that one reading serves every BPP
 * of the card, and so that the decision is a table over plain facts:
 * doubt_read asks the card, doubt_facts looks for one BPP, doubt_decide judges. */
#ifndef LINESIDE_FPA_DOUBT_H
#define LINESIDE_FPA_DOUBT_H

#include "station/fpa/card.h"

enum doubt_verdict {
    DOUBT_INSTALLED,            /* BF37 at hand                                  */
    DOUBT_FAILED,               /* BF37 at hand                                  */
    DOUBT_BACK_IN_STOCK,        /* nothing happened; count the attempt           */
    DOUBT_CONSUMED_NO_EVIDENCE, /* quarantine                                    */
    DOUBT_CONSUMED_ELSEWHERE,   /* void; with the card's BF37 if there           */
    DOUBT_UNRESOLVED,           /* stays loading until the card answers plainly  */
    DOUBT_VERDICTS
};
const char *doubt_verdict_name(enum doubt_verdict v);

enum doubt_evidence { EVIDENCE_UNREAD, EVIDENCE_NONE, EVIDENCE_INSTALLED, EVIDENCE_FAILED };
enum doubt_key { KEY_UNREAD, KEY_UNUSED, KEY_GONE };
enum doubt_iccid { ICCID_UNREAD, ICCID_ABSENT, ICCID_PRESENT };

struct doubt_inputs {
    enum doubt_evidence evidence; /* valid BF37 for the transactionId (BF2B)   */
    enum doubt_key key;           /* the one-time key (BF70)                   */
    enum doubt_iccid iccid;       /* a profile of that ICCID (BF2D)            */
    bool ours; /* this ledger has handed out an ES8f octet of it: attempts > 0 */
};

/* Pure. */
enum doubt_verdict doubt_decide(const struct doubt_inputs *in);

/* The card's three answers. What could not be read is marked so. */
struct doubt_records {
    struct buf notifications_raw, status_raw;
    bool notifications_read, status_read, profiles_read;
    struct span notifications; /* into notifications_raw */
    struct ifpp_status status; /* into status_raw        */
    struct fpa_profiles profiles;
};
void doubt_records_clear(struct doubt_records *r);

/* Read BF2B, BF70, BF2D. 0: all three. -1: *e is the first failure; *out is
 * usable all the same, since a BF37 that was read is proof without the rest. */
int doubt_read(struct fpa_card *c, struct doubt_records *out, struct err *e);

/* Look for one BPP. euicc: public key of its proven CERT.EUICC. *bf37, when
 * not NULL, receives the valid BF37 (into *r) or an empty span. A BF37 for
 * this transactionId that does not verify makes the evidence UNREAD and says
 * so in *e (return -1); the inputs are set either way. */
int doubt_facts(const struct doubt_records *r, const struct txid *t,
                const struct iccid *iccid, EVP_PKEY *euicc, bool ours,
                struct doubt_inputs *out, struct span *bf37, struct err *e);

#endif

/* base/ids.h: the numbers printed on things. */
#ifndef LINESIDE_BASE_IDS_H
#define LINESIDE_BASE_IDS_H

#include "station/base/span.h"

/* EID (SGP.29): 16 octets, 32 BCD digits in order, whole number mod 97 = 1. */
struct eid {
    uint8_t o[16];
};
#define EID_DIGITS 32

bool eid_valid(const struct eid *e); /* digits only, and the check holds */
bool eid_from_span(struct span s, struct eid *out); /* 16 octets, valid */
/* 32 digits with a check that holds; spaces are not accepted. -1 otherwise. */
int eid_parse(const char *digits, struct eid *out);
char *eid_format(const struct eid *e, char out[EID_DIGITS + 1]);
bool eid_eq(const struct eid *a, const struct eid *b);
/* Set the last two digits so that the check holds (SGP.29; used by an EUM). */
void eid_complete(struct eid *e);

/* ICCID: 10 octets, swapped nibbles, 19 or 20 digits, Luhn; padded with F. */
struct iccid {
    uint8_t o[10];
};
#define ICCID_DIGITS 20

bool iccid_valid(const struct iccid *i);
int iccid_parse(const char *digits, struct iccid *out);
char *iccid_format(const struct iccid *i, char out[ICCID_DIGITS + 1]);
/* The Luhn check digit ('0'..'9') for a string of digits without one. */
char luhn_digit(const char *digits);

/* IMEI (3GPP TS 23.003): 15 digits, the last of which is the Luhn check digit. */
#define IMEI_DIGITS 15
/* The digits as they are printed: groups of them may be parted by one '-', '/' or
 * blank each. False: these are not 15 digits. The check digit is not looked at. */
bool imei_digits(const char *text, char out[IMEI_DIGITS + 1]);
bool imei_valid(struct span digits); /* 15 digits, and the check holds */

/* transactionId: 16 random octets that name a one-time key for life, the BPP
 * bound to it and the result that consumes it (binding, clause 2). */
struct txid {
    uint8_t o[16];
};
#define TXID_HEX 32

bool txid_from_span(struct span s, struct txid *out); /* exactly 16 */
bool txid_eq(const struct txid *a, const struct txid *b);
char *txid_format(const struct txid *t, char out[TXID_HEX + 1]);

#endif

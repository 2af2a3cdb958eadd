/* The Bound Profile Packages of ../shared/data/vectors: made by an
 * implementation that is not ours, every key and random input beside them. */
#ifndef LINESIDE_UNIT_LAB_SMDPF_VECTOR_H
#define LINESIDE_UNIT_LAB_SMDPF_VECTOR_H

#include "station/base/ids.h"
#include "station/base/span.h"
#include "tests/lab/smdpf/bsp.h"

#include <openssl/evp.h>

#define VECTORS 6
extern const char *const vector_names[VECTORS];

struct vector {
    struct buf bpp, upp;
    struct eid eid;
    struct txid txid;
    uint8_t host_id[32];
    size_t host_id_len;
    EVP_PKEY *euicc_otsk, *dp_otsk;
    uint8_t euicc_otpk[65], dp_otpk[65];
    struct bsp_keys session;
    bool has_ppk;
    struct bsp_keys ppk;
};

/* false: the shared data is not there; the reason has been printed. Anything
 * wrong with data that is there fails the test. */
bool vector_load(int i, struct vector *v);
void vector_clear(struct vector *v);

#endif

/* lab/euicc/isdr.h: the ISD-R: every function of the binding's tables
 * (clause 4), behind the gate of GENS13 and EUICCF04. */
#ifndef LINESIDE_LAB_EUICC_ISDR_H
#define LINESIDE_LAB_EUICC_ISDR_H

#include "tests/lab/euicc/isdp.h"
#include "tests/lab/euicc/store.h"

#define SW_NOT_FOUND 0x6A88 /* a function this chip does not have */

struct isdr {
    struct store *s; /* borrowed */
    struct isdp *isdp;
    bool fpa_open;   /* BF70 came since SELECT */
};

int isdr_init(struct isdr *r, struct store *s, struct err *e);
void isdr_clear(struct isdr *r);

/* SELECT, reset, power off: the FPA session, the authorisation and a load
 * that has no result yet are forgotten. */
void isdr_reset(struct isdr *r);
/* ... and what ImmediateEnable remembers, with the power. */
void isdr_power_off(struct isdr *r);

/* What SELECT answers. */
void isdr_put_fci(struct buf *b);

/* One function: the data of a whole STORE DATA chain. Returns the status word
 * and appends the answer to out; -1 when the store failed. */
int isdr_function(struct isdr *r, struct span data, struct buf *out,
                  struct err *e);

/* --- for the files of this room: the functions ---------------------------
 * value: of the request's TLV. Append the answer, whole. */
typedef int isdr_fn(struct isdr *r, struct span value, struct buf *out,
                    struct err *e);
isdr_fn fn_euicc_data, fn_info1, fn_info2, fn_challenge, fn_configured,
    fn_set_default_dp, fn_rat, fn_certs, fn_prepare_download,
    fn_authenticate_server;                              /* info.c     */
isdr_fn fn_profiles_info, fn_enable, fn_disable, fn_delete, fn_nickname,
    fn_memory_reset, fn_enable_iot;                      /* profiles.c */
isdr_fn fn_list_notification, fn_retrieve_notifications,
    fn_remove_notification;                              /* pending.c  */
isdr_fn fn_ifpp_status, fn_authorise, fn_delete_otk, fn_close_fpa;
                                                         /* ifpp.c     */

/* {80 result} under tag. */
int put_result(struct buf *out, uint32_t tag, unsigned result);

#endif

/* storage/returns.h: a unit gives back what was loaded into it (SGP.41 Annex
 * A.4). Its position opens before anything is deleted and is stocked again
 * when every deletion is proven: in between, whatever happens, no ledger says
 * that the unit is finished. */
#ifndef LINESIDE_STORAGE_RETURNS_H
#define LINESIDE_STORAGE_RETURNS_H

#include "storage/units.h"

#define RETURN_REASON_MAX 200

/* 1 to 200 octets of plain text: else ERR_USAGE. */
int return_reason_check(const char *reason, struct err *e);
/* Make this durable before the eUICC is asked to delete anything. Event
 * "return-begun"; the position opens, if it is not open. ERR_USAGE: the
 * reason. ERR_WRONG_STATE as position_move. */
int return_begin(struct tx *tx, const struct act *a, const char *reason,
                 struct err *e);
/* Every profile that this ledger installed in this eUICC is deleted, by signed
 * notifications (notification_add): the position is stocked. Else
 * ERR_WRONG_STATE, with the ICCID. */
int return_finish(struct tx *tx, const struct act *a, enum euicc_kind kind,
                  int64_t keys_left, struct err *e);

#endif

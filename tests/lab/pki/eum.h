/* pki/eum.h: the EUM: makes eUICCs (EID, certificate, one-time keys) and
 * hands out their eUICC data (binding, clause 2; SGP.41 Esed1, Esed2). */
#ifndef LINESIDE_LAB_PKI_EUM_H
#define LINESIDE_LAB_PKI_EUM_H

#include "station/ifpp/es10f.h"
#include "tests/lab/world.h"

struct eum_order {
    size_t euiccs;       /* 1 to EUM_EUICCS_MAX                       */
    size_t keys;         /* per eUICC, 1 to EUICC_DATA_KEYS_MAX; key i is
                            meant for SM-DPf i modulo their number    */
    enum info2_kind kind;
    unsigned threads;
};
#define EUM_EUICCS_MAX 10000000

/* Numbers within bounds: ERR_USAGE. */
int eum_check_order(const struct eum_order *o, struct err *e);

/* Personalise WORLD/euicc/EID.db for each, and seal one euicc-data container
 * in WORLD/out. *container: its path, caller frees. */
int eum_make(const struct world *w, const struct eum_order *o,
             char **container, struct err *e);

#endif

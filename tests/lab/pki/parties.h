/* pki/parties.h: the standing parties of a world and their certificates. */
#ifndef LINESIDE_LAB_PKI_PARTIES_H
#define LINESIDE_LAB_PKI_PARTIES_H

#include "tests/lab/world.h"

/* Make keys and certificates of every party under DIR/keys. */
int parties_create(const struct world *w, struct err *e);

#endif

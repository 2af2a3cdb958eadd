/* control/needs: which right each act takes, as far as screens ask: what is offered to
 * whom. Whether it is done, the act itself asks (acts/who.h). */
#ifndef LINESIDE_CONTROL_NEEDS_H
#define LINESIDE_CONTROL_NEEDS_H

#include "station/control/protocol.h"
#include "station/people/rights.h"

/* False: it takes none. */
bool control_needs(enum control_verb v, enum right *out);

#endif

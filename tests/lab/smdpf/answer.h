/* smdpf/answer.h: the SM-DPf takes a bpp-request: proves all of it, believes
 * nothing that it has bound before, and binds just these keys. */
#ifndef LINESIDE_LAB_SMDPF_ANSWER_H
#define LINESIDE_LAB_SMDPF_ANSWER_H

#include "tests/lab/smdpf/produce.h"

struct answered {
    char request[37], station[REGISTERED_ID_MAX + 1];
    char msp[64 + 1], profile[64 + 1];
    struct produced made; /* made.container: caller frees */
};

/* o: size, PPKs, validity, out and threads; the rest comes from the request.
 * ERR_TRUST, ERR_SIGNATURE, ERR_FORMAT: it is forged, or for nobody here;
 * ERR_CONFLICT: a key was bound before, is meant for another SM-DPf, or stands
 * there twice; ERR_REPLAY: answered before. Nothing is bound then. */
int smdpf_answer(const struct world *w, struct sql *book, const char *path,
                 const struct produce_order *o, struct answered *out,
                 struct err *e);

#endif

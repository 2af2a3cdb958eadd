/* A reader whose cards answer by the clock: an emulated CCID reader (lab/usb/
 * ccid_model.h) with a spring in front. An APDU's answer is worked out when it
 * comes and told a fixed time later, when the station polls; all else is the
 * reader's own affair. So 64 slow readers cost this machine, which the
 * station shares with them, as little as real ones would. One slot, short APDUs. */
#ifndef LINESIDE_TESTS_BENCH_CLOCKWORK_H
#define LINESIDE_TESTS_BENCH_CLOCKWORK_H

#include "tests/lab/usb/ccid_model.h"

/* The springs of all readers. A program that links this has a poll() of its own,
 * which is where they go off. One at a time. */
struct clockwork;
struct clockwork *clockwork_start(int64_t apdu_ns);
void clockwork_stop(struct clockwork *w); /* its readers are freed */

/* card: in its slot, as ccid_model_insert has it, from the start to the end. */
struct lab_usb_device *clockwork_reader(struct clockwork *w,
                                        const struct ccid_model_options *o,
                                        struct fixture *card,
                                        const struct ccid_card *c);

#endif

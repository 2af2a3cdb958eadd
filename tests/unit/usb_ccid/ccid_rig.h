/* unit/usb_ccid/ccid_rig.h: the readers of drivers/ccid on an emulated bus, for
 * one test. */
#ifndef LINESIDE_UNIT_CCID_RIG_H
#define LINESIDE_UNIT_CCID_RIG_H

#include "drivers/ccid/slot.h"
#include "tests/lab/usb/ccid_model.h"
#include "tests/lab/usb/inprocess/inprocess.h"

#define RIG_WAIT_MS 10000
#define RIG_EVENTS 6

struct rig;
/* not_ours: a path that is not allowed; NULL: all are. */
struct rig *rig_start(const char *not_ours);
/* Also frees the models that are plugged. */
void rig_stop(struct rig *r);

struct lab_bus *rig_bus(struct rig *r);
struct ccid_readers *rig_readers(struct rig *r);

/* A model, made and plugged; it stays the rig's. */
struct lab_usb_device *rig_plug(struct rig *r, const char *path,
                                const struct ccid_model_options *o);
void rig_plug_again(struct rig *r, const char *path, struct lab_usb_device *d);
void rig_unplug(struct rig *r, const char *path);
/* A puppet in the slot (the rig's as well), which answers a chain with itself. */
struct fixture *rig_card(struct rig *r, struct lab_usb_device *d, unsigned slot,
                         const struct ccid_card *o);

/* Waits until the place is in this state, and fails the test if it is not in
 * time; *out (may be NULL) is what is known of it. */
void rig_await(struct rig *r, const char *name, enum ccid_place_state s,
               struct ccid_place *out);
/* How often this event came for this place (NULL: any). */
unsigned rig_events(struct rig *r, enum ccid_event_kind kind, const char *name);
/* Waits until it has come that often: an event follows what the list says. */
void rig_await_events(struct rig *r, enum ccid_event_kind kind, const char *name,
                      unsigned n);

struct fixture *rig_open(struct rig *r, const char *name);
/* MANAGE CHANNEL; the puppet answers it. */
int rig_exchange(struct fixture *f, int timeout_ms, struct err *e);

#define OK(call, e) ck_assert_msg((call) == 0, "%s", (e).msg)

/* A test program's main: SKIP where there can be no bus. */
#include <check.h>
int rig_main(Suite *s);

#endif

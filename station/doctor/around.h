/* doctor/around.h: what stands around the ledger: files, space, the line's
 * lock, USB, network. Each fills its part of doctor_seen. */
#ifndef LINESIDE_DOCTOR_AROUND_H
#define LINESIDE_DOCTOR_AROUND_H

#include "station/doctor/doctor.h"
#include "storage/places.h"

void around_files(const char *data_dir, struct doctor_seen *s);
void around_space(const char *data_dir, struct doctor_seen *s);
void around_line(const char *data_dir, struct doctor_seen *s);
/* said may be empty. Opens no device; not to be called while a line runs. */
void around_usb(const struct places *said, struct doctor_seen *s);
void around_network(struct doctor_seen *s);

/* Append a name with a comma; what has no room becomes one "...". */
void around_list_add(doctor_list list, const char *name);

#endif

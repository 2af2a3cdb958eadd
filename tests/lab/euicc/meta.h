/* lab/euicc/meta.h: StoreMetadata (BF25) as the chip understands it: SGP.22
 * 5.5.3, clause 3 of the binding. */
#ifndef LINESIDE_LAB_EUICC_META_H
#define LINESIDE_LAB_EUICC_META_H

#include "station/base/err.h"
#include "station/base/ids.h"
#include "station/ifpp/tlv.h"

/* First octet of a NotificationEvent BIT STRING. */
#define EVENT_INSTALL 0x80
#define EVENT_ENABLE 0x40
#define EVENT_DISABLE 0x20
#define EVENT_DELETE 0x10
#define EVENT_ALL 0xF0

enum profile_class { CLASS_TEST, CLASS_PROVISIONING, CLASS_OPERATIONAL };

/* Spans point into the octets that were read. */
struct meta {
    struct iccid iccid;
    struct span provider, name;   /* UTF-8             */
    enum profile_class class;
    struct span addresses;        /* value of B6, or empty */
    bool no_disable, no_delete;   /* PPR1, PPR2 (99)   */
};

/* One whole BF25. ERR_FORMAT: not one. ERR_LIMIT: a class nobody knows. */
int meta_read(struct span bf25, struct meta *out, struct err *e);

/* Take the next B6 entry that names one of these events: 1 (*address), 0. */
int meta_next_address(struct span *addresses, uint8_t events,
                      struct span *address);

/* NotificationEvent content: the number of unused bits and the bits. */
void event_put(struct buf *b, uint32_t tag, uint8_t events);
/* 0 or -1. */
int event_read(struct span value, uint8_t *events);

#endif

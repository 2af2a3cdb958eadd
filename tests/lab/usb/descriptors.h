/* lab/usb/descriptors.h: what the bus itself needs to know of a model's
 * configuration descriptor. The octets may lie in any way: a walk ends where
 * a length makes no sense. */
#ifndef LINESIDE_LAB_USB_DESCRIPTORS_H
#define LINESIDE_LAB_USB_DESCRIPTORS_H

#include "station/base/span.h"

#define LAB_USB_INTERFACES 32 /* numbers above are not taken */

/* The next whole descriptor of *in; false: no more. */
bool descriptor_next(struct span *in, struct span *out);

/* The configuration number `index` (0 on) of the octets that describe all;
 * empty: there is none. */
struct span configuration_at(struct span all, unsigned index);
/* The one with this bConfigurationValue; empty: none. */
struct span configuration_of_value(struct span all, uint8_t value);

/* The interface descriptor; empty: none such. alternate -1: any. */
struct span interface_find(struct span configuration, uint8_t number,
                           int alternate);
/* In any alternate setting: the endpoint's descriptor and the number of its
 * interface; false: none. */
bool endpoint_find(struct span configuration, uint8_t address,
                   struct span *endpoint, uint8_t *interface);

#endif

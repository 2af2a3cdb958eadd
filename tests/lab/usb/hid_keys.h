/* lab/usb/hid_keys.h: how a barcode scanner types a character on a keyboard
 * layout: which keys, with which modifiers. Laid out as keyboards are, row by
 * row, so that it can be checked against a picture of one; shares nothing
 * with drivers/. */
#ifndef LINESIDE_LAB_USB_HID_KEYS_H
#define LINESIDE_LAB_USB_HID_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hid_model_layout { HID_MODEL_US, HID_MODEL_DE, HID_MODEL_FR, HID_MODEL_LAYOUTS };

struct hid_stroke {
    uint8_t usage;
    uint8_t modifiers; /* as HID has them: 2 left Shift, 4 left Alt, 0x40 AltGr */
};
#define HID_STROKES_MAX 12 /* for one character */

struct hid_manner {
    bool caps;   /* capitals with Caps Lock, not Shift */
    bool keypad; /* digits on the keypad */
};

/* The strokes for c: printable ASCII, CR, LF (Ctrl+J), TAB. 0: it cannot. */
size_t hid_keys_type(enum hid_model_layout l, struct hid_manner m, char c,
                     struct hid_stroke out[HID_STROKES_MAX]);
/* c as Alt and its number on the keypad. */
size_t hid_keys_alt_code(char c, struct hid_stroke out[HID_STROKES_MAX]);

#endif

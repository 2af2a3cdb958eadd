/* lab/usb/hid_model.h: barcode scanners on the emulated bus: ones that play
 * a keyboard and ones that speak HID POS. How each types a character is a
 * table of its own: nothing is shared with drivers/. */
#ifndef LINESIDE_LAB_USB_HID_MODEL_H
#define LINESIDE_LAB_USB_HID_MODEL_H

#include "tests/lab/usb/hid_keys.h"
#include "tests/lab/usb/model.h"

enum hid_model_kind {
    HID_MODEL_KEYBOARD, /* boot-like: modifiers, reserved, six keys */
    HID_MODEL_ODD,      /* report ID 5, keys as a bitmap, modifiers behind them */
    HID_MODEL_POS,      /* HID POS: report ID 2, 56 octets a report */
    HID_MODELS
};

struct hid_model_options {
    enum hid_model_kind kind;
    enum hid_model_layout layout; /* of a keyboard */
    const char *suffix;   /* typed after each scan; NULL: "\r"; POS: none */
    const char *prefix;   /* typed before it; NULL: none */
    uint16_t vendor, product; /* 0: 0x1209, 0x5193 */
    const char *serial, *name; /* strings; borrowed; NULL: none */
    unsigned pace_us;     /* between two reports; 0: as fast as it goes */
    bool rollover;        /* the next key goes down before the last is up
                             (boot-like only) */
    bool caps;            /* types capitals with Caps Lock */
    bool keypad;          /* types digits on the keypad */
    bool refuse_idle;     /* STALLs SET_IDLE and SET_PROTOCOL */
    struct span descriptor; /* not empty: this report descriptor instead,
                               whatever it is; copied */
    uint16_t descriptor_length; /* what the HID descriptor says of its length;
                                   0: the truth */
};
int hid_model_new(const struct hid_model_options *o,
                  struct lab_usb_device **out, struct err *e);

enum hid_model_fault {
    HID_MODEL_FAULT_NONE,
    HID_MODEL_FAULT_DOUBLE,   /* every report of the next scan twice          */
    HID_MODEL_FAULT_NO_RELEASE, /* no key of the next scan is released, but by
                                 the next key                                 */
    HID_MODEL_FAULT_CUT,      /* the next scan stops in the middle            */
    HID_MODEL_FAULT_PHANTOM,  /* ErrorRollOver between its reports            */
    HID_MODEL_FAULT_SHORT,    /* one of its reports lacks its last octets     */
    HID_MODEL_FAULT_LONG,     /* one of its reports has more than announced   */
    HID_MODEL_FAULT_LENGTH,   /* POS: announces more data than fit            */
    HID_MODEL_FAULT_ALT_CODES, /* a character as Alt and digits on the keypad */
    HID_MODEL_FAULTS
};
/* For the next scan. */
void hid_model_fault(struct lab_usb_device *d, enum hid_model_fault f);

/* The operator pulls the trigger: prefix, text, suffix. Returns when every
 * report is in the endpoint's queue (paced: in its time). ERR_USAGE: a
 * character that this model cannot type (printable ASCII, CR, LF and TAB it
 * can; POS types anything). ERR_NO_CARD: not plugged. */
int hid_model_scan(struct lab_usb_device *d, const char *text, struct err *e);
/* Octets as one report. */
void hid_model_report(struct lab_usb_device *d, struct span report);
/* Has the host claimed it and does it listen: waits until an IN URB waits,
 * at most so long. */
bool hid_model_wait_listened(struct lab_usb_device *d, int timeout_ms);
/* Has the host taken all that was typed; at most so long. Its program may
 * still have to look at the last few reports. */
bool hid_model_wait_taken(struct lab_usb_device *d, int timeout_ms);

#endif

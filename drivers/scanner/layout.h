/* drivers/scanner/layout: what a key means on a keyboard layout. A scanner
 * that plays a keyboard sends keys, not text, and was set to one layout; the
 * tables here are that layout as Windows lays it out, since that is what
 * scanners are made for. What means different things on different machines
 * is refused, not guessed. */
#ifndef LINESIDE_DRIVERS_SCANNER_LAYOUT_H
#define LINESIDE_DRIVERS_SCANNER_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

enum layout { LAYOUT_US, LAYOUT_DE, LAYOUT_FR, LAYOUTS };
const char *layout_name(enum layout l); /* "us" */
/* False: no such layout. */
bool layout_find(const char *name, enum layout *out);

/* Modifiers as HID has them (usages E0 to E7). */
enum {
    KEY_LEFT_CTRL = 0x01,
    KEY_LEFT_SHIFT = 0x02,
    KEY_LEFT_ALT = 0x04,
    KEY_LEFT_GUI = 0x08,
    KEY_RIGHT_CTRL = 0x10,
    KEY_RIGHT_SHIFT = 0x20,
    KEY_RIGHT_ALT = 0x40, /* AltGr, where the layout has one */
    KEY_RIGHT_GUI = 0x80
};
#define KEY_CAPS_LOCK 0x39
#define KEY_KEYPAD_ENTER 0x58

enum layout_means {
    LAYOUT_TEXT,    /* code                                                 */
    LAYOUT_DEAD,    /* an accent for the next key; code: the accent alone   */
    LAYOUT_NOTHING, /* a lock key: no text                                  */
    LAYOUT_REFUSED  /* why                                                  */
};
struct layout_key {
    enum layout_means means;
    uint32_t code;   /* Unicode; CR for Enter, TAB for Tab */
    const char *why; /* a sentence, for LAYOUT_REFUSED */
};

/* A key (page 07) pressed with these modifiers; caps: Caps Lock is on. The
 * keypad always gives digits. */
struct layout_key layout_key(enum layout l, uint8_t usage, uint8_t modifiers,
                             bool caps);

/* What an accent and the character after it make; 0: nothing that all
 * machines agree on. With a space: the accent alone. */
uint32_t layout_compose(uint32_t accent, uint32_t base);

#endif

#include "drivers/scanner/layout.h"

#include <stddef.h>
#include <string.h>

#define SHIFT (KEY_LEFT_SHIFT | KEY_RIGHT_SHIFT)
#define CTRL (KEY_LEFT_CTRL | KEY_RIGHT_CTRL)
#define GUI (KEY_LEFT_GUI | KEY_RIGHT_GUI)
#define ALT (KEY_LEFT_ALT | KEY_RIGHT_ALT)

/* Usages of page 07. */
#define FIRST 0x04       /* a on a US keyboard */
#define LAST 0x38        /* slash              */
#define ENTER 0x28
#define TAB 0x2B
#define SPACE 0x2C
#define BRACKET_LEFT 0x2F
#define BRACKET_RIGHT 0x30
#define BACKSLASH 0x31
#define HASH 0x32        /* where BACKSLASH is on keyboards with an ISO key */
#define SCROLL_LOCK 0x47
#define NUM_LOCK 0x53
#define KEYPAD_FIRST 0x54
#define KEYPAD_DIGITS 0x59
#define KEYPAD_LAST 0x63
#define ISO 0x64         /* right of the left Shift */

#define DEAD 0x8000u
#define ACUTE 0xB4
#define DIAERESIS 0xA8

enum { PLAIN, SHIFTED, ALTGR, LEVELS };
#define KEYS (LAST - FIRST + 2) /* and ISO, the last */

struct table {
    const char *name;
    bool has_altgr;
    uint8_t keypad_point;
    uint16_t key[KEYS][LEVELS]; /* Unicode, or an accent with DEAD; 0: nothing */
};

#define K(usage) [(usage) - FIRST]
#define K_ISO [KEYS - 1]

static const struct table tables[LAYOUTS] = {
    [LAYOUT_US] = { "us", false, '.', {
        K(0x04) = { 'a', 'A' }, K(0x05) = { 'b', 'B' }, K(0x06) = { 'c', 'C' },
        K(0x07) = { 'd', 'D' }, K(0x08) = { 'e', 'E' }, K(0x09) = { 'f', 'F' },
        K(0x0A) = { 'g', 'G' }, K(0x0B) = { 'h', 'H' }, K(0x0C) = { 'i', 'I' },
        K(0x0D) = { 'j', 'J' }, K(0x0E) = { 'k', 'K' }, K(0x0F) = { 'l', 'L' },
        K(0x10) = { 'm', 'M' }, K(0x11) = { 'n', 'N' }, K(0x12) = { 'o', 'O' },
        K(0x13) = { 'p', 'P' }, K(0x14) = { 'q', 'Q' }, K(0x15) = { 'r', 'R' },
        K(0x16) = { 's', 'S' }, K(0x17) = { 't', 'T' }, K(0x18) = { 'u', 'U' },
        K(0x19) = { 'v', 'V' }, K(0x1A) = { 'w', 'W' }, K(0x1B) = { 'x', 'X' },
        K(0x1C) = { 'y', 'Y' }, K(0x1D) = { 'z', 'Z' },
        K(0x1E) = { '1', '!' }, K(0x1F) = { '2', '@' }, K(0x20) = { '3', '#' },
        K(0x21) = { '4', '$' }, K(0x22) = { '5', '%' }, K(0x23) = { '6', '^' },
        K(0x24) = { '7', '&' }, K(0x25) = { '8', '*' }, K(0x26) = { '9', '(' },
        K(0x27) = { '0', ')' },
        K(0x2D) = { '-', '_' }, K(0x2E) = { '=', '+' },
        K(0x2F) = { '[', '{' }, K(0x30) = { ']', '}' },
        K(0x31) = { '\\', '|' }, K(0x32) = { '\\', '|' },
        K(0x33) = { ';', ':' }, K(0x34) = { '\'', '"' }, K(0x35) = { '`', '~' },
        K(0x36) = { ',', '<' }, K(0x37) = { '.', '>' }, K(0x38) = { '/', '?' },
        K_ISO = { '\\', '|' },
    } },
    [LAYOUT_DE] = { "de", true, ',', {
        K(0x04) = { 'a', 'A' }, K(0x05) = { 'b', 'B' }, K(0x06) = { 'c', 'C' },
        K(0x07) = { 'd', 'D' }, K(0x08) = { 'e', 'E', 0x20AC },
        K(0x09) = { 'f', 'F' }, K(0x0A) = { 'g', 'G' }, K(0x0B) = { 'h', 'H' },
        K(0x0C) = { 'i', 'I' }, K(0x0D) = { 'j', 'J' }, K(0x0E) = { 'k', 'K' },
        K(0x0F) = { 'l', 'L' }, K(0x10) = { 'm', 'M', 0xB5 },
        K(0x11) = { 'n', 'N' }, K(0x12) = { 'o', 'O' }, K(0x13) = { 'p', 'P' },
        K(0x14) = { 'q', 'Q', '@' }, K(0x15) = { 'r', 'R' },
        K(0x16) = { 's', 'S' }, K(0x17) = { 't', 'T' }, K(0x18) = { 'u', 'U' },
        K(0x19) = { 'v', 'V' }, K(0x1A) = { 'w', 'W' }, K(0x1B) = { 'x', 'X' },
        K(0x1C) = { 'z', 'Z' }, K(0x1D) = { 'y', 'Y' },
        K(0x1E) = { '1', '!' }, K(0x1F) = { '2', '"', 0xB2 },
        K(0x20) = { '3', 0xA7, 0xB3 }, K(0x21) = { '4', '$' },
        K(0x22) = { '5', '%' }, K(0x23) = { '6', '&' },
        K(0x24) = { '7', '/', '{' }, K(0x25) = { '8', '(', '[' },
        K(0x26) = { '9', ')', ']' }, K(0x27) = { '0', '=', '}' },
        K(0x2D) = { 0xDF, '?', '\\' }, K(0x2E) = { DEAD | ACUTE, DEAD | '`' },
        K(0x2F) = { 0xFC, 0xDC }, K(0x30) = { '+', '*', '~' },
        K(0x31) = { '#', '\'' }, K(0x32) = { '#', '\'' },
        K(0x33) = { 0xF6, 0xD6 }, K(0x34) = { 0xE4, 0xC4 },
        K(0x35) = { DEAD | '^', 0xB0 },
        K(0x36) = { ',', ';' }, K(0x37) = { '.', ':' }, K(0x38) = { '-', '_' },
        K_ISO = { '<', '>', '|' },
    } },
    [LAYOUT_FR] = { "fr", true, '.', {
        K(0x04) = { 'q', 'Q' }, K(0x05) = { 'b', 'B' }, K(0x06) = { 'c', 'C' },
        K(0x07) = { 'd', 'D' }, K(0x08) = { 'e', 'E', 0x20AC },
        K(0x09) = { 'f', 'F' }, K(0x0A) = { 'g', 'G' }, K(0x0B) = { 'h', 'H' },
        K(0x0C) = { 'i', 'I' }, K(0x0D) = { 'j', 'J' }, K(0x0E) = { 'k', 'K' },
        K(0x0F) = { 'l', 'L' }, K(0x10) = { ',', '?' }, K(0x11) = { 'n', 'N' },
        K(0x12) = { 'o', 'O' }, K(0x13) = { 'p', 'P' }, K(0x14) = { 'a', 'A' },
        K(0x15) = { 'r', 'R' }, K(0x16) = { 's', 'S' }, K(0x17) = { 't', 'T' },
        K(0x18) = { 'u', 'U' }, K(0x19) = { 'v', 'V' }, K(0x1A) = { 'z', 'Z' },
        K(0x1B) = { 'x', 'X' }, K(0x1C) = { 'y', 'Y' }, K(0x1D) = { 'w', 'W' },
        K(0x1E) = { '&', '1' }, K(0x1F) = { 0xE9, '2', DEAD | '~' },
        K(0x20) = { '"', '3', '#' }, K(0x21) = { '\'', '4', '{' },
        K(0x22) = { '(', '5', '[' }, K(0x23) = { '-', '6', '|' },
        K(0x24) = { 0xE8, '7', DEAD | '`' }, K(0x25) = { '_', '8', '\\' },
        K(0x26) = { 0xE7, '9', '^' }, K(0x27) = { 0xE0, '0', '@' },
        K(0x2D) = { ')', 0xB0, ']' }, K(0x2E) = { '=', '+', '}' },
        K(0x2F) = { DEAD | '^', DEAD | DIAERESIS }, K(0x30) = { '$', 0xA3, 0xA4 },
        K(0x31) = { '*', 0xB5 }, K(0x32) = { '*', 0xB5 },
        K(0x33) = { 'm', 'M' }, K(0x34) = { 0xF9, '%' }, K(0x35) = { 0xB2 },
        K(0x36) = { ';', '.' }, K(0x37) = { ':', '/' }, K(0x38) = { '!', 0xA7 },
        K_ISO = { '<', '>' },
    } },
};

static const char no_text[] =
    "a key that writes no text; check the layout that the scanner is set to";
static const char no_level[] =
    "a key that writes nothing with these modifiers; check the layout that the "
    "scanner is set to";
static const char alt_code[] =
    "a character typed as Alt and digits on the keypad; switch ALT mode off in "
    "the scanner";
static const char alt_key[] =
    "a key pressed with Alt; switch ALT mode off in the scanner and check its layout";
static const char gui_key[] = "a key pressed with the Windows key; reset the scanner";
static const char ctrl_key[] =
    "a key pressed with Ctrl that means different things on different "
    "machines; set the scanner to send no control characters";
static const char caps_key[] =
    "a key pressed under Caps Lock that means different things on different "
    "machines; switch Caps Lock off in the scanner";

const char *layout_name(enum layout l)
{
    return l < LAYOUTS ? tables[l].name : "?";
}

bool layout_find(const char *name, enum layout *out)
{
    for (size_t i = 0; i < LAYOUTS; i++)
        if (strcmp(name, tables[i].name) == 0) {
            *out = (enum layout)i;
            return true;
        }
    return false;
}

static struct layout_key text(uint32_t code)
{
    return (struct layout_key){ LAYOUT_TEXT, code, NULL };
}

static struct layout_key refuse(const char *why)
{
    return (struct layout_key){ LAYOUT_REFUSED, 0, why };
}

static const uint16_t *levels_of(enum layout l, uint8_t usage)
{
    if (usage == ISO)
        return tables[l].key[KEYS - 1];
    if (usage >= FIRST && usage <= LAST)
        return tables[l].key[usage - FIRST];
    return NULL;
}

/* Lower and upper case of one letter, ASCII or Latin-1. */
static bool is_letter(const uint16_t level[LEVELS])
{
    return level[SHIFTED] >= 'A' && level[PLAIN] == level[SHIFTED] + 0x20;
}

static struct layout_key keypad(enum layout l, uint8_t usage)
{
    static const char others[] = { '/', '*', '-', '+', '\r' };

    if (usage < KEYPAD_DIGITS)
        return text((uint32_t)others[usage - KEYPAD_FIRST]);
    if (usage == KEYPAD_LAST)
        return text(tables[l].keypad_point);
    return text('0' + (usage - KEYPAD_DIGITS + 1u) % 10);
}

/* Ctrl and a key is a control character: of a letter by what is printed on
 * it; of the three keys right of P and of Enter by their place, the same on
 * all layouts. */
static struct layout_key control(enum layout l, uint8_t usage, bool shifted)
{
    const uint16_t *level = levels_of(l, usage);

    if (usage == BRACKET_LEFT && !shifted)
        return text(0x1B);
    if ((usage == BACKSLASH || usage == HASH) && !shifted)
        return text(0x1C);
    if (usage == BRACKET_RIGHT && !shifted)
        return text(0x1D);
    if (level && is_letter(level) && level[SHIFTED] <= 'Z')
        return text(level[SHIFTED] & 0x1Fu);
    if (l == LAYOUT_US && shifted && level &&
        (level[SHIFTED] == '^' || level[SHIFTED] == '_'))
        return text(level[SHIFTED] & 0x1Fu);
    return refuse(ctrl_key);
}

static struct layout_key written(enum layout l, uint8_t usage, bool shifted,
                                 bool altgr, bool caps)
{
    const uint16_t *level = levels_of(l, usage);
    uint16_t code;

    if (!level || !level[PLAIN])
        return refuse(no_text);
    if (altgr && shifted)
        return refuse(no_level);
    if (caps && !altgr && is_letter(level))
        shifted = !shifted;
    else if (caps && !altgr && l != LAYOUT_US)
        return refuse(caps_key); /* a shift lock on some machines */
    code = level[altgr ? ALTGR : shifted ? SHIFTED : PLAIN];
    if (code == 0)
        return refuse(no_level);
    if (code & DEAD)
        return (struct layout_key){ LAYOUT_DEAD, code & ~DEAD, NULL };
    return text(code);
}

struct layout_key layout_key(enum layout l, uint8_t usage, uint8_t modifiers,
                             bool caps)
{
    bool shifted = modifiers & SHIFT;
    bool ctrl = modifiers & CTRL, alt = modifiers & ALT, altgr = false;

    if (usage == KEY_CAPS_LOCK || usage == SCROLL_LOCK || usage == NUM_LOCK)
        return (struct layout_key){ LAYOUT_NOTHING, 0, NULL };
    if (modifiers & GUI)
        return refuse(gui_key);
    if (tables[l].has_altgr &&
        ((modifiers & KEY_RIGHT_ALT) || ((modifiers & KEY_LEFT_ALT) && ctrl))) {
        altgr = true; /* Ctrl and Alt together are AltGr too */
        ctrl = alt = false;
    }
    bool on_keypad = usage >= KEYPAD_FIRST && usage <= KEYPAD_LAST;
    if (alt)
        return refuse(on_keypad ? alt_code : alt_key);
    if (ctrl)
        return control(l, usage, shifted);
    if (on_keypad)
        return altgr ? refuse(alt_code) : keypad(l, usage);
    if (usage == ENTER || usage == TAB || usage == SPACE)
        return altgr ? refuse(no_level)
                     : text(usage == ENTER ? '\r' : usage == TAB ? '\t' : ' ');
    return written(l, usage, shifted, altgr, caps);
}

uint32_t layout_compose(uint32_t accent, uint32_t base)
{
    /* The letters that every machine composes; base letter, result. */
    static const struct {
        uint16_t accent;
        uint16_t pair[13][2];
    } composed[] = {
        { '^', { { 'a', 0xE2 }, { 'e', 0xEA }, { 'i', 0xEE }, { 'o', 0xF4 },
                 { 'u', 0xFB }, { 'A', 0xC2 }, { 'E', 0xCA }, { 'I', 0xCE },
                 { 'O', 0xD4 }, { 'U', 0xDB } } },
        { '`', { { 'a', 0xE0 }, { 'e', 0xE8 }, { 'i', 0xEC }, { 'o', 0xF2 },
                 { 'u', 0xF9 }, { 'A', 0xC0 }, { 'E', 0xC8 }, { 'I', 0xCC },
                 { 'O', 0xD2 }, { 'U', 0xD9 } } },
        { ACUTE, { { 'a', 0xE1 }, { 'e', 0xE9 }, { 'i', 0xED }, { 'o', 0xF3 },
                   { 'u', 0xFA }, { 'y', 0xFD }, { 'A', 0xC1 }, { 'E', 0xC9 },
                   { 'I', 0xCD }, { 'O', 0xD3 }, { 'U', 0xDA }, { 'Y', 0xDD } } },
        { DIAERESIS, { { 'a', 0xE4 }, { 'e', 0xEB }, { 'i', 0xEF },
                       { 'o', 0xF6 }, { 'u', 0xFC }, { 'y', 0xFF },
                       { 'A', 0xC4 }, { 'E', 0xCB }, { 'I', 0xCF },
                       { 'O', 0xD6 }, { 'U', 0xDC } } },
        { '~', { { 'a', 0xE3 }, { 'n', 0xF1 }, { 'o', 0xF5 }, { 'A', 0xC3 },
                 { 'N', 0xD1 }, { 'O', 0xD5 } } },
    };

    if (base == ' ')
        return accent;
    for (size_t i = 0; i < sizeof composed / sizeof *composed; i++)
        for (size_t k = 0; accent == composed[i].accent && k < 13; k++)
            if (composed[i].pair[k][0] == base && base)
                return composed[i].pair[k][1];
    return 0;
}

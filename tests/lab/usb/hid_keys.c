#include "tests/lab/usb/hid_keys.h"

#include <string.h>

#define CTRL 0x01
#define SHIFT 0x02
#define ALT 0x04
#define ALTGR 0x40

#define KEY_J 0x0D
#define KEY_ENTER 0x28
#define KEY_TAB 0x2B
#define KEY_SPACE 0x2C
#define KEY_CAPS 0x39
#define KEYPAD_1 0x59
#define KEYPAD_0 0x62

#define ROWS 4
#define ROW_KEYS 13

/* The keys of each row from left to right, as usages of page 07. */
static const uint8_t rows[ROWS][ROW_KEYS] = {
    { 0x35, 0x1E, 0x1F, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x2D, 0x2E },
    { 0x14, 0x1A, 0x08, 0x15, 0x17, 0x1C, 0x18, 0x0C, 0x12, 0x13, 0x2F, 0x30 },
    { 0x04, 0x16, 0x07, 0x09, 0x0A, 0x0B, 0x0D, 0x0E, 0x0F, 0x33, 0x34, 0x31 },
    { 0x64, 0x1D, 0x1B, 0x06, 0x19, 0x05, 0x11, 0x10, 0x36, 0x37, 0x38 },
};

/* What is printed on them. A space: nothing in ASCII that a scanner would use
 * the key for. */
static const struct {
    uint8_t modifiers;
    const char *row[ROWS];
} printed[HID_MODEL_LAYOUTS][3] = {
    [HID_MODEL_US] = {
        { 0, { "`1234567890-=", "qwertyuiop[]", "asdfghjkl;'\\", " zxcvbnm,./" } },
        { SHIFT, { "~!@#$%^&*()_+", "QWERTYUIOP{}", "ASDFGHJKL:\"|", " ZXCVBNM<>?" } },
    },
    [HID_MODEL_DE] = {
        { 0, { "^1234567890  ", "qwertzuiop +", "asdfghjkl  #", "<yxcvbnm,.-" } },
        { SHIFT, { " !\" $%&/()=?`", "QWERTZUIOP *", "ASDFGHJKL  '", ">YXCVBNM;:_" } },
        { ALTGR, { "       {[]}\\ ", "@          ~", "            ", "|          " } },
    },
    [HID_MODEL_FR] = {
        { 0, { " & \"'(- _  )=", "azertyuiop $", "qsdfghjklm *", "<wxcvbn,;:!" } },
        { SHIFT, { " 1234567890 +", "AZERTYUIOP  ", "QSDFGHJKLM% ", ">WXCVBN?./ " } },
        { ALTGR, { "  ~#{[|`\\^@]}", "            ", "            ", "           " } },
    },
};

/* Accents that wait for the next key, with these modifiers: a space after
 * them makes them stand alone. */
static const char *const accents[HID_MODEL_LAYOUTS][3] = {
    [HID_MODEL_US] = { "", "", "" },
    [HID_MODEL_DE] = { "^", "`", "" },
    [HID_MODEL_FR] = { "", "", "~`" },
};

static size_t put(struct hid_stroke *out, size_t n, uint8_t usage, uint8_t modifiers)
{
    out[n] = (struct hid_stroke){ usage, modifiers };
    return n + 1;
}

static size_t printable(enum hid_model_layout l, bool caps, char c,
                        struct hid_stroke *out)
{
    for (size_t level = 0; level < 3; level++)
        for (size_t row = 0; row < ROWS; row++) {
            const char *all = printed[l][level].row[row];
            const char *at = all ? strchr(all, c) : NULL;
            size_t n = 0;

            if (!at)
                continue;
            uint8_t usage = rows[row][at - all];
            if (caps && c >= 'A' && c <= 'Z') {
                n = put(out, n, KEY_CAPS, 0);
                n = put(out, n, usage, 0);
                return put(out, n, KEY_CAPS, 0);
            }
            n = put(out, n, usage, printed[l][level].modifiers);
            if (strchr(accents[l][level], c))
                n = put(out, n, KEY_SPACE, 0);
            return n;
        }
    return 0;
}

static uint8_t keypad_digit(char c)
{
    return c == '0' ? KEYPAD_0 : (uint8_t)(KEYPAD_1 + (c - '1'));
}

size_t hid_keys_type(enum hid_model_layout l, struct hid_manner m, char c,
                     struct hid_stroke out[HID_STROKES_MAX])
{
    switch (c) {
    case '\r':
        return put(out, 0, KEY_ENTER, 0);
    case '\n':
        return put(out, 0, KEY_J, CTRL);
    case '\t':
        return put(out, 0, KEY_TAB, 0);
    case ' ':
        return put(out, 0, KEY_SPACE, 0);
    default:
        break;
    }
    if (c < ' ' || c > '~')
        return 0;
    if (m.keypad && c >= '0' && c <= '9')
        return put(out, 0, keypad_digit(c), 0);
    return printable(l, m.caps, c, out);
}

size_t hid_keys_alt_code(char c, struct hid_stroke out[HID_STROKES_MAX])
{
    unsigned v = (unsigned char)c;
    size_t n = put(out, 0, KEYPAD_0, ALT);

    n = put(out, n, keypad_digit((char)('0' + v / 100)), ALT);
    n = put(out, n, keypad_digit((char)('0' + v / 10 % 10)), ALT);
    return put(out, n, keypad_digit((char)('0' + v % 10)), ALT);
}

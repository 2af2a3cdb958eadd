#include "drivers/scanner/layout.h"

#include <check.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/usb/hid_keys.h"

static const struct {
    enum layout ours;
    enum hid_model_layout lab;
} layouts[] = {
    { LAYOUT_US, HID_MODEL_US },
    { LAYOUT_DE, HID_MODEL_DE },
    { LAYOUT_FR, HID_MODEL_FR },
};

/* What a run of strokes writes; 0: refused, or not just one character. */
static uint32_t written(enum layout l, const struct hid_stroke *s, size_t n)
{
    uint32_t accent = 0, c = 0;
    bool caps = false;

    for (size_t i = 0; i < n; i++) {
        struct layout_key k = layout_key(l, s[i].usage, s[i].modifiers, caps);

        if (k.means == LAYOUT_REFUSED || c)
            return 0;
        if (k.means == LAYOUT_NOTHING) {
            caps ^= s[i].usage == KEY_CAPS_LOCK;
            if (c)
                return caps ? 0 : c;
        } else if (k.means == LAYOUT_DEAD)
            accent = k.code;
        else
            c = accent ? layout_compose(accent, k.code) : k.code;
        if (c && i + 2 == n && s[i + 1].usage == KEY_CAPS_LOCK)
            return c;
    }
    return c;
}

START_TEST(every_printable_character_on_every_layout)
{
    struct hid_stroke s[HID_STROKES_MAX];

    for (int manner = 0; manner < 4; manner++)
        for (int c = ' '; c <= '~'; c++) {
            struct hid_manner m = { .caps = manner & 1, .keypad = manner & 2 };
            size_t n = hid_keys_type(layouts[_i].lab, m, (char)c, s);

            ck_assert_msg(n > 0, "%s: the lab cannot type %c",
                          layout_name(layouts[_i].ours), c);
            uint32_t got = written(layouts[_i].ours, s, n);
            ck_assert_msg(got == (uint32_t)c, "%s, manner %d: %c became U+%04X",
                          layout_name(layouts[_i].ours), manner, c, got);
        }
}
END_TEST

/* --- against tables that are not ours ---------------------------------------------- */

/* libxkbcommon and X's keyboard data, if this machine has them. The ABI is
 * declared here, so that no development package is needed. */
struct names {
    const char *rules, *model, *layout, *variant, *options;
};
static struct {
    void *lib;
    void *(*context)(int);
    void *(*keymap)(void *, const struct names *, int);
    int (*syms)(void *, uint32_t, uint32_t, uint32_t, const uint32_t **);
    uint32_t (*unicode)(uint32_t);
    void (*keymap_unref)(void *), (*context_unref)(void *);
} xkb;

static bool have_xkb(void)
{
    xkb.lib = dlopen("libxkbcommon.so.0", RTLD_NOW);
    if (!xkb.lib)
        return false;
    *(void **)&xkb.context = dlsym(xkb.lib, "xkb_context_new");
    *(void **)&xkb.keymap = dlsym(xkb.lib, "xkb_keymap_new_from_names");
    *(void **)&xkb.syms = dlsym(xkb.lib, "xkb_keymap_key_get_syms_by_level");
    *(void **)&xkb.unicode = dlsym(xkb.lib, "xkb_keysym_to_utf32");
    *(void **)&xkb.keymap_unref = dlsym(xkb.lib, "xkb_keymap_unref");
    *(void **)&xkb.context_unref = dlsym(xkb.lib, "xkb_context_unref");
    return xkb.context && xkb.keymap && xkb.syms && xkb.unicode &&
           xkb.keymap_unref && xkb.context_unref;
}

/* X's number of a key: Linux's, which the kernel maps from usages, plus 8. */
static uint32_t x_key(uint8_t usage)
{
    static const uint8_t linux_key[] = {
        30, 48, 46, 32, 18, 33, 34, 35, 23, 36, 37, 38, 50, 49, 24, 25, 16, 19,
        31, 20, 22, 47, 17, 45, 21, 44, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
        28, 1, 14, 15, 57, 12, 13, 26, 27, 43, 43, 39, 40, 41, 51, 52, 53
    };

    return 8u + (usage == 0x64 ? 86 : linux_key[usage - 0x04]);
}

static uint32_t x_code(uint32_t sym)
{
    static const uint32_t dead[][2] = { { 0xFE50, '`' }, { 0xFE51, 0xB4 },
                                        { 0xFE52, '^' }, { 0xFE53, '~' },
                                        { 0xFE57, 0xA8 } };

    for (size_t i = 0; i < sizeof dead / sizeof *dead; i++)
        if (dead[i][0] == sym)
            return dead[i][1];
    return xkb.unicode(sym);
}

static bool x_is_dead(uint32_t sym)
{
    return sym >= 0xFE50 && sym <= 0xFE93;
}

/* Windows makes these two accents, X does not. */
static bool known_difference(enum layout l, uint8_t usage, uint8_t modifiers)
{
    return l == LAYOUT_FR && modifiers == KEY_RIGHT_ALT &&
           (usage == 0x1F || usage == 0x24);
}

static void compare_key(void *map, enum layout l, uint8_t usage)
{
    static const uint8_t modifiers[] = { 0, KEY_LEFT_SHIFT, KEY_RIGHT_ALT };

    for (uint32_t level = 0; level < 3; level++) {
        const uint32_t *sym;
        struct layout_key k = layout_key(l, usage, modifiers[level], false);
        int n = xkb.syms(map, x_key(usage), 0, level, &sym);

        /* X has far more on AltGr than Windows. What we do have must agree. */
        if (k.means == LAYOUT_REFUSED && level == 2)
            continue;
        if (k.means == LAYOUT_REFUSED && n == 0)
            continue;
        ck_assert_msg(n == 1, "%s %02X/%u: X has %d", layout_name(l), usage, level, n);
        ck_assert_msg(k.code == x_code(sym[0]), "%s %02X/%u: U+%04X, X has U+%04X",
                      layout_name(l), usage, level, k.code, x_code(sym[0]));
        if (!known_difference(l, usage, modifiers[level]))
            ck_assert_msg((k.means == LAYOUT_DEAD) == x_is_dead(sym[0]),
                          "%s %02X/%u: dead or not", layout_name(l), usage, level);
    }
}

START_TEST(agrees_with_the_keyboards_of_x)
{
    static const struct names of[] = {
        { "evdev", "pc105", "us", "", "" },
        { "evdev", "pc105", "de", "", "" },
        { "evdev", "pc105", "fr", "azerty", "" },
    };
    void *context = have_xkb() ? xkb.context(0) : NULL;
    void *map = context ? xkb.keymap(context, &of[_i], 0) : NULL;

    if (!map)
        return; /* said in main */
    for (unsigned u = 0x04; u <= 0x64; u = u == 0x38 ? 0x64 : u + 1)
        if ((u < 0x28 || u > 0x2C) && u != 0x32 && !(u == 0x64 && _i == 0))
            compare_key(map, layouts[_i].ours, (uint8_t)u);
    xkb.keymap_unref(map);
    xkb.context_unref(context);
}
END_TEST

/* --- what is refused -------------------------------------------------------------- */

static const struct {
    const char *name;
    enum layout layout;
    uint8_t usage, modifiers;
    bool caps;
    const char *why; /* in the sentence */
} refused[] = {
    { "Alt and a keypad digit", LAYOUT_US, 0x5B, KEY_LEFT_ALT, false, "ALT mode" },
    { "the same on another layout", LAYOUT_DE, 0x5B, KEY_LEFT_ALT, false, "ALT mode" },
    { "AltGr and a keypad digit", LAYOUT_FR, 0x5B, KEY_RIGHT_ALT, false, "ALT mode" },
    { "Alt and a letter", LAYOUT_US, 0x04, KEY_LEFT_ALT, false, "Alt" },
    { "right Alt is Alt on US", LAYOUT_US, 0x14, KEY_RIGHT_ALT, false, "Alt" },
    { "the Windows key", LAYOUT_US, 0x04, KEY_LEFT_GUI, false, "Windows" },
    { "F1", LAYOUT_US, 0x3A, 0, false, "no text" },
    { "an arrow", LAYOUT_DE, 0x4F, 0, false, "no text" },
    { "Backspace", LAYOUT_US, 0x2A, 0, false, "no text" },
    { "Escape", LAYOUT_US, 0x29, 0, false, "no text" },
    { "AltGr where nothing is printed", LAYOUT_DE, 0x04, KEY_RIGHT_ALT, false, "modifiers" },
    { "AltGr and Shift", LAYOUT_DE, 0x14, KEY_RIGHT_ALT | KEY_LEFT_SHIFT, false, "modifiers" },
    { "a digit under a shift lock", LAYOUT_FR, 0x1E, 0, true, "Caps Lock" },
    { "a digit under a German one", LAYOUT_DE, 0x1E, 0, true, "Caps Lock" },
    { "Ctrl and a digit", LAYOUT_US, 0x1E, KEY_LEFT_CTRL, false, "Ctrl" },
    { "beyond all keys", LAYOUT_US, 0xDF, 0, false, "no text" },
};

START_TEST(refuses_what_it_cannot_know)
{
    struct layout_key k = layout_key(refused[_i].layout, refused[_i].usage,
                                     refused[_i].modifiers, refused[_i].caps);

    ck_assert_msg(k.means == LAYOUT_REFUSED, "%s: U+%04X", refused[_i].name, k.code);
    ck_assert_msg(strstr(k.why, refused[_i].why) != NULL, "%s: %s",
                  refused[_i].name, k.why);
}
END_TEST

static const struct {
    const char *name;
    enum layout layout;
    uint8_t usage, modifiers;
    bool caps;
    uint32_t code;
} keys[] = {
    { "caps and a letter", LAYOUT_US, 0x04, 0, true, 'A' },
    { "caps, shift and a letter", LAYOUT_FR, 0x04, KEY_LEFT_SHIFT, true, 'q' },
    { "caps and a digit on US", LAYOUT_US, 0x1E, 0, true, '1' },
    { "caps and an umlaut", LAYOUT_DE, 0x33, 0, true, 0xD6 },
    { "caps and AltGr", LAYOUT_DE, 0x14, KEY_RIGHT_ALT, true, '@' },
    { "caps and the keypad", LAYOUT_FR, 0x59, 0, true, '1' },
    { "right shift", LAYOUT_US, 0x1F, KEY_RIGHT_SHIFT, false, '@' },
    { "Ctrl and Alt are AltGr", LAYOUT_DE, 0x14, KEY_LEFT_CTRL | KEY_LEFT_ALT, false, '@' },
    { "AltGr with the Ctrl that Windows adds", LAYOUT_FR, 0x27,
      KEY_LEFT_CTRL | KEY_RIGHT_ALT, false, '@' },
    { "Euro", LAYOUT_FR, 0x08, KEY_RIGHT_ALT, false, 0x20AC },
    { "keypad 0", LAYOUT_US, 0x62, 0, false, '0' },
    { "keypad 9", LAYOUT_DE, 0x61, 0, false, '9' },
    { "keypad point", LAYOUT_US, 0x63, 0, false, '.' },
    { "keypad comma", LAYOUT_DE, 0x63, 0, false, ',' },
    { "keypad Enter", LAYOUT_US, 0x58, 0, false, '\r' },
    { "Ctrl+J", LAYOUT_US, 0x0D, KEY_LEFT_CTRL, false, '\n' },
    { "Ctrl+M where M is", LAYOUT_FR, 0x33, KEY_RIGHT_CTRL, false, '\r' },
    { "GS, as GS1 codes have it", LAYOUT_US, 0x30, KEY_LEFT_CTRL, false, 0x1D },
    { "GS by its place", LAYOUT_DE, 0x30, KEY_LEFT_CTRL, false, 0x1D },
};

START_TEST(means_what_it_should)
{
    struct layout_key k = layout_key(keys[_i].layout, keys[_i].usage,
                                     keys[_i].modifiers, keys[_i].caps);

    ck_assert_msg(k.means == LAYOUT_TEXT && k.code == keys[_i].code,
                  "%s: %d U+%04X %s", keys[_i].name, k.means, k.code,
                  k.why ? k.why : "");
}
END_TEST

START_TEST(composes_or_says_no)
{
    ck_assert_uint_eq(layout_compose('^', ' '), '^');
    ck_assert_uint_eq(layout_compose('~', ' '), '~');
    ck_assert_uint_eq(layout_compose('^', 'a'), 0xE2);
    ck_assert_uint_eq(layout_compose(0xA8, 'Y'), 0);
    ck_assert_uint_eq(layout_compose('^', '^'), 0);
    ck_assert_uint_eq(layout_compose('^', '1'), 0);
    ck_assert_uint_eq(layout_compose('^', 0), 0);
    ck_assert_uint_eq(layout_compose('x', 'a'), 0);
}
END_TEST

/* No key with any modifiers is outside of the table, whatever it is. */
START_TEST(every_key_there_is)
{
    unsigned wrong = 0;

    for (int l = 0; l < LAYOUTS; l++)
        for (unsigned v = 0; v < 0x20000; v++) {
            struct layout_key k = layout_key((enum layout)l, (uint8_t)v,
                                             (uint8_t)(v >> 8), v >> 16);

            wrong += (k.means == LAYOUT_REFUSED) != (k.why != NULL);
            wrong += k.means == LAYOUT_TEXT && k.code == 0;
        }
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

START_TEST(names)
{
    enum layout l;

    for (int i = 0; i < LAYOUTS; i++) {
        ck_assert(layout_find(layout_name((enum layout)i), &l));
        ck_assert_int_eq(l, i);
    }
    ck_assert(!layout_find("", &l));
    ck_assert(!layout_find("uk", &l));
}
END_TEST

#define ROWS(t) (int)(sizeof(t) / sizeof *(t))

int main(void)
{
    Suite *s = suite_create("drivers/scanner/layout");
    TCase *t = tcase_create("layout");

    if (!have_xkb())
        puts("no libxkbcommon here: the layouts are not compared with X's");
    tcase_add_loop_test(t, every_printable_character_on_every_layout, 0, ROWS(layouts));
    tcase_add_loop_test(t, agrees_with_the_keyboards_of_x, 0, ROWS(layouts));
    tcase_add_loop_test(t, refuses_what_it_cannot_know, 0, ROWS(refused));
    tcase_add_loop_test(t, means_what_it_should, 0, ROWS(keys));
    tcase_add_test(t, composes_or_says_no);
    tcase_add_test(t, every_key_there_is);
    tcase_add_test(t, names);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}

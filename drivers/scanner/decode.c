#include "drivers/scanner/decode.h"

#include <stdio.h>
#include <string.h>

/* What comes within so many gaps after a scan was cut is its rest. */
#define REST_GAPS 3

static const char lost_report[] = "a report got lost on the bus; check cable and hub";
static const char short_report[] =
    "a report shorter than the scanner announced; plug it again, and replace it "
    "if that does not help";
static const char faulty_report[] =
    "a report that says the scanner is at fault; plug it again, and replace it "
    "if that does not help";
static const char no_order[] =
    "several keys at once, in no order; set the scanner to a slower rate of keys";
static const char bad_accent[] =
    "an accent before a key that takes none; check the layout that the scanner "
    "is set to";
static const char cr_alone[] =
    "its end was CR without LF; set the scanner's suffix to CRLF, or tell the "
    "station that it is CR";

static const struct {
    const char *name, *words;
} suffixes[SCANNER_SUFFIXES] = {
    [SCANNER_SUFFIX_CR] = { "cr", "CR (Enter)" },
    [SCANNER_SUFFIX_LF] = { "lf", "LF" },
    [SCANNER_SUFFIX_TAB] = { "tab", "TAB" },
    [SCANNER_SUFFIX_CRLF] = { "crlf", "CR and LF" },
};

const char *scanner_suffix_name(enum scanner_suffix s)
{
    return s < SCANNER_SUFFIXES ? suffixes[s].name : "?";
}

bool scanner_suffix_find(const char *name, enum scanner_suffix *out)
{
    for (size_t i = 0; i < SCANNER_SUFFIXES; i++)
        if (strcmp(name, suffixes[i].name) == 0) {
            *out = (enum scanner_suffix)i;
            return true;
        }
    return false;
}

const char *scanner_scan_name(enum scanner_scan s)
{
    static const char *const names[SCANNER_SCANS] = {
        [SCANNER_OK] = "ok", [SCANNER_CUT] = "cut",
        [SCANNER_TOO_LONG] = "too-long", [SCANNER_UNDECODABLE] = "undecodable",
        [SCANNER_NO_PREFIX] = "no-prefix", [SCANNER_OVERFLOW] = "overflow",
    };

    return s < SCANNER_SCANS ? names[s] : "?";
}

static int64_t gap_of(const struct decode *d)
{
    return d->settings.gap_ms ? d->settings.gap_ms : SCANNER_GAP_MS;
}

void decode_init(struct decode *d, const struct hid_scanner *hid,
                 const struct scanner_settings *s, decode_scan_fn *scan,
                 void *ctx)
{
    memset(d, 0, sizeof *d);
    d->hid = hid;
    d->settings = *s;
    d->settings.prefix[SCANNER_PREFIX_MAX] = 0;
    d->scan = scan;
    d->ctx = ctx;
}

/* --- the end of a scan --------------------------------------------------------- */

static void forget_scan(struct decode *d)
{
    d->n = 0;
    d->accent = 0;
    d->open = d->too_long = false;
    d->bad = NULL;
}

static void refuse(struct decode *d, enum scanner_scan what, const char *text)
{
    d->scan(d->ctx, what, SPAN_STR(text));
}

static void refuse_bad(struct decode *d)
{
    char text[256];

    snprintf(text, sizeof text, "a scan cannot be read for certain: %s; then scan again",
             d->bad);
    refuse(d, SCANNER_UNDECODABLE, text);
}

static void refuse_long(struct decode *d)
{
    char text[160];

    snprintf(text, sizeof text,
             "a scan of more than %d characters; no label has that many: scan "
             "the right one, and check the scanner's suffix",
             SCANNER_TEXT_MAX);
    refuse(d, SCANNER_TOO_LONG, text);
}

static void refuse_prefix(struct decode *d)
{
    char text[160];

    snprintf(text, sizeof text,
             "a scan without the prefix \"%s\"; set it in the scanner, or scan "
             "the right label",
             d->settings.prefix);
    refuse(d, SCANNER_NO_PREFIX, text);
}

static void refuse_cut(struct decode *d)
{
    char text[256];

    if (d->hid->kind == HID_POS)
        snprintf(text, sizeof text, "a scan stopped in the middle; scan again");
    else if (d->settings.suffix == SCANNER_SUFFIX_CRLF && d->ended_cr)
        snprintf(text, sizeof text, "a scan is refused: %s; then scan again", cr_alone);
    else
        snprintf(text, sizeof text,
                 "a scan stopped without its suffix, %s; scan again; if it stays "
                 "so, set the scanner to that suffix, or tell the station which "
                 "it sends",
                 suffixes[d->settings.suffix].words);
    refuse(d, SCANNER_CUT, text);
}

/* A scan has ended as it should. */
static void finish(struct decode *d)
{
    size_t prefix = strlen(d->settings.prefix);

    if (d->accent && !d->bad)
        d->bad = bad_accent;
    if (d->cut)
        refuse(d, SCANNER_CUT,
               "something came right after a scan that was cut, and may be its "
               "rest; scan again");
    else if (d->bad)
        refuse_bad(d);
    else if (d->too_long)
        refuse_long(d);
    else if (d->n < prefix || memcmp(d->text, d->settings.prefix, prefix) != 0)
        refuse_prefix(d);
    else if (d->n - prefix > SCANNER_TEXT_MAX)
        refuse_long(d);
    else
        d->scan(d->ctx, SCANNER_OK, SPAN(d->text + prefix, d->n - prefix));
    d->cut = false;
    forget_scan(d);
}

/* It has not: silence. */
static void cut(struct decode *d)
{
    if (d->bad)
        refuse_bad(d);
    else if (d->too_long)
        refuse_long(d);
    else
        refuse_cut(d);
    d->cut = true;
    d->ended_cr = false;
    forget_scan(d);
}

/* --- characters ----------------------------------------------------------------- */

static void begin(struct decode *d, int64_t now)
{
    if (!d->open) {
        if (d->cut && now - d->last_ms > REST_GAPS * gap_of(d))
            d->cut = false;
        if (d->lost_ms && now - d->lost_ms <= gap_of(d))
            d->bad = lost_report;
        d->lost_ms = 0;
        d->open = true;
    }
    d->last_ms = now;
}

static void spoil(struct decode *d, const char *why)
{
    if (!d->bad)
        d->bad = why;
}

static void put_octet(struct decode *d, uint8_t o)
{
    if (d->n == sizeof d->text)
        d->too_long = true;
    else
        d->text[d->n++] = o;
}

/* The layouts have nothing above U+FFFF. */
static void put_code(struct decode *d, uint32_t c)
{
    if (c < 0x80) {
        put_octet(d, (uint8_t)c);
    } else if (c < 0x800) {
        put_octet(d, (uint8_t)(0xC0 | c >> 6));
        put_octet(d, (uint8_t)(0x80 | (c & 0x3F)));
    } else {
        put_octet(d, (uint8_t)(0xE0 | c >> 12));
        put_octet(d, (uint8_t)(0x80 | (c >> 6 & 0x3F)));
        put_octet(d, (uint8_t)(0x80 | (c & 0x3F)));
    }
}

static void drop_last(struct decode *d, uint8_t octet)
{
    if (d->n && d->text[d->n - 1] == octet && !d->too_long)
        d->n--;
}

/* True: c ended the scan. */
static bool ends(struct decode *d, uint32_t c)
{
    switch (d->settings.suffix) {
    case SCANNER_SUFFIX_CR:
        return c == '\r';
    case SCANNER_SUFFIX_LF:
        if (c == '\n')
            drop_last(d, '\r');
        return c == '\n';
    case SCANNER_SUFFIX_TAB:
        return c == '\t';
    default:
        return c == '\n' && d->ended_cr;
    }
}

static void typed(struct decode *d, uint32_t c, int64_t now)
{
    bool after_cr = d->ended_cr;

    if (!d->open && after_cr && c == '\n' && d->settings.suffix == SCANNER_SUFFIX_CR) {
        d->ended_cr = false; /* it sends CRLF where CR is enough */
        return;
    }
    if (after_cr && c != '\n' && d->settings.suffix == SCANNER_SUFFIX_CRLF) {
        spoil(d, cr_alone);
        d->ended_cr = false;
        finish(d);
    }
    begin(d, now);
    if (ends(d, c)) {
        finish(d);
        d->ended_cr = c == '\r';
        return;
    }
    d->ended_cr = c == '\r';
    if (!d->ended_cr || d->settings.suffix != SCANNER_SUFFIX_CRLF)
        put_code(d, c);
}

/* --- keys ------------------------------------------------------------------------ */

static void accented(struct decode *d, uint32_t accent, int64_t now)
{
    begin(d, now);
    if (d->accent)
        spoil(d, bad_accent);
    d->accent = accent;
}

static void text_key(struct decode *d, uint8_t usage, uint32_t c, int64_t now)
{
    if (d->accent) {
        uint32_t made = layout_compose(d->accent, c);

        d->accent = 0;
        if (made)
            c = made;
        else
            spoil(d, bad_accent);
    }
    /* Scanners that tell CR and LF apart on a keyboard use its two Enters. */
    if (usage == KEY_KEYPAD_ENTER &&
        (d->settings.suffix == SCANNER_SUFFIX_LF ||
         (d->settings.suffix == SCANNER_SUFFIX_CRLF && d->ended_cr)))
        c = '\n';
    typed(d, c, now);
}

static void key_down(struct decode *d, uint8_t usage, uint8_t modifiers,
                     int64_t now)
{
    struct layout_key k =
        layout_key(d->settings.layout, usage, modifiers, d->caps);

    switch (k.means) {
    case LAYOUT_NOTHING:
        d->caps ^= usage == KEY_CAPS_LOCK;
        break;
    case LAYOUT_REFUSED:
        begin(d, now);
        spoil(d, k.why);
        d->accent = 0;
        break;
    case LAYOUT_DEAD:
        accented(d, k.code, now);
        break;
    case LAYOUT_TEXT:
        text_key(d, usage, k.code, now);
        break;
    }
}

static bool is_down(const struct decode *d, size_t report, uint8_t usage)
{
    return d->pressed[report][usage / 8] >> (usage % 8) & 1;
}

/* Keeps the keys that were not down before, in their order. *unordered: how
 * many of them stand in bitmaps. */
static void only_new(const struct decode *d, struct hid_keys *k, size_t *unordered)
{
    size_t n = 0;

    *unordered = 0;
    for (size_t i = 0; i < k->n; i++)
        if (!is_down(d, k->report, k->key[i])) {
            *unordered += i >= k->ordered;
            k->key[n++] = k->key[i];
        }
    k->n = n;
}

static void remember(struct decode *d, const struct hid_keys *k)
{
    uint8_t *down = d->pressed[k->report];

    memset(down, 0, sizeof d->pressed[0]);
    for (size_t i = 0; i < k->n; i++)
        down[k->key[i] / 8] |= (uint8_t)(1u << (k->key[i] % 8));
    d->modifiers[k->report] = k->modifiers;
}

static void keys_report(struct decode *d, struct span report, int64_t now)
{
    struct hid_keys all, fresh;
    uint8_t modifiers = 0;
    size_t unordered;

    switch (hid_keys(d->hid, report, &all)) {
    case HID_READ_OK:
        break;
    case HID_READ_SHORT:
        begin(d, now);
        spoil(d, short_report);
        return;
    case HID_READ_FAULT:
        begin(d, now);
        spoil(d, faulty_report);
        return;
    default:
        return; /* not for us, or a phantom state: as if it had not come */
    }
    fresh = all;
    only_new(d, &fresh, &unordered);
    remember(d, &all);
    for (size_t i = 0; i < d->hid->report_count; i++)
        modifiers |= d->modifiers[i];
    if (unordered > 0 && fresh.n > 1) {
        begin(d, now);
        spoil(d, no_order);
    }
    for (size_t i = 0; i < fresh.n; i++)
        key_down(d, fresh.key[i], modifiers, now);
}

/* --- POS ------------------------------------------------------------------------- */

static bool ends_with(const struct decode *d, const char *end)
{
    size_t n = strlen(end);

    return d->n >= n && memcmp(d->text + d->n - n, end, n) == 0;
}

/* A report has its own end; what the scanner adds all the same is no text. */
static void drop_suffix(struct decode *d)
{
    static const char *const ends[SCANNER_SUFFIXES][2] = {
        [SCANNER_SUFFIX_CR] = { "\r\n", "\r" },
        [SCANNER_SUFFIX_LF] = { "\r\n", "\n" },
        [SCANNER_SUFFIX_TAB] = { "\t", "\t" },
        [SCANNER_SUFFIX_CRLF] = { "\r\n", "\r\n" },
    };

    for (size_t i = 0; i < 2; i++)
        if (!d->too_long && ends_with(d, ends[d->settings.suffix][i])) {
            d->n -= strlen(ends[d->settings.suffix][i]);
            return;
        }
}

static void pos_report(struct decode *d, struct span report, int64_t now)
{
    struct hid_data data;
    enum hid_read r = hid_data(d->hid, report, &data);

    if (r == HID_READ_OTHER)
        return;
    begin(d, now);
    if (r != HID_READ_OK)
        spoil(d, r == HID_READ_SHORT ? short_report : faulty_report);
    for (size_t i = 0; i < data.n; i++)
        put_octet(d, data.octets[i]);
    /* After one too short nothing is known of what follows: silence ends it. */
    if (r == HID_READ_SHORT || data.continued)
        return;
    drop_suffix(d);
    finish(d);
}

/* --- doors ------------------------------------------------------------------------ */

void decode_report(struct decode *d, struct span report, int64_t now_ms)
{
    decode_tick(d, now_ms);
    if (d->hid->kind == HID_POS)
        pos_report(d, report, now_ms);
    else if (d->hid->kind == HID_KEYBOARD)
        keys_report(d, report, now_ms);
}

void decode_lost(struct decode *d, int64_t now_ms)
{
    if (d->open)
        spoil(d, lost_report);
    else
        d->lost_ms = now_ms;
}

int64_t decode_deadline(const struct decode *d)
{
    return d->open ? d->last_ms + gap_of(d) : -1;
}

void decode_tick(struct decode *d, int64_t now_ms)
{
    if (d->open && now_ms >= decode_deadline(d))
        cut(d);
}

void decode_end(struct decode *d)
{
    if (d->open)
        refuse(d, SCANNER_CUT,
               "the scanner went away in the middle of a scan; plug it again "
               "and scan again");
    memset(d->pressed, 0, sizeof d->pressed);
    memset(d->modifiers, 0, sizeof d->modifiers);
    d->caps = d->cut = d->ended_cr = false;
    d->lost_ms = 0;
    forget_scan(d);
}

#include "drivers/scanner/hid.h"

#include <stdio.h>
#include <string.h>

/* HID 1.11, 6.2.2: an item's prefix is tag (4 bits), type (2), size (2). */
enum { TYPE_MAIN = 0, TYPE_GLOBAL = 1, TYPE_LOCAL = 2 };
enum { MAIN_INPUT = 8, MAIN_OUTPUT = 9, MAIN_COLLECTION = 10,
       MAIN_FEATURE = 11, MAIN_END = 12 };
enum { GLOBAL_PAGE = 0, GLOBAL_LOGICAL_MIN = 1, GLOBAL_LOGICAL_MAX = 2,
       GLOBAL_SIZE = 7, GLOBAL_ID = 8, GLOBAL_COUNT = 9, GLOBAL_PUSH = 10,
       GLOBAL_POP = 11 };
enum { LOCAL_USAGE = 0, LOCAL_USAGE_MIN = 1, LOCAL_USAGE_MAX = 2,
       LOCAL_DELIMITER = 10 };

#define LONG_ITEM 0xFE
#define FIELD_CONSTANT 1u
#define FIELD_VARIABLE 2u
#define COLLECTION_APPLICATION 1u

#define USAGE(page, id) ((uint32_t)(page) << 16 | (id))
#define PAGE_OF(usage) ((usage) >> 16)
#define PAGE_KEYS 0x07
#define PAGE_POS 0x8C
#define APP_KEYBOARD USAGE(0x01, 0x06)
#define APP_KEYPAD USAGE(0x01, 0x07)
#define BYTE_COUNT USAGE(0x01, 0x3B)
#define SCANNED_DATA USAGE(PAGE_POS, 0x12)
#define DECODED_DATA USAGE(PAGE_POS, 0xFE)
#define DATA_CONTINUED USAGE(PAGE_POS, 0xFF)

struct item {
    size_t at; /* where its prefix stands, for messages */
    uint8_t type, tag, size;
    uint32_t value; /* unsigned */
};

struct global {
    uint16_t page;
    uint8_t id;
    int32_t logical_min;
    uint32_t logical_max; /* as it stands; its sign is the minimum's matter */
    uint8_t logical_max_size;
    uint32_t size, count;
};

/* Usages min to max; their page is in them, or is the global one. */
struct range {
    uint32_t min, max;
    bool paged;
};

/* What one report of a POS scanner holds. */
struct pos {
    struct hid_field data, length, continued;
    bool scanned; /* it is a Scanned Data Report */
};

struct parse {
    struct span in;
    size_t at;
    struct item item;
    size_t items;

    struct global global, pushed[HID_PUSH_MAX];
    size_t pushes;

    struct range range[HID_USAGE_RANGES_MAX];
    size_t ranges;
    bool has_min, min_paged;
    uint32_t min;
    bool in_delimiter, delimiter_has_usage;

    struct {
        uint32_t usage;
        bool application;
    } nest[HID_NEST_MAX];
    size_t depth, collections;

    uint32_t bits[256]; /* input reports so far, by ID */
    uint32_t out_bits;  /* all others, together */
    bool unnumbered;    /* there are fields without an ID */

    uint32_t first_app;
    bool pos_app;
    struct pos pos[256]; /* by report ID */
    struct hid_scanner h;
};

const char *hid_kind_name(enum hid_kind k)
{
    static const char *const names[HID_KINDS] = {
        [HID_NEITHER] = "neither", [HID_KEYBOARD] = "keyboard", [HID_POS] = "pos",
    };

    return k < HID_KINDS ? names[k] : "?";
}

static int lie(const struct parse *p, struct err *e, const char *what)
{
    return err_set(e, ERR_FORMAT, "HID report descriptor at +%zu: %s",
                   p->item.at, what);
}

static int beyond(const struct parse *p, struct err *e, const char *what)
{
    return err_set(e, ERR_LIMIT, "HID report descriptor at +%zu: %s",
                   p->item.at, what);
}

/* --- items --------------------------------------------------------------------- */

static int next_item(struct parse *p, struct err *e)
{
    static const uint8_t sizes[] = { 0, 1, 2, 4 };
    struct item *i = &p->item;
    uint8_t prefix = p->in.p[p->at];
    size_t left = p->in.n - p->at - 1, n = sizes[prefix & 3];

    i->at = p->at;
    if (++p->items > HID_ITEMS_MAX)
        return beyond(p, e, "more items than any scanner has");
    if (prefix == LONG_ITEM) {
        /* One octet of length, one of tag, data: none are defined. */
        if (left < 2 || left - 2 < p->in.p[p->at + 1])
            return lie(p, e, "ends in the middle of a long item");
        p->at += 3u + p->in.p[p->at + 1];
        *i = (struct item){ .at = i->at, .type = 3 };
        return 0;
    }
    if (left < n)
        return lie(p, e, "ends in the middle of an item");
    i->type = prefix >> 2 & 3;
    i->tag = prefix >> 4;
    i->size = (uint8_t)n;
    i->value = 0;
    for (size_t k = 0; k < n; k++)
        i->value |= (uint32_t)p->in.p[p->at + 1 + k] << (8 * k);
    p->at += 1 + n;
    return 0;
}

static int32_t as_signed(uint32_t v, uint8_t octets)
{
    return octets == 1 ? (int8_t)v : octets == 2 ? (int16_t)v : (int32_t)v;
}

static int global_item(struct parse *p, struct err *e)
{
    const struct item *i = &p->item;
    struct global *g = &p->global;

    switch (i->tag) {
    case GLOBAL_PAGE:
        if (i->value == 0 || i->value > 0xFFFF)
            return lie(p, e, "a usage page that cannot be");
        g->page = (uint16_t)i->value;
        return 0;
    case GLOBAL_LOGICAL_MIN:
        g->logical_min = as_signed(i->value, i->size);
        return 0;
    case GLOBAL_LOGICAL_MAX:
        g->logical_max = i->value;
        g->logical_max_size = i->size;
        return 0;
    case GLOBAL_SIZE:
        g->size = i->value;
        return 0;
    case GLOBAL_COUNT:
        g->count = i->value;
        return 0;
    case GLOBAL_ID:
        if (i->value == 0 || i->value > 0xFF)
            return lie(p, e, "a report ID that is not 1 to 255");
        if (p->unnumbered)
            return lie(p, e, "a report ID after fields that have none");
        g->id = (uint8_t)i->value;
        p->h.has_ids = true;
        return 0;
    case GLOBAL_PUSH:
        if (p->pushes == HID_PUSH_MAX)
            return beyond(p, e, "pushes its state too often");
        p->pushed[p->pushes++] = *g;
        return 0;
    case GLOBAL_POP:
        if (p->pushes == 0)
            return lie(p, e, "pops a state that was never pushed");
        *g = p->pushed[--p->pushes];
        return 0;
    default:
        return 0; /* physical range and unit say nothing to us */
    }
}

/* --- usages --------------------------------------------------------------------- */

static int add_range(struct parse *p, uint32_t min, uint32_t max, bool paged,
                     struct err *e)
{
    if (max < min)
        return lie(p, e, "a usage range that ends before it begins");
    if (paged && PAGE_OF(min) != PAGE_OF(max))
        return lie(p, e, "a usage range over several pages");
    if (p->ranges == HID_USAGE_RANGES_MAX)
        return beyond(p, e, "too many usages for one field");
    p->range[p->ranges++] = (struct range){ min, max, paged };
    return 0;
}

static int delimiter(struct parse *p, struct err *e)
{
    bool open = p->item.value == 1;

    if (p->item.value > 1 || open == p->in_delimiter)
        return lie(p, e, "a delimiter that nests or does not match");
    p->in_delimiter = open;
    p->delimiter_has_usage = false;
    return 0;
}

static int local_item(struct parse *p, struct err *e)
{
    const struct item *i = &p->item;
    bool paged = i->size == 4;

    switch (i->tag) {
    case LOCAL_USAGE:
        /* In a delimited set the first is the one to take. */
        if (p->in_delimiter && p->delimiter_has_usage)
            return 0;
        p->delimiter_has_usage = true;
        return add_range(p, i->value, i->value, paged, e);
    case LOCAL_USAGE_MIN:
        p->has_min = true;
        p->min_paged = paged;
        p->min = i->value;
        return 0;
    case LOCAL_USAGE_MAX:
        if (!p->has_min)
            return lie(p, e, "a usage maximum without a minimum");
        p->has_min = false;
        if (paged != p->min_paged) { /* one with its page, one without */
            uint32_t page = (paged ? i->value : p->min) & 0xFFFF0000u;
            return add_range(p, page | (p->min & 0xFFFF), page | (i->value & 0xFFFF),
                             true, e);
        }
        return add_range(p, p->min, i->value, paged, e);
    case LOCAL_DELIMITER:
        return delimiter(p, e);
    default:
        return 0; /* designators and strings */
    }
}

static void forget_locals(struct parse *p)
{
    p->ranges = 0;
    p->has_min = false;
}

static uint32_t range_usage(const struct parse *p, const struct range *r)
{
    return r->paged ? r->min : USAGE(p->global.page, r->min & 0xFFFF);
}

static uint64_t range_length(const struct range *r)
{
    return (uint64_t)r->max - r->min + 1;
}

/* --- the fields of a keyboard ---------------------------------------------------- */

static int key_report(struct parse *p, uint8_t *index, struct err *e)
{
    struct hid_scanner *h = &p->h;

    for (size_t i = 0; i < h->report_count; i++)
        if (h->reports[i] == p->global.id) {
            *index = (uint8_t)i;
            return 0;
        }
    if (h->report_count == HID_KEY_REPORTS_MAX)
        return beyond(p, e, "keys in too many different reports");
    h->reports[h->report_count] = p->global.id;
    *index = (uint8_t)h->report_count++;
    return 0;
}

static int add_piece(struct parse *p, bool array, uint32_t at, uint32_t count,
                     struct err *e)
{
    struct hid_scanner *h = &p->h;
    struct hid_piece *piece = &h->pieces[h->piece_count];

    if (p->global.size == 0 || p->global.size > 32)
        return lie(p, e, "a key field that is not 1 to 32 bits wide");
    if (h->piece_count == HID_PIECES_MAX)
        return beyond(p, e, "keys scattered over too many fields");
    memset(piece, 0, sizeof *piece);
    if (key_report(p, &piece->report, e) != 0)
        return -1;
    piece->field = (struct hid_field){ at, (uint16_t)count, (uint8_t)p->global.size };
    piece->array = array;
    piece->lowest = p->global.logical_min;
    piece->first = (uint16_t)h->usage_count;
    h->piece_count++;
    return 0;
}

/* The next n usages of the last piece: keys from usage on, or none (0). */
static int add_usages(struct parse *p, uint32_t usage, uint64_t n, struct err *e)
{
    struct hid_scanner *h = &p->h;

    if (n > HID_KEY_USAGES_MAX - h->usage_count)
        return beyond(p, e, "more keys than any keyboard has");
    for (uint64_t i = 0; i < n; i++) {
        uint64_t u = usage + i;
        bool key = PAGE_OF(u) == PAGE_KEYS && (u & 0xFFFF) <= 0xFF;

        h->usage[h->usage_count++] = key ? (uint8_t)u : 0;
    }
    h->pieces[h->piece_count - 1].usages += (uint16_t)n;
    return 0;
}

static int key_array(struct parse *p, uint32_t at, struct err *e)
{
    const struct global *g = &p->global;
    int64_t max = g->logical_min < 0
                      ? as_signed(g->logical_max, g->logical_max_size)
                      : (int64_t)g->logical_max;
    uint64_t values;

    if (max < g->logical_min)
        return lie(p, e, "a logical maximum below the minimum");
    values = (uint64_t)(max - g->logical_min) + 1;
    if (add_piece(p, true, at, g->count, e) != 0)
        return -1;
    for (size_t i = 0; i < p->ranges && values > 0; i++) {
        uint64_t n = range_length(&p->range[i]);

        if (n > values)
            n = values;
        if (add_usages(p, range_usage(p, &p->range[i]), n, e) != 0)
            return -1;
        values -= n;
    }
    return 0;
}

static int key_bitmap(struct parse *p, uint32_t at, struct err *e)
{
    uint32_t left = p->global.count, element = 0;

    for (size_t i = 0; i < p->ranges && left > 0; i++) {
        const struct range *r = &p->range[i];
        uint32_t usage = range_usage(p, r);
        uint64_t n = range_length(r);

        if (n > left)
            n = left;
        if (PAGE_OF(usage) == PAGE_KEYS) {
            if (add_piece(p, false, at + element * p->global.size, (uint32_t)n, e) != 0 ||
                add_usages(p, usage, n, e) != 0)
                return -1;
        }
        element += (uint32_t)n;
        left -= (uint32_t)n;
    }
    return 0; /* fields beyond the last usage would repeat it: no key */
}

static bool any_on_page(const struct parse *p, uint32_t page)
{
    for (size_t i = 0; i < p->ranges; i++)
        if (PAGE_OF(range_usage(p, &p->range[i])) == page)
            return true;
    return false;
}

/* --- the fields of a POS scanner -------------------------------------------------- */

static bool inside(const struct parse *p, uint32_t usage)
{
    for (size_t i = 0; i < p->depth; i++)
        if (p->nest[i].usage == usage)
            return true;
    return false;
}

/* The field of this usage in the input item at hand; size 0: not in it. */
static struct hid_field find_field(const struct parse *p, uint32_t at,
                                   uint32_t wanted)
{
    uint32_t left = p->global.count, element = 0;

    for (size_t i = 0; i < p->ranges && left > 0; i++) {
        const struct range *r = &p->range[i];
        uint32_t usage = range_usage(p, r);
        uint64_t n = range_length(r), skip = (uint64_t)wanted - usage;

        if (n > left)
            n = left;
        if (wanted >= usage && skip < n) {
            /* The last usage holds for all fields that follow. */
            bool last = i + 1 == p->ranges && skip + 1 == range_length(r);
            uint32_t first = element + (uint32_t)skip;

            return (struct hid_field){ at + first * p->global.size,
                                       (uint16_t)(last ? p->global.count - first : 1),
                                       (uint8_t)p->global.size };
        }
        element += (uint32_t)n;
        left -= (uint32_t)n;
    }
    return (struct hid_field){ 0, 0, 0 };
}

static int pos_fields(struct parse *p, uint32_t at, struct err *e)
{
    struct pos *pos = &p->pos[p->global.id];
    struct hid_field data = find_field(p, at, DECODED_DATA);
    struct hid_field length = find_field(p, at, BYTE_COUNT);
    struct hid_field more = find_field(p, at, DATA_CONTINUED);

    if ((data.size || length.size || more.size) && p->global.size > 32)
        return lie(p, e, "a field of a scan that is wider than 32 bits");
    if (data.size && data.size != 8)
        return lie(p, e, "decoded data that are not octets");
    if (data.size && !pos->data.size) {
        pos->data = data;
        pos->scanned = inside(p, SCANNED_DATA);
    }
    if (length.size && !pos->length.size)
        pos->length = length;
    if (more.size && !pos->continued.size)
        pos->continued = more;
    return 0;
}

/* A Scanned Data Report before any other that has decoded data. */
static void choose_pos(struct parse *p)
{
    const struct pos *best = NULL;

    for (size_t id = 0; id < 256; id++) {
        const struct pos *pos = &p->pos[id];

        if (!pos->data.size || (best && (best->scanned || !pos->scanned)))
            continue;
        best = pos;
        p->h.pos_report = (uint8_t)id;
    }
    if (!best)
        return;
    p->h.data = best->data;
    p->h.length = best->length;
    p->h.continued = best->continued;
}

/* --- main items ------------------------------------------------------------------- */

static uint32_t application(const struct parse *p)
{
    for (size_t i = p->depth; i > 0; i--)
        if (p->nest[i - 1].application)
            return p->nest[i - 1].usage;
    return 0;
}

static int add_bits(struct parse *p, uint32_t *total, struct err *e)
{
    uint64_t bits = (uint64_t)p->global.size * p->global.count;

    if (bits > HID_REPORT_MAX * 8 - *total)
        return beyond(p, e, "a report larger than any scanner's");
    *total += (uint32_t)bits;
    return 0;
}

static int input(struct parse *p, struct err *e)
{
    uint32_t app = application(p), flags = p->item.value;
    uint32_t *bits = &p->bits[p->global.id], at = *bits;

    if (add_bits(p, bits, e) != 0)
        return -1;
    if ((flags & FIELD_CONSTANT) || *bits == at)
        return 0;
    if (PAGE_OF(app) == PAGE_POS)
        return flags & FIELD_VARIABLE ? pos_fields(p, at, e) : 0;
    if ((app != APP_KEYBOARD && app != APP_KEYPAD) || !any_on_page(p, PAGE_KEYS))
        return 0;
    return flags & FIELD_VARIABLE ? key_bitmap(p, at, e) : key_array(p, at, e);
}

static int open_collection(struct parse *p, struct err *e)
{
    uint32_t usage = p->ranges ? range_usage(p, &p->range[0]) : 0;
    bool app = p->item.value == COLLECTION_APPLICATION;

    if (p->depth == HID_NEST_MAX)
        return beyond(p, e, "collections nested too deep");
    if (++p->collections > HID_COLLECTIONS_MAX)
        return beyond(p, e, "too many collections");
    p->nest[p->depth].usage = usage;
    p->nest[p->depth].application = app;
    p->depth++;
    if (app && !p->first_app)
        p->first_app = usage;
    if (app && PAGE_OF(usage) == PAGE_POS)
        p->pos_app = true;
    return 0;
}

static int main_field(struct parse *p, struct err *e)
{
    if (p->depth == 0)
        return lie(p, e, "a field outside of any collection");
    if (p->global.id == 0) {
        if (p->h.has_ids)
            return lie(p, e, "a field without a report ID beside others with one");
        p->unnumbered = true;
    }
    if (p->item.tag == MAIN_INPUT)
        return input(p, e);
    /* What the host sends: only how much, and not by report. */
    p->out_bits = 0;
    return add_bits(p, &p->out_bits, e);
}

static int main_item(struct parse *p, struct err *e)
{
    int r = 0;

    if (p->in_delimiter)
        return lie(p, e, "a delimiter that is not closed");
    switch (p->item.tag) {
    case MAIN_INPUT:
    case MAIN_OUTPUT:
    case MAIN_FEATURE:
        r = main_field(p, e);
        break;
    case MAIN_COLLECTION:
        r = open_collection(p, e);
        break;
    case MAIN_END:
        if (p->depth == 0)
            return lie(p, e, "ends a collection that was never opened");
        p->depth--;
        break;
    default:
        break; /* reserved; also the zeros that some pad with */
    }
    forget_locals(p);
    return r;
}

/* --- the verdict ------------------------------------------------------------------ */

static bool has_keys(const struct hid_scanner *h)
{
    for (size_t i = 0; i < h->usage_count; i++)
        if (h->usage[i] >= 0x04 && h->usage[i] < 0xE0)
            return true;
    return false;
}

static const char *application_words(uint32_t app)
{
    static const struct {
        uint32_t first, last;
        const char *words;
    } known[] = {
        { USAGE(0x01, 0x01), USAGE(0x01, 0x02), "a mouse" },
        { USAGE(0x01, 0x04), USAGE(0x01, 0x05), "a game controller" },
        { APP_KEYBOARD, APP_KEYPAD, "a keyboard without keys" },
        { USAGE(0x01, 0x80), USAGE(0x01, 0x80), "a system control" },
        { USAGE(0x0C, 0), USAGE(0x0C, 0xFFFF), "a consumer control" },
        { USAGE(0x0D, 0), USAGE(0x0D, 0xFFFF), "a touch screen or pen" },
        { USAGE(0x84, 0), USAGE(0x85, 0xFFFF), "a power supply" },
        { USAGE(PAGE_POS, 0), USAGE(PAGE_POS, 0xFFFF),
          "a POS scanner without a field of decoded data (8C:FE); set it to "
          "keyboard or to full HID POS" },
        { USAGE(0x8D, 0), USAGE(0x8E, 0xFFFF), "a scale or card reader" },
        { USAGE(0xFF00, 0), 0xFFFFFFFFu, "something of its maker's own" },
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (app >= known[i].first && app <= known[i].last)
            return known[i].words;
    return "no scanner";
}

static void judge(struct parse *p)
{
    struct hid_scanner *h = &p->h;
    uint32_t longest = 0;

    for (size_t i = 0; i < 256; i++)
        if (p->bits[i] > longest)
            longest = p->bits[i];
    h->report_max = (longest + 7) / 8 + (h->has_ids ? 1 : 0);
    choose_pos(p);
    if (h->data.size) {
        h->kind = HID_POS;
        snprintf(h->verdict, sizeof h->verdict,
                 "a HID POS scanner, %u octets a report", h->data.count);
    } else if (has_keys(h)) {
        h->kind = HID_KEYBOARD;
        snprintf(h->verdict, sizeof h->verdict,
                 "a keyboard, or a scanner that plays one");
    } else {
        uint32_t app = p->pos_app ? USAGE(PAGE_POS, 2) : p->first_app;

        snprintf(h->verdict, sizeof h->verdict, "%s (application %02X:%02X)",
                 application_words(app), (unsigned)PAGE_OF(p->first_app),
                 (unsigned)(p->first_app & 0xFFFF));
    }
}

int hid_parse(struct span descriptor, struct hid_scanner *out, struct err *e)
{
    struct parse p = { .in = descriptor };
    int r = 0;

    if (descriptor.n > HID_DESCRIPTOR_MAX)
        return beyond(&p, e, "longer than any scanner's");
    while (r == 0 && p.at < p.in.n) {
        if (next_item(&p, e) != 0)
            return -1;
        if (p.item.type == TYPE_MAIN)
            r = main_item(&p, e);
        else if (p.item.type == TYPE_GLOBAL)
            r = global_item(&p, e);
        else if (p.item.type == TYPE_LOCAL)
            r = local_item(&p, e);
    }
    if (r != 0)
        return -1;
    p.item.at = p.in.n;
    if (p.depth != 0)
        return lie(&p, e, "ends with a collection still open");
    if (p.collections == 0)
        return lie(&p, e, "describes nothing");
    judge(&p);
    *out = p.h;
    return 0;
}

/* Sheets of barcodes, read back from the files as a scanner would: the bars of
 * the SVG, decoded by a table that is not libzint's. */
#include "tests/unit/support.h"
#include "ui/scan/actions.h"
#include "ui/screens/screens.h"
#include "ui/sheet/sheet.h"

#include <check.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ISO/IEC 15417, table 1: widths of bars and spaces, of values 0 to 105; then stop. */
static const char patterns[] =
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 "
    "112232 122132 122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 "
    "311222 321122 321221 312212 322112 322211 212123 212321 232121 111323 131123 131321 "
    "112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 "
    "313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 "
    "314111 221411 431111 111224 111422 121124 121421 141122 141221 112214 112412 122114 "
    "122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212 "
    "124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 "
    "114311 411113 411311 113141 114131 311141 411131 211412 211214 211232 ";
#define STOP "2331112"
enum { TO_C = 99, TO_B = 100, TO_A = 101, START_A = 103, START_B = 104, START_C = 105 };

static int value_of(const char *six)
{
    for (int v = 0; patterns[7 * v]; v++)
        if (memcmp(patterns + 7 * v, six, 6) == 0)
            return v;
    return -1;
}

/* Widths of bars and spaces, one digit each, into text. */
static void decode(const char *widths, char *out)
{
    int set = value_of(widths), values[128], n = 0;
    size_t len = strlen(widths);

    ck_assert_int_eq(len % 6, 1);
    ck_assert_str_eq(widths + len - 7, STOP);
    for (size_t i = 0; i + 7 < len; i += 6)
        ck_assert_int_ge(values[n++] = value_of(widths + i), 0);
    ck_assert_int_ge(set, START_A);
    int sum = values[0];
    for (int i = 1; i < n - 1; i++)
        sum += i * values[i];
    ck_assert_int_eq(sum % 103, values[n - 1]);
    for (int i = 1; i < n - 1; i++) {
        int v = values[i];
        if (set == START_C && v < 100)
            out += sprintf(out, "%02d", v);
        else if (set != START_C && v < 95)
            *out++ = (char)(v + 32);
        else if (v == TO_C)
            set = START_C;
        else if (v == TO_B)
            set = START_B;
        else if (v == TO_A)
            set = START_A;
        else
            ck_abort_msg("value %d", v);
    }
    *out = '\0';
}

/* --- the file ---------------------------------------------------------------------- */

struct bar {
    double x, y, w, h;
};

/* The next bar of the file; false: there is none. Whatever stands between is
 * looked at: each tag is closed in its order, and no '&' or '<' is bare. */
static bool next_bar(const char **at, struct bar *out)
{
    const char *tag = strstr(*at, "<rect x=");

    if (!tag)
        return false;
    ck_assert_int_eq(sscanf(tag, "<rect x=\"%lf\" y=\"%lf\" width=\"%lf\" height=\"%lf\"/>",
                            &out->x, &out->y, &out->w, &out->h), 4);
    ck_assert(out->x >= 5 && out->x + out->w <= SHEET_W - 5);
    ck_assert(out->y >= 5 && out->y + out->h <= SHEET_H - 5);
    *at = tag + 1;
    return true;
}

static void check_markup(const char *svg)
{
    const char *open[8];
    int depth = 0;

    for (const char *c = strstr(svg, "<svg"); *c; c++) {
        if (*c == '&')
            ck_assert_msg(strncmp(c, "&amp;", 5) == 0 || strncmp(c, "&lt;", 4) == 0 ||
                          strncmp(c, "&gt;", 4) == 0 || strncmp(c, "&quot;", 6) == 0 ||
                          strncmp(c, "&#39;", 5) == 0, "a bare &: %.40s", c);
        ck_assert_msg((unsigned char)*c >= 0x20 || *c == '\n', "a control character");
        if (*c != '<')
            continue;
        const char *end = strchr(c, '>');
        ck_assert(end && depth < 7);
        if (c[1] == '/') {
            ck_assert_int_gt(depth, 0);
            size_t n = (size_t)(end - c - 2);
            ck_assert_msg(memcmp(open[--depth], c + 2, n) == 0, "closes another: %.20s", c);
        } else if (end[-1] != '/') {
            ck_assert(islower((unsigned char)c[1]));
            open[depth++] = c + 1;
        }
        c = end;
    }
    ck_assert_int_eq(depth, 0);
}

/* The symbols of a file in their order, each as a line. */
static void read_symbols(const char *svg, char *out)
{
    struct bar b, last = { .y = -1 };
    char widths[1024] = "", text[128];
    size_t n = 0;
    double module = 0;
    bool more;

    check_markup(svg);
    *out = '\0';
    do {
        more = next_bar(&svg, &b);
        bool same = more && b.y == last.y && b.x - (last.x + last.w) < 5 * module;
        if (n > 0 && !same) {
            widths[n] = '\0';
            decode(widths, text);
            out += sprintf(out, "%s\n", text);
            n = 0;
        }
        if (!more)
            break;
        if (n == 0)
            module = b.w / 2; /* each symbol begins with a bar of two */
        else
            widths[n++] = (char)('0' + lround((b.x - last.x - last.w) / module));
        widths[n++] = (char)('0' + lround(b.w / module));
        ck_assert_int_lt(n, sizeof widths - 2);
        ck_assert_msg(module >= 0.19, "modules of %.2f mm are hard to print", module);
        last = b;
    } while (more);
}

static char *text_of(const struct sheet *s, int page)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;

    svg_write(s, page, &b);
    buf_put(&b, "", 1);
    ck_assert(buf_ok(&b));
    char *text = strdup((const char *)b.p);
    ck_assert(text);
    return text;
}

/* --- tests ----------------------------------------------------------------------------- */

START_TEST(has_every_command)
{
    struct err e = ERR_INIT;
    struct sheet s;
    char read[8192], *at = read, want[128];
    size_t lines = 0;

    sheet_init(&s, (enum lang)_i);
    ck_assert_msg(sheet_commands(&s, &e) == 0, "%s", e.msg);
    for (int i = 0; i < s.pages; i++) {
        char *svg = text_of(&s, i);
        read_symbols(svg, at);
        at += strlen(at);
        free(svg);
    }
    for (size_t i = 0; i < action_count; i++) {
        snprintf(want, sizeof want, "LINESIDE-%s\n", actions[i].barcode);
        ck_assert_msg(strstr(read, want) != NULL, "%s is not there", want);
    }
    for (size_t i = 0; i < screen_count; i++) {
        snprintf(want, sizeof want, "LINESIDE-%s\n", screens[i]->name);
        for (char *c = want; *c; c++)
            *c = (char)toupper((unsigned char)*c);
        ck_assert_msg(strstr(read, want) != NULL, "%s is not there", want);
    }
    for (const char *line = read, *word; *line; line = strchr(line, '\n') + 1, lines++) {
        char one[128];
        snprintf(one, sizeof one, "%.*s", (int)strcspn(line, "\n"), line);
        ck_assert(command_is(one, &word) && (action_of_command(word) || screen_of(word)));
    }
    ck_assert_uint_ge(lines, action_count);
    sheet_clear(&s);
}
END_TEST

START_TEST(takes_what_a_scan_takes)
{
    static const char *const codes[] = {
        "F1", "a<b>&\"c'", "order:WO-2026-0117", "00001111222233334444",
        "abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ_0.1.2",
        "1234567890123456789012345678901234567890123456789012345678901234",
        "A1B2C3D4E5F6", "Zz9", "~{}|",
    };
    struct err e = ERR_INIT;
    struct sheet s;
    char read[4096], want[4096] = "";

    sheet_init(&s, LANG_EN);
    sheet_group(&s, "Fixtures");
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        ck_assert_msg(sheet_add(&s, codes[i], codes[i], "<i>&\x1b[31m\xff</i>", &e) == 0, "%s", e.msg);
        strcat(strcat(want, codes[i]), "\n");
    }
    ck_assert_int_eq(s.pages, 1);
    char *svg = text_of(&s, 0);
    read_symbols(svg, read);
    ck_assert_str_eq(read, want);
    ck_assert_ptr_nonnull(strstr(svg, "&lt;i&gt;&amp;?[31m?&lt;/i&gt;"));
    free(svg);
    sheet_clear(&s);
}
END_TEST

START_TEST(refuses_what_no_scanner_types)
{
    static const struct {
        const char *code;
        enum err_code want;
    } rows[] = {
        { "", ERR_LIMIT },
        { "12345678901234567890123456789012345678901234567890123456789012345", ERR_LIMIT },
        { "abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ_0.1.2.3.4", ERR_LIMIT },
        { "Prüfplatz", ERR_FORMAT },
        { "夹具1", ERR_FORMAT },
        { "a\tb", ERR_FORMAT },
        { "a\x7f", ERR_FORMAT },
    };
    struct sheet s;

    sheet_init(&s, LANG_EN);
    sheet_group(&s, "Fixtures");
    size_t before = s.n;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e = ERR_INIT;
        ck_assert_int_ne(sheet_add(&s, "x", rows[i].code, "", &e), 0);
        ck_assert_int_eq(e.code, rows[i].want);
    }
    ck_assert_uint_eq(s.n, before);
    sheet_clear(&s);
}
END_TEST

START_TEST(goes_on_to_further_pages)
{
    struct err e = ERR_INIT;
    struct sheet s;
    char code[32], read[16384], want[16384] = "", *at = read;

    sheet_init(&s, LANG_ZH);
    sheet_group(&s, "Fixtures");
    for (int i = 0; i < 64; i++) {
        snprintf(code, sizeof code, "LEFT-%d", i);
        ck_assert_int_eq(sheet_add(&s, code, code, "1-2.4", &e), 0);
        strcat(strcat(want, code), "\n");
    }
    ck_assert_int_eq(s.pages, 4);
    for (int i = 0; i < s.pages; i++) {
        char *svg = text_of(&s, i);
        read_symbols(svg, at);
        ck_assert_int_gt(strlen(at), 0);
        at += strlen(at);
        free(svg);
    }
    ck_assert_str_eq(read, want);
    sheet_clear(&s);
}
END_TEST

/* As many pages, bars and texts as the sheet; each object where the table says. */
START_TEST(is_a_pdf)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct err e = ERR_INIT;
    struct sheet s;
    size_t bars = 0, texts = 0, marks = 0;
    char count[32];

    sheet_init(&s, LANG_DE);
    ck_assert_int_eq(sheet_commands(&s, &e), 0);
    sheet_group(&s, "Fixtures");
    ck_assert_int_eq(sheet_add(&s, "Prüf (1)\\", "F1", "", &e), 0);
    ck_assert_msg(pdf_write(&s, &b, &e) == 0, "%s", e.msg);
    buf_put(&b, "", 1);
    const char *text = (const char *)b.p;
    ck_assert_int_eq(strncmp(text, "%PDF-1.4\n", 9), 0);
    /* Commands on as many pages as they fill, the fixture on its own. */
    ck_assert_int_gt(s.pages, 1);
    snprintf(count, sizeof count, "/Count %d ", s.pages);
    ck_assert_ptr_nonnull(strstr(text, count));
    ck_assert_ptr_nonnull(strstr(text, "<5072FC662028312" "95C>"));
    for (const char *c = text; (c = strstr(c, " re f\n")); c++)
        bars++;
    for (const char *c = text; (c = strstr(c, " Tj ET\n")); c++)
        texts++;
    for (size_t i = 0; i < s.n; i++)
        marks += s.v[i].kind == MARK_BAR;
    ck_assert_uint_eq(bars, marks);
    ck_assert_uint_eq(texts, s.n - marks);
    const char *table = text + atol(strstr(text, "startxref\n") + 10);
    int objects = 6 + 2 * s.pages;
    snprintf(count, sizeof count, "xref\n0 %d\n", objects);
    ck_assert_int_eq(strncmp(table, count, strlen(count)), 0);
    for (int i = 1; i < objects; i++) {
        char begins[24];
        snprintf(begins, sizeof begins, "%d 0 obj\n", i);
        const char *object = text + atol(table + strlen(count) + 20 * i);
        ck_assert_msg(strncmp(object, begins, strlen(begins)) == 0, "object %d", i);
    }
    sheet_clear(&s);
}
END_TEST

START_TEST(says_what_a_pdf_lacks)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct err e = ERR_INIT;
    struct sheet s;

    sheet_init(&s, LANG_ZH);
    ck_assert_int_eq(sheet_commands(&s, &e), 0);
    ck_assert_int_ne(pdf_write(&s, &b, &e), 0);
    ck_assert_int_eq(e.code, ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(e.msg, ".svg"));
    sheet_clear(&s);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "has every command", has_every_command, LANGS },
        { "takes what a scan takes", takes_what_a_scan_takes, 1 },
        { "refuses what no scanner types", refuses_what_no_scanner_types, 1 },
        { "goes on to further pages", goes_on_to_further_pages, 1 },
        { "is a PDF", is_a_pdf, 1 },
        { "says what a PDF lacks", says_what_a_pdf_lacks, 1 },
    };

    return run_tests("ui_sheet", tests, sizeof tests / sizeof *tests);
}

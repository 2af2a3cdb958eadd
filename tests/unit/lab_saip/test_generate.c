/* lab/saip: packages made for a subscription. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/saip/saip.h"

#define ICCID "8988300000000000013"
#define IMSI "901991234567890"

static struct saip_subscription subscription(void)
{
    struct saip_subscription s = {
        .imsi = IMSI, .msisdn = "883110000000042", .type = "Lab profile",
        .spn = "Bench", .puk = { "12345678", "87654321" }, .adm = "55556666",
    };

    ck_assert_int_eq(iccid_parse(ICCID, &s.iccid), 0);
    for (uint8_t i = 0; i < 16; i++) {
        s.ki[i] = i;
        s.opc[i] = (uint8_t)(0xf0 + i);
        for (int k = 0; k < SAIP_OTA_KEYS; k++)
            s.ota_key[k][i] = (uint8_t)(0x40 * (k + 1) + i);
    }
    return s;
}

static void generate(const struct saip_subscription *s, struct buf *b)
{
    struct err e = ERR_INIT;

    ck_assert_msg(saip_generate(s, b, &e) == 0, "%s", e.msg);
}

static bool holds(const struct buf *b, const void *what, size_t n)
{
    return memmem(b->p, b->n, what, n) != NULL;
}

/* What a card finds in it is what was asked for. */
static const struct {
    const char *path, *content; /* beginning of it */
} want[] = {
    { "2fe2", "988803000000000010f3" },
    { "7fd06f07", "089910992143658709" },
    { "7fd06f46", "0142656e6368ffffffffffffffffffffff" },
    { "7fd06f78", "0001" },
    { "7fd06f40", "ffffffffffffffffffff099188130100000040f2" },
    { "7fd06f62", "09f1994800" },
    { "7fd06fd9", "09f199ffff" },
    { "7fd06fad", "00000002" },
    { "7fb06f02", "803139303139393132333435363738393040696d732e6d6e633039392e"
                  "6d63633930312e336770706e6574776f726b2e6f7267ff" },
    { "7fb06f04", "80357369703a393031393931323334353637383930" },
    { "7fd05fc04f0a", "f0ffffff" },
    { "7fd05f3b4f20", "ffffffffffffffff07" },
};
#define WANTED (sizeof want / sizeof *want)

static int match(void *ctx, const struct saip_file *f, struct err *e)
{
    bool *found = ctx;
    char path[2 * SAIP_PATH_MAX + 1], content[200];

    (void)e;
    hex_encode(SPAN(f->path, f->path_len), path, sizeof path);
    hex_encode(f->content, content, sizeof content);
    for (size_t i = 0; i < WANTED; i++)
        if (strcmp(path, want[i].path) == 0) {
            ck_assert_msg(strncmp(content, want[i].content,
                                  strlen(want[i].content)) == 0,
                          "%s (%s): %s", path, f->name, content);
            ck_assert_msg(!found[i], "%s twice", path);
            found[i] = true;
        }
    return 0;
}

START_TEST(holds_the_subscription)
{
    static const struct saip_sink sink = { NULL, match, NULL };
    AUTO(buf_clear) struct buf b = BUF_INIT;
    const struct saip_subscription s = subscription();
    bool found[WANTED] = { false };
    struct saip_profile p;
    struct err e = ERR_INIT;

    generate(&s, &b);
    ck_assert_msg(saip_walk(buf_span(&b), &sink, found, &p, &e) == 0, "%s",
                  e.msg);
    for (size_t i = 0; i < WANTED; i++)
        ck_assert_msg(found[i], "%s", want[i].path);
    ck_assert_int_eq(p.major, 2);
    ck_assert_int_eq(p.minor, 3);
    ck_assert_str_eq(p.type, "Lab profile");
    ck_assert_mem_eq(p.iccid.o, s.iccid.o, sizeof s.iccid.o);
    ck_assert_uint_eq(p.naas, 2);
    for (size_t i = 0; i < p.naas; i++) {
        const struct saip_naa *n = &p.naa[i];
        ck_assert_int_eq(n->kind, i == 0 ? SAIP_USIM : SAIP_ISIM);
        ck_assert_int_eq(n->algorithm, SAIP_ALG_MILENAGE);
        ck_assert(span_eq(SPAN(n->k, n->k_len), SPAN_ARRAY(s.ki)));
        ck_assert(span_eq(SPAN(n->opc, n->opc_len), SPAN_ARRAY(s.opc)));
    }
    ck_assert_str_eq(p.naa[0].imsi, IMSI);
    ck_assert(p.naa[0].gsm_access);
    for (int k = 0; k < SAIP_OTA_KEYS; k++)
        ck_assert(holds(&b, s.ota_key[k], 16));
    ck_assert(holds(&b, "12345678", 8));
    ck_assert(holds(&b, "87654321", 8));
    ck_assert(holds(&b, "55556666", 8));
}
END_TEST

START_TEST(is_the_same_every_time)
{
    AUTO(buf_clear) struct buf a = BUF_INIT;
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct saip_subscription s = subscription();
    struct err e = ERR_INIT;

    s.target_size = 8000;
    generate(&s, &a);
    generate(&s, &b);
    ck_assert(span_eq(buf_span(&a), buf_span(&b)));

    s.ki[15] ^= 1; /* not one of the personalised places */
    buf_reset(&b);
    generate(&s, &b);
    ck_assert_int_eq(saip_compare(buf_span(&a), buf_span(&b), NULL, &e), -1);
}
END_TEST

START_TEST(can_be_personalised)
{
    AUTO(buf_clear) struct buf a = BUF_INIT;
    AUTO(buf_clear) struct buf b = BUF_INIT;
    const struct saip_subscription s = subscription();
    struct saip_profile p;
    struct iccid other;
    struct err e = ERR_INIT;

    ck_assert_int_eq(iccid_parse("8900101234567890120", &other), 0);
    generate(&s, &a);
    ck_assert_msg(saip_personalise(buf_span(&a), &other, "901990000000001",
                                   &b, &e) == 0, "%s", e.msg);
    ck_assert_int_eq(saip_walk(buf_span(&b), NULL, NULL, &p, &e), 0);
    ck_assert_mem_eq(p.iccid.o, other.o, sizeof other.o);
    ck_assert_str_eq(p.naa[0].imsi, "901990000000001");
    ck_assert_int_eq(saip_compare(buf_span(&a), buf_span(&b), NULL, &e), 0);
}
END_TEST

static const size_t sizes[] = {
    0, 1, 3000, 3040, 3100, 5000, 12800, 30000, 65536, 300000,
    SAIP_PACKAGE_MAX - 1024,
};

START_TEST(reaches_its_size)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    AUTO(buf_clear) struct buf plain = BUF_INIT;
    struct saip_subscription s = subscription();
    struct saip_profile p;
    struct err e = ERR_INIT;

    generate(&s, &plain);
    s.target_size = sizes[_i];
    generate(&s, &b);
    ck_assert_msg(saip_walk(buf_span(&b), NULL, NULL, &p, &e) == 0,
                  "%zu: %s", sizes[_i], e.msg);
    ck_assert_uint_ge(b.n, sizes[_i]);
    if (sizes[_i] <= plain.n)
        ck_assert_uint_eq(b.n, plain.n);
    else
        ck_assert_uint_le(b.n, sizes[_i] + 100);
}
END_TEST

START_TEST(works_with_the_least)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct saip_subscription s = subscription();
    struct saip_profile p;
    struct err e = ERR_INIT;

    s.type[0] = s.spn[0] = s.msisdn[0] = '\0';
    buf_put(&b, "before", 6); /* appended to */
    generate(&s, &b);
    ck_assert_int_eq(saip_walk(span_sub(buf_span(&b), 6, b.n), NULL, NULL,
                               &p, &e), 0);
    ck_assert_str_eq(p.type, "Lineside Lab");
}
END_TEST

START_TEST(draws_secrets)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct saip_subscription a = subscription(), c = subscription();
    struct err e = ERR_INIT;

    ck_assert_int_eq(saip_subscription_random(&a, &e), 0);
    ck_assert_int_eq(saip_subscription_random(&c, &e), 0);
    ck_assert_mem_ne(a.ki, c.ki, sizeof a.ki);
    ck_assert_mem_ne(a.opc, c.opc, sizeof a.opc);
    ck_assert_mem_ne(a.ota_key, c.ota_key, sizeof a.ota_key);
    ck_assert_str_eq(a.imsi, IMSI);
    generate(&a, &b);
}
END_TEST

/* --- what is no subscription --------------------------------------------- */

static void no_iccid(struct saip_subscription *s) { s->iccid.o[9] ^= 1; }
static void short_imsi(struct saip_subscription *s) { s->imsi[14] = '\0'; }
static void letter_imsi(struct saip_subscription *s) { s->imsi[3] = 'a'; }
static void open_imsi(struct saip_subscription *s) { s->imsi[15] = '1'; }
static void plus(struct saip_subscription *s) { s->msisdn[0] = '+'; }
static void no_puk(struct saip_subscription *s) { s->puk[1][0] = '\0'; }
static void no_adm(struct saip_subscription *s) { s->adm[7] = '\0'; }
static void odd_spn(struct saip_subscription *s) { s->spn[0] = '\t'; }
static void open_type(struct saip_subscription *s)
{
    memset(s->type, 'x', sizeof s->type);
}
static void huge(struct saip_subscription *s)
{
    s->target_size = SAIP_PACKAGE_MAX;
}

static const struct {
    const char *says;
    void (*spoil)(struct saip_subscription *);
    enum err_code code;
} spoilt[] = {
    { "iccid", no_iccid, ERR_USAGE },  { "imsi", short_imsi, ERR_USAGE },
    { "imsi", letter_imsi, ERR_USAGE }, { "imsi", open_imsi, ERR_USAGE },
    { "msisdn", plus, ERR_USAGE },     { "puk", no_puk, ERR_USAGE },
    { "adm", no_adm, ERR_USAGE },      { "spn", odd_spn, ERR_USAGE },
    { "type", open_type, ERR_USAGE },  { "octets", huge, ERR_LIMIT },
};

START_TEST(refuses)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct saip_subscription s = subscription();
    struct err e = ERR_INIT;

    spoilt[_i].spoil(&s);
    ck_assert_int_eq(saip_generate(&s, &b, &e), -1);
    ck_assert_int_eq(e.code, spoilt[_i].code);
    ck_assert_msg(strstr(e.msg, spoilt[_i].says), "%s", e.msg);
    ck_assert_uint_eq(b.n, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lab/saip generate");
    TCase *t = tcase_create("generate");

    tcase_add_test(t, holds_the_subscription);
    tcase_add_test(t, is_the_same_every_time);
    tcase_add_test(t, can_be_personalised);
    tcase_add_loop_test(t, reaches_its_size, 0, sizeof sizes / sizeof *sizes);
    tcase_add_test(t, works_with_the_least);
    tcase_add_test(t, draws_secrets);
    tcase_add_loop_test(t, refuses, 0, sizeof spoilt / sizeof *spoilt);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* The station's key: made once, read by its owner only, never replaced; and
 * the certificate that must be for it. */
#include "station/identity/identity.h"

#include "tests/lab/pki/issue.h"
#include "tests/unit/support.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW 1795473660

static char dir[64], key[96];

static void ground_make(void)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(dir, sizeof dir, "%.40s/identity.XXXXXX", tmp ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(key, sizeof key, "%s/%s", dir, IDENTITY_KEY_FILE);
}

static void ground_clear(void)
{
    if (unlink(key) != 0)
        rmdir(key);
    ck_assert_int_eq(rmdir(dir), 0);
}

static void make_key(void)
{
    struct err e = ERR_INIT;

    ck_assert_msg(identity_create_key(dir, &e) == 0, "%s", e.msg);
}

static void write_key(const char *text)
{
    FILE *f = fopen(key, "w");

    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(text, f), 0);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(chmod(key, 0600), 0);
}

static void refuse(struct span chain, enum err_code want, const char *words)
{
    struct identity id;
    struct err e = ERR_INIT;

    ck_assert_int_eq(identity_open(dir, chain, &id, &e), -1);
    ck_assert_msg(e.code == want && strstr(e.msg, words), "%s: %s",
                  err_name(e.code), e.msg);
}

START_TEST(made_once)
{
    struct buf before = BUF_INIT, after = BUF_INIT;
    struct err e = ERR_INIT;
    struct stat st;

    ground_make();
    umask(0); /* the mode is the file's own, whatever the process allows */
    make_key();
    ck_assert_int_eq(stat(key, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
    ck_assert_int_eq(file_read(key, &before), 0);
    ck_assert_int_eq(identity_create_key(dir, &e), -1);
    ck_assert_int_eq(e.code, ERR_CONFLICT);
    ck_assert_int_eq(file_read(key, &after), 0);
    ck_assert(span_eq(buf_span(&before), buf_span(&after)));
    buf_clear(&before);
    buf_clear(&after);
    ground_clear();
}
END_TEST

START_TEST(no_directory)
{
    struct err e = ERR_INIT;

    ck_assert_int_eq(identity_create_key("/proc/nowhere", &e), -1);
    ck_assert_int_eq(e.code, ERR_IO);
}
END_TEST

START_TEST(modes)
{
    static const struct { mode_t mode; bool good; } rows[] = {
        { 0600, true },  { 0400, true },  { 0640, false }, { 0604, false },
        { 0660, false }, { 0610, false }, { 0601, false }, { 0602, false },
    };
    struct identity id;
    struct err e = ERR_INIT;

    ground_make();
    make_key();
    ck_assert_int_eq(chmod(key, rows[_i].mode), 0);
    int got = identity_open(dir, SPAN(NULL, 0), &id, &e);
    ck_assert_msg(got == (rows[_i].good ? 0 : -1), "%o: %s",
                  (unsigned)rows[_i].mode, e.msg);
    if (rows[_i].good) {
        identity_close(&id);
    } else {
        ck_assert_int_eq(e.code, ERR_TRUST);
        ck_assert_ptr_nonnull(strstr(e.msg, "chmod 600"));
    }
    ground_clear();
}
END_TEST

START_TEST(no_key)
{
    ground_make();
    refuse(SPAN(NULL, 0), ERR_IO, "lineside init");
    write_key("not a key\n");
    refuse(SPAN(NULL, 0), ERR_FORMAT, "not a private key");
    ck_assert_int_eq(unlink(key), 0);
    ck_assert_int_eq(symlink("/dev/null", key), 0);
    refuse(SPAN(NULL, 0), ERR_IO, IDENTITY_KEY_FILE);
    ck_assert_int_eq(unlink(key), 0);
    ck_assert_int_eq(mkdir(key, 0700), 0);
    refuse(SPAN(NULL, 0), ERR_TRUST, "must be a file");
    ground_clear();
}
END_TEST

START_TEST(names)
{
    struct identity a, b;
    struct err e = ERR_INIT;
    uint8_t want[32], got[32];
    unsigned char *spki = NULL;
    char text[16], hex_text[13];

    ground_make();
    make_key();
    ck_assert_int_eq(identity_open(dir, SPAN(NULL, 0), &a, &e), 0);
    int n = i2d_PUBKEY(a.key, &spki);
    SHA256(spki, (size_t)n, want);
    OPENSSL_free(spki);
    ck_assert_int_eq(identity_key_id(&a, got, &e), 0);
    ck_assert_mem_eq(want, got, 32);
    ck_assert_int_eq(identity_default_id(&a, text, sizeof text, &e), 0);
    hex_encode(SPAN(want, 6), hex_text, sizeof hex_text);
    ck_assert(strncmp(text, "LS-", 3) == 0 && strcmp(text + 3, hex_text) == 0);
    ck_assert(identity_id_valid(text));
    ck_assert_int_eq(identity_open(dir, SPAN(NULL, 0), &b, &e), 0);
    ck_assert_int_eq(identity_key_id(&b, got, &e), 0);
    ck_assert_mem_eq(want, got, 32);
    identity_close(&a);
    identity_close(&b);
    ground_clear();
}
END_TEST

START_TEST(ids)
{
    static const struct { const char *id; bool good; } rows[] = {
        { "LS-0123456789ab", true }, { "a", true }, { "A_b.c-9", true },
        { "", false }, { "a b", false }, { "a/b", false }, { "\xC3\xBC", false },
        { "a\n", false },
        /* 63 and 64 */
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
          true },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
          false },
    };

    ck_assert_msg(identity_id_valid(rows[_i].id) == rows[_i].good, "'%s'",
                  rows[_i].id);
}
END_TEST

START_TEST(request)
{
    struct identity id;
    struct err e = ERR_INIT;
    struct buf csr = BUF_INIT;
    char serial[REGISTERED_ID_MAX + 1];

    ground_make();
    make_key();
    ck_assert_int_eq(identity_open(dir, SPAN(NULL, 0), &id, &e), 0);
    ck_assert_ptr_null(id.cert);
    ck_assert_msg(identity_request(&id, "LS-7", NOW, &csr, &e) == 0, "%s", e.msg);

    const unsigned char *p = csr.p;
    X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)csr.n);
    ck_assert_ptr_nonnull(req);
    ck_assert_ptr_eq(p, csr.p + csr.n);
    ck_assert_int_eq(X509_REQ_verify(req, id.key), 1);
    ck_assert_int_eq(X509_NAME_cmp(X509_REQ_get_subject_name(req),
                                   X509_get_subject_name(id.cert)), 0);
    ck_assert_int_eq(cert_serial_number(id.cert, serial), 0);
    ck_assert_str_eq(serial, "LS-7");
    ck_assert_int_eq(X509_verify(id.cert, id.key), 1);
    ck_assert_ptr_eq(id.signer.cert, id.cert);
    ck_assert_ptr_eq(id.signer.key, id.key);
    time_t now = NOW, later = NOW + 31 * 86400;
    ck_assert_int_eq(X509_cmp_time(X509_get0_notBefore(id.cert), &now), -1);
    ck_assert_int_eq(X509_cmp_time(X509_get0_notAfter(id.cert), &later), -1);
    X509_REQ_free(req);
    buf_clear(&csr);
    identity_close(&id);
    ground_clear();
}
END_TEST

static struct holder root_make(void)
{
    struct holder h = { EVP_EC_gen("P-256"), NULL };
    struct issue i = { .role = ISSUE_DM_ROOT, .common_name = "DM root",
                       .organisation = "Test" };
    struct err e = ERR_INIT;

    ck_assert_msg(issue_cert(&i, h.key, NULL, &h.cert, &e) == 0, "%s", e.msg);
    return h;
}

/* Station certificate for `subject`, and the root above it. */
static struct buf chain_for(EVP_PKEY *subject)
{
    struct holder root = root_make();
    struct issue i = { .role = ROLE_STATION, .common_name = "station",
                       .organisation = "Test", .serial_number = "LS-7" };
    struct err e = ERR_INIT;
    struct buf der = BUF_INIT;
    X509 *leaf = NULL;

    ck_assert_msg(issue_cert(&i, subject, &root, &leaf, &e) == 0, "%s", e.msg);
    ck_assert_int_eq(cert_put(leaf, &der, &e), 0);
    ck_assert_int_eq(cert_put(root.cert, &der, &e), 0);
    X509_free(leaf);
    holder_clear(&root);
    return der;
}

START_TEST(certificate)
{
    struct identity id;
    struct err e = ERR_INIT;

    ground_make();
    make_key();
    ck_assert_int_eq(identity_open(dir, SPAN(NULL, 0), &id, &e), 0);
    struct buf own = chain_for(id.key);
    identity_close(&id);
    ck_assert_msg(identity_open(dir, buf_span(&own), &id, &e) == 0, "%s", e.msg);
    ck_assert_ptr_eq(id.signer.cert, id.cert);
    ck_assert_int_eq(sk_X509_num(id.signer.chain), 1);
    identity_close(&id);

    EVP_PKEY *stranger = EVP_EC_gen("P-256");
    struct buf theirs = chain_for(stranger);
    refuse(buf_span(&theirs), ERR_CONFLICT, "for another key");
    EVP_PKEY_free(stranger);
    struct buf none = hex("30 03 02 01 00");
    struct err why = ERR_INIT;
    ck_assert_int_eq(identity_open(dir, buf_span(&none), &id, &why), -1);
    ck_assert_ptr_null(id.key);
    buf_clear(&own);
    buf_clear(&theirs);
    buf_clear(&none);
    ground_clear();
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "made once", made_once, 1 },
        { "no directory", no_directory, 1 },
        { "modes", modes, 8 },
        { "no key", no_key, 1 },
        { "names", names, 1 },
        { "ids", ids, 10 },
        { "request", request, 1 },
        { "certificate", certificate, 1 },
    };

    return run_tests("identity", tests, sizeof tests / sizeof *tests);
}

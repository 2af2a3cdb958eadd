#include "station/identity/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_PEM_MAX 4096
#define REQUEST_DAYS 31

static void key_path(const char *data_dir, char *out, size_t cap)
{
    snprintf(out, cap, "%s/%s", data_dir, IDENTITY_KEY_FILE);
}

static int write_durably(int fd, const char *p, size_t n, struct err *e)
{
    while (n > 0) {
        ssize_t w = write(fd, p, n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return err_errno(e, "%s: write", IDENTITY_KEY_FILE);
        p += w;
        n -= (size_t)w;
    }
    return fsync(fd) == 0 ? 0 : err_errno(e, "%s: fsync", IDENTITY_KEY_FILE);
}

static int dir_fsync(const char *dir, struct err *e)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int bad = fd < 0 || fsync(fd) != 0;

    if (bad)
        err_errno(e, "%s", dir);
    if (fd >= 0)
        close(fd);
    return bad ? -1 : 0;
}

int identity_create_key(const char *data_dir, struct err *e)
{
    char path[4096];
    char *pem = NULL;
    BIO *bio = NULL;
    EVP_PKEY *key = NULL;
    int fd = -1, bad = -1;

    key_path(data_dir, path, sizeof path);
    key = EVP_EC_gen("P-256");
    bio = BIO_new(BIO_s_mem());
    if (!key || !bio ||
        PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1) {
        err_ossl(e, ERR_INTERNAL, "cannot make the station's key");
        goto out;
    }
    long n = BIO_get_mem_data(bio, &pem);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        if (errno == EEXIST)
            err_set(e, ERR_CONFLICT, "%s exists; a station's key is never "
                                     "made twice", path);
        else
            err_errno(e, "%s", path);
        goto out;
    }
    if (write_durably(fd, pem, (size_t)n, e) != 0 ||
        dir_fsync(data_dir, e) != 0)
        unlink(path);
    else
        bad = 0;
out:
    if (fd >= 0)
        close(fd);
    BIO_free(bio);
    EVP_PKEY_free(key);
    return bad;
}

static int key_load(const char *data_dir, EVP_PKEY **out, struct err *e)
{
    char path[4096];
    struct stat st;

    key_path(data_dir, path, sizeof path);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, "the station's key %s cannot be opened; run "
                            "`lineside init` first, or as the station's user",
                         path);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_mode & 077) {
        close(fd);
        return err_set(e, ERR_TRUST, "%s must be a file that only its owner "
                                     "can read (chmod 600)", path);
    }
    BIO *bio = BIO_new_fd(fd, BIO_CLOSE);
    *out = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    if (!*out)
        return err_ossl(e, ERR_FORMAT, "%s is not a private key", path);
    return 0;
}

void identity_close(struct identity *id)
{
    EVP_PKEY_free(id->key);
    X509_free(id->cert);
    cert_stack_free(&id->chain);
    memset(id, 0, sizeof *id);
}

int identity_open(const char *data_dir, struct span chain_der,
                  struct identity *out, struct err *e)
{
    memset(out, 0, sizeof *out);
    if (key_load(data_dir, &out->key, e) != 0)
        return -1;
    if (chain_der.n == 0)
        return 0;
    if (cert_chain_decode(chain_der, &out->chain, e) != 0)
        goto bad;
    out->cert = sk_X509_shift(out->chain);
    if (X509_check_private_key(out->cert, out->key) != 1) {
        err_ossl(e, ERR_CONFLICT, "the station certificate is for another key "
                                  "than %s", IDENTITY_KEY_FILE);
        goto bad;
    }
    out->signer = (struct signer){ out->key, out->cert, out->chain };
    return 0;
bad:
    identity_close(out);
    return -1;
}

int identity_key_id(const struct identity *id, uint8_t out[32], struct err *e)
{
    unsigned char *spki = NULL;
    int n = i2d_PUBKEY(id->key, &spki);

    if (n <= 0)
        return err_ossl(e, ERR_INTERNAL, "the station's key has no public form");
    SHA256(spki, (size_t)n, out);
    OPENSSL_free(spki);
    return 0;
}

bool identity_id_valid(const char *s)
{
    size_t n = strlen(s);

    return n >= 1 && n <= REGISTERED_ID_MAX &&
           strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                     "0123456789-_.") == n;
}

int identity_default_id(const struct identity *id, char *out, size_t cap,
                        struct err *e)
{
    uint8_t kid[32];
    char hex[13];

    if (identity_key_id(id, kid, e) != 0)
        return -1;
    snprintf(out, cap, "LS-%s", hex_encode(SPAN(kid, 6), hex, sizeof hex));
    return 0;
}

static X509_NAME *subject(const char *station_id)
{
    X509_NAME *n = X509_NAME_new();

    if (n &&
        (X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC,
                                    (const unsigned char *)"Lineside station",
                                    -1, -1, 0) != 1 ||
         X509_NAME_add_entry_by_txt(n, "serialNumber", MBSTRING_ASC,
                                    (const unsigned char *)station_id, -1, -1,
                                    0) != 1)) {
        X509_NAME_free(n);
        return NULL;
    }
    return n;
}

static int make_csr(EVP_PKEY *key, X509_NAME *name, struct buf *der)
{
    X509_REQ *req = X509_REQ_new();
    unsigned char *p = NULL;
    int n = -1;

    if (req && X509_REQ_set_version(req, X509_REQ_VERSION_1) == 1 &&
        X509_REQ_set_subject_name(req, name) == 1 &&
        X509_REQ_set_pubkey(req, key) == 1 &&
        X509_REQ_sign(req, key, EVP_sha256()) > 0)
        n = i2d_X509_REQ(req, &p);
    if (n > 0)
        buf_put(der, p, (size_t)n);
    OPENSSL_free(p);
    X509_REQ_free(req);
    return n > 0 && buf_ok(der) ? 0 : -1;
}

static int add_ext(X509 *c, int nid, const char *value)
{
    X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    int ok = x && X509_add_ext(c, x, -1) == 1;

    X509_EXTENSION_free(x);
    return ok ? 0 : -1;
}

static X509 *self_sign(EVP_PKEY *key, X509_NAME *name, int64_t now)
{
    X509 *c = X509_new();
    unsigned char serial[8];
    BIGNUM *bn = NULL;

    if (c && RAND_bytes(serial, sizeof serial) == 1) {
        serial[0] = (serial[0] & 0x7f) | 1;
        bn = BN_bin2bn(serial, sizeof serial, NULL);
    }
    if (!bn || !BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(c)) ||
        X509_set_version(c, X509_VERSION_3) != 1 ||
        X509_set_subject_name(c, name) != 1 ||
        X509_set_issuer_name(c, name) != 1 || X509_set_pubkey(c, key) != 1 ||
        !ASN1_TIME_set(X509_getm_notBefore(c), (time_t)now) ||
        !ASN1_TIME_set(X509_getm_notAfter(c),
                       (time_t)(now + REQUEST_DAYS * 86400ll)) ||
        add_ext(c, NID_key_usage, "critical,digitalSignature") != 0 ||
        X509_sign(c, key, EVP_sha256()) <= 0) {
        X509_free(c);
        c = NULL;
    }
    BN_free(bn);
    return c;
}

int identity_request(struct identity *id, const char *station_id, int64_t now,
                     struct buf *csr_der, struct err *e)
{
    X509_NAME *name = subject(station_id);
    X509 *self = NULL;

    if (!name || make_csr(id->key, name, csr_der) != 0 ||
        !(self = self_sign(id->key, name, now))) {
        X509_NAME_free(name);
        return err_ossl(e, ERR_INTERNAL, "cannot make the certificate request");
    }
    X509_NAME_free(name);
    X509_free(id->cert);
    cert_stack_free(&id->chain);
    id->chain = NULL;
    id->cert = self;
    id->signer = (struct signer){ id->key, self, NULL };
    return 0;
}

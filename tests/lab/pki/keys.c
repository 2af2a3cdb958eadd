#include "tests/lab/pki/keys.h"

#include "station/ifpp/tags.h"
#include "station/ifpp/tlv.h"

#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCALAR_LEN 32

static const struct {
    const char *name;
    const char *group;
    int nid;
    const char *oid_hex; /* of the named curve, DER content */
} curves[] = {
    { "p256", "P-256", NID_X9_62_prime256v1, "2a8648ce3d030107" },
    { "brainpool", "brainpoolP256r1", NID_brainpoolP256r1,
      "2b2403030208010107" },
};
#define CURVES (sizeof curves / sizeof *curves)

int ec_curve_parse(const char *name)
{
    for (size_t i = 0; i < CURVES; i++)
        if (strcmp(name, curves[i].name) == 0)
            return curves[i].nid;
    return NID_undef;
}

const char *ec_curve_name(int nid)
{
    for (size_t i = 0; i < CURVES; i++)
        if (nid == curves[i].nid)
            return curves[i].name;
    return NULL;
}

/* --- making ------------------------------------------------------------------ */

struct ec_maker {
    EVP_PKEY_CTX *ctx;
};

int ec_maker_new(int nid, struct ec_maker **out, struct err *e)
{
    const char *name = ec_curve_name(nid);
    AUTO(pkey_free_p) EVP_PKEY *group = NULL;
    struct ec_maker *m = calloc(1, sizeof *m);

    if (!m)
        return err_set(e, ERR_NOMEM, "out of memory");
    for (size_t i = 0; name && i < CURVES; i++)
        if (nid == curves[i].nid)
            group = EVP_EC_gen(curves[i].group);
    m->ctx = group ? EVP_PKEY_CTX_new_from_pkey(NULL, group, NULL) : NULL;
    if (!m->ctx || EVP_PKEY_keygen_init(m->ctx) != 1) {
        ec_maker_free_p(&m);
        return err_ossl(e, ERR_INTERNAL, "cannot make keys on curve %d", nid);
    }
    *out = m;
    return 0;
}

void ec_maker_free_p(struct ec_maker **m)
{
    if (*m)
        EVP_PKEY_CTX_free((*m)->ctx);
    free(*m);
    *m = NULL;
}

EVP_PKEY *ec_make(struct ec_maker *m, struct err *e)
{
    EVP_PKEY *k = NULL;

    if (EVP_PKEY_generate(m->ctx, &k) != 1)
        err_ossl(e, ERR_INTERNAL, "cannot make a key pair");
    return k;
}

int ec_point(EVP_PKEY *key, uint8_t out[EC_POINT_LEN], struct err *e)
{
    size_t n = 0;

    if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, out,
                                        EC_POINT_LEN, &n) != 1 ||
        n != EC_POINT_LEN || out[0] != 4)
        return err_ossl(e, ERR_INTERNAL, "public key is no uncompressed point");
    return 0;
}

static const char *curve_oid_hex(EVP_PKEY *key)
{
    char group[64];
    size_t n;

    if (EVP_PKEY_get_group_name(key, group, sizeof group, &n) != 1)
        return NULL;
    for (size_t i = 0; i < CURVES; i++)
        if (OBJ_txt2nid(group) == curves[i].nid)
            return curves[i].oid_hex;
    return NULL;
}

/* Written by hand: OpenSSL's encoder searches all its providers for each key,
 * six times the cost of making the key itself. */
int ec_pkcs8(EVP_PKEY *key, struct buf *out, struct err *e)
{
    static const char ec_public_key[] = "06072a8648ce3d0201";
    const char *curve = curve_oid_hex(key);
    uint8_t point[EC_POINT_LEN], scalar[SCALAR_LEN];
    BIGNUM *d = NULL;

    if (!curve || ec_point(key, point, e) != 0 ||
        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &d) != 1)
        return err_ossl(e, ERR_INTERNAL, "no EC private key");
    bool ok = BN_bn2binpad(d, scalar, SCALAR_LEN) == SCALAR_LEN;
    BN_clear_free(d);

    size_t whole = der_open(out);
    der_put_uint(out, TAG_INTEGER, 0);
    size_t algorithm = der_open(out);
    buf_put_hex(out, ec_public_key);
    buf_put_u8(out, TAG_OID);
    buf_put_u8(out, (uint8_t)(strlen(curve) / 2));
    buf_put_hex(out, curve);
    der_close(out, TAG_SEQUENCE, algorithm);
    size_t octets = der_open(out);
    size_t ec = der_open(out);
    der_put_uint(out, TAG_INTEGER, 1);
    der_put(out, TAG_OCTETS, SPAN_ARRAY(scalar));
    size_t tagged = der_open(out);
    size_t bits = der_open(out);
    buf_put_u8(out, 0); /* unused bits */
    buf_put(out, point, sizeof point);
    der_close(out, 0x03, bits);
    der_close(out, 0xA1, tagged);
    der_close(out, TAG_SEQUENCE, ec);
    der_close(out, TAG_OCTETS, octets);
    der_close(out, TAG_SEQUENCE, whole);
    OPENSSL_cleanse(scalar, sizeof scalar);
    return ok && buf_ok(out) ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

/* --- signing ----------------------------------------------------------------- */

struct ec_signer {
    EVP_MD *sha256;
    EVP_MD_CTX *md;
    EVP_PKEY_CTX *sign;
};

int ec_signer_new(EVP_PKEY *key, struct ec_signer **out, struct err *e)
{
    struct ec_signer *s = calloc(1, sizeof *s);

    if (!s)
        return err_set(e, ERR_NOMEM, "out of memory");
    s->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    s->md = EVP_MD_CTX_new();
    s->sign = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    if (!s->sha256 || !s->md || !s->sign || EVP_PKEY_sign_init(s->sign) != 1) {
        ec_signer_free_p(&s);
        return err_ossl(e, ERR_INTERNAL, "cannot sign with this key");
    }
    *out = s;
    return 0;
}

void ec_signer_free_p(struct ec_signer **s)
{
    if (*s) {
        EVP_PKEY_CTX_free((*s)->sign);
        EVP_MD_CTX_free((*s)->md);
        EVP_MD_free((*s)->sha256);
    }
    free(*s);
    *s = NULL;
}

static bool der_to_raw(const uint8_t *der, size_t n, uint8_t raw[EC_RAW_SIG_LEN])
{
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);
    bool ok = sig &&
              BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, SCALAR_LEN) ==
                  SCALAR_LEN &&
              BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + SCALAR_LEN,
                           SCALAR_LEN) == SCALAR_LEN;

    ECDSA_SIG_free(sig);
    return ok;
}

int ec_sign(struct ec_signer *s, const struct span *parts, size_t n,
            uint8_t out[EC_RAW_SIG_LEN], struct err *e)
{
    uint8_t hash[32], der[80];
    size_t der_len = sizeof der;
    bool ok = EVP_DigestInit_ex2(s->md, s->sha256, NULL) == 1;

    for (size_t i = 0; ok && i < n; i++)
        ok = EVP_DigestUpdate(s->md, parts[i].p, parts[i].n) == 1;
    ok = ok && EVP_DigestFinal_ex(s->md, hash, NULL) == 1 &&
         EVP_PKEY_sign(s->sign, der, &der_len, hash, sizeof hash) == 1 &&
         der_to_raw(der, der_len, out);
    return ok ? 0 : err_ossl(e, ERR_INTERNAL, "signing failed");
}

/* --- files ------------------------------------------------------------------- */

void x509_free_p(X509 **c)
{
    X509_free(*c);
    *c = NULL;
}

void pkey_free_p(EVP_PKEY **k)
{
    EVP_PKEY_free(*k);
    *k = NULL;
}

void holder_clear(struct holder *i)
{
    pkey_free_p(&i->key);
    x509_free_p(&i->cert);
}

int cert_put(X509 *c, struct buf *out, struct err *e)
{
    unsigned char *der = NULL;
    int n = i2d_X509(c, &der);

    if (n <= 0)
        return err_ossl(e, ERR_INTERNAL, "cannot encode a certificate");
    buf_put(out, der, (size_t)n);
    OPENSSL_free(der);
    return buf_ok(out) ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

/* NULL: cannot create (text set). */
static FILE *create_file(const char *path, const char *suffix, mode_t mode,
                         struct err *e)
{
    char name[4096];

    snprintf(name, sizeof name, "%s%s", path, suffix);
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    if (!f) {
        err_errno(e, "%s", name);
        if (fd >= 0)
            close(fd);
    }
    return f;
}

static int finish_file(FILE *f, bool ok, const char *path, struct err *e)
{
    if (fclose(f) != 0)
        return err_errno(e, "%s", path);
    return ok ? 0 : err_ossl(e, ERR_IO, "cannot write %s", path);
}

int holder_save(const char *path, const struct holder *i, struct err *e)
{
    FILE *f = create_file(path, ".key", 0600, e);

    if (!f)
        return -1;
    bool ok = PEM_write_PrivateKey(f, i->key, NULL, NULL, 0, NULL, NULL) == 1;
    if (finish_file(f, ok, path, e) != 0)
        return -1;
    f = create_file(path, ".pem", 0644, e);
    if (!f)
        return -1;
    ok = PEM_write_X509(f, i->cert) == 1;
    return finish_file(f, ok, path, e);
}

static FILE *open_file(const char *path, const char *suffix, struct err *e)
{
    char name[4096];

    snprintf(name, sizeof name, "%s%s", path, suffix);
    FILE *f = fopen(name, "re");
    if (!f)
        err_errno(e, "%s", name);
    return f;
}

int holder_load_cert(const char *path, X509 **out, struct err *e)
{
    FILE *f = open_file(path, ".pem", e);

    if (!f)
        return -1;
    *out = PEM_read_X509(f, NULL, NULL, NULL);
    fclose(f);
    return *out ? 0 : err_ossl(e, ERR_FORMAT, "%s.pem: no certificate", path);
}

int holder_load(const char *path, struct holder *out, struct err *e)
{
    FILE *f = open_file(path, ".key", e);

    if (!f)
        return -1;
    struct holder i = { PEM_read_PrivateKey(f, NULL, NULL, NULL), NULL };
    fclose(f);
    if (!i.key)
        return err_ossl(e, ERR_FORMAT, "%s.key: no private key", path);
    if (holder_load_cert(path, &i.cert, e) != 0) {
        holder_clear(&i);
        return -1;
    }
    *out = i;
    return 0;
}

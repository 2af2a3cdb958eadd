/* The raw r||s signatures of cert.h, as cheap as OpenSSL 3 lets them be: an
 * import checks three per record. */
#include "station/ifpp/sig.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <pthread.h>
#include <string.h>

/* Fetched or built once, then only read: shared by all threads. */
static EVP_MD *sha256;
static EC_GROUP *groups[2];
static EVP_PKEY *params[2];
static const struct {
    int nid;
    const char *name;
} curves[2] = {
    { NID_X9_62_prime256v1, "prime256v1" },
    { NID_brainpoolP256r1, "brainpoolP256r1" },
};
static pthread_once_t once = PTHREAD_ONCE_INIT;

static EVP_PKEY *curve_params(const char *name)
{
    OSSL_PARAM p[] = {
        OSSL_PARAM_construct_utf8_string("group", (char *)(uintptr_t)name, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *k = NULL;

    if (ctx && EVP_PKEY_fromdata_init(ctx) == 1)
        EVP_PKEY_fromdata(ctx, &k, EVP_PKEY_KEY_PARAMETERS, p);
    EVP_PKEY_CTX_free(ctx);
    return k;
}

static void build(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    for (int i = 0; i < 2; i++) {
        groups[i] = EC_GROUP_new_by_curve_name(curves[i].nid);
        params[i] = curve_params(curves[i].name);
    }
}

static int curve_index(int nid)
{
    for (int i = 0; i < 2; i++)
        if (curves[i].nid == nid)
            return i;
    return -1;
}

int point_check(struct span point, int curve_nid)
{
    int i = curve_index(curve_nid);

    pthread_once(&once, build);
    if (i < 0 || !groups[i] || point.n != 65 || point.p[0] != 4)
        return -1;
    EC_POINT *p = EC_POINT_new(groups[i]);
    int ok = p && EC_POINT_oct2point(groups[i], p, point.p, point.n, NULL);
    EC_POINT_free(p);
    if (!ok)
        ERR_clear_error();
    return ok ? 0 : -1;
}

int key_curve(EVP_PKEY *key)
{
    char name[32];
    size_t n;

    if (EVP_PKEY_get_group_name(key, name, sizeof name, &n) == 1)
        for (int i = 0; i < 2; i++)
            if (strcmp(name, curves[i].name) == 0)
                return curves[i].nid;
    ERR_clear_error();
    return 0;
}

EVP_PKEY *key_from_point(struct span point, int curve_nid)
{
    int i = curve_index(curve_nid);

    pthread_once(&once, build);
    if (i < 0 || !params[i] || point.n != 65 || point.p[0] != 4)
        return NULL;
    EVP_PKEY *k = EVP_PKEY_dup(params[i]);
    if (k && EVP_PKEY_set1_encoded_public_key(k, point.p, point.n) != 1) {
        EVP_PKEY_free(k);
        k = NULL;
    }
    if (!k)
        ERR_clear_error();
    return k;
}

int sig_digest(const struct span *parts, size_t n, uint8_t out[32])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    pthread_once(&once, build);
    int ok = ctx && sha256 && EVP_DigestInit_ex2(ctx, sha256, NULL) == 1;
    for (size_t i = 0; ok && i < n; i++)
        ok = EVP_DigestUpdate(ctx, parts[i].p, parts[i].n) == 1;
    ok = ok && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    return ok ? 0 : -1;
}

/* One INTEGER of 32 big-endian octets, minimal. */
static size_t put_integer(uint8_t *to, const uint8_t *v)
{
    size_t skip = 0, n;

    while (skip < 31 && v[skip] == 0)
        skip++;
    n = 32 - skip;
    to[0] = 0x02;
    if (v[skip] & 0x80) {
        to[1] = (uint8_t)(n + 1);
        to[2] = 0;
        memcpy(to + 3, v + skip, n);
        return n + 3;
    }
    to[1] = (uint8_t)n;
    memcpy(to + 2, v + skip, n);
    return n + 2;
}

size_t sig_der(const uint8_t raw[64], uint8_t out[SIG_DER_MAX])
{
    size_t n = 2;

    n += put_integer(out + n, raw);
    n += put_integer(out + n, raw + 32);
    out[0] = 0x30;
    out[1] = (uint8_t)(n - 2);
    return n;
}

EVP_PKEY_CTX *verifier_new(EVP_PKEY *key)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

    if (ctx && EVP_PKEY_verify_init(ctx) != 1) {
        EVP_PKEY_CTX_free(ctx);
        ctx = NULL;
    }
    return ctx;
}

int sig_verify(EVP_PKEY *key, const struct span *parts, size_t n,
               struct span raw64, struct err *e)
{
    uint8_t digest[32], der[SIG_DER_MAX];

    if (raw64.n != 64)
        return err_set(e, ERR_FORMAT, "a signature of %zu octets, not 64",
                       raw64.n);
    if (sig_digest(parts, n, digest) != 0)
        return err_ossl(e, ERR_INTERNAL, "SHA-256 failed");
    EVP_PKEY_CTX *ctx = verifier_new(key);
    if (!ctx)
        return err_ossl(e, ERR_INTERNAL, "signature check cannot start");
    int ok = EVP_PKEY_verify(ctx, der, sig_der(raw64.p, der), digest,
                             sizeof digest) == 1;
    EVP_PKEY_CTX_free(ctx);
    if (!ok) {
        ERR_clear_error();
        return err_set(e, ERR_SIGNATURE, "signature does not hold");
    }
    return 0;
}

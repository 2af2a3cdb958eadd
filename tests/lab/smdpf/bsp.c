#include "tests/lab/smdpf/bsp.h"

#include "station/ifpp/tags.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 16
#define SECRET_LEN 32 /* x coordinate on either 256-bit curve */
#define POINT_LEN 65

struct bsp {
    EVP_CIPHER *cbc, *ecb;
    EVP_CIPHER_CTX *encrypt, *decrypt, *icv;
    EVP_MAC *cmac;
    EVP_MAC_CTX *mac;
    EVP_KDF *x963;
    EVP_KDF_CTX *kdf;
    EVP_PKEY *peer; /* one key object, filled with each peer's point */

    uint8_t chain[BSP_KEY_LEN];
    uint32_t counter; /* of the next segment */
};

static bool fetch_all(struct bsp *b)
{
    b->cbc = EVP_CIPHER_fetch(NULL, "AES-128-CBC", NULL);
    b->ecb = EVP_CIPHER_fetch(NULL, "AES-128-ECB", NULL);
    b->cmac = EVP_MAC_fetch(NULL, "CMAC", NULL);
    b->x963 = EVP_KDF_fetch(NULL, "X963KDF", NULL);
    b->encrypt = EVP_CIPHER_CTX_new();
    b->decrypt = EVP_CIPHER_CTX_new();
    b->icv = EVP_CIPHER_CTX_new();
    b->mac = b->cmac ? EVP_MAC_CTX_new(b->cmac) : NULL;
    b->kdf = b->x963 ? EVP_KDF_CTX_new(b->x963) : NULL;
    return b->cbc && b->ecb && b->encrypt && b->decrypt && b->icv && b->mac &&
           b->kdf;
}

/* What never changes is set once: the CMAC's cipher, the KDF's digest. */
static bool set_algorithms(struct bsp *b)
{
    char cipher[] = "AES-128-CBC", digest[] = "SHA256";
    OSSL_PARAM mac[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher, 0),
        OSSL_PARAM_construct_end(),
    };
    OSSL_PARAM kdf[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };

    return EVP_MAC_CTX_set_params(b->mac, mac) == 1 &&
           EVP_KDF_CTX_set_params(b->kdf, kdf) == 1;
}

int bsp_new(struct bsp **out, struct err *e)
{
    struct bsp *b = calloc(1, sizeof *b);

    if (!b)
        return err_set(e, ERR_NOMEM, "out of memory");
    if (!fetch_all(b) || !set_algorithms(b)) {
        bsp_free(b);
        return err_ossl(e, ERR_INTERNAL,
                        "OpenSSL lacks AES-128, CMAC or X963KDF");
    }
    *out = b;
    return 0;
}

void bsp_free(struct bsp *b)
{
    if (!b)
        return;
    EVP_PKEY_free(b->peer);
    EVP_KDF_CTX_free(b->kdf);
    EVP_KDF_free(b->x963);
    EVP_MAC_CTX_free(b->mac);
    EVP_MAC_free(b->cmac);
    EVP_CIPHER_CTX_free(b->icv);
    EVP_CIPHER_CTX_free(b->decrypt);
    EVP_CIPHER_CTX_free(b->encrypt);
    EVP_CIPHER_free(b->ecb);
    EVP_CIPHER_free(b->cbc);
    OPENSSL_cleanse(b, sizeof *b);
    free(b);
}

void bsp_free_p(struct bsp **b)
{
    bsp_free(*b);
    *b = NULL;
}

/* --- key agreement --------------------------------------------------------- */

/* Both curves have cofactor 1, so "on the curve", which the decoding checks,
 * is all there is to validate; OpenSSL's own peer check would multiply by the
 * order and double the cost of the agreement. */
static bool set_peer_point(struct bsp *b, EVP_PKEY *otsk, struct span peer)
{
    if (peer.n != POINT_LEN || peer.p[0] != 4)
        return false;
    if (b->peer && EVP_PKEY_parameters_eq(b->peer, otsk) != 1) {
        EVP_PKEY_free(b->peer);
        b->peer = NULL;
    }
    if (!b->peer) {
        b->peer = EVP_PKEY_new();
        if (!b->peer || EVP_PKEY_copy_parameters(b->peer, otsk) != 1)
            return false;
    }
    return EVP_PKEY_set1_encoded_public_key(b->peer, peer.p, peer.n) == 1;
}

static int agree(struct bsp *b, EVP_PKEY *otsk, uint8_t secret[SECRET_LEN],
                 struct err *e)
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, otsk, NULL);
    size_t n = SECRET_LEN;
    bool ok = c && EVP_PKEY_derive_init(c) == 1 &&
              EVP_PKEY_derive_set_peer_ex(c, b->peer, 0) == 1 &&
              EVP_PKEY_derive(c, secret, &n) == 1 && n == SECRET_LEN;

    EVP_PKEY_CTX_free(c);
    return ok ? 0 : err_ossl(e, ERR_INTERNAL, "key agreement failed");
}

static bool expand(struct bsp *b, uint8_t secret[SECRET_LEN],
                   const struct buf *info, struct bsp_keys *out)
{
    OSSL_PARAM p[] = {
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret,
                                          SECRET_LEN),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info->p,
                                          info->n),
        OSSL_PARAM_construct_end(),
    };

    return EVP_KDF_derive(b->kdf, (unsigned char *)out, sizeof *out, p) == 1;
}

/* The KDF context keeps its key until the next one is set: set zeros, so that
 * no shared secret outlives its package (GENS06). */
static bool forget(struct bsp *b, uint8_t secret[SECRET_LEN])
{
    OPENSSL_cleanse(secret, SECRET_LEN);
    OSSL_PARAM p[] = {
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret,
                                          SECRET_LEN),
        OSSL_PARAM_construct_end(),
    };
    return EVP_KDF_CTX_set_params(b->kdf, p) == 1;
}

int bsp_derive(struct bsp *b, EVP_PKEY *otsk, struct span peer,
               struct span host_id, const struct eid *eid,
               struct bsp_keys *out, struct err *e)
{
    _Static_assert(sizeof *out == 3 * BSP_KEY_LEN, "KDF output is the struct");
    AUTO(buf_clear) struct buf info = BUF_INIT;
    uint8_t secret[SECRET_LEN] = { 0 };

    if (host_id.n > 255)
        return err_set(e, ERR_LIMIT, "hostId of %zu octets", host_id.n);
    if (!set_peer_point(b, otsk, peer))
        return err_ossl(e, ERR_FORMAT,
                        "one-time public key is not a point on the curve");
    buf_put_u8(&info, BPP_KEY_TYPE);
    buf_put_u8(&info, BPP_KEY_LEN);
    buf_put_u8(&info, (uint8_t)host_id.n);
    buf_put_span(&info, host_id);
    buf_put_u8(&info, sizeof eid->o);
    buf_put_span(&info, SPAN_ARRAY(eid->o));
    if (!buf_ok(&info))
        return err_set(e, ERR_NOMEM, "out of memory");
    if (agree(b, otsk, secret, e) != 0)
        return -1;
    bool expanded = expand(b, secret, &info, out);
    if (!forget(b, secret) || !expanded)
        return err_ossl(e, ERR_INTERNAL, "key derivation failed");
    return 0;
}

/* --- the channel ------------------------------------------------------------ */

int bsp_start(struct bsp *b, const struct bsp_keys *k, struct err *e)
{
    if (EVP_EncryptInit_ex2(b->encrypt, b->cbc, k->enc, NULL, NULL) != 1 ||
        EVP_DecryptInit_ex2(b->decrypt, b->cbc, k->enc, NULL, NULL) != 1 ||
        EVP_EncryptInit_ex2(b->icv, b->ecb, k->enc, NULL, NULL) != 1 ||
        EVP_CIPHER_CTX_set_padding(b->encrypt, 0) != 1 ||
        EVP_CIPHER_CTX_set_padding(b->decrypt, 0) != 1 ||
        EVP_CIPHER_CTX_set_padding(b->icv, 0) != 1 ||
        EVP_MAC_init(b->mac, k->mac, sizeof k->mac, NULL) != 1)
        return err_ossl(e, ERR_INTERNAL, "cannot set the session keys");
    memcpy(b->chain, k->chain, sizeof b->chain);
    b->counter = 1;
    return 0;
}

static bool make_icv(struct bsp *b, uint8_t icv[BLOCK])
{
    uint8_t in[BLOCK] = { 0 };
    int n = 0;

    for (int i = 0; i < 4; i++)
        in[BLOCK - 1 - i] = (uint8_t)(b->counter >> 8 * i);
    return EVP_EncryptUpdate(b->icv, icv, &n, in, sizeof in) == 1 &&
           n == BLOCK;
}

/* CMAC over chaining value, then header and data. All 16 octets become the
 * next chaining value; the caller transmits or compares the first 8. The key
 * schedule made by bsp_start is kept: no key means "begin again". */
static bool chain_mac(struct bsp *b, struct span header, struct span data)
{
    size_t n = 0;

    return EVP_MAC_init(b->mac, NULL, 0, NULL) == 1 &&
           EVP_MAC_update(b->mac, b->chain, sizeof b->chain) == 1 &&
           EVP_MAC_update(b->mac, header.p, header.n) == 1 &&
           EVP_MAC_update(b->mac, data.p, data.n) == 1 &&
           EVP_MAC_final(b->mac, b->chain, &n, sizeof b->chain) == 1 &&
           n == sizeof b->chain;
}

/* The header is already in out from `mark`, the data follows it. */
static int finish_segment(struct bsp *b, struct buf *out, size_t mark,
                          size_t data_at, struct err *e)
{
    if (!buf_ok(out))
        return err_set(e, ERR_NOMEM, "out of memory");
    struct span all = buf_span(out);
    if (!chain_mac(b, span_sub(all, mark, data_at - mark),
                   span_sub(all, data_at, all.n - data_at)))
        return err_ossl(e, ERR_INTERNAL, "CMAC failed");
    buf_put(out, b->chain, BSP_MAC_LEN);
    b->counter++;
    return buf_ok(out) ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

int bsp_seal_enc(struct bsp *b, uint32_t tag, struct span plain,
                 struct buf *out, struct err *e)
{
    uint8_t icv[BLOCK], padded[BPP_PLAIN_MAX + 1] = { 0 };
    size_t n = plain.n / BLOCK * BLOCK + BLOCK;
    size_t mark = out->n;
    int got = 0;

    _Static_assert(sizeof padded % BLOCK == 0, "a full segment is whole blocks");
    if (plain.n > BPP_PLAIN_MAX)
        return err_set(e, ERR_LIMIT, "segment of %zu octets of plaintext",
                       plain.n);
    if (plain.n)
        memcpy(padded, plain.p, plain.n);
    padded[plain.n] = 0x80;
    der_put_header(out, tag, n + BSP_MAC_LEN);
    size_t data_at = out->n;
    uint8_t *to = buf_reserve(out, n);
    if (!to)
        return err_set(e, ERR_NOMEM, "out of memory");
    bool ok = make_icv(b, icv) &&
              EVP_EncryptInit_ex2(b->encrypt, NULL, NULL, icv, NULL) == 1 &&
              EVP_EncryptUpdate(b->encrypt, to, &got, padded, (int)n) == 1 &&
              (size_t)got == n;
    OPENSSL_cleanse(padded, sizeof padded);
    if (!ok)
        return err_ossl(e, ERR_INTERNAL, "encryption failed");
    out->n += n;
    return finish_segment(b, out, mark, data_at, e);
}

int bsp_seal_mac(struct bsp *b, uint32_t tag, struct span plain,
                 struct buf *out, struct err *e)
{
    size_t mark = out->n;

    if (plain.n > BPP_PLAIN_MAC_ONLY_MAX)
        return err_set(e, ERR_LIMIT, "segment of %zu octets of plaintext",
                       plain.n);
    der_put_header(out, tag, plain.n + BSP_MAC_LEN);
    size_t data_at = out->n;
    buf_put_span(out, plain);
    return finish_segment(b, out, mark, data_at, e);
}

/* --- opening ---------------------------------------------------------------- */

/* MAC first, nothing is decrypted before it holds. *data: the value without
 * its MAC. */
static int check_mac(struct bsp *b, const struct tlv *s, struct span *data,
                     struct err *e)
{
    if (s->whole.n > BPP_SEGMENT_READ_MAX || s->value.n < BSP_MAC_LEN)
        return err_set(e, ERR_FORMAT, "segment %u has %zu octets",
                       b->counter, s->whole.n);
    *data = span_sub(s->value, 0, s->value.n - BSP_MAC_LEN);
    if (!chain_mac(b, span_sub(s->whole, 0, s->whole.n - s->value.n), *data))
        return err_ossl(e, ERR_INTERNAL, "CMAC failed");
    if (CRYPTO_memcmp(b->chain, data->p + data->n, BSP_MAC_LEN) != 0)
        return err_set(e, ERR_SIGNATURE, "segment %u: MAC does not hold",
                       b->counter);
    return 0;
}

/* Length without the 80 00… padding; 0 is a legal answer, -1 is no padding. */
static long unpadded(const uint8_t *p, size_t n)
{
    while (n > 0 && p[n - 1] == 0)
        n--;
    return n > 0 && p[n - 1] == 0x80 ? (long)(n - 1) : -1;
}

int bsp_open_enc(struct bsp *b, const struct tlv *s, struct buf *out,
                 struct err *e)
{
    uint8_t icv[BLOCK];
    struct span data;
    int got = 0;

    if (check_mac(b, s, &data, e) != 0)
        return -1;
    if (data.n == 0 || data.n % BLOCK != 0)
        return err_set(e, ERR_FORMAT, "segment %u: %zu octets are no blocks",
                       b->counter, data.n);
    uint8_t *to = buf_reserve(out, data.n);
    if (!to)
        return err_set(e, ERR_NOMEM, "out of memory");
    if (!make_icv(b, icv) ||
        EVP_DecryptInit_ex2(b->decrypt, NULL, NULL, icv, NULL) != 1 ||
        EVP_DecryptUpdate(b->decrypt, to, &got, data.p, (int)data.n) != 1 ||
        (size_t)got != data.n)
        return err_ossl(e, ERR_INTERNAL, "decryption failed");
    long n = unpadded(to, data.n);
    if (n < 0 || (size_t)n + BLOCK < data.n)
        return err_set(e, ERR_FORMAT, "segment %u: bad padding", b->counter);
    out->n += (size_t)n;
    b->counter++;
    return 0;
}

int bsp_open_mac(struct bsp *b, const struct tlv *s, struct buf *out,
                 struct err *e)
{
    struct span data;

    if (check_mac(b, s, &data, e) != 0)
        return -1;
    buf_put_span(out, data);
    b->counter++;
    return buf_ok(out) ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

/* --- ReplaceSessionKeys ------------------------------------------------------ */

void bsp_keys_put(struct buf *b, const struct bsp_keys *k)
{
    size_t m = der_open(b);

    der_put(b, 0x80, SPAN_ARRAY(k->chain));
    der_put(b, 0x81, SPAN_ARRAY(k->enc));
    der_put(b, 0x82, SPAN_ARRAY(k->mac));
    der_close(b, TAG_REPLACE_SESSION_KEYS, m);
}

int bsp_keys_take(struct span in, struct bsp_keys *out, struct err *e)
{
    struct tlv seq, chain, enc, mac;

    if (der_take(&in, TAG_REPLACE_SESSION_KEYS, &seq) != 0 || in.n != 0 ||
        der_take(&seq.value, 0x80, &chain) != 0 ||
        der_take(&seq.value, 0x81, &enc) != 0 ||
        der_take(&seq.value, 0x82, &mac) != 0 || seq.value.n != 0 ||
        chain.value.n != BSP_KEY_LEN || enc.value.n != BSP_KEY_LEN ||
        mac.value.n != BSP_KEY_LEN)
        return err_set(e, ERR_FORMAT, "bad ReplaceSessionKeys (BF26)");
    memcpy(out->chain, chain.value.p, BSP_KEY_LEN);
    memcpy(out->enc, enc.value.p, BSP_KEY_LEN);
    memcpy(out->mac, mac.value.p, BSP_KEY_LEN);
    return 0;
}

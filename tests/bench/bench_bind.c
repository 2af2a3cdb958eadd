/* bind: packages per second and core: a fresh one-time key, fresh PPKs, and
 * smdpf_bind of a profile of real size. The limit is the bare operations on
 * contexts made ready beforehand: one key pair, one ECDH, one signature over a
 * digest, AES-128-CBC and CMAC over the profile's octets, each in one call. */
#include <openssl/core_names.h>
#include <openssl/obj_mac.h>
#include <openssl/rand.h>

#include "station/ifpp/bpp.h"
#include "tests/bench/bench.h"
#include "tests/bench/mill.h"
#include "tests/lab/pki/keys.h"
#include "tests/lab/smdpf/bind.h"

#define ROUNDS 30
#define PACKAGES 100 /* per round; the fastest round counts */

static void need(int ok, const char *what)
{
    if (!ok)
        bench_die("bind: %s failed", what);
}

/* --- ours --------------------------------------------------------------------- */

struct ours {
    struct ec_maker *maker;
    struct binder *binder;
    struct buf upp, configure, metadata, bpp;
    uint8_t otpk_euicc[EC_POINT_LEN];
    uint8_t host[8];
    struct eid eid;
};

static void bind_one(struct ours *o)
{
    struct err e = ERR_INIT;
    struct bsp_keys ppk;
    AUTO(pkey_free_p) EVP_PKEY *otsk = ec_make(o->maker, &e);
    struct bind_input in = {
        .eid = o->eid,
        .host_id = SPAN_ARRAY(o->host),
        .otpk_euicc = SPAN_ARRAY(o->otpk_euicc),
        .otsk_dp = otsk,
        .configure = buf_span(&o->configure),
        .metadata = buf_span(&o->metadata),
        .ppk = &ppk,
        .upp = buf_span(&o->upp),
    };

    buf_reset(&o->bpp);
    need(otsk && RAND_bytes((unsigned char *)&ppk, sizeof ppk) == 1 &&
         RAND_bytes(in.txid.o, sizeof in.txid.o) == 1, "drawing keys");
    if (smdpf_bind(o->binder, &in, &o->bpp, &e) != 0)
        bench_die("bind: %s", e.msg);
}

/* --- the limit ------------------------------------------------------------------ */

struct bare {
    EVP_PKEY_CTX *generate, *derive, *sign;
    EVP_CIPHER_CTX *cbc;
    EVP_MAC_CTX *cmac;
    struct buf plain, sealed;
};

static void bare_one(struct bare *b)
{
    uint8_t secret[32], signature[80], mac[16], digest[32] = { 1 };
    size_t secret_len = sizeof secret, signature_len = sizeof signature, mac_len;
    EVP_PKEY *pair = NULL;
    int n = 0;

    need(EVP_PKEY_generate(b->generate, &pair) == 1, "key generation");
    EVP_PKEY_free(pair);
    need(EVP_PKEY_derive(b->derive, secret, &secret_len) == 1, "ECDH");
    need(EVP_PKEY_sign(b->sign, signature, &signature_len, digest,
                       sizeof digest) == 1, "signing");
    need(EVP_EncryptUpdate(b->cbc, b->sealed.p, &n, b->plain.p,
                           (int)b->plain.n) == 1, "AES-CBC");
    need(EVP_MAC_init(b->cmac, NULL, 0, NULL) == 1 &&
         EVP_MAC_update(b->cmac, b->sealed.p, (size_t)n) == 1 &&
         EVP_MAC_final(b->cmac, mac, &mac_len, sizeof mac) == 1, "CMAC");
}

static EVP_PKEY_CTX *ctx_of(EVP_PKEY *key)
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

    need(c != NULL, "making a context");
    return c;
}

static void bare_ec_new(struct bare *b)
{
    EVP_PKEY *key = EVP_EC_gen("P-256"), *peer = EVP_EC_gen("P-256");

    need(key && peer, "key generation");
    b->generate = ctx_of(key);
    b->derive = ctx_of(key);
    b->sign = ctx_of(key);
    need(EVP_PKEY_keygen_init(b->generate) == 1 &&
         EVP_PKEY_derive_init(b->derive) == 1 &&
         EVP_PKEY_derive_set_peer_ex(b->derive, peer, 0) == 1 &&
         EVP_PKEY_sign_init(b->sign) == 1, "making EC contexts");
    EVP_PKEY_free(key);
    EVP_PKEY_free(peer);
}

static void bare_aes_new(struct bare *b, size_t octets)
{
    static const uint8_t key[16] = { 7 };
    char cipher[] = "AES-128-CBC";
    OSSL_PARAM p[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "CMAC", NULL);

    b->cbc = EVP_CIPHER_CTX_new();
    b->cmac = EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac);
    need(b->cbc && EVP_EncryptInit_ex2(b->cbc, EVP_aes_128_cbc(), key, key,
                                       NULL) == 1 &&
         EVP_CIPHER_CTX_set_padding(b->cbc, 0) == 1 && b->cmac &&
         EVP_MAC_init(b->cmac, key, sizeof key, p) == 1, "making AES contexts");
    octets = (octets + 15) / 16 * 16;
    need(buf_reserve(&b->plain, octets) && buf_reserve(&b->sealed, octets),
         "allocating");
    b->plain.n = octets;
    need(RAND_bytes(b->plain.p, (int)octets) == 1, "drawing octets");
}

static void bare_clear(struct bare *b)
{
    EVP_PKEY_CTX_free(b->generate);
    EVP_PKEY_CTX_free(b->derive);
    EVP_PKEY_CTX_free(b->sign);
    EVP_CIPHER_CTX_free(b->cbc);
    EVP_MAC_CTX_free(b->cmac);
    buf_clear(&b->plain);
    buf_clear(&b->sealed);
}

/* --- the race ------------------------------------------------------------------- */

static void ours_new(struct ours *o)
{
    struct err e = ERR_INIT;
    struct profile_metadata meta = {
        .provider = "Bench", .name = "Bench", .profile_class = 2,
        .notify = NOTIFY_ALL, .notify_fqdn = "smdpf.example.com",
    };

    if (ec_maker_new(NID_X9_62_prime256v1, &o->maker, &e) != 0)
        bench_die("bind: %s", e.msg);
    AUTO(pkey_free_p) EVP_PKEY *dppb = ec_make(o->maker, &e);
    AUTO(pkey_free_p) EVP_PKEY *euicc = ec_make(o->maker, &e);
    if (!dppb || !euicc || ec_point(euicc, o->otpk_euicc, &e) != 0 ||
        binder_new(dppb, &o->binder, &e) != 0)
        bench_die("bind: %s", e.msg);
    mill_iccid(1, &meta.iccid);
    mill_eid(1, &o->eid);
    configure_isdp_put(&o->configure);
    profile_metadata_put(&o->metadata, &meta);
    mill_profile(MILL_REAL_SIZE, &o->upp);
}

static void ours_clear(struct ours *o)
{
    ec_maker_free_p(&o->maker);
    binder_free(o->binder);
    buf_clear(&o->upp);
    buf_clear(&o->configure);
    buf_clear(&o->metadata);
    buf_clear(&o->bpp);
}

/* Rounds of the two take turns, so that both see the same machine. */
static void bench_bind(void)
{
    struct ours o = { .maker = NULL };
    struct bare b = { .cbc = NULL };
    int64_t ours[ROUNDS], bare[ROUNDS];

    ours_new(&o);
    bare_ec_new(&b);
    bare_aes_new(&b, o.upp.n);
    for (int r = 0; r < ROUNDS; r++) {
        int64_t t0 = bench_cpu_ns();
        for (int i = 0; i < PACKAGES; i++)
            bind_one(&o);
        int64_t t1 = bench_cpu_ns();
        for (int i = 0; i < PACKAGES; i++)
            bare_one(&b);
        ours[r] = t1 - t0;
        bare[r] = bench_cpu_ns() - t1;
    }
    bench_note("bind: packages of %zu octets", o.bpp.n);
    bench_emit("bind", PACKAGES * 1e9 / (double)bench_fastest(ours, ROUNDS),
               "packages/s", PACKAGES * 1e9 / (double)bench_fastest(bare, ROUNDS),
               BENCH_RATE);
    bare_clear(&b);
    ours_clear(&o);
}

int main(int argc, char **argv)
{
    static const struct bench all[] = { { "bind", bench_bind } };

    return bench_main(argc, argv, all, sizeof all / sizeof *all);
}

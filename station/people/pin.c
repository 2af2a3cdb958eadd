#include "station/people/pin.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

/* 32 MiB and about a tenth of a second on a small board: a short PIN cannot
 * be made long, but each guess at a stolen ledger costs that. */
#define LOG_N 15
#define BLOCK 8
#define LANES 1
/* Of a ledger's own parameters; the schema allows no more than 2^20. */
#define MEMORY_MAX (UINT64_C(2) << 30)

int pin_check(const char *pin, const char *badge, struct err *e)
{
    size_t n = strlen(pin);

    if (n < PIN_MIN || n > PIN_MAX || strspn(pin, "0123456789") != n)
        return err_set(e, ERR_USAGE, "a PIN is %d to %d digits", PIN_MIN,
                       PIN_MAX);
    if (strspn(pin, (const char[]){ pin[0], '\0' }) == n)
        return err_set(e, ERR_USAGE, "a PIN is not one digit repeated; choose "
                       "another");
    if (badge && strstr(badge, pin))
        return err_set(e, ERR_USAGE, "a PIN is not what stands on the badge; "
                       "choose another");
    return 0;
}

static int derive(const char *pin, const struct pin_hash *h, uint8_t out[32],
                  struct err *e)
{
    if (EVP_PBE_scrypt(pin, strlen(pin), h->salt, sizeof h->salt,
                       UINT64_C(1) << h->log_n, (uint64_t)h->r, (uint64_t)h->p,
                       MEMORY_MAX, out, 32) == 1)
        return 0;
    return err_ossl(e, ERR_INTERNAL, "the PIN cannot be hashed");
}

int pin_hash_make(const char *pin, struct pin_hash *out, struct err *e)
{
    struct pin_hash h = { .log_n = LOG_N, .r = BLOCK, .p = LANES };

    if (RAND_bytes(h.salt, sizeof h.salt) != 1)
        return err_ossl(e, ERR_INTERNAL, "no random numbers");
    if (derive(pin, &h, h.hash, e) != 0)
        return -1;
    *out = h;
    return 0;
}

int pin_hash_check(const char *pin, const struct pin_hash *h, struct err *e)
{
    static const struct pin_hash nobody = { .log_n = LOG_N, .r = BLOCK, .p = LANES };
    const struct pin_hash *against = h ? h : &nobody;
    uint8_t hash[32];

    if (derive(pin, against, hash, e) != 0)
        return -1;
    bool same = CRYPTO_memcmp(hash, against->hash, sizeof hash) == 0;
    OPENSSL_cleanse(hash, sizeof hash);
    return h && same;
}

#include "tests/lab/euicc/crypto.h"

#include "station/ifpp/tags.h"
#include "station/ifpp/tlv.h"
#include "tests/lab/pki/keys.h"

#include <openssl/objects.h>
#include <openssl/x509.h>

int chipkey_curve(EVP_PKEY *key)
{
    char group[64];
    size_t n;

    if (EVP_PKEY_get_group_name(key, group, sizeof group, &n) != 1)
        return 0;
    int nid = OBJ_txt2nid(group);
    return nid == NID_X9_62_prime256v1 || nid == NID_brainpoolP256r1 ? nid : 0;
}

int chipkey_decode(struct span pkcs8, EVP_PKEY **out, struct err *e)
{
    const unsigned char *p = pkcs8.p;
    EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, (long)pkcs8.n);

    if (!key || p != pkcs8.p + pkcs8.n) {
        EVP_PKEY_free(key);
        return err_ossl(e, ERR_FORMAT, "a private key is not PKCS#8 DER");
    }
    if (chipkey_curve(key) == 0) {
        EVP_PKEY_free(key);
        return err_set(e, ERR_FORMAT, "a private key is not on P-256 or "
                                      "brainpoolP256r1");
    }
    *out = key;
    return 0;
}

int chipkey_sign_put(EVP_PKEY *key, struct span data, struct buf *b,
                 struct err *e)
{
    AUTO(ec_signer_free_p) struct ec_signer *signer = NULL;
    uint8_t sign[EC_RAW_SIG_LEN];

    if (ec_signer_new(key, &signer, e) != 0 ||
        ec_sign(signer, &data, 1, sign, e) != 0)
        return err_wrap(e, "the eUICC cannot sign");
    der_put(b, TAG_SIGNATURE, SPAN_ARRAY(sign));
    return 0;
}

#include "station/backup/seal.h"

#include <openssl/cms.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

static void cms_free_p(CMS_ContentInfo **c)
{
    CMS_ContentInfo_free(*c);
}

static void bio_free_p(BIO **b)
{
    BIO_free(*b);
}

/* By its key where the certificate names that, so that one renewed for the same
 * key opens it too. OpenSSL's own choice of a hash for the key derivation is
 * SHA-1. */
static int add_recipient(CMS_ContentInfo *cms, X509 *to)
{
    unsigned by_key = X509_get0_subject_key_id(to) ? CMS_USE_KEYID : 0;
    CMS_RecipientInfo *ri =
        CMS_add1_recipient_cert(cms, to, CMS_KEY_PARAM | by_key);
    EVP_PKEY_CTX *ctx = ri ? CMS_RecipientInfo_get0_pkey_ctx(ri) : NULL;

    return ctx && EVP_PKEY_CTX_set_ecdh_kdf_md(ctx, EVP_sha256()) == 1 ? 0 : -1;
}

int seal_to(X509 *to, struct span plain, struct buf *der, struct err *e)
{
    const unsigned flags = CMS_BINARY | CMS_PARTIAL;
    AUTO(bio_free_p) BIO *in = NULL;
    AUTO(cms_free_p) CMS_ContentInfo *cms = NULL;
    unsigned char *p = NULL;

    if (plain.n == 0 || plain.n > SEAL_PLAIN_MAX)
        return err_set(e, ERR_INTERNAL, "%zu octets are not sealed at once",
                       plain.n);
    in = BIO_new_mem_buf(plain.p, (int)plain.n);
    cms = CMS_encrypt(NULL, NULL, EVP_aes_256_gcm(), flags);
    if (!in || !cms || add_recipient(cms, to) != 0 ||
        CMS_final(cms, in, NULL, flags) != 1)
        return err_ossl(e, ERR_INTERNAL, "cannot seal the backup");
    int n = i2d_CMS_ContentInfo(cms, &p);
    if (n <= 0)
        return err_ossl(e, ERR_INTERNAL, "cannot encode what was sealed");
    buf_reset(der);
    buf_put(der, p, (size_t)n);
    OPENSSL_free(p);
    return buf_ok(der) ? 0 : err_set(e, ERR_NOMEM, "no memory to seal a backup");
}

#include "station/restore/unseal.h"

#include <openssl/cms.h>
#include <openssl/objects.h>

static void cms_free_p(CMS_ContentInfo **c)
{
    CMS_ContentInfo_free(*c);
}

static void bio_free_p(BIO **b)
{
    BIO_free(*b);
}

static int take(BIO *from, struct buf *to, struct err *e)
{
    char *p = NULL;
    long n = BIO_get_mem_data(from, &p);

    buf_reset(to);
    buf_put(to, p, n > 0 ? (size_t)n : 0);
    if (n > 0)
        OPENSSL_cleanse(p, (size_t)n);
    return buf_ok(to) ? 0 : err_set(e, ERR_NOMEM, "no memory for a record");
}

int unseal(EVP_PKEY *key, X509 *cert, struct span der, struct buf *plain,
           struct err *e)
{
    const unsigned char *p = der.p;
    AUTO(cms_free_p) CMS_ContentInfo *cms =
        d2i_CMS_ContentInfo(NULL, &p, (long)der.n);
    AUTO(bio_free_p) BIO *out = BIO_new(BIO_s_mem());

    buf_reset(plain);
    /* Without authentication whatever comes out would have to be believed. */
    if (!cms || p != der.p + der.n ||
        OBJ_obj2nid(CMS_get0_type(cms)) != NID_id_smime_ct_authEnvelopedData)
        return err_ossl(e, ERR_FORMAT, "it is not sealed as a backup is");
    if (!out)
        return err_set(e, ERR_NOMEM, "no memory for a record");
    if (CMS_decrypt(cms, key, cert, NULL, out, CMS_BINARY) != 1)
        return err_ossl(e, ERR_SIGNATURE, "it is sealed to another key than the "
                        "one given, or was changed since");
    return take(out, plain, e);
}

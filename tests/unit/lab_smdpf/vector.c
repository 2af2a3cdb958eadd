#include "tests/unit/lab_smdpf/vector.h"

#include "tests/unit/support.h"

#include <check.h>
#include <jansson.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

const char *const vector_names[VECTORS] = {
    "01-TS48v1_A-session",
    "02-TS48v1_A-ppk",
    "03-TS48v2_SAIP2.3_NoBERTLV-session",
    "04-TS48v2_SAIP2.3_NoBERTLV-ppk",
    "05-TS48v3_SAIP2.3_BERTLV-session",
    "06-TS48v3_SAIP2.3_BERTLV-ppk",
};

static const char *text(json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    ck_assert_msg(s != NULL, "no %s", key);
    return s;
}

static void octets(json_t *o, const char *key, uint8_t *out, size_t n)
{
    ck_assert_msg(hex_decode(text(o, key), out, n) == 0, "%s", key);
}

static EVP_PKEY *key_of(json_t *o, const char *key)
{
    BIO *b = BIO_new_mem_buf(text(o, key), -1);
    EVP_PKEY *k = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);

    BIO_free(b);
    ck_assert_msg(k != NULL, "%s", key);
    return k;
}

static void read_json(json_t *o, struct vector *v)
{
    json_t *ppk = json_object_get(o, "ppk");

    octets(o, "eid", v->eid.o, sizeof v->eid.o);
    octets(o, "transaction_id", v->txid.o, sizeof v->txid.o);
    v->host_id_len = strlen(text(o, "host_id")) / 2;
    ck_assert_uint_le(v->host_id_len, sizeof v->host_id);
    octets(o, "host_id", v->host_id, v->host_id_len);
    v->euicc_otsk = key_of(o, "euicc_otsk_pem");
    v->dp_otsk = key_of(o, "dp_otsk_pem");
    octets(o, "euicc_otpk", v->euicc_otpk, 65);
    octets(o, "dp_otpk", v->dp_otpk, 65);
    octets(o, "initial_mac_chaining_value", v->session.chain, BSP_KEY_LEN);
    octets(o, "s_enc", v->session.enc, BSP_KEY_LEN);
    octets(o, "s_mac", v->session.mac, BSP_KEY_LEN);
    v->has_ppk = json_is_object(ppk);
    if (v->has_ppk) {
        octets(ppk, "initial_mac_chaining_value", v->ppk.chain, BSP_KEY_LEN);
        octets(ppk, "enc", v->ppk.enc, BSP_KEY_LEN);
        octets(ppk, "mac", v->ppk.mac, BSP_KEY_LEN);
    }
}

/* Found by shared_read before: now it must be there. */
static void must_read(const char *name, struct buf *out)
{
    char path[160];

    snprintf(path, sizeof path, "data/%s", name);
    ck_assert_msg(shared_read(path, out), "%s", path);
}

bool vector_load(int i, struct vector *v)
{
    AUTO(buf_clear) struct buf text_of = BUF_INIT;
    char name[128];
    json_error_t why;

    memset(v, 0, sizeof *v);
    snprintf(name, sizeof name, "data/vectors/%s.json", vector_names[i]);
    if (!shared_read(name, &text_of))
        return false;
    json_t *o = json_loadb((char *)text_of.p, text_of.n, 0, &why);
    ck_assert_msg(o != NULL, "%s: %s", name, why.text);
    read_json(o, v);
    must_read(text(o, "upp"), &v->upp);
    json_decref(o);
    snprintf(name, sizeof name, "vectors/%s.bpp.der", vector_names[i]);
    must_read(name, &v->bpp);
    return true;
}

void vector_clear(struct vector *v)
{
    buf_clear(&v->bpp);
    buf_clear(&v->upp);
    EVP_PKEY_free(v->euicc_otsk);
    EVP_PKEY_free(v->dp_otsk);
}

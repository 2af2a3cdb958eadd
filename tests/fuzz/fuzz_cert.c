/* Certificates as they come from a medium or a card: the view over spans, and
 * OpenSSL's decoder behind it. Nothing is verified here; the point is that
 * every question can be asked of anything that was accepted. */
#include "station/ifpp/cert.h"
#include "station/ifpp/certview.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x)     \
    do {             \
        if (!(x))    \
            abort(); \
    } while (0)

static void ask_view(const struct cert_view *v)
{
    char text[REGISTERED_ID_MAX + 1];
    struct eid eid;
    bool known = certview_eid(v, &eid, NULL) == 0;

    CHECK(!known || eid_valid(&eid));
    for (int r = 0; r < ROLE_COUNT; r++)
        if (certview_check_role(v, (enum cert_role)r, NULL) == 0)
            CHECK(v->roles == ROLE_BIT(r) && v->curve != 0);
    if (certview_registered_id(v, text) == 0)
        CHECK(strlen(text) > 0);
    if (certview_subject_text(v, ATTR_SERIAL_NUMBER, text) == 0)
        CHECK(strlen(text) > 0);
    certview_ein_constraints(v);
    certview_check_ein(v, v, known ? &eid : NULL, NULL);
    certview_check_time(v, 1795473660, NULL);
}

static void ask_openssl(X509 *c)
{
    char text[REGISTERED_ID_MAX + 1];
    uint8_t digest[32];
    struct eid eid;

    cert_role_of(c);
    cert_registered_id(c, text);
    cert_serial_number(c, text);
    cert_eid(c, &eid, NULL);
    cert_key(c, NULL);
    cert_key_id(c, digest);
    cert_sha256(c, digest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(cert_stack_free) STACK_OF(X509) *chain = NULL;
    struct span in = SPAN(data, size);
    struct cert_view v;
    struct err e = ERR_INIT;
    X509 *c = NULL;

    if (certview_parse(in, &v, &e) == 0)
        ask_view(&v);
    else
        CHECK(e.code == ERR_FORMAT || e.code == ERR_LIMIT);
    if (cert_decode(in, &c, NULL) == 0)
        ask_openssl(c);
    X509_free(c);
    if (cert_chain_decode(in, &chain, NULL) == 0)
        CHECK(sk_X509_num(chain) > 0 && sk_X509_num(chain) <= CHAIN_MAX);
    return 0;
}

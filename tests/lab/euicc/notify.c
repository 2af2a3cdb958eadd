#include "tests/lab/euicc/notify.h"

#include "station/ifpp/tags.h"
#include "tests/lab/euicc/crypto.h"

#define TAG_SEQ 0x80
#define TAG_OPERATION 0x81
#define TAG_FINAL_RESULT 0xA2
#define TAG_SUCCESS 0xA0
#define TAG_FAILURE 0xA1
#define TAG_COMMAND 0x80
#define TAG_REASON 0x81
#define TAG_FAILURE_RESPONSE 0x82

#define REASON_PE_PROCESSING 12

static void put_meta(struct buf *b, uint64_t seq, uint8_t event,
                     struct span address, const struct iccid *iccid)
{
    size_t m = der_open(b);

    der_put_uint(b, TAG_SEQ, seq);
    event_put(b, TAG_OPERATION, event);
    der_put(b, TAG_UTF8, address);
    if (iccid)
        der_put(b, TAG_ICCID, SPAN_ARRAY(iccid->o));
    der_close(b, TAG_NOTIFICATION_METADATA, m);
}

static int nomem(struct err *e)
{
    return err_set(e, ERR_NOMEM, "out of memory");
}

/* CERT.EUM is the first of its chain. */
static struct span eum_cert(const struct chip *c)
{
    struct span in = c->eum_chain;
    struct tlv t;

    return der_take(&in, TAG_SEQUENCE, &t) == 0 ? t.whole : SPAN(NULL, 0);
}

static int notify_one(struct store *s, const struct meta *m, uint8_t event,
                      struct span address, struct err *e)
{
    const struct chip *chip = store_chip(s);
    AUTO(buf_clear) struct buf meta = BUF_INIT;
    AUTO(buf_clear) struct buf whole = BUF_INIT;
    uint64_t seq;

    if (store_next_seq(s, &seq, e) != 0)
        return -1;
    put_meta(&meta, seq, event, address, &m->iccid);
    size_t mark = der_open(&whole);
    buf_put_span(&whole, buf_span(&meta));
    if (chipkey_sign_put(chip->sk, buf_span(&meta), &whole, e) != 0)
        return -1;
    buf_put_span(&whole, chip->cert);
    buf_put_span(&whole, eum_cert(chip));
    der_close(&whole, TAG_SEQUENCE, mark);
    if (!buf_ok(&meta) || !buf_ok(&whole))
        return nomem(e);
    return store_notification_add(s, seq, event, buf_span(&meta),
                                  buf_span(&whole), e);
}

int notify_event(struct store *s, const struct meta *m, uint8_t event,
                 struct err *e)
{
    struct span rest = m->addresses, address;

    while (meta_next_address(&rest, event, &address) == 1)
        if (notify_one(s, m, event, address, e) != 0)
            return -1;
    return 0;
}

/* EUICCResponse (SAIP): status of the run, here one element's. */
static void put_pe_status(struct buf *b, uint32_t tag, uint8_t status,
                          bool aborted)
{
    size_t whole = der_open(b), response = der_open(b), list = der_open(b);
    size_t one = der_open(b);

    der_put_uint(b, 0x80, status);
    der_close(b, TAG_SEQUENCE, one);
    der_close(b, 0xA0, list);
    if (aborted)
        der_put(b, 0x81, SPAN(NULL, 0));
    der_close(b, TAG_SEQUENCE, response);
    der_close(b, tag, whole);
}

#define PE_OK 0
#define PE_BAD_VALUES 3

static void put_final_result(struct buf *b, const struct outcome *o)
{
    size_t final = der_open(b), branch = der_open(b);

    if (o->installed) {
        der_put(b, TAG_AID, SPAN_ARRAY(o->aid));
        put_pe_status(b, TAG_OCTETS, PE_OK, false);
    } else {
        der_put_uint(b, TAG_COMMAND, o->command);
        der_put_uint(b, TAG_REASON, o->reason);
        if (o->reason == REASON_PE_PROCESSING)
            put_pe_status(b, TAG_FAILURE_RESPONSE, PE_BAD_VALUES, true);
    }
    der_close(b, o->installed ? TAG_SUCCESS : TAG_FAILURE, branch);
    der_close(b, TAG_FINAL_RESULT, final);
}

int notify_result(struct store *s, const struct outcome *o, struct buf *out,
                  struct err *e)
{
    AUTO(buf_clear) struct buf meta = BUF_INIT;
    AUTO(buf_clear) struct buf data = BUF_INIT;
    AUTO(buf_clear) struct buf whole = BUF_INIT;
    uint64_t seq;

    if (store_next_seq(s, &seq, e) != 0)
        return -1;
    put_meta(&meta, seq, EVENT_INSTALL, o->address, o->iccid);
    size_t mark = der_open(&data);
    der_put(&data, 0x80, SPAN_ARRAY(o->txid.o));
    buf_put_span(&data, buf_span(&meta));
    der_put(&data, TAG_OID, o->smdp_oid);
    put_final_result(&data, o);
    der_close(&data, TAG_INSTALL_RESULT_DATA, mark);

    mark = der_open(&whole);
    buf_put_span(&whole, buf_span(&data));
    if (chipkey_sign_put(store_chip(s)->sk, buf_span(&data), &whole, e) != 0)
        return -1;
    der_close(&whole, TAG_INSTALL_RESULT, mark);
    if (!buf_ok(&meta) || !buf_ok(&data) || !buf_ok(&whole))
        return nomem(e);
    buf_put_span(out, buf_span(&whole));
    return store_notification_add(s, seq, EVENT_INSTALL, buf_span(&meta),
                                  buf_span(&whole), e);
}

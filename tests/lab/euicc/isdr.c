#include "tests/lab/euicc/isdr.h"

#include "station/ifpp/tags.h"

/* The ISD-R's own AID, and what SGP.22 5.7.1 puts into its FCI. */
static const uint8_t fci[] = {
    0x6F, 0x1E, 0x84, 0x10, 0xA0, 0x00, 0x00, 0x05, 0x59, 0x10, 0x10,
    0xFF, 0xFF, 0xFF, 0xFF, 0x89, 0x00, 0x00, 0x01, 0x00, 0xA5, 0x03,
    0x9F, 0x65, 0x00, 0xE0, 0x05, 0x82, 0x03, 0x02, 0x02, 0x02
};

int isdr_init(struct isdr *r, struct store *s, struct err *e)
{
    *r = (struct isdr){ .s = s };
    return isdp_new(s, &r->isdp, e);
}

void isdr_clear(struct isdr *r)
{
    isdp_free(r->isdp);
    r->isdp = NULL;
}

void isdr_reset(struct isdr *r)
{
    r->fpa_open = false;
    isdp_reset(r->isdp);
}

void isdr_power_off(struct isdr *r)
{
    isdr_reset(r);
    isdp_forget(r->isdp);
}

void isdr_put_fci(struct buf *b)
{
    buf_put(b, fci, sizeof fci);
}

int put_result(struct buf *out, uint32_t tag, unsigned result)
{
    size_t m = der_open(out);

    der_put_uint(out, 0x80, result);
    der_close(out, tag, m);
    return SW_OK;
}

/* Gating (binding, clause 4): NEEDS_FPA is refused while one-time keys remain
 * and no BF70 came since SELECT; UNTIL_CLOSE after CloseFpaServices. READS
 * leaves a load in progress alone; any other function ends it, as SELECT
 * does. */
enum { NEEDS_FPA = 1, UNTIL_CLOSE = 2, READS = 4, IOT = 8 };

static const struct function {
    uint32_t tag;
    unsigned gate;
    isdr_fn *run;
} functions[] = {
    { TAG_INFO1, READS, fn_info1 },
    { TAG_INFO2, READS, fn_info2 },
    { TAG_LIST_NOTIFICATION, READS, fn_list_notification },
    { TAG_RETRIEVE_NOTIFICATIONS, READS, fn_retrieve_notifications },
    { TAG_PROFILES_INFO, READS, fn_profiles_info },
    { TAG_CHALLENGE, READS, fn_challenge },
    { TAG_REMOVE_NOTIFICATION, 0, fn_remove_notification },
    { TAG_CONFIGURED_DATA, READS, fn_configured },
    { TAG_EUICC_DATA, READS, fn_euicc_data },
    { TAG_GET_RAT, READS, fn_rat },
    { TAG_GET_CERTS, READS, fn_certs },

    { TAG_PREPARE_DOWNLOAD, NEEDS_FPA, fn_prepare_download },
    { TAG_SET_NICKNAME, NEEDS_FPA, fn_nickname },
    { TAG_ENABLE, NEEDS_FPA, fn_enable },
    { TAG_DISABLE, NEEDS_FPA, fn_disable },
    { TAG_DELETE, NEEDS_FPA, fn_delete },
    { TAG_MEMORY_RESET, NEEDS_FPA, fn_memory_reset },
    { TAG_AUTHENTICATE_SERVER, NEEDS_FPA, fn_authenticate_server },
    { TAG_SET_DEFAULT_DP, NEEDS_FPA, fn_set_default_dp },
    { TAG_ENABLE_IOT, NEEDS_FPA | IOT, fn_enable_iot },

    { TAG_IFPP_STATUS, READS, fn_ifpp_status },
    { TAG_AUTHORISE_SMDPF, UNTIL_CLOSE, fn_authorise },
    { TAG_DELETE_OTK, 0, fn_delete_otk },
    { TAG_CLOSE_FPA, 0, fn_close_fpa },
};

/* LoadBoundProfilePackage comes in pieces and has no row. */
#define LOAD_GATE (NEEDS_FPA | UNTIL_CLOSE)

/* SW_OK: may pass. */
static int gate(struct isdr *r, unsigned rules, struct err *e)
{
    size_t keys = 0;
    bool closed = false;

    if (rules & IOT && store_chip(r->s)->kind != INFO2_IOT)
        return SW_NOT_FOUND;
    if (rules & NEEDS_FPA && !r->fpa_open) {
        if (store_key_count(r->s, &keys, e) != 0)
            return -1;
        if (keys > 0)
            return SW_CONDITIONS;
    }
    if (rules & UNTIL_CLOSE) {
        if (store_is_closed(r->s, &closed, e) != 0)
            return -1;
        if (closed)
            return SW_CONDITIONS;
    }
    return SW_OK;
}

static bool is_load(uint32_t tag)
{
    return tag == TAG_BPP || (tag >= 0xA0 && tag <= 0xA3) ||
           tag == TAG_SEG_PROFILE || tag == TAG_SEG_ENC || tag == TAG_SEG_MAC;
}

/* The start is gated; what follows belongs to a load that has passed. */
static int load(struct isdr *r, uint32_t tag, struct span data,
                struct buf *out, struct err *e)
{
    if (tag == TAG_BPP) {
        int sw = gate(r, LOAD_GATE, e);
        if (sw != SW_OK)
            return sw;
    }
    return isdp_chain(r->isdp, data, out, e);
}

static void drop_load(struct isdr *r)
{
    if (isdp_loading(r->isdp))
        isdp_reset(r->isdp);
}

static int run(struct isdr *r, const struct function *f, struct span data,
               struct buf *out, struct err *e)
{
    struct tlv request;

    if (!(f->gate & READS))
        drop_load(r);
    int sw = gate(r, f->gate, e);
    if (sw != SW_OK)
        return sw;
    if (der_take(&data, f->tag, &request) != 0 || data.n != 0)
        return SW_WRONG_DATA;
    return f->run(r, request.value, out, e);
}

int isdr_function(struct isdr *r, struct span data, struct buf *out,
                  struct err *e)
{
    size_t head, len;
    uint32_t tag;

    if (der_header(data, &tag, &head, &len) != DER_OK)
        /* In a load, a segment that cannot be read is the load's error. */
        return isdp_loading(r->isdp) ? isdp_chain(r->isdp, data, out, e)
                                     : SW_WRONG_DATA;
    if (is_load(tag))
        return load(r, tag, data, out, e);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (functions[i].tag == tag)
            return run(r, &functions[i], data, out, e);
    return SW_NOT_FOUND;
}

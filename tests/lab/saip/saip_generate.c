/* A package for one subscription (SAIP 2.3). The structure is what operators'
 * packages have: MF with PINs and PUKs, telecom with a phonebook, a USIM with
 * GSM access and 5GS, an ISIM with the same keys, an OTA security domain
 * with two RFM instances. The content is this lab's own. */
#include <openssl/rand.h>
#include <string.h>

#include "station/ifpp/tlv.h"
#include "tests/lab/saip/saip_grammar.h"

#define MAJOR 2
#define MINOR 3

#define AID_USIM "a0000000871002ff44ff0589"
#define AID_ISIM "a0000000871004ff44ff0589"
#define ADF_USIM 0x7fd0 /* temporary file IDs */
#define ADF_ISIM 0x7fb0

#define UST_OCTETS 17
#define PLMN_OCTETS 3

struct gen {
    const struct saip_subscription *s;
    struct buf *b;
    uint8_t id;
};

/* --- content that belongs to the subscription ---------------------------- */

typedef void content_fn(const struct saip_subscription *s, struct buf *b);

static void pad(struct buf *b, size_t upto)
{
    while (buf_ok(b) && b->n < upto)
        buf_put_u8(b, 0xff);
}

static void put_iccid(const struct saip_subscription *s, struct buf *b)
{
    buf_put(b, s->iccid.o, sizeof s->iccid.o);
}

static void put_imsi(const struct saip_subscription *s, struct buf *b)
{
    uint8_t ef[SAIP_IMSI_LEN];

    if (saip_imsi_encode(s->imsi, ef) != 0)
        b->failed = true;
    else
        buf_put(b, ef, sizeof ef);
}

/* Access class 0 to 9 by the last digit (TS 22.011, 4.2). */
static void put_acc(const struct saip_subscription *s, struct buf *b)
{
    buf_put_u16(b, (uint16_t)(1u << (s->imsi[SAIP_IMSI_DIGITS - 1] - '0')));
}

static void put_spn(const struct saip_subscription *s, struct buf *b)
{
    const char *name = *s->spn ? s->spn : "Lineside";

    buf_put_u8(b, 0x01); /* registered PLMN need not be shown */
    buf_put(b, name, strlen(name));
    pad(b, 17);
}

/* The home PLMN, a two-digit MNC (TS 24.008, 10.5.1.13). */
static void plmn(const struct saip_subscription *s, uint8_t out[PLMN_OCTETS])
{
    const char *d = s->imsi;

    out[0] = (uint8_t)((d[1] - '0') << 4 | (d[0] - '0'));
    out[1] = (uint8_t)(0xf0 | (d[2] - '0'));
    out[2] = (uint8_t)((d[4] - '0') << 4 | (d[3] - '0'));
}

static void put_ehplmn(const struct saip_subscription *s, struct buf *b)
{
    uint8_t home[PLMN_OCTETS];

    plmn(s, home);
    buf_put(b, home, sizeof home);
}

/* Home PLMN with every access technology, then E-UTRAN and NG-RAN. */
static void put_hplmnwact(const struct saip_subscription *s, struct buf *b)
{
    put_ehplmn(s, b);
    buf_put_hex(b, "4800");
}

static void put_msisdn(const struct saip_subscription *s, struct buf *b)
{
    size_t n = strlen(s->msisdn);
    size_t start = b->n;

    pad(b, start + 10); /* alpha identifier */
    if (n == 0) {
        pad(b, start + 24);
        return;
    }
    buf_put_u8(b, (uint8_t)(1 + (n + 1) / 2));
    buf_put_u8(b, 0x91); /* international, ISDN */
    for (size_t i = 0; i < n; i += 2)
        buf_put_u8(b, (uint8_t)((i + 1 < n ? s->msisdn[i + 1] - '0' : 15) << 4
                                | (s->msisdn[i] - '0')));
    pad(b, start + 24);
}

/* Service n is bit n-1 (TS 31.102, 4.2.8). */
static void put_ust(const struct saip_subscription *s, struct buf *b)
{
    static const uint8_t available[] = {
        10, /* short messages          */ 12, /* their parameters       */
        17, /* group identifier        */ 19, /* provider name          */
        20, /* user's PLMN list        */ 21, /* MSISDN                 */
        27, /* GSM access              */ 33, /* always                 */
        38, /* GSM security context    */ 42, /* operator's PLMN list   */
        43, /* HPLMN list              */ 71, /* equivalent HPLMN       */
        85, /* EPS mobility            */ 122, 123, /* 5GS              */
    };
    uint8_t ust[UST_OCTETS] = { 0 };

    (void)s;
    for (size_t i = 0; i < sizeof available; i++)
        ust[(available[i] - 1) / 8] |= (uint8_t)(1 << (available[i] - 1) % 8);
    buf_put(b, ust, sizeof ust);
}

/* Tag 80, length, text: the ISIM's strings (TS 31.103, 4.2.2 to 4.2.4). The
 * home domain as in TS 23.003, 13.2. */
static void ims_text(const struct saip_subscription *s, struct buf *b,
                     const char *scheme, bool user)
{
    AUTO(buf_clear) struct buf text = BUF_INIT;

    buf_put_span(&text, SPAN_STR(scheme));
    if (user) {
        buf_put(&text, s->imsi, SAIP_IMSI_DIGITS);
        buf_put_u8(&text, '@');
    }
    buf_put_span(&text, SPAN_STR("ims.mnc0"));
    buf_put(&text, s->imsi + 3, 2);
    buf_put_span(&text, SPAN_STR(".mcc"));
    buf_put(&text, s->imsi, 3);
    buf_put_span(&text, SPAN_STR(".3gppnetwork.org"));
    if (text.failed)
        b->failed = true;
    der_put(b, 0x80, buf_span(&text));
}

static void put_impi(const struct saip_subscription *s, struct buf *b)
{
    ims_text(s, b, "", true);
}

static void put_impu(const struct saip_subscription *s, struct buf *b)
{
    ims_text(s, b, "sip:", true);
}

static void put_domain(const struct saip_subscription *s, struct buf *b)
{
    ims_text(s, b, "", false);
}

/* --- files --------------------------------------------------------------- */

/* Zero or NULL: as the template has it. */
struct row {
    const char *name;
    uint8_t arr;          /* record of the PE's EF.ARR                    */
    uint16_t record;      /* record length                                */
    uint16_t size;        /* efFileSize                                   */
    const char *content;  /* hex; "/" goes on at the next record          */
    content_fn *own;      /* instead of content                           */
    const char *pattern;  /* fillPattern, hex                             */
    uint16_t fid;         /* ADF: the temporary one                       */
    const char *aid;      /* ADF                                          */
};

/* Access rules (TS 102 221, 9.2.7), the same in every EF.ARR here. Record:
 * 1 directories; 2 read always; 3 read PIN; 4 read PIN, update PIN;
 * 5 read always, update PIN; 6 administrators only; 7 read PIN, update PIN2 */
#define ADM "a40683010a950108"
#define PIN "a406830101950108"
#define PIN2 "a406830181950108"
#define ARR_RECORD 38
#define ARR_SIZE (7 * ARR_RECORD)
#define ARR_CONTENT \
    "80015e" ADM "/" \
    "800101900080015a" ADM "/" \
    "800101" PIN "80015a" ADM "/" \
    "800103" PIN "800158" ADM "/" \
    "8001019000800102" PIN "800158" ADM "/" \
    "80015b" ADM "/" \
    "800101" PIN "800102" PIN2 "800158" ADM
enum { DIR = 1, ALWAYS, BY_PIN, PIN_PIN, ALWAYS_PIN, ADM_ONLY, PIN_PIN2 };

static const struct row mf_rows[] = {
    { .name = "mf", .arr = DIR },
    { .name = "ef-pl", .arr = ALWAYS_PIN, .content = "656e" },
    { .name = "ef-iccid", .arr = ALWAYS, .own = put_iccid },
    { .name = "ef-dir", .arr = ALWAYS, .record = 32, .size = 64,
      .content = "61144f0c" AID_USIM "50045553494d/"
                 "61144f0c" AID_ISIM "50044953494d" },
    { .name = "ef-arr", .arr = ALWAYS, .record = ARR_RECORD, .size = ARR_SIZE,
      .content = ARR_CONTENT },
    { .name = NULL },
};

static const struct row telecom_rows[] = {
    { .name = "df-telecom", .arr = DIR },
    { .name = "ef-arr", .arr = ALWAYS, .record = ARR_RECORD, .size = ARR_SIZE,
      .content = ARR_CONTENT },
    { .name = "df-phonebook", .arr = DIR },
    { .name = "ef-pbr", .arr = BY_PIN, .record = 16, .size = 16,
      .content = "a80ac0034f3a01c5034f0902" },
    { .name = "ef-psc", .arr = PIN_PIN },
    { .name = "ef-cc", .arr = PIN_PIN },
    { .name = "ef-puid", .arr = PIN_PIN },
    { .name = "ef-adn", .arr = PIN_PIN, .record = 28, .size = 2800,
      .pattern = "ff", .fid = 0x4f3a },
    { .name = NULL },
};

static const struct row usim_rows[] = {
    { .name = "adf-usim", .arr = DIR, .fid = ADF_USIM, .aid = AID_USIM },
    { .name = "ef-imsi", .arr = BY_PIN, .own = put_imsi },
    { .name = "ef-arr", .arr = ALWAYS, .record = ARR_RECORD, .size = ARR_SIZE,
      .content = ARR_CONTENT },
    { .name = "ef-keys", .arr = PIN_PIN },
    { .name = "ef-keysPS", .arr = PIN_PIN },
    { .name = "ef-hpplmn", .arr = BY_PIN, .content = "05" },
    { .name = "ef-ust", .arr = BY_PIN, .size = UST_OCTETS, .own = put_ust },
    { .name = "ef-sms", .arr = PIN_PIN, .record = 176, .size = 1760,
      .pattern = "00ff" },
    { .name = "ef-smsp", .arr = PIN_PIN, .record = 40, .size = 80,
      .content = "ffffffffffffffffffffffff" "fd"
                 "ffffffffffffffffffffffff"
                 "0791994400000010ffffffff" "ffffff" },
    { .name = "ef-smss", .arr = PIN_PIN },
    { .name = "ef-spn", .arr = ALWAYS, .own = put_spn },
    { .name = "ef-est", .arr = PIN_PIN2, .content = "00" },
    { .name = "ef-start-hfn", .arr = PIN_PIN },
    { .name = "ef-threshold", .arr = BY_PIN, .content = "00ffff" },
    { .name = "ef-psloci", .arr = PIN_PIN },
    { .name = "ef-acc", .arr = BY_PIN, .own = put_acc },
    { .name = "ef-fplmn", .arr = PIN_PIN },
    { .name = "ef-loci", .arr = PIN_PIN },
    { .name = "ef-ad", .arr = ALWAYS, .content = "00000002" },
    { .name = "ef-ecc", .arr = ALWAYS, .record = 4, .size = 8,
      .content = "11f2ff00/19f1ff00" },
    { .name = "ef-netpar", .arr = PIN_PIN },
    { .name = "ef-epsloci", .arr = PIN_PIN },
    { .name = "ef-epsnsc", .arr = PIN_PIN },
    { .name = NULL },
};

static const struct row opt_usim_rows[] = {
    { .name = "ef-li", .arr = ALWAYS_PIN, .content = "656e" },
    { .name = "ef-gid1", .arr = BY_PIN, .size = 4, .content = "4c4c4142" },
    { .name = "ef-msisdn", .arr = PIN_PIN, .own = put_msisdn },
    { .name = "ef-plmnwact", .arr = PIN_PIN },
    { .name = "ef-oplmnwact", .arr = BY_PIN, .size = 250,
      .content = "99f9104800" },
    { .name = "ef-hplmnwact", .arr = BY_PIN, .own = put_hplmnwact },
    { .name = "ef-ehplmn", .arr = BY_PIN, .own = put_ehplmn },
    { .name = NULL },
};

static const struct row gsm_access_rows[] = {
    { .name = "df-gsm-access", .arr = DIR },
    { .name = "ef-kc", .arr = PIN_PIN },
    { .name = "ef-kcgprs", .arr = PIN_PIN },
    { .name = NULL },
};

static const struct row df_5gs_rows[] = {
    { .name = "df-df-5gs", .arr = DIR },
    { .name = "ef-5gs3gpploci", .arr = PIN_PIN },
    { .name = "ef-5gsn3gpploci", .arr = PIN_PIN },
    { .name = "ef-5gs3gppnsc", .arr = PIN_PIN, .record = 57, .size = 57 },
    { .name = "ef-5gsn3gppnsc", .arr = PIN_PIN, .record = 57, .size = 57 },
    { .name = "ef-5gauthkeys", .arr = PIN_PIN, .pattern = "ff" },
    { .name = "ef-uac-aic", .arr = BY_PIN, .content = "00000000" },
    { .name = "ef-routing-indicator", .arr = BY_PIN },
    { .name = NULL },
};

static const struct row isim_rows[] = {
    { .name = "adf-isim", .arr = DIR, .fid = ADF_ISIM, .aid = AID_ISIM },
    { .name = "ef-impi", .arr = BY_PIN, .size = 64, .own = put_impi },
    { .name = "ef-impu", .arr = BY_PIN, .record = 64, .size = 64,
      .own = put_impu },
    { .name = "ef-domain", .arr = BY_PIN, .size = 48, .own = put_domain },
    { .name = "ef-ist", .arr = BY_PIN, .size = 2, .content = "0000" },
    { .name = "ef-ad", .arr = ALWAYS },
    { .name = "ef-arr", .arr = ALWAYS, .record = ARR_RECORD, .size = ARR_SIZE,
      .content = ARR_CONTENT },
    { .name = NULL },
};

static void put_tlv_hex(struct buf *b, uint32_t tag, const char *hex)
{
    size_t m = der_open(b);

    buf_put_hex(b, hex);
    der_close(b, tag, m);
}

/* A number in as few octets as it takes. */
static void put_size(struct buf *b, uint32_t tag, uint16_t v)
{
    uint8_t o[2] = { (uint8_t)(v >> 8), (uint8_t)v };

    der_put(b, tag, v > 0xff ? SPAN(o, 2) : SPAN(o + 1, 1));
}

static void put_descriptor(struct buf *b, const struct saip_file_def *def,
                           uint16_t record)
{
    static const uint8_t code[] = {
        [SAIP_TRANSPARENT] = 0x41, [SAIP_LINEAR] = 0x42,
        [SAIP_CYCLIC] = 0x46, [SAIP_BER_TLV] = 0x79,
    };
    uint8_t o[4] = { code[def->kind], 0x21, (uint8_t)(record >> 8),
                     (uint8_t)record };

    der_put(b, 0x82, SPAN(o, record ? 4 : 2));
}

static void put_fcp(struct gen *g, const struct row *r,
                    const struct saip_file_def *def, uint16_t arr_file)
{
    uint16_t fid = r->fid ? r->fid : def->fid;
    uint16_t record = def->kind != SAIP_LINEAR && def->kind != SAIP_CYCLIC ? 0
                      : r->record ? r->record : def->size;
    uint8_t id[2] = { (uint8_t)(fid >> 8), (uint8_t)fid };
    uint8_t arr[3] = { (uint8_t)(arr_file >> 8), (uint8_t)arr_file, r->arr };
    size_t m = der_open(g->b);

    if (def->kind != SAIP_DF)
        put_descriptor(g->b, def, record);
    if (fid != 0x3f00)
        der_put(g->b, 0x83, SPAN_ARRAY(id));
    if (r->aid)
        put_tlv_hex(g->b, 0x84, r->aid);
    der_put(g->b, 0x8B, SPAN_ARRAY(arr));
    if (r->size)
        put_size(g->b, 0x80, r->size);
    if (def->kind == SAIP_DF)
        put_tlv_hex(g->b, 0xC6, fid == 0x3f00 ? "010a" : "01810a");
    if (r->pattern) {
        size_t info = der_open(g->b);
        put_tlv_hex(g->b, 0xC1, r->pattern);
        der_close(g->b, 0xA5, info);
    }
    der_close(g->b, SAIP_CMD_FCP, m);
}

/* One fillFileContent per record, with the offset to the next between. */
static void put_records(struct gen *g, const struct row *r)
{
    const char *hex = r->content;

    for (;;) {
        size_t n = strcspn(hex, "/");
        char one[2 * ARR_RECORD * 2 + 1];
        if (n >= sizeof one) {
            g->b->failed = true;
            return;
        }
        memcpy(one, hex, n);
        one[n] = '\0';
        put_tlv_hex(g->b, SAIP_CMD_CONTENT, one);
        if (hex[n] == '\0')
            return;
        if (n / 2 < r->record)
            der_put_uint(g->b, SAIP_CMD_OFFSET, r->record - n / 2);
        hex += n + 1;
    }
}

static void put_file(struct gen *g, const struct saip_element_def *pe,
                     const struct row *r, uint16_t arr_file)
{
    size_t i = 0;

    while (i < pe->file_count && strcmp(pe->files[i].name, r->name) != 0)
        i++;
    if (i == pe->file_count) {
        g->b->failed = true; /* a row of ours is misspelt */
        return;
    }
    size_t m = der_open(g->b);
    put_fcp(g, r, &pe->files[i], arr_file);
    if (r->own) {
        AUTO(buf_clear) struct buf own = BUF_INIT;
        r->own(g->s, &own);
        if (own.failed)
            g->b->failed = true;
        der_put(g->b, SAIP_CMD_CONTENT, buf_span(&own));
    } else if (r->content) {
        put_records(g, r);
    }
    der_close(g->b, saip_file_tag(i), m);
}

/* --- elements ------------------------------------------------------------ */

static size_t pe_open(struct gen *g)
{
    size_t m = der_open(g->b), h = der_open(g->b);

    der_put(g->b, 0x80, SPAN(NULL, 0));
    der_put_uint(g->b, 0x81, ++g->id);
    der_close(g->b, SAIP_PE_HEADER, h);
    return m;
}

static void put_files(struct gen *g, uint32_t tag, uint16_t arr_file,
                      const struct row *rows)
{
    uint8_t oid[] = { 0x67, 0x81, 0x0f, 0x01, 0x02, 0 };
    const struct saip_element_def *pe = saip_elements;
    size_t m = pe_open(g);

    while (pe->tag != tag)
        pe++;
    oid[sizeof oid - 1] = pe->template;
    der_put(g->b, 0x81, SPAN_ARRAY(oid));
    for (; rows->name; rows++)
        put_file(g, pe, rows, arr_file);
    der_close(g->b, tag, m);
}

static const char *type_of(const struct saip_subscription *s)
{
    return *s->type ? s->type : "Lineside Lab";
}

static void put_header(struct gen *g)
{
    static const uint8_t services[] = { 0x81, 0x82, 0x84 }; /* usim isim
                                                               milenage */
    static const uint8_t templates[] = { 1, 3, 4, 5, 7, 8, 13 };
    uint8_t oid[] = { 0x67, 0x81, 0x0f, 0x01, 0x02, 0 }, iccid[10];
    size_t m = der_open(g->b), list;

    for (size_t i = 0; i < sizeof iccid; i++) /* straight nibbles here */
        iccid[i] = (uint8_t)(g->s->iccid.o[i] << 4 | g->s->iccid.o[i] >> 4);
    der_put_uint(g->b, 0x80, MAJOR);
    der_put_uint(g->b, 0x81, MINOR);
    der_put_str(g->b, 0x82, type_of(g->s));
    der_put(g->b, 0x83, SPAN_ARRAY(iccid));
    list = der_open(g->b);
    for (size_t i = 0; i < sizeof services; i++)
        der_put(g->b, services[i], SPAN(NULL, 0));
    der_close(g->b, 0xA5, list);
    list = der_open(g->b);
    for (size_t i = 0; i < sizeof templates; i++) {
        oid[sizeof oid - 1] = templates[i];
        der_put(g->b, 0x06, SPAN_ARRAY(oid));
    }
    der_close(g->b, 0xA6, list);
    der_close(g->b, SAIP_PE_HEADER, m);
}

static void put_puks(struct gen *g)
{
    static const uint8_t keys[] = { 1, 129 };
    size_t m = pe_open(g), list = der_open(g->b);

    for (size_t i = 0; i < sizeof keys; i++) {
        size_t one = der_open(g->b);
        der_put_uint(g->b, 0x80, keys[i]);
        der_put(g->b, 0x81, SPAN(g->s->puk[i], 8));
        der_close(g->b, 0x30, one);
    }
    der_close(g->b, 0xA1, list);
    der_close(g->b, SAIP_PE_PUK, m);
}

struct pin {
    uint8_t key, puk;      /* puk 0: none */
    uint8_t attributes;    /* bit 1: enabled */
    const char *value;     /* 8 octets    */
};

static void put_pins(struct gen *g, const struct pin *pins, size_t n)
{
    size_t m = pe_open(g), choice = der_open(g->b), list = der_open(g->b);

    for (size_t i = 0; i < n; i++) {
        size_t one = der_open(g->b);
        der_put_uint(g->b, 0x80, pins[i].key);
        der_put(g->b, 0x81, SPAN(pins[i].value, 8));
        if (pins[i].puk)
            der_put_uint(g->b, 0x82, pins[i].puk);
        der_put_uint(g->b, 0x83, pins[i].attributes);
        der_close(g->b, 0x30, one);
    }
    der_close(g->b, 0xA0, list);
    der_close(g->b, 0xA1, choice);
    der_close(g->b, SAIP_PE_PIN, m);
}

/* The ISIM's PIN2 is the USIM's. */
static void put_pin_path(struct gen *g, uint16_t adf)
{
    uint8_t path[2] = { (uint8_t)(adf >> 8), (uint8_t)adf };
    size_t m = pe_open(g), choice = der_open(g->b);

    der_put(g->b, 0x81, SPAN_ARRAY(path));
    der_close(g->b, 0xA1, choice);
    der_close(g->b, SAIP_PE_PIN, m);
}

static void put_aka(struct gen *g)
{
    size_t m = pe_open(g), choice = der_open(g->b), algo = der_open(g->b);

    der_put_uint(g->b, 0x80, SAIP_ALG_MILENAGE);
    put_tlv_hex(g->b, 0x81, "01");
    der_put(g->b, 0x82, SPAN_ARRAY(g->s->ki));
    der_put(g->b, 0x83, SPAN_ARRAY(g->s->opc));
    der_close(g->b, 0xA1, algo);
    der_close(g->b, 0xA1, choice);
    der_close(g->b, SAIP_PE_AKA, m);
}

static void put_security_domain(struct gen *g)
{
    static const char *const usage[SAIP_OTA_KEYS] = { "18", "14", "48" };
    size_t m = pe_open(g), list = der_open(g->b);

    put_tlv_hex(g->b, 0x4F, "a0000001515350");   /* GlobalPlatform SD:  */
    put_tlv_hex(g->b, 0x4F, "a000000151535041"); /* package and module  */
    put_tlv_hex(g->b, 0x4F, "a000000151000000");
    put_tlv_hex(g->b, 0x82, "82dc00");
    put_tlv_hex(g->b, 0x83, "0f");               /* personalised        */
    put_tlv_hex(g->b, 0xC9, "81028000");         /* SCP80               */
    der_close(g->b, 0xA1, list);
    list = der_open(g->b);
    for (uint8_t i = 0; i < SAIP_OTA_KEYS; i++) {
        uint8_t id = (uint8_t)(i + 1);
        size_t key = der_open(g->b), parts, part;
        put_tlv_hex(g->b, 0x95, usage[i]);
        der_put(g->b, 0x82, SPAN(&id, 1));
        put_tlv_hex(g->b, 0x83, "01");           /* key version         */
        parts = der_open(g->b);
        part = der_open(g->b);
        put_tlv_hex(g->b, 0x80, "88");           /* AES                 */
        der_put(g->b, 0x86, SPAN_ARRAY(g->s->ota_key[i]));
        der_close(g->b, 0x30, part);
        der_close(g->b, 0x30, parts);
        der_close(g->b, 0x30, key);
    }
    der_close(g->b, 0xA2, list);
    der_close(g->b, 0xA6, m);
}

static void put_rfm(struct gen *g, const char *aid, const char *tar,
                    const char *adf)
{
    size_t m = pe_open(g), part;

    put_tlv_hex(g->b, 0x4F, aid);
    part = der_open(g->b);
    put_tlv_hex(g->b, 0x04, tar);
    der_close(g->b, 0xA0, part);
    put_tlv_hex(g->b, 0x81, "16"); /* MAC, ciphering, counter */
    put_tlv_hex(g->b, 0x04, "00"); /* full access             */
    put_tlv_hex(g->b, 0x04, "00");
    if (adf) {
        part = der_open(g->b);
        put_tlv_hex(g->b, 0x80, adf);
        put_tlv_hex(g->b, 0x81, "00");
        put_tlv_hex(g->b, 0x82, "00");
        der_close(g->b, 0x30, part);
    }
    der_close(g->b, 0xA7, m);
}

static void put_end(struct gen *g)
{
    size_t m = pe_open(g);

    der_close(g->b, SAIP_PE_END, m);
}

/* --- filler -------------------------------------------------------------- */

#define FILLER_DF "7f6e"
#define FILLER_FILES 240
#define FILLER_CHUNK 1200 /* octets of one file, when that reaches */
#define FILLER_OVERHEAD 30

static void filler_file(struct gen *g, uint16_t fid, uint16_t n)
{
    uint8_t id[2] = { (uint8_t)(fid >> 8), (uint8_t)fid };
    size_t m = der_open(g->b);

    put_tlv_hex(g->b, 0x82, "4121");
    der_put(g->b, 0x83, SPAN_ARRAY(id));
    put_tlv_hex(g->b, 0x8B, "2f0602");
    put_size(g->b, 0x80, n);
    put_tlv_hex(g->b, 0x88, "");
    der_close(g->b, SAIP_GFM_FCP, m);
    m = der_open(g->b);
    uint32_t x = fid; /* text-like, the same every time */
    for (uint16_t i = 0; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        buf_put_u8(g->b, (uint8_t)(0x20 + (x >> 24) % 0x5f));
    }
    der_close(g->b, SAIP_GFM_CONTENT, m);
}

/* Generic files below a directory of their own: at least `need` octets. */
static void put_filler(struct gen *g, size_t need)
{
    size_t chunk = need / FILLER_FILES + 1;
    size_t start = g->b->n, m = pe_open(g), list, one, dir;
    uint16_t fid = 0x4f01;

    if (chunk < FILLER_CHUNK)
        chunk = FILLER_CHUNK;
    list = der_open(g->b);
    one = der_open(g->b);
    put_tlv_hex(g->b, SAIP_GFM_PATH, "");
    dir = der_open(g->b);
    put_tlv_hex(g->b, 0x82, "7821");
    put_tlv_hex(g->b, 0x83, FILLER_DF);
    put_tlv_hex(g->b, 0x8B, "2f0601");
    put_tlv_hex(g->b, 0xC6, "010a");
    der_close(g->b, SAIP_GFM_FCP, dir);
    put_tlv_hex(g->b, SAIP_GFM_PATH, FILLER_DF);
    while (buf_ok(g->b) && g->b->n - start < need) {
        size_t left = need - (g->b->n - start);
        size_t n = left > FILLER_OVERHEAD ? left - FILLER_OVERHEAD : 1;
        filler_file(g, fid++, (uint16_t)(n < chunk ? n : chunk));
    }
    der_close(g->b, 0x30, one);
    der_close(g->b, 0xA1, list);
    der_close(g->b, SAIP_PE_GFM, m);
}

/* --- the whole ----------------------------------------------------------- */

static void put_front(struct gen *g)
{
    struct pin global[] = {
        { 1, 1, 6, "0000\xff\xff\xff\xff" },
        { 10, 0, 3, g->s->adm },
    };
    struct pin local[] = { { 129, 129, 3, "0000\xff\xff\xff\xff" } };

    put_header(g);
    put_files(g, SAIP_PE_MF, 0x2f06, mf_rows);
    put_puks(g);
    put_pins(g, global, 2);
    put_files(g, 0xB2, 0x6f06, telecom_rows);
    put_files(g, SAIP_PE_USIM, 0x6f06, usim_rows);
    put_files(g, 0xB4, 0x6f06, opt_usim_rows);
    put_pins(g, local, 1);
    put_aka(g);
    put_files(g, SAIP_PE_GSM_ACCESS, 0x6f06, gsm_access_rows);
    put_files(g, 0xBC, 0x6f06, df_5gs_rows);
    put_files(g, SAIP_PE_ISIM, 0x6f06, isim_rows);
    put_pin_path(g, ADF_USIM);
    put_aka(g);
}

static void put_back(struct gen *g)
{
    put_security_domain(g);
    put_rfm(g, "a0000005591010a1", "b00010", NULL);
    put_rfm(g, "a0000005591010a2", "b00011", AID_USIM);
    put_end(g);
}

static bool digits(const char *s, size_t cap, size_t min, size_t max)
{
    size_t n = strnlen(s, cap);

    return n < cap && n >= min && n <= max && strspn(s, "0123456789") == n;
}

/* ASCII that the phone's default alphabet shows as it is (TS 23.038). */
static bool plain_text(const char *s, size_t cap)
{
    size_t n = strnlen(s, cap);

    for (size_t i = 0; i < n; i++)
        if (s[i] < 0x20 || s[i] > 0x7a || strchr("$@[\\]^_`", s[i]))
            return false;
    return n < cap;
}

static int subscription_check(const struct saip_subscription *s,
                              struct err *e)
{
    const struct {
        bool good;
        const char *what;
    } checks[] = {
        { iccid_valid(&s->iccid), "iccid: 19 or 20 digits, Luhn" },
        { digits(s->imsi, sizeof s->imsi, 15, 15), "imsi: 15 digits" },
        { digits(s->msisdn, sizeof s->msisdn, 0, 20),
          "msisdn: up to 20 digits" },
        { plain_text(s->type, sizeof s->type), "type: plain text" },
        { plain_text(s->spn, sizeof s->spn), "spn: plain text, 16 at most" },
        { digits(s->puk[0], sizeof s->puk[0], 8, 8) &&
              digits(s->puk[1], sizeof s->puk[1], 8, 8), "puk: 8 digits" },
        { digits(s->adm, sizeof s->adm, 8, 8), "adm: 8 digits" },
    };

    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        if (!checks[i].good)
            return err_set(e, ERR_USAGE, "subscription: not a %s",
                           checks[i].what);
    if (s->target_size > SAIP_PACKAGE_MAX - 1024)
        return err_set(e, ERR_LIMIT, "subscription: packages of %zu octets are "
                       "not made; at most %d", s->target_size,
                       SAIP_PACKAGE_MAX - 1024);
    return 0;
}

int saip_generate(const struct saip_subscription *s, struct buf *upp,
                  struct err *e)
{
    AUTO(buf_clear) struct buf front = BUF_INIT;
    AUTO(buf_clear) struct buf back = BUF_INIT;
    struct gen g = { s, &front, 0 };

    if (subscription_check(s, e) != 0)
        return -1;
    put_front(&g);
    g.b = &back;
    put_back(&g);
    g.b = &front;
    if (front.n + back.n < s->target_size)
        put_filler(&g, s->target_size - front.n - back.n);
    buf_put_span(&front, buf_span(&back));
    if (!buf_ok(&front) || !buf_ok(&back))
        return err_set(e, ERR_NOMEM, "subscription: no memory for its "
                       "profile package");
    buf_put_span(upp, buf_span(&front));
    if (!buf_ok(upp))
        return err_set(e, ERR_NOMEM, "subscription: no memory for its "
                       "profile package");
    return 0;
}

static int random_digits(char *out, size_t n)
{
    for (size_t i = 0; i < n;) {
        uint8_t o;
        if (RAND_bytes(&o, 1) != 1)
            return -1;
        if (o < 250) /* so that every digit is as likely */
            out[i++] = (char)('0' + o % 10);
    }
    out[n] = '\0';
    return 0;
}

int saip_subscription_random(struct saip_subscription *s, struct err *e)
{
    if (RAND_bytes(s->ki, sizeof s->ki) != 1 ||
        RAND_bytes(s->opc, sizeof s->opc) != 1 ||
        RAND_bytes(s->ota_key[0], sizeof s->ota_key) != 1 ||
        random_digits(s->puk[0], 8) != 0 ||
        random_digits(s->puk[1], 8) != 0 || random_digits(s->adm, 8) != 0)
        return err_ossl(e, ERR_INTERNAL, "subscription: no random octets");
    return 0;
}

/* lab/saip/saip.h: profile packages (UPP): walk, generate, personalise.
 *
 * TCA "eUICC Profile Package: Interoperable Format Technical Specification"
 * (SAIP), versions 2.x and 3.x without the IoT Minimal Profile. A package is a
 * run of profile elements (PE): A0 header first, AA end last, DER with
 * AUTOMATIC TAGS throughout.
 *
 * The lab's own: the SM-DPf makes packages with it, the software eUICC reads
 * them. Nothing of the station may include this. */
#ifndef LINESIDE_LAB_SAIP_H
#define LINESIDE_LAB_SAIP_H

#include "station/base/err.h"
#include "station/base/ids.h"
#include "station/base/span.h"

#define SAIP_TYPE_MAX 100 /* octets of profileType */
#define SAIP_NAA_MAX 8
#define SAIP_PATH_MAX 10  /* octets: five file IDs */
#define SAIP_IMSI_DIGITS 15
#define SAIP_IMSI_LEN 9   /* octets of EF.IMSI (TS 31.102, 4.2.2) */
#define SAIP_PACKAGE_MAX (512 * 1024)

/* --- reading ------------------------------------------------------------- */

/* One profile element, as received: whole is its TLV, octet for octet. */
struct saip_element {
    size_t index;         /* 0 is the header                              */
    size_t at;            /* octets from the start of the package         */
    uint32_t tag;         /* 0xA0, 0xB3, 0xBF1F...                        */
    const char *name;     /* "usim", "akaParameter": the standard's word  */
    uint32_t id;          /* identification; 0 for the header, has none   */
    bool mandated;
    struct span whole;
};

enum saip_kind {
    SAIP_DF,          /* MF, DF or ADF: no content                        */
    SAIP_TRANSPARENT,
    SAIP_LINEAR,
    SAIP_CYCLIC,
    SAIP_BER_TLV,
    SAIP_LINK,        /* EF or DF that only names another (linkPath)      */
};
const char *saip_kind_name(enum saip_kind k); /* "transparent", ... */

/* One file after its commands were carried out: the template's default or
 * the fill pattern, overlaid with fillFileContent at each fillFileOffset. */
struct saip_file {
    size_t element;       /* index of the PE that made it                 */
    uint32_t tag;         /* its tag in that PE (0xA3, 0xBF1F); 0: it came
                             from genericFileManagement                   */
    const char *name;     /* "ef-imsi"; "file" from genericFileManagement */
    uint8_t path[SAIP_PATH_MAX]; /* file IDs below the MF, ADFs by their
                                    temporary file ID                     */
    size_t path_len;      /* 0: the MF itself                             */
    enum saip_kind kind;
    size_t record_len;    /* linear and cyclic, else 0                    */
    struct span df_name;  /* ADF: its AID. Borrowed from the package      */
    struct span link;     /* SAIP_LINK: the path it stands for. Borrowed  */
    struct span content;  /* valid during the call only                   */
};

enum saip_naa_kind { SAIP_USIM, SAIP_ISIM, SAIP_CSIM };
const char *saip_naa_name(enum saip_naa_kind k); /* "usim", ... */

/* A network access application: its ADF, and the akaParameter PE that
 * follows it. gsm-access is part of the USIM it follows. */
enum saip_algorithm {
    SAIP_ALG_NONE = 0,
    SAIP_ALG_MILENAGE = 1,
    SAIP_ALG_TUAK = 2,
    SAIP_ALG_TEST = 3,
    SAIP_ALG_MAPPED = 0x100, /* shares another application's: mapped_to   */
};

struct saip_naa {
    enum saip_naa_kind kind;
    uint8_t aid[16];
    size_t aid_len;
    enum saip_algorithm algorithm;
    uint8_t k[32];
    size_t k_len;            /* 16 or 32                                  */
    uint8_t opc[32];         /* OPc (Milenage) or TOPc (TUAK)             */
    size_t opc_len;
    uint8_t mapped_to[16];
    size_t mapped_to_len;
    char imsi[SAIP_IMSI_DIGITS + 1]; /* "" when there is no EF.IMSI, or
                                        when it is empty                  */
    bool gsm_access;
};

/* What a package is, in short. Fixed size, owns nothing. */
struct saip_profile {
    uint8_t major, minor;
    char type[SAIP_TYPE_MAX + 1]; /* "" when the header has none          */
    struct iccid iccid;      /* of the header; nibbles swapped here, as
                                everywhere but in the header itself       */
    size_t elements, files;
    size_t naas;
    struct saip_naa naa[SAIP_NAA_MAX];
};

/* Receives the content, in the package's order: each element, then the files
 * that it made; the NAAs at the end. Any member may be NULL. A call that
 * returns -1 (err set) ends the walk with that error. */
struct saip_sink {
    int (*element)(void *ctx, const struct saip_element *, struct err *);
    int (*file)(void *ctx, const struct saip_file *, struct err *);
    int (*naa)(void *ctx, const struct saip_naa *, struct err *);
};

/* Read a whole package strictly. The sink is called only when all of it was
 * found good, so nothing needs undoing. `sink` and `out` may be NULL. Spans
 * handed out borrow from upp. Refused, with the PE and the octet in the text:
 * ERR_FORMAT for anything the standard does not allow, ERR_LIMIT beyond
 * SAIP_PACKAGE_MAX or SAIP_NAA_MAX, or for files larger than that. *out is
 * untouched on failure. */
int saip_walk(struct span upp, const struct saip_sink *sink, void *ctx,
              struct saip_profile *out, struct err *e);

/* --- making -------------------------------------------------------------- */

#define SAIP_OTA_KEYS 3

/* A subscription: what one package is generated from. The same subscription
 * makes the same octets. */
struct saip_subscription {
    struct iccid iccid;
    char imsi[SAIP_IMSI_DIGITS + 1];   /* exactly 15 digits               */
    uint8_t ki[16];
    uint8_t opc[16];
    char msisdn[21];                   /* up to 20 digits, or ""          */
    char type[SAIP_TYPE_MAX + 1];      /* profileType, "": "Lineside Lab" */
    char spn[17];                      /* shown by the phone; "": as type */
    uint8_t ota_key[SAIP_OTA_KEYS][16]; /* SCP80: encrypt, MAC, DEK       */
    char puk[2][9];                    /* 8 digits each                   */
    char adm[9];                       /* 8 digits                        */
    size_t target_size;                /* octets to reach at least, filled
                                          with generic files, 0: as it
                                          falls (about 3 KB); the result is
                                          at most 100 octets above it     */
};

/* Draw ki, opc, ota_key, puk and adm; leave the rest as it is. */
int saip_subscription_random(struct saip_subscription *s, struct err *e);

/* Append a SAIP 2.3 package for s to upp. ERR_USAGE when a member is not what
 * it must be, ERR_LIMIT for a target beyond SAIP_PACKAGE_MAX. The result
 * always passes saip_walk. */
int saip_generate(const struct saip_subscription *s, struct buf *upp,
                  struct err *e);

/* --- personalising ------------------------------------------------------- */

/* Octets of a package that belong to one subscription. */
struct saip_range {
    size_t at, n;          /* octets from the start of the package        */
    size_t from;           /* which octet of the value lies at `at`       */
    const char *what;      /* "header ICCID", "EF.ICCID", "EF.IMSI"       */
};
#define SAIP_RANGES_MAX 64 /* content may be cut into several pieces      */
struct saip_ranges {
    struct saip_range r[SAIP_RANGES_MAX];
    size_t n;
};

/* Where a package keeps its ICCID and IMSI: the header, EF.ICCID below the
 * MF, EF.IMSI of every USIM and of a DF.GSM that has its own. In ascending
 * order. ERR_NOT_FOUND when a place is missing (a value left to the
 * template's default has none). Reads the package as strictly as saip_walk. */
int saip_personal_ranges(struct span upp, struct saip_ranges *out,
                         struct err *e);

/* Append to out a copy of upp with this ICCID and IMSI (15 digits) in those
 * places. Same length, every other octet as it was. Nothing else is derived:
 * IMPI and IMPU of an ISIM, Ki, MSISDN stay what they are. */
int saip_personalise(struct span upp, const struct iccid *iccid,
                     const char *imsi, struct buf *out, struct err *e);

/* 0 when b is a apart from the personalised places; otherwise ERR_CONFLICT
 * naming the first octet that differs elsewhere. *personal (may be NULL) is
 * where they are, whether or not they differ. */
int saip_compare(struct span a, struct span b, struct saip_ranges *personal,
                 struct err *e);

/* EF.IMSI content for 15 digits, and back; -1 when it is not one. */
int saip_imsi_encode(const char *imsi, uint8_t out[SAIP_IMSI_LEN]);
int saip_imsi_decode(struct span ef, char out[SAIP_IMSI_DIGITS + 1]);

#endif

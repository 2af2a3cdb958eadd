/* lab/saip/saip_grammar.h: the standard's ASN.1 as tables. Inside the room
 * only; the walk interprets them, so that it has one place per kind of value
 * instead of one function per structure. */
#ifndef LINESIDE_LAB_SAIP_GRAMMAR_H
#define LINESIDE_LAB_SAIP_GRAMMAR_H

#include "tests/lab/saip/saip.h"

enum saip_type {
    SAIP_T_NULL,
    SAIP_T_OCTETS, /* min..max octets                                  */
    SAIP_T_UINT,   /* min..max as a number                             */
    SAIP_T_UTF8,   /* min..max octets                                  */
    SAIP_T_OID,
    SAIP_T_SEQ,    /* the members in this order                        */
    SAIP_T_RUN,    /* min..max members, each one of `members`; a CHOICE
                      is a run of exactly one                          */
};

struct saip_field {
    uint32_t tag;
    const char *name;      /* NULL ends a list */
    enum saip_type type;
    bool optional;
    uint32_t min, max;
    const struct saip_field *members;
};

/* A file that a template-based PE may carry (SAIP, Annex A). Zero size: the
 * template leaves it to the package. */
struct saip_file_def {
    const char *name;
    uint16_t fid;          /* 0: the package must give it              */
    enum saip_kind kind;
    bool must;
    uint16_t records;      /* linear and cyclic, by default            */
    uint16_t size;         /* of the file, or of one record            */
    const char *fill;      /* of the file or each record, hex: "07ff.."
                              repeats the last octet, "ff..07" has a
                              tail after that, "ffff00*" repeats all;
                              NULL: FF                                 */
};

/* What must have come before a PE. */
enum saip_needs {
    SAIP_NEEDS_NOTHING,
    SAIP_NEEDS_MF,
    SAIP_NEEDS_NAA,        /* any                                      */
    SAIP_NEEDS_USIM,       /* the latest NAA is one                    */
    SAIP_NEEDS_ISIM,
    SAIP_NEEDS_CSIM,
};

struct saip_element_def {
    uint32_t tag;
    const char *name;
    enum saip_needs needs;
    const struct saip_field *fields;    /* NULL: files                 */
    const struct saip_file_def *files;
    size_t file_count;
    uint8_t template;      /* last arc of 2.23.143.1.2.x               */
};

extern const struct saip_element_def saip_elements[];
extern const size_t saip_element_count;

/* PEHeader, the commands of a file, and the elements that hold no files. */
extern const struct saip_field saip_pe_header[];
extern const struct saip_field saip_fcp[];
extern const struct saip_field saip_file_commands[];
extern const struct saip_field saip_pe_profile_header[];
extern const struct saip_field saip_pe_gfm[];
extern const struct saip_field saip_pe_pin[];
extern const struct saip_field saip_pe_puk[];
extern const struct saip_field saip_pe_aka[];
extern const struct saip_field saip_pe_cdma[];
extern const struct saip_field saip_pe_sd[];
extern const struct saip_field saip_pe_rfm[];
extern const struct saip_field saip_pe_application[];
extern const struct saip_field saip_pe_non_standard[];
extern const struct saip_field saip_pe_end[];

/* Tags of file commands, in a file of a template and in
 * genericFileManagement. */
enum {
    SAIP_CMD_DO_NOT_CREATE = 0x80,
    SAIP_CMD_FCP = 0xA1,
    SAIP_CMD_OFFSET = 0x82,
    SAIP_CMD_CONTENT = 0x83,
    SAIP_GFM_PATH = 0x80,
    SAIP_GFM_FCP = 0x62,
    SAIP_GFM_OFFSET = 0x02,
    SAIP_GFM_CONTENT = 0x81,
};

enum {
    SAIP_PE_HEADER = 0xA0,
    SAIP_PE_GFM = 0xA1,
    SAIP_PE_PIN = 0xA2,
    SAIP_PE_PUK = 0xA3,
    SAIP_PE_AKA = 0xA4,
    SAIP_PE_END = 0xAA,
    SAIP_PE_MF = 0xB0,
    SAIP_PE_USIM = 0xB3,
    SAIP_PE_ISIM = 0xB5,
    SAIP_PE_GSM_ACCESS = 0xB8,
    SAIP_PE_CSIM = 0xB9,
};

/* Tag of file number i of a template-based PE: header is [0], templateID
 * [1], files follow. */
uint32_t saip_file_tag(size_t i);

#endif

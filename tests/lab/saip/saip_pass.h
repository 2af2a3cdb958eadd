/* lab/saip/saip_pass.h: one pass over a package. Inside the room only. */
#ifndef LINESIDE_LAB_SAIP_PASS_H
#define LINESIDE_LAB_SAIP_PASS_H

#include "tests/lab/saip/saip_grammar.h"

#define SAIP_DF_MAX 256
#define SAIP_CONTENT_MAX (8u << 20) /* octets of all files together */
#define SAIP_FILE_MAX 0xffffu       /* octets of one file           */
#define SAIP_NO_DF SIZE_MAX

/* A piece of a file's content as the package spells it: fill patterns of
 * transparent files, and fillFileContent. Later ones override earlier ones. */
struct saip_piece {
    const struct saip_file *file; /* its path is set, its content is not */
    bool in_usim;                 /* directly below a USIM's ADF         */
    size_t file_at;
    struct span octets;           /* points into the package             */
};
struct saip_pieces {
    int (*piece)(void *ctx, const struct saip_piece *, struct err *);
    /* The file is complete; what is not covered is the template's. */
    int (*end)(void *ctx, const struct saip_file *, bool in_usim,
               struct err *);
    void *ctx;
};

struct saip_df {
    uint8_t path[SAIP_PATH_MAX];
    size_t path_len;
    size_t naa;           /* index, or SAIP_NAA_MAX: not an ADF */
};

struct saip_pass {
    struct span upp;
    const struct saip_sink *sink;
    void *ctx;
    const struct saip_pieces *pieces;
    struct err *e;

    struct saip_profile profile;
    struct saip_element element;
    const struct saip_element_def *def;
    bool mf_seen, end_seen;
    uint8_t id_seen[0x8000 / 8];
    bool puk_seen[256];

    struct saip_df df[SAIP_DF_MAX];
    size_t df_count;
    size_t adf;           /* of the latest NAA, when there is one */

    struct {
        struct saip_file f;
        bool open;
        bool sized;       /* else it grows with what is written   */
        size_t df;        /* where it lives                       */
        size_t at;        /* next octet to be written             */
    } file;
    struct buf content;
    size_t content_total;
};

/* ERR_FORMAT, naming the PE and the octet of `at`. Always -1. */
int saip_bad(struct saip_pass *p, const uint8_t *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* value holds exactly these members. */
int saip_check_seq(struct saip_pass *p, const struct saip_field *members,
                   struct span value);
int saip_check_field(struct saip_pass *p, const struct saip_field *f,
                     struct span value);

/* Files of the current template-based PE (all of its value, header already
 * checked) or of genericFileManagement (already checked wholly). */
int saip_template_files(struct saip_pass *p, struct span files);
int saip_gfm_files(struct saip_pass *p, struct span value);

/* As saip_walk in a single pass: the sink may hear of content before a later
 * fault. `pieces` may be NULL. */
int saip_pass(struct span upp, const struct saip_sink *sink, void *ctx,
              const struct saip_pieces *pieces, struct saip_profile *out,
              struct err *e);

#endif

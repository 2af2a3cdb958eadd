/* File commands carried out: where a file lives, how large it is, what it
 * holds (SAIP 8.3; patterns as in TS 102 222). */
#include "tests/lab/saip/saip_pass.h"

#include <string.h>

#include "station/ifpp/tlv.h"

#define EF_IMSI 0x6f07

static uint16_t u16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

/* --- directories --------------------------------------------------------- */

static size_t df_find(const struct saip_pass *p, struct span path)
{
    for (size_t i = 0; i < p->df_count; i++)
        if (span_eq(SPAN(p->df[i].path, p->df[i].path_len), path))
            return i;
    return SAIP_NO_DF;
}

static int naa_begin(struct saip_pass *p, struct span aid)
{
    static const struct {
        uint32_t tag;
        enum saip_naa_kind kind;
    } kinds[] = {
        { SAIP_PE_USIM, SAIP_USIM },
        { SAIP_PE_ISIM, SAIP_ISIM },
        { SAIP_PE_CSIM, SAIP_CSIM },
    };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].tag != p->element.tag)
            continue;
        if (aid.n == 0)
            return saip_bad(p, p->element.whole.p, "its ADF has no dfName");
        if (p->profile.naas == SAIP_NAA_MAX)
            return err_set(p->e, ERR_LIMIT, "profile package: more than %d "
                           "applications", SAIP_NAA_MAX);
        struct saip_naa *n = &p->profile.naa[p->profile.naas++];
        *n = (struct saip_naa){ .kind = kinds[i].kind, .aid_len = aid.n };
        memcpy(n->aid, aid.p, aid.n);
        p->adf = p->df_count;
        return 1;
    }
    return 0;
}

static int df_add(struct saip_pass *p, const struct saip_file *f, bool adf)
{
    struct span path = SPAN(f->path, f->path_len);
    int naa = adf ? naa_begin(p, f->df_name) : 0;

    if (naa < 0)
        return -1;
    if (df_find(p, path) != SAIP_NO_DF)
        return saip_bad(p, p->element.whole.p, "%s is there already",
                        f->name);
    if (p->df_count == SAIP_DF_MAX)
        return err_set(p->e, ERR_LIMIT, "profile package: more than %d "
                       "directories", SAIP_DF_MAX);
    struct saip_df *d = &p->df[p->df_count++];
    memcpy(d->path, f->path, f->path_len);
    d->path_len = f->path_len;
    d->naa = naa ? p->profile.naas - 1 : SAIP_NAA_MAX;
    return 0;
}

/* --- default content ----------------------------------------------------- */

struct pattern {
    uint8_t head[200], tail[40];
    size_t head_n, tail_n;
    bool repeat_all; /* else the last octet of head */
};

static struct pattern pattern_of(const char *fill)
{
    struct pattern t = { { 0xff }, { 0 }, 1, 0, false };
    char hex[401];

    if (!fill)
        return t;
    t.head_n = strspn(fill, "0123456789abcdef") / 2;
    memcpy(hex, fill, 2 * t.head_n);
    hex[2 * t.head_n] = '\0';
    hex_decode(hex, t.head, t.head_n);
    const char *rest = fill + 2 * t.head_n;
    t.repeat_all = *rest == '*';
    if (*rest == '.') {
        t.tail_n = strlen(rest + 2) / 2;
        hex_decode(rest + 2, t.tail, t.tail_n);
    }
    return t;
}

static void pattern_fill(const struct pattern *t, uint8_t *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = i < t->head_n ? t->head[i]
                : t->head[t->repeat_all ? i % t->head_n : t->head_n - 1];
    if (t->tail_n && t->tail_n <= n)
        memcpy(to + n - t->tail_n, t->tail, t->tail_n);
}

/* Lay the pattern over the whole file, record by record. */
static int content_fill(struct saip_pass *p, const struct pattern *t,
                        size_t size)
{
    size_t unit = p->file.f.record_len ? p->file.f.record_len : size;

    buf_reset(&p->content);
    p->content_total += size;
    if (p->content_total > SAIP_CONTENT_MAX)
        return err_set(p->e, ERR_LIMIT, "profile package: its files hold more "
                       "than %u octets", SAIP_CONTENT_MAX);
    uint8_t *to = buf_reserve(&p->content, size ? size : 1);
    if (!to)
        return err_set(p->e, ERR_NOMEM, "profile package: no memory for %s",
                       p->file.f.name);
    for (size_t at = 0; at < size; at += unit)
        pattern_fill(t, to + at, unit);
    p->content.n = size;
    return 0;
}

/* --- one file ------------------------------------------------------------ */

static bool in_usim(const struct saip_pass *p)
{
    size_t naa = p->df[p->file.df].naa;

    return naa < SAIP_NAA_MAX && p->profile.naa[naa].kind == SAIP_USIM;
}

static int piece(struct saip_pass *p, size_t file_at, struct span octets)
{
    struct saip_piece s = { &p->file.f, in_usim(p), file_at, octets };

    if (!p->pieces || octets.n == 0)
        return 0;
    return p->pieces->piece(p->pieces->ctx, &s, p->e);
}

static int kind_of(struct saip_pass *p, const struct saip_file_def *def,
                   struct span descriptor, enum saip_kind *kind)
{
    if (descriptor.n == 0) {
        if (!def)
            return saip_bad(p, p->element.whole.p,
                            "a file is created without fileDescriptor");
        *kind = def->kind;
        return 0;
    }
    switch (descriptor.p[0] & 0x3f) { /* TS 102 221, 11.1.1.4.3 */
    case 0x38: *kind = SAIP_DF; break;
    case 0x39: *kind = SAIP_BER_TLV; break;
    case 0x01: *kind = SAIP_TRANSPARENT; break;
    case 0x02: *kind = SAIP_LINEAR; break;
    case 0x06: *kind = SAIP_CYCLIC; break;
    default:
        return saip_bad(p, descriptor.p, "fileDescriptor %02X is no file type",
                        descriptor.p[0]);
    }
    if (def && (def->kind == SAIP_DF) != (*kind == SAIP_DF))
        return saip_bad(p, descriptor.p, "fileDescriptor %02X does not suit "
                        "%s", descriptor.p[0], def->name);
    return 0;
}

static int record_length(struct saip_pass *p, const struct saip_file_def *def,
                         struct span descriptor)
{
    struct saip_file *f = &p->file.f;

    f->record_len = 0;
    if (f->kind != SAIP_LINEAR && f->kind != SAIP_CYCLIC)
        return 0;
    if (descriptor.n == 4)
        f->record_len = u16(descriptor.p + 2);
    else if (def)
        f->record_len = def->size;
    if (f->record_len == 0)
        return saip_bad(p, p->element.whole.p, "%s has records of no length",
                        f->name);
    return 0;
}

/* efFileSize, else the template's size; neither: as long as what is written. */
static int file_size(struct saip_pass *p, const struct saip_file_def *def,
                     struct span given, size_t *size)
{
    const struct saip_file *f = &p->file.f;

    *size = 0;
    p->file.sized = given.n > 0;
    for (size_t i = 0; i < given.n && *size <= SAIP_FILE_MAX; i++)
        *size = *size << 8 | given.p[i];
    if (*size > SAIP_FILE_MAX)
        return err_set(p->e, ERR_LIMIT, "profile package: PE %zu (%s): %s is "
                       "to be larger than %u octets", p->element.index,
                       p->element.name, f->name, SAIP_FILE_MAX);
    if (given.n > 1 && given.p[0] == 0)
        return saip_bad(p, given.p, "efFileSize of %s is not minimal",
                        f->name);
    if (f->record_len && *size % f->record_len != 0)
        return saip_bad(p, given.p, "size of %s, %zu, is not a number of "
                        "records of %zu", f->name, *size, f->record_len);
    if (!p->file.sized && def && f->kind == def->kind) {
        *size = f->record_len ? f->record_len * def->records : def->size;
        p->file.sized = *size > 0;
    }
    if (f->kind == SAIP_BER_TLV) { /* the size is room, not content */
        *size = 0;
        p->file.sized = false;
    }
    return 0;
}

/* The default content, and the fill pattern's octets where they stand for
 * themselves. */
static int file_fill(struct saip_pass *p, const struct saip_file_def *def,
                     struct span info, size_t size)
{
    struct tlv fill, repeat;
    struct pattern t = pattern_of(def ? def->fill : NULL);

    bool has_fill = der_find(info, 0xC1, &fill) == 1;
    bool has_repeat = der_find(info, 0xC2, &repeat) == 1;
    if (has_fill && has_repeat)
        return saip_bad(p, repeat.whole.p, "fillPattern and repeatPattern in "
                        "%s", p->file.f.name);
    struct span own = has_fill ? fill.value
                      : has_repeat ? repeat.value : SPAN(NULL, 0);
    if (own.n > 0) {
        t = (struct pattern){ .head_n = own.n, .repeat_all = has_repeat };
        memcpy(t.head, own.p, own.n);
        if (!p->file.sized && p->file.f.kind == SAIP_TRANSPARENT)
            size = own.n;
    }
    if (content_fill(p, &t, size) != 0)
        return -1;
    if (own.n == 0 || p->file.f.kind != SAIP_TRANSPARENT)
        return 0;
    /* What is used more than once belongs to no octet of the file alone. */
    size_t alone = own.n >= size ? size : has_repeat ? 0 : own.n - 1;
    return piece(p, 0, span_sub(own, 0, alone));
}

static int file_begin(struct saip_pass *p, const struct saip_file_def *def,
                      uint32_t tag, size_t df, const uint8_t *at,
                      struct span fcp)
{
    struct saip_file *f = &p->file.f;
    struct tlv desc, id, name, size, info, link;
    const struct saip_df *d = df == SAIP_NO_DF ? NULL : &p->df[df];
    bool is_mf = p->element.tag == SAIP_PE_MF && tag == saip_file_tag(0);
    size_t octets;

    memset(&p->file, 0, sizeof p->file);
    p->file.df = df;
    f->element = p->element.index;
    f->tag = tag;
    f->name = def ? def->name : "file";
    if (!d && !is_mf)
        return saip_bad(p, at, "%s: its directory is not there", f->name);

    struct span descriptor =
        der_find(fcp, 0x82, &desc) == 1 ? desc.value : SPAN(NULL, 0);
    if (kind_of(p, def, descriptor, &f->kind) != 0)
        return -1;
    if (der_find(fcp, 0xC7, &link) == 1 && link.value.n > 0) {
        f->kind = SAIP_LINK;
        f->link = link.value;
    }
    if (der_find(fcp, 0x84, &name) == 1)
        f->df_name = name.value;

    uint16_t fid = der_find(fcp, 0x83, &id) == 1 ? u16(id.value.p)
                   : def ? def->fid : 0;
    if (fid == 0)
        return saip_bad(p, at, "%s has no fileID", f->name);
    if (!is_mf) {
        if (d->path_len + 2 > SAIP_PATH_MAX)
            return saip_bad(p, at, "%s lies too deep", f->name);
        memcpy(f->path, d->path, d->path_len);
        f->path[d->path_len] = (uint8_t)(fid >> 8);
        f->path[d->path_len + 1] = (uint8_t)fid;
        f->path_len = d->path_len + 2;
    }
    p->file.open = true;
    buf_reset(&p->content);
    if (f->kind == SAIP_DF)
        return df_add(p, f, def && tag == saip_file_tag(0));
    if (f->kind == SAIP_LINK)
        return 0;

    struct span given =
        der_find(fcp, 0x80, &size) == 1 ? size.value : SPAN(NULL, 0);
    if (record_length(p, def, descriptor) != 0 ||
        file_size(p, def, given, &octets) != 0)
        return -1;
    struct span proprietary =
        der_find(fcp, 0xA5, &info) == 1 ? info.value : SPAN(NULL, 0);
    return file_fill(p, def, proprietary, octets);
}

static int file_offset(struct saip_pass *p, struct span value)
{
    uint64_t by;

    if (!p->file.open || der_uint(value, &by) != 0)
        return saip_bad(p, value.p, "fillFileOffset without a file");
    p->file.at += (size_t)by;
    return 0;
}

static int file_write(struct saip_pass *p, struct span v)
{
    struct buf *c = &p->content;

    if (!p->file.open || p->file.f.kind == SAIP_DF ||
        p->file.f.kind == SAIP_LINK)
        return saip_bad(p, v.p, "fillFileContent without a file to hold it");
    size_t end = p->file.at + v.n;
    if (end > (p->file.sized ? c->n : SAIP_FILE_MAX))
        return saip_bad(p, v.p, "fillFileContent reaches octet %zu of %s, "
                        "which has %zu", end, p->file.f.name, c->n);
    if (end > c->n) {
        size_t more = end - c->n;
        uint8_t *to = buf_reserve(c, more);
        p->content_total += more;
        if (!to || p->content_total > SAIP_CONTENT_MAX)
            return err_set(p->e, to ? ERR_LIMIT : ERR_NOMEM,
                           "profile package: no room for %s",
                           p->file.f.name);
        memset(to, 0xff, more);
        c->n = end;
    }
    if (v.n)
        memcpy(c->p + p->file.at, v.p, v.n);
    if (piece(p, p->file.at, v) != 0)
        return -1;
    p->file.at = end;
    return 0;
}

static int imsi_note(struct saip_pass *p)
{
    const struct saip_file *f = &p->file.f;

    if (f->path_len < 2 || u16(f->path + f->path_len - 2) != EF_IMSI ||
        !in_usim(p) || f->kind != SAIP_TRANSPARENT)
        return 0;
    for (size_t i = 0; i < p->content.n; i++)
        if (p->content.p[i] != 0xff) {
            struct saip_naa *n = &p->profile.naa[p->df[p->file.df].naa];
            if (saip_imsi_decode(buf_span(&p->content), n->imsi) != 0)
                return saip_bad(p, p->element.whole.p,
                                "EF.IMSI does not hold an IMSI");
            return 0;
        }
    return 0;
}

static int file_end(struct saip_pass *p)
{
    struct saip_file *f = &p->file.f;

    if (!p->file.open)
        return 0;
    p->file.open = false;
    if (f->record_len && p->content.n % f->record_len != 0)
        return saip_bad(p, p->element.whole.p, "%s ends inside a record",
                        f->name);
    bool usim = f->path_len > 0 && in_usim(p);
    if (f->path_len > 0 && imsi_note(p) != 0)
        return -1;
    p->profile.files++;
    f->content = buf_span(&p->content);
    if (p->pieces && p->pieces->end(p->pieces->ctx, f, usim, p->e) != 0)
        return -1;
    if (p->sink && p->sink->file)
        return p->sink->file(p->ctx, f, p->e);
    return 0;
}

/* --- files of a template ------------------------------------------------- */

static const struct saip_field file_shape = {
    0, "file", SAIP_T_RUN, false, 0, SAIP_PACKAGE_MAX, saip_file_commands,
};

/* The commands of one file, or of several: each fileDescriptor begins one
 * (EF.IIDF, EF.ICON, EF.ADN... may be there more than once). */
static int template_file(struct saip_pass *p, const struct saip_file_def *def,
                         uint32_t tag, size_t df, struct span v)
{
    struct saip_field shape = file_shape;
    struct span in = v;
    struct tlv t;
    bool first = true;

    shape.name = def->name;
    if (saip_check_field(p, &shape, v) != 0)
        return -1;
    if (v.n == 2 && v.p[0] == SAIP_CMD_DO_NOT_CREATE)
        return 0;
    if (v.n == 0 || v.p[0] != SAIP_CMD_FCP)
        if (file_begin(p, def, tag, df, v.p, SPAN(NULL, 0)) != 0)
            return -1;
    for (; der_next(&in, &t) == DER_OK; first = false) {
        int r = 0;
        switch (t.tag) {
        case SAIP_CMD_DO_NOT_CREATE:
            r = saip_bad(p, t.whole.p, "doNotCreate with other commands");
            break;
        case SAIP_CMD_FCP:
            r = file_end(p);
            if (r == 0)
                r = saip_check_seq(p, saip_fcp, t.value);
            if (r == 0 && def->kind == SAIP_DF && !first)
                r = saip_bad(p, t.whole.p, "%s twice", def->name);
            if (r == 0)
                r = file_begin(p, def, tag, df, t.whole.p, t.value);
            break;
        case SAIP_CMD_OFFSET:
            r = file_offset(p, t.value);
            break;
        case SAIP_CMD_CONTENT:
            r = file_write(p, t.value);
            break;
        }
        if (r != 0)
            return -1;
    }
    return file_end(p);
}

/* Where the element's first file goes: an ADF and the DFs of the MF below the
 * MF, what extends an application below its ADF. */
static size_t element_base(const struct saip_pass *p)
{
    if (p->element.tag == SAIP_PE_MF)
        return SAIP_NO_DF;
    return p->def->needs == SAIP_NEEDS_MF ? 0 : p->adf;
}

int saip_template_files(struct saip_pass *p, struct span in)
{
    size_t base = element_base(p), first = base, here = base;
    struct tlv t;

    for (size_t i = 0; i < p->def->file_count; i++) {
        const struct saip_file_def *def = &p->def->files[i];
        uint32_t tag = saip_file_tag(i);
        const uint8_t *at = in.p;
        size_t before = p->df_count;

        int there = der_take_optional(&in, tag, &t);
        if (there < 0)
            return saip_bad(p, at, "not a TLV where %s may come", def->name);
        if (there == 0 && def->must)
            return saip_bad(p, at, "%s is missing", def->name);
        if (def->kind == SAIP_DF)
            here = SAIP_NO_DF;
        if (there == 0)
            continue;
        size_t df = def->kind != SAIP_DF ? here : i == 0 ? base : first;
        if (template_file(p, def, tag, df, t.value) != 0)
            return -1;
        if (def->kind == SAIP_DF && p->df_count > before) {
            here = before;
            if (i == 0)
                first = before;
        }
    }
    return in.n == 0 ? 0 : saip_bad(p, in.p, "file tag %02X is unknown, out "
                                    "of order or there twice", in.p[0]);
}

/* --- genericFileManagement ----------------------------------------------- */

static int gfm_path(struct saip_pass *p, struct span path, size_t *df)
{
    *df = path.n % 2 == 0 ? df_find(p, path) : SAIP_NO_DF;
    if (*df != SAIP_NO_DF)
        return 0;
    char hex[17];
    return saip_bad(p, path.p, "filePath %s is no directory made before",
                    hex_encode(path, hex, sizeof hex));
}

static int gfm_command(struct saip_pass *p, const struct tlv *t, size_t *df)
{
    switch (t->tag) {
    case SAIP_GFM_PATH:
        return file_end(p) != 0 ? -1 : gfm_path(p, t->value, df);
    case SAIP_GFM_FCP:
        if (file_end(p) != 0)
            return -1;
        return file_begin(p, NULL, 0, *df, t->whole.p, t->value);
    case SAIP_GFM_OFFSET:
        return file_offset(p, t->value);
    default:
        return file_write(p, t->value);
    }
}

int saip_gfm_files(struct saip_pass *p, struct span value)
{
    struct tlv list, t;

    while (der_next(&value, &list) == DER_OK) {
        size_t df = 0; /* the MF, until a filePath says otherwise */
        while (der_next(&list.value, &t) == DER_OK)
            if (gfm_command(p, &t, &df) != 0)
                return -1;
        if (file_end(p) != 0)
            return -1;
    }
    return 0;
}

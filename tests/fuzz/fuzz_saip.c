/* The walk over a profile package, and whatever it lets through: told to a
 * sink that looks at every octet, personalised, compared, walked again. */
#include <stdlib.h>
#include <string.h>

#include "tests/lab/saip/saip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ICCID "8988300000000000013"
#define IMSI "901991234567890"

static void must(bool holds)
{
    if (!holds)
        abort();
}

struct seen {
    struct span upp;
    size_t at, elements, files, naas;
    unsigned sum;
};

static void touch(struct seen *s, struct span octets)
{
    for (size_t i = 0; i < octets.n; i++)
        s->sum += octets.p[i];
}

/* The elements, one behind the other, are the package. */
static int on_element(void *ctx, const struct saip_element *x, struct err *e)
{
    struct seen *s = ctx;

    (void)e;
    must(x->index == s->elements++ && x->at == s->at &&
         x->whole.p == s->upp.p + s->at);
    s->at += x->whole.n;
    return 0;
}

static int on_file(void *ctx, const struct saip_file *f, struct err *e)
{
    struct seen *s = ctx;

    (void)e;
    must(f->path_len <= SAIP_PATH_MAX && f->element < s->elements);
    must(f->record_len == 0 || f->content.n % f->record_len == 0);
    touch(s, f->content);
    touch(s, f->df_name);
    touch(s, f->link);
    s->files++;
    return 0;
}

static int on_naa(void *ctx, const struct saip_naa *n, struct err *e)
{
    struct seen *s = ctx;

    (void)e;
    must(n->aid_len <= sizeof n->aid && n->k_len <= sizeof n->k);
    must(strlen(n->imsi) <= SAIP_IMSI_DIGITS);
    s->naas++;
    return 0;
}

static void personalise(struct span upp)
{
    AUTO(buf_clear) struct buf out = BUF_INIT;
    struct saip_ranges where;
    struct saip_profile p;
    struct iccid iccid;
    struct err e = ERR_INIT;

    must(iccid_parse(ICCID, &iccid) == 0);
    if (saip_personalise(upp, &iccid, IMSI, &out, &e) != 0)
        return;
    must(saip_walk(buf_span(&out), NULL, NULL, &p, &e) == 0);
    must(memcmp(p.iccid.o, iccid.o, sizeof iccid.o) == 0);
    must(saip_compare(upp, buf_span(&out), &where, &e) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct saip_sink sink = { on_element, on_file, on_naa };
    struct seen s = { .upp = SPAN(data, size) };
    struct saip_profile p;
    struct err e = ERR_INIT;

    if (saip_walk(s.upp, &sink, &s, &p, &e) != 0) {
        must(s.elements == 0 && e.code != ERR_NONE && e.msg[0] != '\0');
        return 0;
    }
    must(s.at == size && s.elements == p.elements && s.files == p.files &&
         s.naas == p.naas);
    personalise(s.upp);
    return 0;
}

#include "ui/sheet/code128.h"

#include <math.h>
#include <string.h>
#include <zint.h>

/* Rectangles are told in the size of a picture, which this breaks down. */
static int take_bars(const struct zint_symbol *s, struct code128 *out)
{
    const struct zint_vector *v = s->vector;
    double one = v && s->width > 0 ? (double)v->width / s->width : 0;

    *out = (struct code128){ .modules = s->width };
    for (const struct zint_vector_rect *r = v ? v->rectangles : NULL; r; r = r->next) {
        if (out->bars == CODE128_BARS_MAX || one <= 0)
            return -1;
        out->bar[out->bars].at = (int)lround(r->x / one);
        out->bar[out->bars++].width = (int)lround(r->width / one);
    }
    return out->bars > 0 ? 0 : -1;
}

int code128_make(const char *text, struct code128 *out, struct err *e)
{
    size_t n = strlen(text);

    if (n == 0 || n > CODE128_TEXT_MAX)
        return err_set(e, ERR_LIMIT, "a barcode has 1 to %d characters", CODE128_TEXT_MAX);
    for (const char *c = text; *c; c++)
        if (*c < 0x20 || *c > 0x7E)
            return err_set(e, ERR_FORMAT, "it has characters that scanners do not type "
                           "alike everywhere: letters without accents, digits and "
                           "punctuation go into a barcode");
    struct zint_symbol *s = ZBarcode_Create();
    if (!s)
        return err_set(e, ERR_NOMEM, "no memory for a barcode");
    s->symbology = BARCODE_CODE128;
    s->input_mode = DATA_MODE;
    s->show_hrt = 0;
    int rc = ZBarcode_Encode_and_Buffer_Vector(s, (unsigned char *)(uintptr_t)text, (int)n, 0);
    int bad = rc >= ZINT_ERROR || take_bars(s, out) != 0;
    if (rc == ZINT_ERROR_TOO_LONG)
        err_set(e, ERR_LIMIT, "it is too long for a barcode: 60 letters, or pairs of digits");
    else if (bad)
        err_set(e, ERR_INTERNAL, "no barcode was made of it: %.100s", s->errtxt);
    ZBarcode_Delete(s);
    return bad ? -1 : 0;
}

/* String descriptors (USB 2.0, 9.6.7): UTF-16 from a stranger, made fit to be
 * shown to a person. */
#include <stdbool.h>
#include <string.h>

#include "drivers/usb/internal.h"

#define STRING_WAIT_MS 1000
#define STRING_TYPE 3
#define ENGLISH 0x0409

/* Of each control, and of what turns the direction of the text around it, an
 * operator would be shown something else than what is there. */
static bool shown(uint32_t c)
{
    return c >= 0x20 && !(c >= 0x7f && c < 0xa0) && !(c >= 0x200b && c <= 0x200f) &&
           !(c >= 0x2028 && c <= 0x202e) && !(c >= 0x2060 && c <= 0x206f) &&
           c != 0xfeff && !(c >= 0xd800 && c < 0xe000);
}

static size_t utf8(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

static uint32_t next_char(struct span *in)
{
    uint32_t c = (uint32_t)(in->p[0] | in->p[1] << 8);

    *in = span_sub(*in, 2, in->n);
    if (c >= 0xd800 && c < 0xdc00 && in->n >= 2) {
        uint32_t low = (uint32_t)(in->p[0] | in->p[1] << 8);
        if (low >= 0xdc00 && low < 0xe000) {
            *in = span_sub(*in, 2, in->n);
            return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    return c;
}

/* A NUL ends it: some devices fill up with them. */
void string_text(struct span utf16, char *out, size_t cap)
{
    size_t at = 0;

    while (utf16.n >= 2) {
        uint32_t c = next_char(&utf16);
        char one[4];
        size_t n = c ? utf8(shown(c) ? c : '?', one) : 0;
        if (n == 0 || at + n >= cap)
            break;
        memcpy(out + at, one, n);
        at += n;
    }
    if (cap > 0)
        out[at] = '\0';
}

/* What follows the two octets of header: no more than the descriptor claims,
 * nor than came. */
struct span string_body(struct span descriptor)
{
    if (descriptor.n < 2 || descriptor.p[0] < 2 || descriptor.p[1] != STRING_TYPE)
        return SPAN(NULL, 0);
    return span_sub(descriptor, 2, (size_t)descriptor.p[0] - 2);
}

static struct span get(struct usb_handle *h, uint8_t index, uint16_t language,
                       uint8_t octets[255])
{
    size_t got = 0;

    if (usb_control(h, LIBUSB_ENDPOINT_IN, LIBUSB_REQUEST_GET_DESCRIPTOR,
                    (uint16_t)(STRING_TYPE << 8 | index), language, octets, 255,
                    &got, STRING_WAIT_MS, NULL) != 0)
        return SPAN(NULL, 0);
    return string_body(SPAN(octets, got));
}

void usb_string(struct usb_handle *h, uint8_t index, char *out, size_t cap)
{
    uint8_t octets[255];
    uint16_t language = ENGLISH;

    string_text(SPAN(NULL, 0), out, cap);
    if (index == 0)
        return;
    struct span languages = get(h, 0, 0, octets);
    if (languages.n >= 2)
        language = (uint16_t)(languages.p[0] | languages.p[1] << 8);
    string_text(get(h, index, language, octets), out, cap);
}

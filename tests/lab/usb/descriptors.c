#include "tests/lab/usb/descriptors.h"

enum { TYPE_CONFIGURATION = 2, TYPE_INTERFACE = 4, TYPE_ENDPOINT = 5 };

bool descriptor_next(struct span *in, struct span *out)
{
    if (in->n < 2 || in->p[0] < 2 || in->p[0] > in->n)
        return false;
    *out = SPAN(in->p, in->p[0]);
    *in = SPAN(in->p + out->n, in->n - out->n);
    return true;
}

struct span configuration_at(struct span all, unsigned index)
{
    for (;;) {
        size_t total;

        if (all.n < 9 || all.p[1] != TYPE_CONFIGURATION)
            /* One that is too short to be one is still what the device says. */
            return index == 0 ? all : SPAN(NULL, 0);
        total = (size_t)all.p[2] | (size_t)all.p[3] << 8;
        if (index == 0) {
            /* The last one may lie of its length. */
            bool another = total >= 9 && total + 9 <= all.n &&
                           all.p[total + 1] == TYPE_CONFIGURATION;
            return another ? SPAN(all.p, total) : all;
        }
        if (total < 9 || total >= all.n)
            return SPAN(NULL, 0);
        all = SPAN(all.p + total, all.n - total);
        index--;
    }
}

struct span configuration_of_value(struct span all, uint8_t value)
{
    for (unsigned i = 0;; i++) {
        struct span c = configuration_at(all, i);

        if (c.n == 0 || (c.n >= 6 && c.p[5] == value))
            return c;
    }
}

struct span interface_find(struct span configuration, uint8_t number,
                           int alternate)
{
    struct span d;

    while (descriptor_next(&configuration, &d))
        if (d.p[1] == TYPE_INTERFACE && d.n >= 9 && d.p[2] == number &&
            (alternate < 0 || d.p[3] == alternate))
            return d;
    return SPAN(NULL, 0);
}

bool endpoint_find(struct span configuration, uint8_t address,
                   struct span *endpoint, uint8_t *interface)
{
    struct span d;
    int now = -1;

    while (descriptor_next(&configuration, &d)) {
        if (d.p[1] == TYPE_INTERFACE && d.n >= 9)
            now = d.p[2];
        if (d.p[1] == TYPE_ENDPOINT && d.n >= 7 && now >= 0 &&
            d.p[2] == address) {
            *endpoint = d;
            *interface = (uint8_t)now;
            return true;
        }
    }
    return false;
}

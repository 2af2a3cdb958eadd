#include "tests/lab/usb/model.h"

void lab_urb_complete(struct lab_urb *u, enum lab_usb_status s, size_t actual)
{
    u->status = s;
    u->actual = actual < u->length ? actual : u->length;
    u->done(u);
}

#include "drivers/scanner/kernel.h"

#include <glob.h>
#include <stdio.h>

#include "drivers/scanner/hid.h"

bool kernel_report_descriptor(const char *path, uint8_t interface, struct buf *out)
{
    char pattern[160];
    glob_t found;
    FILE *f = NULL;

    snprintf(pattern, sizeof pattern,
             "/sys/bus/usb/devices/%s:*.%u/*/report_descriptor", path, interface);
    if (glob(pattern, 0, NULL, &found) == 0) {
        f = fopen(found.gl_pathv[0], "rbe");
        globfree(&found);
    }
    if (!f)
        return false;
    buf_reset(out);
    uint8_t *to = buf_reserve(out, HID_DESCRIPTOR_MAX);
    if (to)
        out->n = fread(to, 1, HID_DESCRIPTOR_MAX, f);
    fclose(f);
    return out->n > 0;
}

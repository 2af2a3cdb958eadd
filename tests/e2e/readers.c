/* readers DIR: a verdict on every reader whose descriptor dump is in DIR, as a
 * table, from the code that judges a device when it is plugged. The dumps are
 * made back into descriptors first. */
#include "drivers/ccid/descriptor.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_OCTETS 512

struct dump {
    uint8_t raw[54];
    struct usb_endpoint endpoints[3];
    struct usb_interface interface;
    bool in_class, complete;
};

/* Where each field of the class descriptor is, CCID 1.10 table 5.1-1. */
static const struct {
    const char *name;
    unsigned at, n;
} fields[] = {
    { "bLength", 0, 1 },         { "bDescriptorType", 1, 1 },
    { "bMaxSlotIndex", 4, 1 },   { "bVoltageSupport", 5, 1 },
    { "dwMaxIFSD", 28, 4 },      { "dwSynchProtocols", 32, 4 },
    { "dwMechanical", 36, 4 },   { "dwFeatures", 40, 4 },
    { "dwDataRate", 19, 4 },     { "dwMaxDataRate", 23, 4 },
    { "dwMaxCCIDMessageLength", 44, 4 },
    { "bPINSupport", 52, 1 },    { "bMaxCCIDBusySlots", 53, 1 },
    { "bNumClockSupported", 18, 1 }, { "bNumDataRatesSupported", 27, 1 },
};

static void put(uint8_t *p, unsigned n, unsigned long v)
{
    for (unsigned i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static bool key_is(const char *line, const char *key, const char **value)
{
    size_t n = strlen(key);

    while (*line == ' ')
        line++;
    if (strncmp(line, key, n) != 0 || line[n] != ':')
        return false;
    *value = line + n + 1;
    return true;
}

static unsigned long khz(const char *v)
{
    return (unsigned long)(strtod(v, NULL) * 1000 + 0.5);
}

static void class_field(struct dump *d, const char *line)
{
    const char *v;
    char *end;

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (key_is(line, fields[i].name, &v))
            put(d->raw + fields[i].at, fields[i].n, strtoul(v, NULL, 0));
    if (key_is(line, "dwProtocols", &v)) {
        unsigned long high = strtoul(v, &end, 16);
        put(d->raw + 6, 4, high << 16 | strtoul(end, NULL, 16));
    }
    if (key_is(line, "dwDefaultClock", &v))
        put(d->raw + 10, 4, khz(v));
    if (key_is(line, "dwMaximumClock", &v))
        put(d->raw + 14, 4, khz(v));
    if (key_is(line, "bMaxCCIDBusySlots", &v))
        d->complete = true;
}

static void interface_field(struct dump *d, const char *line)
{
    struct usb_interface *i = &d->interface;
    const char *v;

    if (key_is(line, "bInterfaceNumber", &v))
        i->number = (uint8_t)strtoul(v, NULL, 0);
    if (key_is(line, "bAlternateSetting", &v))
        i->alternate = (uint8_t)strtoul(v, NULL, 0);
    if (key_is(line, "bNumEndpoints", &v))
        i->endpoint_count = strtoul(v, NULL, 0);
    if (key_is(line, "bInterfaceClass", &v))
        i->class_code = (uint8_t)strtoul(v, NULL, 0);
    if (key_is(line, "bInterfaceSubClass", &v))
        i->subclass = (uint8_t)strtoul(v, NULL, 0);
    if (key_is(line, "bInterfaceProtocol", &v))
        i->protocol = (uint8_t)strtoul(v, NULL, 0);
}

/* A dump tells how many endpoints there are: three are bulk both ways and
 * interrupt, two are bulk both ways, one is the interrupt endpoint. */
static void make_endpoints(struct dump *d)
{
    static const struct usb_endpoint in = { 0x81, 2, 0, 64 },
                                     out = { 0x02, 2, 0, 64 },
                                     irq = { 0x83, 3, 10, 8 };
    size_t n = d->interface.endpoint_count;

    if (n > 3)
        n = 3;
    d->endpoints[0] = n == 1 ? irq : in;
    d->endpoints[1] = out;
    d->endpoints[2] = irq;
    d->interface.endpoint_count = n;
    d->interface.endpoints = d->endpoints;
    d->interface.extra = SPAN_ARRAY(d->raw);
}

static void row(const char *name, struct dump *d)
{
    struct err e = ERR_INIT;
    struct ccid_profile p;
    char speed[64] = "the reader's own";

    make_endpoints(d);
    if (ccid_descriptor_judge(&d->interface, &p, &e) != 0) {
        printf("| %s | %u | refused | | | | %s |\n", name,
               d->interface.number, e.msg);
        return;
    }
    if (p.fidi_max)
        snprintf(speed, sizeof speed, "%lu bit/s (TA1=%02X)",
                 (unsigned long)p.speed, p.fidi_max);
    printf("| %s | %u | %s | %s%s%s | %s | %u | %s |\n", name, p.interface,
           ccid_exchange_text(p.level), p.t0 ? "T=0" : "",
           p.t0 && p.t1 ? ", " : "", p.t1 ? "T=1" : "", speed, p.slots,
           p.notes);
}

static int one_file(const char *dir, const char *name)
{
    char path[1024], line[LINE_MAX_OCTETS], title[256];
    struct dump d = { .complete = false };
    int rows = 0;
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    snprintf(title, sizeof title, "%.*s", (int)(strlen(name) - 4), name);
    f = fopen(path, "r");
    if (!f)
        return -1;
    while (fgets(line, sizeof line, f)) {
        if (strstr(line, "idVendor:"))
            d = (struct dump){ .complete = false };
        if (strstr(line, "CCID Class Descriptor"))
            d.in_class = true;
        if (d.in_class)
            class_field(&d, line);
        else
            interface_field(&d, line);
        if (d.complete) {
            row(title, &d);
            d.complete = false;
            rows++;
        }
    }
    fclose(f);
    return rows;
}

static int is_dump(const struct dirent *de)
{
    size_t n = strlen(de->d_name);

    return n > 4 && strcmp(de->d_name + n - 4, ".txt") == 0;
}

static int by_octets(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

int main(int argc, char **argv)
{
    struct dirent **v;
    int bad = 0, n = argc == 2 ? scandir(argv[1], &v, is_dump, by_octets) : -1;

    if (n <= 0) {
        fprintf(stderr, "usage: readers DIR (with descriptor dumps)\n");
        return 2;
    }
    puts("| reader | interface | used at level | protocols | top speed | slots "
         "| remarks |");
    puts("| --- | --- | --- | --- | --- | --- | --- |");
    for (int i = 0; i < n; i++) {
        if (one_file(argv[1], v[i]->d_name) <= 0) {
            fprintf(stderr, "%s: no whole dump in there\n", v[i]->d_name);
            bad = 1;
        }
        free(v[i]);
    }
    free(v);
    return bad;
}

#include "tests/lab/euicc/meta.h"

#include "station/ifpp/tags.h"

#include <string.h>

#define TAG_PROVIDER 0x91
#define TAG_NAME 0x92
#define TAG_ICON_TYPE 0x93
#define TAG_ICON 0x94
#define TAG_CLASS 0x95
#define TAG_ADDRESSES 0xB6
#define TAG_RULES 0x99
#define TAG_EVENTS 0x80
#define TAG_ADDRESS 0x81

/* SGP.22 5.5.3: octets at most. */
#define PROVIDER_MAX 32
#define NAME_MAX_OCTETS 64
#define ICON_MAX 1024

/* pprUpdateControl(0), ppr1(1), ppr2(2) */
#define PPR1 0x40
#define PPR2 0x20

void event_put(struct buf *b, uint32_t tag, uint8_t events)
{
    uint8_t unused = 0;

    /* DER, named bits: trailing zero bits are left out. */
    while (unused < 7 && !(events >> unused & 1))
        unused++;
    uint8_t bits[2] = { events ? unused : 0, events };
    der_put(b, tag, SPAN(bits, events ? 2 : 1));
}

int event_read(struct span v, uint8_t *events)
{
    if (v.n < 1 || v.n > 2 || v.p[0] > 7 || (v.n == 1 && v.p[0] != 0))
        return -1;
    *events = v.n == 2 ? (uint8_t)(v.p[1] & 0xFF << v.p[0]) : 0;
    return 0;
}

int meta_next_address(struct span *addresses, uint8_t events,
                      struct span *address)
{
    struct tlv entry, ops, where;
    uint8_t has;

    while (der_take(addresses, TAG_SEQUENCE, &entry) == 0) {
        struct span in = entry.value;
        if (der_take(&in, TAG_EVENTS, &ops) == 0 &&
            der_take(&in, TAG_ADDRESS, &where) == 0 &&
            event_read(ops.value, &has) == 0 && has & events) {
            *address = where.value;
            return 1;
        }
    }
    return 0;
}

static int check_addresses(struct span list)
{
    struct tlv entry, ops, where;
    uint8_t has;

    while (list.n > 0) {
        if (der_take(&list, TAG_SEQUENCE, &entry) != 0)
            return -1;
        struct span in = entry.value;
        if (der_take(&in, TAG_EVENTS, &ops) != 0 ||
            event_read(ops.value, &has) != 0 ||
            der_take(&in, TAG_ADDRESS, &where) != 0 || where.value.n > 255 ||
            in.n != 0)
            return -1;
    }
    return 0;
}

static int read_class(struct span v, struct meta *m, struct err *e)
{
    uint64_t n;

    if (der_uint(v, &n) != 0)
        return err_set(e, ERR_FORMAT, "StoreMetadata: profile class");
    if (n > CLASS_OPERATIONAL)
        return err_set(e, ERR_LIMIT, "StoreMetadata: profile class %llu",
                       (unsigned long long)n);
    m->class = (enum profile_class)n;
    return 0;
}

int meta_read(struct span bf25, struct meta *out, struct err *e)
{
    struct meta m = { .class = CLASS_OPERATIONAL };
    struct tlv all, t, icon;
    uint8_t rules;

    if (der_take(&bf25, TAG_STORE_METADATA, &all) != 0 || bf25.n != 0)
        return err_set(e, ERR_FORMAT, "StoreMetadata: no single BF25");
    struct span in = all.value;
    if (der_take(&in, TAG_ICCID, &t) != 0 || t.value.n != sizeof m.iccid.o)
        return err_set(e, ERR_FORMAT, "StoreMetadata: ICCID");
    memcpy(m.iccid.o, t.value.p, sizeof m.iccid.o);
    if (der_take(&in, TAG_PROVIDER, &t) != 0 || t.value.n > PROVIDER_MAX)
        return err_set(e, ERR_FORMAT, "StoreMetadata: provider name");
    m.provider = t.value;
    if (der_take(&in, TAG_NAME, &t) != 0 || t.value.n > NAME_MAX_OCTETS)
        return err_set(e, ERR_FORMAT, "StoreMetadata: profile name");
    m.name = t.value;
    if (der_take_optional(&in, TAG_ICON_TYPE, &t) < 0 ||
        der_take_optional(&in, TAG_ICON, &icon) < 0 ||
        icon.value.n > ICON_MAX)
        return err_set(e, ERR_FORMAT, "StoreMetadata: icon");
    int rc = der_take_optional(&in, TAG_CLASS, &t);
    if (rc < 0)
        return err_set(e, ERR_FORMAT, "StoreMetadata: profile class");
    if (rc > 0 && read_class(t.value, &m, e) != 0)
        return -1;
    if (der_take_optional(&in, TAG_ADDRESSES, &t) < 0 ||
        check_addresses(t.value) != 0)
        return err_set(e, ERR_FORMAT, "StoreMetadata: notification addresses");
    m.addresses = t.value;
    /* Owner (B7), rules and what later versions add, in any number. */
    if (!der_well_formed(in))
        return err_set(e, ERR_FORMAT, "StoreMetadata: malformed");
    if (der_find(in, TAG_RULES, &t) == 1) {
        if (event_read(t.value, &rules) != 0)
            return err_set(e, ERR_FORMAT, "StoreMetadata: policy rules");
        m.no_disable = rules & PPR1;
        m.no_delete = rules & PPR2;
    }
    *out = m;
    return 0;
}

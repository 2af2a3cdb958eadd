/* Notifications that wait for an acknowledgement (SGP.22 5.7.9 to 5.7.11). */
#include "tests/lab/euicc/isdr.h"
#include "tests/lab/euicc/meta.h"

#include "station/ifpp/tags.h"

#define NOTHING_TO_DELETE 1

int fn_list_notification(struct isdr *r, struct span value, struct buf *out,
                         struct err *e)
{
    uint8_t events = EVENT_ALL;
    struct tlv filter;

    int rc = der_take_optional(&value, 0x81, &filter);
    if (rc < 0 || value.n != 0 ||
        (rc > 0 && event_read(filter.value, &events) != 0))
        return SW_WRONG_DATA;
    size_t m = der_open(out), list = der_open(out);
    if (store_notifications_put(r->s, NULL, events, true, out, e) != 0)
        return -1;
    der_close(out, 0xA0, list);
    der_close(out, TAG_LIST_NOTIFICATION, m);
    return SW_OK;
}

/* {A0 {80 seq}}, {A0 {81 events}} or {}. */
int fn_retrieve_notifications(struct isdr *r, struct span value,
                              struct buf *out, struct err *e)
{
    uint8_t events = EVENT_ALL;
    uint64_t seq;
    bool one = false;
    struct tlv search, by;

    int rc = der_take_optional(&value, 0xA0, &search);
    if (rc < 0 || value.n != 0)
        return SW_WRONG_DATA;
    if (rc > 0) {
        if (der_next(&search.value, &by) != DER_OK || search.value.n != 0)
            return SW_WRONG_DATA;
        one = by.tag == 0x80 && der_uint(by.value, &seq) == 0;
        if (!one &&
            (by.tag != 0x81 || event_read(by.value, &events) != 0))
            return SW_WRONG_DATA;
    }
    size_t m = der_open(out), list = der_open(out);
    if (store_notifications_put(r->s, one ? &seq : NULL, events, false, out,
                                e) != 0)
        return -1;
    der_close(out, 0xA0, list);
    der_close(out, TAG_RETRIEVE_NOTIFICATIONS, m);
    return SW_OK;
}

int fn_remove_notification(struct isdr *r, struct span value, struct buf *out,
                           struct err *e)
{
    struct tlv t;
    uint64_t seq;

    if (der_take(&value, 0x80, &t) != 0 || value.n != 0 ||
        der_uint(t.value, &seq) != 0)
        return SW_WRONG_DATA;
    int rc = store_notification_remove(r->s, seq, e);
    if (rc < 0)
        return -1;
    return put_result(out, TAG_REMOVE_NOTIFICATION,
                      rc ? 0 : NOTHING_TO_DELETE);
}

#include "station/line/golden.h"

#include "station/base/clock.h"

static int status_and_info(struct fpa_card *c, struct err *e)
{
    AUTO(buf_clear) struct buf raw = BUF_INIT;
    struct ifpp_status status;
    struct euicc_info2 info;

    if (fpa_card_status(c, &raw, &status, e) != 0)
        return -1;
    return fpa_card_info2(c, &raw, &info, e);
}

static int read_again(struct fpa_card *c, const struct eid *want, struct err *e)
{
    char text[2][EID_DIGITS + 1];
    struct eid got;

    if (fpa_card_eid(c, &got, e) != 0)
        return -1;
    if (eid_eq(&got, want))
        return 0;
    return err_set(e, ERR_FORMAT, "the eUICC said EID %s first, and then %s",
                   eid_format(want, text[0]), eid_format(&got, text[1]));
}

int golden_self_test(struct fpa_card *c, struct fixture *f, const struct eid *eid,
                     struct golden_test *out, struct err *e)
{
    const struct apdu_counters *n = apdu_counters(fpa_card_apdu(c));
    uint64_t total = 0;

    if (status_and_info(c, e) != 0)
        return -1;
    uint64_t before = n->apdus;
    for (int i = 0; i < GOLDEN_ROUNDS; i++) {
        int64_t began = clock_monotonic_us();
        if (read_again(c, eid, e) != 0)
            return -1;
        uint64_t took = (uint64_t)(clock_monotonic_us() - began);
        total += took;
        if (took > out->most_us)
            out->most_us = took;
    }
    out->apdus = n->apdus - before;
    out->mean_us = total / GOLDEN_ROUNDS;
    out->speed = fixture_speed(f);
    return 0;
}

/* T=1 against a card that says whatever the input says.
 *
 * Octet 0: bit 0 CRC, bit 1 IFSD 32 instead of 254, bits 2 on: exchanges less
 * one. Octet 1: IFSC. Octet 2: grant of time extensions. Octet 3: length of
 * the command. Then what comes, one after the other: an octet n and n octets
 * of block, whose check octets are put right when n is below 80; FE: damaged;
 * FF: silence. When the input ends, silence. */
#include "drivers/iso7816/t1.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x)     \
    do {             \
        if (!(x))    \
            abort(); \
    } while (0)

#define HEAD 4
#define SEALED 0x80
#define DAMAGED 0xfe
#define SILENCE 0xff
#define STEPS_MAX 20000

static void seal(uint8_t *b, size_t n, bool crc)
{
    uint16_t c = 0xffff;
    uint8_t x = 0;

    for (size_t k = 0; k < n; k++) {
        x ^= b[k];
        c ^= b[k];
        for (int bit = 0; bit < 8; bit++)
            c = (uint16_t)(c & 1 ? c >> 1 ^ 0x8408 : c >> 1);
    }
    b[n] = crc ? (uint8_t)~c : x;
    b[n + 1] = (uint8_t)(~c >> 8);
}

static enum t1_next feed(struct t1 *t, struct span *in, bool crc)
{
    uint8_t b[SILENCE + 2];
    uint8_t kind;
    size_t n;

    if (in->n == 0 || in->p[0] == SILENCE || in->p[0] == DAMAGED) {
        enum t1_input what = in->n != 0 && in->p[0] == DAMAGED ? T1_DAMAGED
                                                               : T1_SILENCE;
        *in = span_sub(*in, 1, in->n);
        return t1_receive(t, what, SPAN(NULL, 0));
    }
    kind = in->p[0];
    struct span body = span_sub(*in, 1, kind);
    *in = span_sub(*in, 1 + body.n, in->n);
    if (body.n != 0)
        memcpy(b, body.p, body.n);
    n = body.n;
    if (kind < SEALED) {
        seal(b, n, crc);
        n += crc ? 2 : 1;
    }
    return t1_receive(t, T1_BLOCK, SPAN(b, n));
}

static void check_block(const struct t1 *t, const struct t1_params *p)
{
    size_t edc = p->crc ? 2 : 1;
    uint8_t pcb = t->block[1], b[T1_BLOCK_MAX];

    CHECK(t->block_n >= 3 + edc && t->block_n <= T1_BLOCK_MAX);
    CHECK(t->block[0] == 0 && t->block_n == 3u + t->block[2] + edc);
    memcpy(b, t->block, t->block_n - edc);
    seal(b, t->block_n - edc, p->crc);
    CHECK(memcmp(b, t->block, t->block_n) == 0);
    /* Only I-blocks without RFU bits, R-blocks, IFS and RESYNCH requests, and
     * answers to IFS, ABORT and WTX. */
    CHECK((pcb & 0x9f) == 0 || (pcb & 0xec) == 0x80 || pcb == 0xc0 ||
          pcb == 0xc1 || pcb == 0xe1 || pcb == 0xe2 || pcb == 0xe3);
    CHECK(t->wtx >= 1 && t->wtx <= 255 && (t->wtx == 1 || pcb == 0xe3));
}

static void run_exchange(struct t1 *t, const struct t1_params *p,
                         struct span apdu, struct span *in)
{
    enum t1_next next = t1_begin(t, apdu);
    unsigned steps = 0, granted = 0;

    CHECK(next == T1_SEND || t->failure == T1_FAIL_USE);
    while (next == T1_SEND) {
        CHECK(++steps < STEPS_MAX);
        check_block(t, p);
        granted += t->block[1] == 0xe3 ? t->wtx : 0;
        CHECK(granted <= p->wtx_limit);
        next = feed(t, in, p->crc);
    }
    if (next == T1_DONE) {
        CHECK(t->response_n >= 2 && t->response_n <= T1_RESPONSE_MAX);
        CHECK(t1_alive(t));
    } else {
        CHECK(t->failure != T1_FAIL_NONE && t->response_n == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t apdu[256] = { 0 };
    struct t1 t;

    if (size < HEAD)
        return 0;
    const struct t1_params p = { data[1], data[0] & 2 ? 32 : 254, data[0] & 1,
                                 data[2] };
    struct span in = SPAN(data + HEAD, size - HEAD);

    t1_init(&t, &p);
    for (unsigned k = 0; k <= (unsigned)data[0] >> 2; k++) {
        run_exchange(&t, &p, SPAN(apdu, data[3]), &in);
        if (!t1_alive(&t))
            t1_init(&t, &p);
    }
    return 0;
}

/* fpa_apdus: commands for one load against the sum of ceil(length/255) over
 * its chains, computed here from the BPP's own octets. BPPs: a 30 KB one made
 * in shape, and every one in ../shared/data/vectors that is there.
 *
 * fpa_cpu: CPU time of one 30 KB load into an in-process card that answers
 * 9000 and at last a truly signed BF37. The limit is what nobody can avoid:
 * the same APDUs' octets copied and handed to the same transmit function, and
 * one verification of one signature. fpa_cpu_apdu is the same without the
 * verification on either side. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/obj_mac.h>

#include "station/fpa/load.h"
#include "station/ifpp/tags.h"
#include "tests/bench/bench.h"
#include "tests/lab/pki/keys.h"
#include "tests/lab/puppet_words.h"

#define PROFILE_OCTETS 30000
#define BLOCK 255
#define ROUNDS 40
#define LOADS 50 /* per round; the fastest round counts */

/* --- the card ------------------------------------------------------------ */

struct dumb_card {
    struct fixture base;
    unsigned blocks;      /* STORE DATAs seen in this load         */
    unsigned last;        /* at that one the result is given       */
    struct span result;   /* BF37 and 9000                         */
};

static int dumb_power_on(struct fixture *f, struct buf *atr, int ms, struct err *e)
{
    static const uint8_t good[] = { 0x3B, 0x00 };

    (void)f;
    (void)ms;
    (void)e;
    buf_reset(atr);
    buf_put_span(atr, SPAN_ARRAY(good));
    return 0;
}

static int dumb_transmit(struct fixture *f, struct span cmd, struct buf *rsp,
                         int ms, struct err *e)
{
    static const uint8_t ok[] = { 0x90, 0x00 };
    struct dumb_card *c = (struct dumb_card *)f;

    (void)ms;
    (void)e;
    buf_reset(rsp);
    if (cmd.p[1] == 0x70)
        buf_put_u8(rsp, 1);
    if (cmd.p[1] == 0xE2 && ++c->blocks == c->last)
        buf_put_span(rsp, c->result);
    else
        buf_put_span(rsp, SPAN_ARRAY(ok));
    return 0;
}

static void dumb_off(struct fixture *f)
{
    (void)f;
}

static const struct fixture_ops dumb_ops = { "dumb", NULL, dumb_power_on,
                                             dumb_transmit, dumb_off, dumb_off, NULL };

/* --- the floor, from the octets ------------------------------------------ */

/* Nothing of bpp_chains is used: BF36's header with BF23, A0 whole, A1's
 * header, each 88, A2 whole, A3's header, each 86 (binding, clause 4). */
static size_t blocks_of(size_t octets)
{
    return (octets + BLOCK - 1) / BLOCK;
}

static size_t floor_of_segments(const struct tlv *part)
{
    size_t n = blocks_of(part->whole.n - part->value.n);
    struct span in = part->value;
    struct tlv segment;

    while (der_next(&in, &segment) == DER_OK)
        n += blocks_of(segment.whole.n);
    return n;
}

static size_t floor_of(struct span octets)
{
    struct tlv whole, part;
    size_t n = 0;

    if (der_next(&octets, &whole) != DER_OK)
        bench_die("not a BPP");
    struct span in = whole.value;
    while (der_next(&in, &part) == DER_OK)
        switch (part.tag) {
        case TAG_INIT_SECURE_CHANNEL:
            n += blocks_of(whole.whole.n - whole.value.n + part.whole.n);
            break;
        case 0xA1:
        case 0xA3:
            n += floor_of_segments(&part);
            break;
        default:
            n += blocks_of(part.whole.n);
        }
    return n;
}

/* --- one load ------------------------------------------------------------ */

struct set {
    struct dumb_card card;
    struct buf octets, answer;
    struct bpp bpp;
    EVP_PKEY *key;
    struct fpa_card *fpa;
    size_t floor;
};

static void set_up(struct set *s)
{
    AUTO(ec_maker_free_p) struct ec_maker *maker = NULL;
    struct puppet_result result = { .installed = true, .seq = 1 };
    struct err e = ERR_INIT;

    if (bpp_parse(buf_span(&s->octets), &s->bpp, &e) != 0)
        bench_die("%s", e.msg);
    result.txid = s->bpp.txid;
    if (ec_maker_new(NID_X9_62_prime256v1, &maker, &e) != 0 ||
        !(s->key = ec_make(maker, &e)) ||
        puppet_put_result(&s->answer, s->key, &result, &e) != 0)
        bench_die("%s", e.msg);
    buf_put_u16(&s->answer, 0x9000);
    s->floor = floor_of(buf_span(&s->octets));
    s->card = (struct dumb_card){ .base = { &dumb_ops },
                                  .last = (unsigned)s->floor,
                                  .result = buf_span(&s->answer) };
    if (fpa_card_open(&s->card.base, NULL, &s->fpa, &e) != 0)
        bench_die("%s", e.msg);
}

static void take_down(struct set *s)
{
    fpa_card_close(s->fpa);
    EVP_PKEY_free(s->key);
    buf_clear(&s->octets);
    buf_clear(&s->answer);
}

static uint64_t load_once(struct set *s)
{
    const struct load_job job = { .bpp = &s->bpp, .euicc = s->key };
    struct load_result r;
    struct err e = ERR_INIT;

    s->card.blocks = 0;
    if (load_bpp(s->fpa, &job, &r, &e) != 0 || r.outcome != LOAD_INSTALLED)
        bench_die("load: %s", e.msg);
    uint64_t apdus = r.apdus;
    load_result_clear(&r);
    return apdus;
}

/* --- fpa_apdus ----------------------------------------------------------- */

struct tally {
    uint64_t sent, floor;
    unsigned loads;
};

static void count(struct set *s, struct tally *t)
{
    set_up(s);
    t->sent += load_once(s);
    t->floor += s->floor;
    t->loads++;
    take_down(s);
}

static void made(struct buf *octets)
{
    const struct txid t = { { 7 } };
    const struct iccid iccid = { { 0x98, 0x10, 0x30, 0x02, 0, 0, 0, 0, 0x10, 0xF4 } };

    puppet_put_bpp(octets, &t, &iccid, PROFILE_OCTETS);
}

static bool read_vector(const char *dir, const char *name, struct buf *out)
{
    size_t n = strlen(name);
    char path[4096];
    uint8_t part[4096];
    size_t got;

    if (n < 8 || strcmp(name + n - 8, ".bpp.der") != 0)
        return false;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    if (!f)
        bench_die("%s: cannot be read", path);
    while ((got = fread(part, 1, sizeof part, f)) > 0)
        buf_put(out, part, got);
    fclose(f);
    return true;
}

static void count_vectors(struct tally *t)
{
    const char *shared = getenv("LINESIDE_SHARED");
    char dir[2048];
    struct dirent *de;

    snprintf(dir, sizeof dir, "%s/data/vectors", shared ? shared : "../shared");
    DIR *d = opendir(dir);
    if (!d) {
        fprintf(stderr, "fpa_apdus: no %s, so by a made BPP only\n", dir);
        return;
    }
    while ((de = readdir(d))) {
        struct set s = { .octets = BUF_INIT, .answer = BUF_INIT };
        if (read_vector(dir, de->d_name, &s.octets))
            count(&s, t);
    }
    closedir(d);
}

static void bench_apdus(void)
{
    struct set s = { .octets = BUF_INIT, .answer = BUF_INIT };
    struct tally t = { 0, 0, 0 };

    made(&s.octets);
    count(&s, &t);
    count_vectors(&t);
    bench_emit("fpa_apdus", (double)t.sent / t.loads, "APDUs/load",
               (double)t.floor / t.loads, BENCH_COST);
}

/* --- fpa_cpu ------------------------------------------------------------- */

struct work {
    struct set *s;
    struct buf apdus; /* every command of the load, length in front */
    struct buf rsp;
    struct install_result proof;
    struct err e;
};

/* The commands as they will go out. */
static void write_apdus(struct work *w)
{
    struct bpp_chains it;
    struct span chain;

    bpp_chains_start(&it, &w->s->bpp);
    while (bpp_chains_next(&it, &chain))
        for (size_t at = 0; at < chain.n; at += BLOCK) {
            struct span block = span_sub(chain, at, BLOCK);
            bool last = at + block.n == chain.n;
            buf_put_u16(&w->apdus, (uint16_t)(5 + block.n + last));
            buf_put_u16(&w->apdus, 0x81E2);
            buf_put_u8(&w->apdus, last ? 0x91 : 0x11);
            buf_put_u8(&w->apdus, (uint8_t)(at / BLOCK));
            buf_put_u8(&w->apdus, (uint8_t)block.n);
            buf_put_span(&w->apdus, block);
            if (last)
                buf_put_u8(&w->apdus, 0);
        }
    if (!buf_ok(&w->apdus))
        bench_die("no memory");
}

static void bare_transmits(struct work *w)
{
    struct fixture *f = &w->s->card.base;
    uint8_t cmd[5 + BLOCK + 1];
    size_t at = 0;

    w->s->card.blocks = 0;
    while (at < w->apdus.n) {
        size_t n = (size_t)w->apdus.p[at] << 8 | w->apdus.p[at + 1];
        memcpy(cmd, w->apdus.p + at + 2, n);
        f->ops->transmit(f, SPAN(cmd, n), &w->rsp, 0, &w->e);
        at += 2 + n;
    }
}

static void bare_verification(struct work *w)
{
    if (sig_verify(w->s->key, &w->proof.data.whole, 1, w->proof.sign, &w->e) != 0)
        bench_die("%s", w->e.msg);
}

static void bare_load(struct work *w)
{
    bare_transmits(w);
    bare_verification(w);
}

static void whole_load(struct work *w)
{
    load_once(w->s);
}

static void chains_only(struct work *w)
{
    struct apdu *a = fpa_card_apdu(w->s->fpa);
    struct bpp_chains it;
    struct span chain;

    w->s->card.blocks = 0;
    bpp_chains_start(&it, &w->s->bpp);
    while (bpp_chains_next(&it, &chain))
        if (apdu_chain(a, chain, &w->rsp, NULL, &w->e) != 0)
            bench_die("%s", w->e.msg);
}

/* Rounds of the two kinds take turns, so that both see the same machine. */
static void race(const char *name, struct work *w, void (*ours)(struct work *),
                 void (*bare)(struct work *))
{
    int64_t a[ROUNDS], b[ROUNDS];

    for (int r = 0; r < ROUNDS; r++) {
        int64_t t0 = bench_cpu_ns();
        for (int i = 0; i < LOADS; i++)
            ours(w);
        int64_t t1 = bench_cpu_ns();
        for (int i = 0; i < LOADS; i++)
            bare(w);
        a[r] = t1 - t0;
        b[r] = bench_cpu_ns() - t1;
    }
    bench_emit(name, (double)bench_fastest(a, ROUNDS) / LOADS / 1000, "us/load",
               (double)bench_fastest(b, ROUNDS) / LOADS / 1000, BENCH_COST);
}

static void bench_cpu(void)
{
    struct set s = { .octets = BUF_INIT, .answer = BUF_INIT };
    struct work w = { .s = &s, .apdus = BUF_INIT, .rsp = BUF_INIT, .e = ERR_INIT };

    made(&s.octets);
    set_up(&s);
    write_apdus(&w);
    if (install_result_parse(SPAN(s.answer.p, s.answer.n - 2), &w.proof, &w.e) != 0)
        bench_die("%s", w.e.msg);
    race("fpa_cpu", &w, whole_load, bare_load);
    race("fpa_cpu_apdu", &w, chains_only, bare_transmits);
    buf_clear(&w.apdus);
    buf_clear(&w.rsp);
    take_down(&s);
}

int main(int argc, char **argv)
{
    static const struct bench all[] = {
        { "fpa_apdus", bench_apdus },
        { "fpa_cpu", bench_cpu },
    };

    return bench_main(argc, argv, all, sizeof all / sizeof *all);
}

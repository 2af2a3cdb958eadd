/* The reading thread streams records off the medium into slots; verification
 * threads prove a slot each; frames leave in order. The ring is the memory
 * bound: SLOTS slots of at most SLOT_OCTETS and one record more. */
#include "station/import/importer.h"

#include "station/container/reader.h"
#include "station/import/confine.h"
#include "station/import/frames.h"
#include "station/import/records.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLOT_RECORDS 64
#define SLOT_OCTETS (384 * 1024)
#define SLOTS_PER_THREAD 4
#define SLOTS_MAX 32
#define THREADS_MAX 8

enum slot_state { SLOT_FREE, SLOT_FULL, SLOT_TAKEN, SLOT_DONE };

struct slot {
    enum slot_state state;
    struct buf in;             /* records, one after the other */
    size_t end[SLOT_RECORDS];  /* where each ends in `in`      */
    size_t n;
    uint64_t first;            /* number of the first record   */
    struct buf frames;
    struct err err;
};

struct pipeline {
    const struct proof *proof;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct slot slot[SLOTS_MAX];
    size_t slots;
    size_t fill, take, drain; /* positions in the ring */
    bool stop;
    pthread_t thread[THREADS_MAX];
    size_t threads;
};

static void prove_slot(const struct proof *p, struct slot *s)
{
    size_t at = 0;

    for (size_t i = 0; i < s->n; i++) {
        struct span record = SPAN(s->in.p + at, s->end[i] - at);
        at = s->end[i];
        if (proof_record(p, record, &s->frames, &s->err) != 0) {
            err_wrap(&s->err, "record %llu",
                     (unsigned long long)(s->first + i));
            return;
        }
    }
}

static void *prover(void *arg)
{
    struct pipeline *p = arg;

    pthread_mutex_lock(&p->lock);
    for (;;) {
        struct slot *s = &p->slot[p->take];
        if (s->state == SLOT_FULL) {
            s->state = SLOT_TAKEN;
            p->take = (p->take + 1) % p->slots;
            pthread_mutex_unlock(&p->lock);
            prove_slot(p->proof, s);
            pthread_mutex_lock(&p->lock);
            s->state = SLOT_DONE;
            pthread_cond_broadcast(&p->changed);
        } else if (p->stop) {
            break;
        } else {
            pthread_cond_wait(&p->changed, &p->lock);
        }
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static int pipeline_start(struct pipeline *p, const struct proof *proof,
                          unsigned threads, struct err *e)
{
    memset(p, 0, sizeof *p);
    p->proof = proof;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    if (threads > THREADS_MAX)
        threads = THREADS_MAX;
    p->slots = (size_t)threads * SLOTS_PER_THREAD;
    for (; p->threads < threads; p->threads++)
        if (pthread_create(&p->thread[p->threads], NULL, prover, p) != 0)
            break;
    if (p->threads == 0)
        return err_set(e, ERR_NOMEM, "import process: no threads");
    return 0;
}

static void pipeline_end(struct pipeline *p)
{
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i < p->threads; i++)
        pthread_join(p->thread[i], NULL);
    for (size_t i = 0; i < p->slots; i++) {
        buf_clear(&p->slot[i].in);
        buf_clear(&p->slot[i].frames);
    }
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
}

/* Send the oldest slot's frames, once they are ready. */
static int drain_one(struct pipeline *p, struct err *e)
{
    struct slot *s = &p->slot[p->drain];

    pthread_mutex_lock(&p->lock);
    while (s->state != SLOT_DONE)
        pthread_cond_wait(&p->changed, &p->lock);
    pthread_mutex_unlock(&p->lock);
    if (s->err.code != ERR_NONE) {
        *e = s->err;
        return -1;
    }
    if (frame_write(IMPORTER_OUT_FD, buf_span(&s->frames), e) != 0)
        return -1;
    buf_reset(&s->in);
    buf_reset(&s->frames);
    s->n = 0;
    pthread_mutex_lock(&p->lock);
    s->state = SLOT_FREE;
    p->drain = (p->drain + 1) % p->slots;
    pthread_mutex_unlock(&p->lock);
    return 0;
}

static bool is_free(struct pipeline *p, const struct slot *s)
{
    pthread_mutex_lock(&p->lock);
    bool free_now = s->state == SLOT_FREE;
    pthread_mutex_unlock(&p->lock);
    return free_now;
}

static void publish(struct pipeline *p)
{
    pthread_mutex_lock(&p->lock);
    p->slot[p->fill].state = SLOT_FULL;
    p->fill = (p->fill + 1) % p->slots;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

static int on_record(void *ctx, uint64_t number, struct span record,
                     struct err *e)
{
    struct pipeline *p = ctx;
    struct slot *s = &p->slot[p->fill];

    /* The ring is full exactly when the slot to fill is the oldest. */
    if (!is_free(p, s) && drain_one(p, e) != 0)
        return -1;
    if (s->n == 0)
        s->first = number;
    buf_put_span(&s->in, record);
    if (!buf_ok(&s->in))
        return err_set(e, ERR_NOMEM, "out of memory");
    s->end[s->n++] = s->in.n;
    if (s->n == SLOT_RECORDS || s->in.n >= SLOT_OCTETS)
        publish(p);
    return 0;
}

static int read_records(const struct manifest *m, const struct proof *proof,
                        unsigned threads, struct err *e)
{
    struct pipeline p;
    int bad = -1;

    if (pipeline_start(&p, proof, threads, e) != 0)
        goto out;
    if (container_read_segments(IMPORTER_DIR_FD, m, on_record, &p, e) != 0)
        goto out;
    if (is_free(&p, &p.slot[p.fill]) && p.slot[p.fill].n > 0)
        publish(&p);
    while (!is_free(&p, &p.slot[p.drain]))
        if (drain_one(&p, e) != 0)
            goto out;
    bad = 0;
out:
    pipeline_end(&p);
    return bad;
}

static int send_manifest(struct span cms, const struct manifest *m,
                         struct span pinned_root, struct err *e)
{
    AUTO(buf_clear) struct buf der = BUF_INIT, frame = BUF_INIT;
    uint8_t sha[32];

    if (manifest_encode(m, &der, e) != 0)
        return -1;
    SHA256(cms.p, cms.n, sha);
    frame_put_header(&frame, FRAME_MANIFEST, 36 + pinned_root.n + der.n);
    buf_put(&frame, sha, sizeof sha);
    buf_put_u32(&frame, (uint32_t)pinned_root.n);
    buf_put_span(&frame, pinned_root);
    buf_put_span(&frame, buf_span(&der));
    if (!buf_ok(&frame))
        return err_set(e, ERR_NOMEM, "out of memory");
    return frame_write(IMPORTER_OUT_FD, buf_span(&frame), e);
}

static int trust_from(const struct blobs *roots, struct trust *t,
                      struct err *e)
{
    if (!t)
        return err_set(e, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < roots->n; i++)
        if (trust_add_root(t, buf_span(&roots->v[i]), e) != 0)
            return -1;
    return 0;
}

static int import_from_dir(const struct import_trust *it, struct err *e)
{
    AUTO(buf_clear) struct buf cms = BUF_INIT, root = BUF_INIT;
    AUTO(trust_free_p) struct trust *ci = trust_new();
    AUTO(trust_free_p) struct trust *dm = trust_new();
    AUTO(proof_free_p) struct proof *proof = NULL;
    AUTO(manifest_clear) struct manifest m;
    struct container_trust ct = { ci, dm, &it->allowed_smdp, it->at };

    manifest_init(&m);
    if (trust_from(&it->ci_roots, ci, e) != 0 || !dm)
        return -1;
    if (container_read_manifest(IMPORTER_DIR_FD, &cms, e) != 0)
        return -1;
    /* Before the first station-cert only the root's hash is known: the root
     * itself comes in the container and must have that hash. */
    if (it->dm_root.n > 0)
        buf_put_span(&root, buf_span(&it->dm_root));
    else if (manifest_pinned_root(buf_span(&cms), it->root_sha256, &root, e) !=
             0)
        return -1;
    if (trust_add_root(dm, buf_span(&root), e) != 0 ||
        manifest_verify(buf_span(&cms), &ct, &m, NULL, e) != 0 ||
        container_check_names(IMPORTER_DIR_FD, &m, e) != 0)
        return -1;
    if (send_manifest(buf_span(&cms), &m, buf_span(&root), e) != 0)
        return -1;
    if (m.kind == KIND_BPP_BUNDLE || m.kind == KIND_EUICC_DATA) {
        if (proof_new(it, ci, &m, &proof, e) != 0 ||
            read_records(&m, proof, it->threads, e) != 0)
            return -1;
    } else if (m.segment_count != 0) {
        return err_set(e, ERR_FORMAT, "a %s has no segments",
                       kind_name(m.kind));
    }
    return 0;
}

int importer_main(void)
{
    AUTO(buf_clear) struct buf in = BUF_INIT, out = BUF_INIT;
    struct import_trust trust = { 0 };
    enum frame_type type;
    struct err e = ERR_INIT;
    int bad = -1;

    close_range(IMPORTER_DIR_FD + 1, ~0u, 0);
    /* Anything OpenSSL would load from files later, it loads now. */
    OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
    int r = frame_read(IMPORTER_TRUST_FD, &type, &in, &e);
    if (r == 1 && type == FRAME_TRUST &&
        import_trust_parse(buf_span(&in), &trust, &e) == 0 &&
        confine_to_dir(IMPORTER_DIR_FD, &e) == 0)
        bad = import_from_dir(&trust, &e);
    else if (e.code == ERR_NONE)
        err_set(&e, ERR_USAGE, "the import process is started by `lineside "
                               "import`, not by hand");
    import_trust_clear(&trust);
    if (bad)
        frame_put_error(&out, &e);
    else
        frame_put_header(&out, FRAME_END, 0);
    if (frame_write(IMPORTER_OUT_FD, buf_span(&out), &e) != 0)
        return 3;
    return bad ? err_exit_code(e.code) : 0;
}

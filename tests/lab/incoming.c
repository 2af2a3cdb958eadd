#include "tests/lab/incoming.h"

#include "station/base/clock.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

static int prove(const struct world *w, enum container_kind kind, int64_t now,
                 struct incoming *in, struct err *e)
{
    AUTO(trust_free_p) struct trust *ci = NULL;
    AUTO(trust_free_p) struct trust *dm = NULL;

    if (world_trust(w, "ci/root", &ci, e) != 0 ||
        world_trust(w, "dm/root", &dm, e) != 0)
        return -1;
    struct container_trust t = { .ci = ci, .dm = dm, .at = now };
    if (manifest_verify(buf_span(&in->cms), &t, &in->m, &in->signer, e) != 0)
        return -1;
    if (in->m.kind != kind)
        return err_set(e, ERR_USAGE, "a %s, where a %s is wanted",
                       kind_name(in->m.kind), kind_name(kind));
    if (in->m.not_after < now) {
        char text[24];
        return err_set(e, ERR_EXPIRED, "was valid until %s; ask for a new one",
                       clock_text(in->m.not_after, text));
    }
    return 0;
}

int incoming_open(const struct world *w, const char *path,
                  enum container_kind kind, struct incoming *out,
                  struct err *e)
{
    struct incoming in = { .fd = -1 };

    manifest_init(&in.m);
    in.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (in.fd < 0)
        return err_errno(e, "%s", path);
    if (container_read_manifest(in.fd, &in.cms, e) != 0 ||
        prove(w, kind, clock_system(), &in, e) != 0 ||
        container_check_names(in.fd, &in.m, e) != 0) {
        incoming_close(&in);
        return err_wrap(e, "%s", path);
    }
    if (EVP_Q_digest(NULL, "SHA256", NULL, in.cms.p, in.cms.n, in.sha256,
                     NULL) != 1) {
        incoming_close(&in);
        return err_ossl(e, ERR_INTERNAL, "SHA-256 failed");
    }
    *out = in;
    return 0;
}

void incoming_close(struct incoming *in)
{
    if (in->fd > 0)
        close(in->fd);
    buf_clear(&in->cms);
    manifest_clear(&in->m);
    X509_free(in->signer);
    memset(in, 0, sizeof *in);
}

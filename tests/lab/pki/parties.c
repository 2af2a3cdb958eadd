#include "tests/lab/pki/parties.h"

#include "tests/lab/pki/issue.h"

#include <stdio.h>

static const char *const eum_eins[] = { WORLD_EIN, NULL };

/* In an order in which every issuer precedes what it issues. */
static const struct party {
    const char *name;
    const char *issuer; /* NULL: itself */
    struct issue issue;
} parties[] = {
    { "ci/root", NULL,
      { .role = ROLE_CI, .common_name = "Lab eSIM CA",
        .organisation = "Lineside Lab", .registered_id = "2.999.1" } },
    { "eum/eum", "ci/root",
      { .role = ROLE_EUM, .common_name = "Lab EUM",
        .organisation = "Lab EUM", .registered_id = "2.999.2",
        .eins = eum_eins } },
    { "eum/data", "eum/eum",
      { .role = ROLE_EUICC_DATA, .common_name = "Lab EUM eUICC data",
        .organisation = "Lab EUM", .registered_id = "2.999.2" } },
    { "dm/root", NULL,
      { .role = ISSUE_DM_ROOT, .common_name = "Lab Device Manufacturer root",
        .organisation = "Lab Device Manufacturer" } },
    { "dm/authority", "dm/root",
      { .role = ROLE_AUTHORITY, .common_name = "Lab authority",
        .organisation = "Lab Device Manufacturer",
        .serial_number = "dm-authority" } },
    { "dm/order", "dm/root",
      { .role = ROLE_ORDER, .common_name = "Lab order desk",
        .organisation = "Lab Device Manufacturer",
        .serial_number = "dm-order" } },
    { "dm/release", "dm/root",
      { .role = ROLE_RELEASE, .common_name = "Lab release desk",
        .organisation = "Lab Device Manufacturer",
        .serial_number = "dm-release" } },
    { "dm/recovery", "dm/root",
      { .role = ROLE_RECOVERY, .common_name = "Lab recovery desk",
        .organisation = "Lab Device Manufacturer",
        .serial_number = "dm-recovery" } },
};

static int make_party(const struct world *w, struct ec_maker *maker,
                      const char *name, const char *issuer_name,
                      const struct issue *what, struct err *e)
{
    AUTO(holder_clear) struct holder me = { NULL, NULL };
    AUTO(holder_clear) struct holder issuer = { NULL, NULL };
    AUTO(str_free_p) char *path = world_path(w, e, "%s", name);

    if (!path || (me.key = ec_make(maker, e)) == NULL)
        return -1;
    if (issuer_name && world_holder(w, issuer_name, &issuer, e) != 0)
        return -1;
    if (issue_cert(what, me.key, issuer_name ? &issuer : NULL, &me.cert, e) != 0)
        return -1;
    return holder_save(path, &me, e);
}

static int make_smdpf(const struct world *w, struct ec_maker *maker,
                      const struct world_smdpf *s, struct err *e)
{
    static const struct {
        const char *suffix;
        enum cert_role role;
    } certs[] = { { "dpauth", ROLE_DPAUTH }, { "dppb", ROLE_DPPB } };

    for (size_t i = 0; i < sizeof certs / sizeof *certs; i++) {
        char path[WORLD_NAME_MAX + 24], name[WORLD_NAME_MAX + 16];
        snprintf(path, sizeof path, "smdpf/%s/%s", s->name, certs[i].suffix);
        snprintf(name, sizeof name, "%s %s", s->name, certs[i].suffix);
        struct issue what = { .role = certs[i].role,
                              .common_name = name,
                              .organisation = "Lab SM-DPf",
                              .registered_id = s->oid };
        if (make_party(w, maker, path, "ci/root", &what, e) != 0)
            return -1;
    }
    return 0;
}

int parties_create(const struct world *w, struct err *e)
{
    AUTO(ec_maker_free_p) struct ec_maker *maker = NULL;

    if (ec_maker_new(w->curve, &maker, e) != 0)
        return -1;
    for (size_t i = 0; i < sizeof parties / sizeof *parties; i++)
        if (make_party(w, maker, parties[i].name, parties[i].issuer,
                       &parties[i].issue, e) != 0)
            return -1;
    for (size_t i = 0; i < w->smdpf_count; i++)
        if (make_smdpf(w, maker, &w->smdpf[i], e) != 0)
            return -1;
    return 0;
}

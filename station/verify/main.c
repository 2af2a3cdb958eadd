/* lineside-verify: the auditor's program. It links libcrypto and nothing
 * else, knows no ledger and no station, and believes two certificates: the
 * Device Manufacturer's root and the eSIM CA's. */
#include "station/base/clock.h"
#include "station/ifpp/cert.h"
#include "station/verify/subject.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUBJECTS_MAX 4096

struct job {
    struct trust *ci, *dm;
    struct container_trust trust;
    struct subject *subject; /* what is to be proven, first; then the rest */
    size_t asked, n;
    bool with_bundles, with_previous; /* --bundle, --previous were given */
    struct findings findings;
    bool json, imeis;
};

static const char usage_text[] =
    "usage: lineside-verify CONTAINER... --root CERT --ci CERT\n"
    "                       [--bundle DIR]... [--previous DIR]... [--imeis] [--json]\n\n"
    "Prove containers of a station: signer and role, segment hashes, the chain "
    "of\nevents, every eUICC signature, counts, and that nothing is missing "
    "between two\nvisits.\n\n"
    "  --root CERT     the Device Manufacturer's root certificate (PEM or DER)\n"
    "  --ci CERT       an eSIM CA root (PEM or DER); may be given again\n"
    "  --bundle DIR    a bpp-bundle the station was given, or a folder of them\n"
    "  --previous DIR  an earlier export, or a folder of them\n"
    "  --at TIME       judge certificates at this time (YYYYMMDDHHMMSSZ); "
    "default: their\n                  validity is not judged, evidence "
    "outlives certificates\n"
    "  --imeis         print which eUICC has which IMEI by a report\n"
    "  --json          print findings in JSON\n\n"
    "Exit code 0: all that was asked holds; 1: something does not, or what was "
    "given\nwith --bundle or --previous is not all that is needed; 2: usage; "
    "3: files.\n";

static int load_cert(struct trust *t, const char *path, struct err *e)
{
    BIO *b = BIO_new_file(path, "rb");
    X509 *c = b ? PEM_read_bio_X509(b, NULL, NULL, NULL) : NULL;

    if (b && !c && BIO_reset(b) == 0)
        c = d2i_X509_bio(b, NULL);
    BIO_free(b);
    if (!c)
        return err_ossl(e, ERR_IO, "%s is not a certificate that can be read",
                        path);
    unsigned char *der = NULL;
    int n = i2d_X509(c, &der);
    int bad = n > 0 ? trust_add_root(t, SPAN(der, (size_t)n), e)
                    : err_ossl(e, ERR_FORMAT, "%s", path);
    OPENSSL_free(der);
    X509_free(c);
    return bad;
}

static int add_subject(struct job *j, const char *path, struct err *e)
{
    if (j->n == SUBJECTS_MAX)
        return err_set(e, ERR_LIMIT, "more than %d containers", SUBJECTS_MAX);
    struct subject *v = realloc(j->subject, (j->n + 1) * sizeof *v);
    if (!v)
        return err_set(e, ERR_NOMEM, "out of memory");
    j->subject = v;
    if (subject_open(&v[j->n], path, &j->trust, e) != 0)
        return err_wrap(e, "%s", path);
    j->n++;
    return 0;
}

static bool has_manifest(const char *dir)
{
    char path[4096 + 16];
    struct stat st;

    snprintf(path, sizeof path, "%s/manifest.cms", dir);
    return lstat(path, &st) == 0;
}

/* A container, or a folder that holds containers of one of two kinds. */
static int add_folder(struct job *j, const char *dir, struct err *e)
{
    struct dirent *de;
    int bad = 0;

    if (has_manifest(dir))
        return add_subject(j, dir, e);
    DIR *d = opendir(dir);
    if (!d)
        return err_errno(e, "%s", dir);
    size_t before = j->n;
    while (!bad && (de = readdir(d))) {
        char path[4096];
        if (de->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", dir, de->d_name);
        if (has_manifest(path))
            bad = add_subject(j, path, e);
    }
    closedir(d);
    if (!bad && j->n == before)
        return err_set(e, ERR_NOT_FOUND, "%s holds no container", dir);
    return bad;
}

static bool log_asked(const struct job *j)
{
    for (size_t i = 0; i < j->asked; i++)
        if (j->subject[i].m.kind == KIND_AUDIT_LOG)
            return true;
    return false;
}

static void prove_report(struct job *j, const struct subject *s)
{
    struct findings *f = &j->findings;

    check_totals(s, f);
    check_bundles(s, j->subject, j->n, j->with_bundles, f);
    check_continuity(s, j->subject, j->n, j->with_previous, f);
    check_logs(s, j->subject, j->n, log_asked(j), f);
}

static int by_hash(const void *a, const void *b)
{
    const struct subject *x = *(struct subject *const *)a, *y = *(struct subject *const *)b;
    int c = memcmp(x->cms_sha256, y->cms_sha256, sizeof x->cms_sha256);

    return c ? c : (x > y) - (x < y);
}

/* The same folder may be given twice. */
static int mark_doubles(struct job *j)
{
    struct subject **v = calloc(j->n, sizeof *v);

    if (!v)
        return -1;
    for (size_t i = 0; i < j->n; i++)
        v[i] = &j->subject[i];
    qsort(v, j->n, sizeof *v, by_hash);
    for (size_t i = 1; i < j->n; i++)
        v[i]->again = memcmp(v[i]->cms_sha256, v[i - 1]->cms_sha256,
                             sizeof v[i]->cms_sha256) == 0;
    free(v);
    return 0;
}

static void prove(struct job *j)
{
    struct findings *f = &j->findings;
    struct subject *v = j->subject;

    for (size_t i = 0; i < j->n; i++) {
        findings_add(f, PROVEN, "%s: %s %s, number %llu, signed by %s, whose "
                                "certificate may sign this kind",
                     v[i].path, kind_name(v[i].m.kind), v[i].m.id,
                     (unsigned long long)v[i].m.sequence, v[i].m.issuer);
        check_records(&v[i], &j->trust, f);
    }
    check_restores(v, j->n, f);
    if (mark_doubles(j) != 0 || recount_shifts(v, j->n, j->asked) != 0) {
        findings_add(f, BROKEN, "no memory to count the shifts again; give less at once");
        return;
    }
    for (size_t i = 0; i < j->asked; i++) {
        if (!v[i].whole)
            continue; /* BROKEN already; half of it proves nothing */
        if (v[i].m.kind == KIND_LOADING_REPORT)
            prove_report(j, &v[i]);
        else if (v[i].m.kind == KIND_AUDIT_LOG)
            check_continuity(&v[i], v, j->n, j->with_previous, f);
        else if (v[i].m.kind == KIND_SHIFT_RECORD)
            check_shift(&v[i], v, j->n, log_asked(j), f);
        else if (v[i].m.kind == KIND_REPORT_RECEIPT)
            check_receipt(&v[i], v, j->n, f);
    }
}

static void print_table(const struct subject *s)
{
    if (s->m.kind != KIND_LOADING_REPORT)
        return;
    printf("\n%-36s %8s %8s %8s %8s %9s %9s %8s %8s %8s\n", "bundle",
           "received", "in stock", "reserved", "loading", "installed",
           "(deleted)", "failed", "quarant.", "voided");
    for (size_t i = 0; i < s->m.totals_count; i++) {
        const struct bundle_totals *t = &s->m.totals[i];
        printf("%-36s %8llu %8llu %8llu %8llu %9llu %9llu %8llu %8llu %8llu\n",
               t->id,
               (unsigned long long)t->received, (unsigned long long)t->in_stock,
               (unsigned long long)t->reserved, (unsigned long long)t->loading,
               (unsigned long long)t->installed, (unsigned long long)t->deleted,
               (unsigned long long)t->failed,
               (unsigned long long)t->quarantined,
               (unsigned long long)t->voided);
    }
}

static void print_json(const struct job *j, bool holds)
{
    printf("{\"holds\":%s,\"containers\":[", holds ? "true" : "false");
    for (size_t i = 0; i < j->asked; i++) {
        const struct subject *s = &j->subject[i];
        printf("%s{\"path\":", i ? "," : "");
        json_text(s->path);
        printf(",\"kind\":\"%s\",\"id\":\"%s\",\"issuer\":", kind_name(s->m.kind),
               s->m.id);
        json_text(s->m.issuer);
        printf(",\"sequence\":%llu,\"results\":%llu,\"installed\":%llu,"
               "\"failed\":%llu,\"failures\":%llu,\"receipts\":%llu,"
               "\"deletions\":%llu,\"voided\":%llu,\"quarantined\":%llu,"
               "\"imeis\":%zu",
               (unsigned long long)s->m.sequence,
               (unsigned long long)s->tally.results,
               (unsigned long long)s->tally.installed,
               (unsigned long long)s->tally.failed,
               (unsigned long long)s->tally.failures,
               (unsigned long long)s->tally.receipts,
               (unsigned long long)s->tally.deletions,
               (unsigned long long)s->tally.voided,
               (unsigned long long)s->tally.quarantined, s->imeis.n);
        if (j->imeis && s->m.kind == KIND_LOADING_REPORT) {
            printf(",\"units\":");
            imeis_print_json(&s->imeis);
        }
        putchar('}');
    }
    printf("],\"findings\":");
    findings_print_json(&j->findings);
    printf("}\n");
}

enum { OPT_ROOT = 256, OPT_CI, OPT_BUNDLE, OPT_PREVIOUS, OPT_AT, OPT_JSON, OPT_IMEIS,
       OPT_HELP, OPT_VERSION };

static const struct option options[] = {
    { "root", required_argument, NULL, OPT_ROOT },
    { "ci", required_argument, NULL, OPT_CI },
    { "bundle", required_argument, NULL, OPT_BUNDLE },
    { "previous", required_argument, NULL, OPT_PREVIOUS },
    { "at", required_argument, NULL, OPT_AT },
    { "json", no_argument, NULL, OPT_JSON },
    { "imeis", no_argument, NULL, OPT_IMEIS },
    { "help", no_argument, NULL, OPT_HELP },
    { "version", no_argument, NULL, OPT_VERSION },
    { 0 },
};

/* Options are read twice: trust first, since every container is judged by it,
 * whatever the order on the command line. Returns 0, or exit code + 1. */
static int read_trust(struct job *j, int argc, char **argv, struct err *e)
{
    for (int v; (v = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        int bad = 0;
        switch (v) {
        case OPT_ROOT:
            bad = load_cert(j->dm, optarg, e);
            break;
        case OPT_CI:
            bad = load_cert(j->ci, optarg, e);
            break;
        case OPT_AT:
            if (gtime_parse(optarg, &j->trust.at) != 0)
                bad = err_set(e, ERR_USAGE, "--at takes YYYYMMDDHHMMSSZ");
            break;
        case OPT_JSON:
            j->json = true;
            break;
        case OPT_IMEIS:
            j->imeis = true;
            break;
        case OPT_BUNDLE:
            j->with_bundles = true;
            break;
        case OPT_PREVIOUS:
            j->with_previous = true;
            break;
        case OPT_HELP:
            fputs(usage_text, stdout);
            return 1;
        case OPT_VERSION:
            puts("lineside-verify 0.1");
            return 1;
        case '?':
            fputs(usage_text, stderr);
            return 3;
        default:
            break;
        }
        if (bad) {
            fprintf(stderr, "lineside-verify: %s\n", e->msg);
            return err_exit_code(e->code) + 1;
        }
    }
    if (optind == argc || trust_count(j->dm) == 0 || trust_count(j->ci) == 0) {
        fprintf(stderr, "lineside-verify: a CONTAINER, --root and --ci are "
                        "needed\n%s", usage_text);
        return 3;
    }
    return 0;
}

static int open_all(struct job *j, int argc, char **argv, struct err *e)
{
    for (int i = optind; i < argc; i++)
        if (add_subject(j, argv[i], e) != 0)
            return -1;
    j->asked = j->n;
    optind = 0;
    for (int v; (v = getopt_long(argc, argv, "", options, NULL)) != -1;)
        if ((v == OPT_BUNDLE || v == OPT_PREVIOUS) &&
            add_folder(j, optarg, e) != 0)
            return -1;
    return 0;
}

static void print_all(const struct job *j, bool holds)
{
    if (j->json) {
        print_json(j, holds);
        return;
    }
    findings_print(&j->findings);
    for (size_t i = 0; i < j->asked; i++) {
        print_table(&j->subject[i]);
        if (j->imeis)
            imeis_print(&j->subject[i].imeis);
    }
    printf("\n%s\n", holds ? "All that was asked holds."
                           : "NOT EVERYTHING HOLDS: see BROKEN or MISSING "
                             "above.");
}

static int run(struct job *j, int argc, char **argv)
{
    struct err e = ERR_INIT;
    int end = read_trust(j, argc, argv, &e);

    if (end)
        return end - 1;
    if (open_all(j, argc, argv, &e) != 0) {
        /* A container that may not be believed, or not be read, is a finding
         * too, the only one: nothing is built on the others without it. */
        findings_add(&j->findings,
                     err_exit_code(e.code) == 1 ? BROKEN : MISSING, "%s",
                     e.msg);
        j->asked = 0;
        print_all(j, false);
        fprintf(stderr, "lineside-verify: %s\n", e.msg);
        return err_exit_code(e.code);
    }
    prove(j);
    bool holds = findings_hold(&j->findings);
    print_all(j, holds);
    return holds ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct job j = { .ci = trust_new(), .dm = trust_new() };

    if (!j.ci || !j.dm)
        return 3;
    j.trust = (struct container_trust){ j.ci, j.dm, NULL, 0 };
    int rc = run(&j, argc, argv);
    for (size_t i = 0; i < j.n; i++)
        subject_close(&j.subject[i]);
    free(j.subject);
    findings_clear(&j.findings);
    trust_free(j.ci);
    trust_free(j.dm);
    /* A proof that did not arrive must not look like one that did. */
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "lineside-verify: the answer could not be written; "
                        "nothing counts as proven\n");
        return 3;
    }
    return rc;
}

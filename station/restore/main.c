/* lineside-restore: the one program that opens a backup. It runs where the
 * recovery key is, on the machine that shall be the new station, and holds no
 * ledger of its own. */
#include "station/base/clock.h"
#include "station/base/start.h"
#include "station/identity/identity.h"
#include "station/restore/restore.h"

#include <getopt.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

static const char usage_text[] =
    "usage: lineside-restore BACKUP --key KEY --cert CERTS --root SHA256 --data DIR\n"
    "                        [--id STATION] [--json]\n\n"
    "Make a backup the ledger of a new station: proves who made it, opens it, "
    "proves\nthe ledger in it, makes a new station key, and begins the next "
    "epoch.\n\n"
    "  --key KEY      the Device Manufacturer's recovery key (PEM); its pass "
    "phrase is\n                 asked for\n"
    "  --cert CERTS   the recovery certificate first, then those above it, the "
    "Device\n                 Manufacturer's root among them (PEM)\n"
    "  --root SHA256  which root that must be, as typed at `lineside init`\n"
    "  --data DIR     the new station's data directory, not there yet or empty\n"
    "  --id STATION   the new station's id (default: LS- and 12 digits of its "
    "key id)\n"
    "  --json         answer in JSON\n\n"
    "Exit codes as lineside's: 0 done; 1 refused; 2 usage; 3 the machine or its "
    "files.\n";

struct args {
    struct restore_job job;
    const char *key, *cert, *root;
    bool json;
};

enum { OPT_KEY = 256, OPT_CERT, OPT_ROOT, OPT_DATA, OPT_ID, OPT_JSON, OPT_HELP,
       OPT_VERSION };

static const struct option options[] = {
    { "key", required_argument, NULL, OPT_KEY },
    { "cert", required_argument, NULL, OPT_CERT },
    { "root", required_argument, NULL, OPT_ROOT },
    { "data", required_argument, NULL, OPT_DATA },
    { "id", required_argument, NULL, OPT_ID },
    { "json", no_argument, NULL, OPT_JSON },
    { "help", no_argument, NULL, OPT_HELP },
    { "version", no_argument, NULL, OPT_VERSION },
    { 0 },
};

static int usage(const char *why)
{
    fprintf(stderr, "lineside-restore: %s\nTry: lineside-restore --help\n", why);
    return 3;
}

/* 0, or exit code + 1. */
static int read_args(struct args *a, int argc, char **argv)
{
    for (int v; (v = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (v) {
        case OPT_KEY: a->key = optarg; break;
        case OPT_CERT: a->cert = optarg; break;
        case OPT_ROOT: a->root = optarg; break;
        case OPT_DATA: a->job.data_dir = optarg; break;
        case OPT_ID: a->job.station = optarg; break;
        case OPT_JSON: a->json = true; break;
        case OPT_HELP: fputs(usage_text, stdout); return 1;
        case OPT_VERSION: puts("lineside-restore 0.1"); return 1;
        default: fputs(usage_text, stderr); return 3;
        }
    if (optind + 1 != argc || !a->key || !a->cert || !a->root || !a->job.data_dir)
        return usage("one BACKUP, --key, --cert, --root and --data are needed");
    a->job.backup = argv[optind];
    if (hex_decode(a->root, a->job.root_sha256, sizeof a->job.root_sha256) != 0)
        return usage("--root takes 64 hex digits: the SHA-256 of the Device "
                     "Manufacturer's root certificate (DER)");
    if (a->job.station && !identity_id_valid(a->job.station))
        return usage("--id takes 1 to 63 letters, digits, '-', '_' or '.'");
    return 0;
}

static int load_key(struct args *a, struct err *e)
{
    BIO *b = BIO_new_file(a->key, "rb");

    a->job.key = b ? PEM_read_bio_PrivateKey(b, NULL, NULL, NULL) : NULL;
    BIO_free(b);
    return a->job.key ? 0 : err_ossl(e, ERR_IO, "%s is not a private key that can "
                                     "be read", a->key);
}

/* The root leaves the chain and is what everything is judged by. */
static int take_root(struct args *a, X509 *c, bool *taken, struct err *e)
{
    uint8_t hash[32];
    unsigned char *der = NULL;

    cert_sha256(c, hash);
    *taken = memcmp(hash, a->job.root_sha256, sizeof hash) == 0;
    if (!*taken)
        return 0;
    int n = i2d_X509(c, &der);
    int bad = n > 0 ? trust_add_root(a->job.root, SPAN(der, (size_t)n), e)
                    : err_ossl(e, ERR_FORMAT, "%s", a->cert);
    OPENSSL_free(der);
    return bad;
}

static int load_certs(struct args *a, struct err *e)
{
    BIO *b = BIO_new_file(a->cert, "rb");
    X509 *c;
    int bad = b ? 0 : err_ossl(e, ERR_IO, "%s", a->cert);

    while (!bad && (c = PEM_read_bio_X509(b, NULL, NULL, NULL)) != NULL) {
        bool root = false;
        bad = take_root(a, c, &root, e);
        if (bad || root || sk_X509_push(a->job.recovery, c) <= 0)
            X509_free(c);
    }
    ERR_clear_error(); /* the end of the file is no error here */
    BIO_free(b);
    if (!bad && sk_X509_num(a->job.recovery) == 0)
        bad = err_set(e, ERR_IO, "%s holds no recovery certificate (PEM)", a->cert);
    if (!bad && trust_count(a->job.root) == 0)
        bad = err_set(e, ERR_TRUST, "%s does not hold the root whose SHA-256 was "
                      "given; compare that number, or add the root to the file",
                      a->cert);
    return bad;
}

static void print_text(const struct restore_result *r, const char *data_dir)
{
    char at[24], kid[65];

    printf("backup %llu of station %s, made %s, up to event %llu\n"
           "is now epoch %llu, the ledger of station %s in %s\n"
           "key id %s\n"
           "BPPs: %llu in stock, %llu were with a fixture, %llu installed\n"
           "Station %s is retired: switch it off, and have its certificate "
           "revoked.\nEach BPP in stock is checked on its own card before it is "
           "used.\nNext: lineside station-csr --data %s --to STICK\n",
           (unsigned long long)r->sequence, r->station_before,
           clock_text(r->created_at, at), (unsigned long long)r->last_event,
           (unsigned long long)r->epoch, r->station, data_dir,
           hex_encode(SPAN_ARRAY(r->key_id), kid, sizeof kid),
           (unsigned long long)r->stock.by_state[BPP_IN_STOCK],
           (unsigned long long)(r->stock.by_state[BPP_RESERVED] +
                                r->stock.by_state[BPP_LOADING]),
           (unsigned long long)r->stock.by_state[BPP_INSTALLED],
           r->station_before, data_dir);
}

/* Ids are plain text without quotes or backslashes where identity_id_valid
 * made them; the old one came with a certificate. */
static void print_json_text(const char *name, const char *s)
{
    printf("\"%s\":\"", name);
    for (; *s; s++)
        if (*s == '"' || *s == '\\')
            printf("\\%c", *s);
        else
            putchar(*s);
    printf("\",");
}

static void print_json(const struct restore_result *r)
{
    char kid[65];

    printf("{");
    print_json_text("backup", r->backup);
    print_json_text("stationBefore", r->station_before);
    print_json_text("station", r->station);
    print_json_text("keyId", hex_encode(SPAN_ARRAY(r->key_id), kid, sizeof kid));
    printf("\"sequence\":%llu,\"epoch\":%llu,\"lastEvent\":%llu,\"inStock\":%llu,"
           "\"installed\":%llu}\n", (unsigned long long)r->sequence,
           (unsigned long long)r->epoch, (unsigned long long)r->last_event,
           (unsigned long long)r->stock.by_state[BPP_IN_STOCK],
           (unsigned long long)r->stock.by_state[BPP_INSTALLED]);
}

static int run(struct args *a)
{
    struct restore_result r;
    struct err e = ERR_INIT;

    if (load_certs(a, &e) != 0 || load_key(a, &e) != 0 ||
        restore(&a->job, &r, &e) != 0) {
        fprintf(stderr, "lineside-restore: %s: nothing was restored: %s\n",
                a->job.backup, e.msg);
        return err_exit_code(e.code);
    }
    if (a->json)
        print_json(&r);
    else
        print_text(&r, a->job.data_dir);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    fprintf(stderr, "lineside-restore: it is done, but the answer could not be "
                    "written\n");
    return 3;
}

int main(int argc, char **argv)
{
    struct args a = { .key = NULL };

    program_start();
    int end = read_args(&a, argc, argv);
    if (end)
        return end - 1;
    a.job.root = trust_new();
    a.job.recovery = sk_X509_new_null();
    if (!a.job.root || !a.job.recovery)
        return 3;
    int rc = run(&a);
    EVP_PKEY_free(a.job.key);
    cert_stack_free(&a.job.recovery);
    trust_free(a.job.root);
    return rc;
}

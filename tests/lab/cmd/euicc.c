/* lineside-lab euicc, euicc-show: the world's software eUICCs, in sockets and
 * on paper. */
#include "tests/lab/cmd/lab.h"
#include "tests/lab/euicc/server.h"
#include "tests/lab/euicc/store.h"
#include "tests/lab/world.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define EIDS_MAX 100000

/* --- which chips --------------------------------------------------------- */

/* Sorted. */
struct eids {
    char (*v)[EID_DIGITS + 1];
    size_t n;
};

static void eids_clear(struct eids *l)
{
    free(l->v);
    *l = (struct eids){ NULL, 0 };
}

static int eids_add(struct eids *l, const char *digits, struct err *e)
{
    void *v = l->n < EIDS_MAX ? realloc(l->v, (l->n + 1) * sizeof *l->v)
                              : NULL;

    if (!v)
        return err_set(e, ERR_LIMIT, "too many eUICCs");
    l->v = v;
    memcpy(l->v[l->n], digits, EID_DIGITS);
    l->v[l->n++][EID_DIGITS] = '\0';
    return 0;
}

static int by_digits(const void *a, const void *b)
{
    return strcmp(a, b);
}

static int all_eids(const struct world *w, struct eids *out, struct err *e)
{
    AUTO(str_free_p) char *dir = world_path(w, e, "euicc");
    struct dirent *d;
    int rc = 0;

    if (!dir)
        return -1;
    DIR *all = opendir(dir);
    if (!all)
        return err_errno(e, "cannot read %s", dir);
    while (rc == 0 && (d = readdir(all)) != NULL)
        if (strspn(d->d_name, "0123456789") == EID_DIGITS &&
            strcmp(d->d_name + EID_DIGITS, ".db") == 0)
            rc = eids_add(out, d->d_name, e);
    closedir(all);
    if (rc == 0 && out->n > 0)
        qsort(out->v, out->n, sizeof *out->v, by_digits);
    return rc;
}

static int check_eid(const char *digits, struct err *e)
{
    struct eid eid;

    return eid_parse(digits, &eid) == 0
               ? 0
               : err_set(e, ERR_USAGE, "%s is no EID: 32 digits, modulo 97 "
                                       "must be 1", digits);
}

/* --- euicc --------------------------------------------------------------- */

struct serve_args {
    struct words eid, damaged;
    bool all;
    const char *listen, *connect, *fail_at, *cut_at;
    uint64_t delay_ms;
};

static const struct opt serve_opts[] = {
    { "--eid", OPT_LIST, offsetof(struct serve_args, eid), "EID...",
      "these eUICCs" },
    { "--all", OPT_FLAG, offsetof(struct serve_args, all), NULL,
      "all of the world's" },
    { "--listen", OPT_TEXT, offsetof(struct serve_args, listen), "DIR",
      "a Unix socket DIR/EID for each; until a signal ends it" },
    { "--connect", OPT_TEXT, offsetof(struct serve_args, connect),
      "HOST:PORT", "dial a virtual reader (vsmartcard); one EID" },
    { "--delay-ms", OPT_NUMBER, offsetof(struct serve_args, delay_ms), "N",
      "every APDU takes that long" },
    { "--fail-at", OPT_TEXT, offsetof(struct serve_args, fail_at),
      "N[:sw|:mute|:garbage|:endless61]",
      "APDU N of each card fails, once (6F00 unless said otherwise)" },
    { "--cut-at", OPT_TEXT, offsetof(struct serve_args, cut_at), "N[:before]",
      "power goes at APDU N of each card, once: its answer is lost, and with "
      ":before it is not processed either" },
    { "--damaged", OPT_LIST, offsetof(struct serve_args, damaged), "EID...",
      "these answer nonsense, ATR included" },
    OPT_END,
};

static const struct {
    const char *word;
    bool cut;
    enum card_fault fault;
} faults[] = {
    { "", false, CARD_FAULT_SW },
    { ":sw", false, CARD_FAULT_SW },
    { ":mute", false, CARD_FAULT_MUTE },
    { ":garbage", false, CARD_FAULT_GARBAGE },
    { ":endless61", false, CARD_FAULT_ENDLESS61 },
    { "", true, CARD_FAULT_CUT },
    { ":before", true, CARD_FAULT_CUT_BEFORE },
};

/* "N[:word]" */
static int read_fault(const char *text, bool cut, struct card_options *o,
                      struct err *e)
{
    char *end;

    if (!text)
        return 0;
    if (o->fault != CARD_FAULT_NONE)
        return err_set(e, ERR_USAGE, "--fail-at or --cut-at, not both");
    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    if (end == text || *text == '-' || errno || n == 0 || n > 1000000000)
        return err_set(e, ERR_USAGE, "\"%s\" does not begin with the number "
                                     "of an APDU, from 1", text);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (faults[i].cut == cut && strcmp(faults[i].word, end) == 0) {
            o->fault_at = (unsigned)n;
            o->fault = faults[i].fault;
            return 0;
        }
    return err_set(e, ERR_USAGE, "no such fault: \"%s\"", end);
}

static int choose(const struct world *w, const struct serve_args *a,
                  struct eids *out, struct err *e)
{
    if (a->all == (a->eid.n > 0))
        return err_set(e, ERR_USAGE, "either --all or --eid EID...");
    if (a->all)
        return all_eids(w, out, e);
    for (size_t i = 0; i < a->eid.n; i++)
        if (check_eid(a->eid.v[i], e) != 0 || eids_add(out, a->eid.v[i], e))
            return -1;
    return 0;
}

static bool listed(const struct words *w, const char *eid)
{
    for (size_t i = 0; i < w->n; i++)
        if (strcmp(w->v[i], eid) == 0)
            return true;
    return false;
}

/* "host:port"; the last colon divides. */
static int split_address(const char *text, char **host, char **port,
                         struct err *e)
{
    const char *colon = strrchr(text, ':');

    if (!colon || colon == text || !colon[1])
        return err_set(e, ERR_USAGE, "--connect HOST:PORT, not \"%s\"", text);
    *host = strndup(text, (size_t)(colon - text));
    *port = strdup(colon + 1);
    return *host && *port ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

static int insert(struct server *s, const struct world *w,
                  const struct serve_args *a, const char *eid,
                  struct card_options options, struct err *e)
{
    AUTO(str_free_p) char *db = world_path(w, e, "euicc/%s.db", eid);
    AUTO(str_free_p) char *host = NULL, *port = NULL, *socket_path = NULL;

    if (!db)
        return -1;
    options.damaged = listed(&a->damaged, eid);
    if (a->connect)
        return split_address(a->connect, &host, &port, e) == 0
                   ? server_connect(s, db, host, port, &options, e)
                   : -1;
    if (asprintf(&socket_path, "%s/%s", a->listen, eid) < 0) {
        socket_path = NULL;
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    return server_listen(s, db, socket_path, &options, e);
}

static int serve(const struct world *w, const struct serve_args *a,
                 struct err *e)
{
    AUTO(server_free_p) struct server *s = NULL;
    AUTO(eids_clear) struct eids eids = { NULL, 0 };
    struct card_options o = { .delay_ms = (unsigned)a->delay_ms };
    sigset_t ends;
    int sig;

    if (!a->listen == !a->connect)
        return err_set(e, ERR_USAGE, "either --listen DIR or --connect "
                                     "HOST:PORT");
    if (a->delay_ms > 600000)
        return err_set(e, ERR_USAGE, "--delay-ms: at most 600000");
    if (read_fault(a->fail_at, false, &o, e) != 0 ||
        read_fault(a->cut_at, true, &o, e) != 0 || choose(w, a, &eids, e) != 0)
        return -1;
    if (a->connect && eids.n != 1)
        return err_set(e, ERR_USAGE, "a virtual reader takes one card; name "
                                     "it with --eid");
    if (a->listen && mkdir(a->listen, 0755) != 0 && errno != EEXIST)
        return err_errno(e, "cannot make %s", a->listen);

    /* Before any thread: they must not take the signals that end us. */
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    if (server_new(&s, e) != 0)
        return -1;
    for (size_t i = 0; i < eids.n; i++)
        if (insert(s, w, a, eids.v[i], o, e) != 0)
            return err_wrap(e, "eUICC %s", eids.v[i]);
    printf("ready: %zu eUICC%s\n", eids.n, eids.n == 1 ? "" : "s");
    fflush(stdout);
    sigwait(&ends, &sig);
    return 0;
}

static int run_serve(int argc, char **argv, struct err *e)
{
    AUTO(words_clear) struct words rest = { NULL, 0 };
    AUTO(world_clear) struct world w = { .dir = NULL };
    struct serve_args a = { .all = false };

    int rc = opts_parse(&cmd_euicc, argc, argv, &a, &rest, 1, 1, e);
    if (rc == 0)
        rc = world_open(rest.v[0], &w, e);
    if (rc == 0)
        rc = serve(&w, &a, e);
    words_clear(&a.eid);
    words_clear(&a.damaged);
    return rc;
}

const struct command cmd_euicc = {
    "euicc", "WORLD --eid EID...|--all --listen DIR|--connect HOST:PORT",
    "Put software eUICCs behind sockets, in vsmartcard's framing.",
    serve_opts, run_serve,
};

/* --- euicc-show ---------------------------------------------------------- */

struct show_args {
    bool json;
    struct words upp;
};

static const struct opt show_opts[] = {
    { "--json", OPT_FLAG, offsetof(struct show_args, json), NULL,
      "for machines" },
    { "--upp", OPT_LIST, offsetof(struct show_args, upp), "ICCID FILE",
      "write the profile package that the chip holds" },
    OPT_END,
};

struct show {
    struct store *s;
    json_t *profiles;
};

static int show_profile(void *ctx, const struct store_profile *p,
                        struct err *e)
{
    struct show *x = ctx;
    AUTO(buf_clear) struct buf upp = BUF_INIT;
    char iccid[ICCID_DIGITS + 1], aid[33], hash[65];
    struct store_content c;
    uint8_t h[SHA256_DIGEST_LENGTH];

    if (store_profile_upp(x->s, &p->iccid, &upp, e) < 0 ||
        store_profile_content(x->s, &p->iccid, &c, e) != 0)
        return -1;
    SHA256(upp.p, upp.n, h);
    json_t *o = json_pack(
        "{s:s, s:s, s:s, s:I, s:s, s:I, s:I, s:I}", "iccid",
        iccid_format(&p->iccid, iccid), "aid",
        hex_encode(SPAN_ARRAY(p->aid), aid, sizeof aid), "state",
        p->enabled ? "enabled" : "disabled", "upp_size", (json_int_t)upp.n,
        "upp_sha256", hex_encode(SPAN_ARRAY(h), hash, sizeof hash),
        "elements", (json_int_t)c.elements, "files", (json_int_t)c.files,
        "naas", (json_int_t)c.naas);
    return json_array_append_new(x->profiles, o) == 0
               ? 0
               : err_set(e, ERR_NOMEM, "out of memory");
}

/* How many members a list of whole TLVs has. */
static size_t count(struct span list)
{
    struct tlv t;
    size_t n = 0;

    while (der_next(&list, &t) == DER_OK)
        n++;
    return n;
}

static int describe(struct store *s, json_t **out, struct err *e)
{
    AUTO(buf_clear) struct buf pending = BUF_INIT;
    const struct chip *chip = store_chip(s);
    struct show x = { s, json_array() };
    char eid[EID_DIGITS + 1];
    size_t keys = 0;
    bool closed = false;

    if (store_key_count(s, &keys, e) != 0 ||
        store_is_closed(s, &closed, e) != 0 ||
        store_notifications_put(s, NULL, 0xff, true, &pending, e) != 0 ||
        store_profiles_each(s, show_profile, &x, e) != 0) {
        json_decref(x.profiles);
        return -1;
    }
    *out = json_pack("{s:s, s:s, s:I, s:b, s:I, s:o}", "eid",
                     eid_format(&chip->eid, eid), "kind",
                     chip->kind == INFO2_IOT ? "iot" : "consumer",
                     "keys_left", (json_int_t)keys, "closed", (int)closed,
                     "notifications",
                     (json_int_t)count(buf_span(&pending)), "profiles",
                     x.profiles);
    return *out ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

static const char *text_of(json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

static void print_text(json_t *o)
{
    json_t *p;
    size_t i;

    printf("EID            %s (%s)\n", text_of(o, "eid"), text_of(o, "kind"));
    printf("one-time keys  %lld\n",
           (long long)json_integer_value(json_object_get(o, "keys_left")));
    printf("FPA services   %s\n",
           json_is_true(json_object_get(o, "closed")) ? "closed" : "open");
    printf("notifications  %lld\n",
           (long long)json_integer_value(json_object_get(o, "notifications")));
    json_array_foreach(json_object_get(o, "profiles"), i, p)
        printf("profile        %s %-8s %s\n", text_of(p, "iccid"),
               text_of(p, "state"), text_of(p, "upp_sha256"));
}

/* Printed ICCIDs are read as they are; test profiles often have a check digit
 * that does not hold. */
static int find_iccid(struct store *s, const char *digits, struct iccid *out,
                      struct err *e)
{
    size_t n = strlen(digits);

    if (n < 18 || n > ICCID_DIGITS || strspn(digits, "0123456789") != n)
        return err_set(e, ERR_USAGE, "%s is no ICCID", digits);
    memset(out->o, 0xff, sizeof out->o);
    for (size_t i = 0; i < n; i++) {
        uint8_t d = (uint8_t)(digits[i] - '0');
        uint8_t *o = &out->o[i / 2];
        *o = i % 2 ? (uint8_t)((*o & 0x0f) | d << 4)
                   : (uint8_t)((*o & 0xf0) | d);
    }
    struct store_profile p = { .enabled = false };
    int rc = store_profile_find(s, SPAN_ARRAY(out->o), &p, e);
    store_profile_clear(&p);
    return rc > 0   ? 0
           : rc < 0 ? -1
                    : err_set(e, ERR_NOT_FOUND, "the eUICC has no profile %s",
                              digits);
}

static int dump_upp(struct store *s, const struct words *w, struct err *e)
{
    AUTO(buf_clear) struct buf upp = BUF_INIT;
    struct iccid iccid;

    if (w->n != 2)
        return err_set(e, ERR_USAGE, "--upp ICCID FILE");
    if (find_iccid(s, w->v[0], &iccid, e) != 0 ||
        store_profile_upp(s, &iccid, &upp, e) < 0)
        return -1;
    FILE *f = fopen(w->v[1], "wb");
    if (!f)
        return err_errno(e, "cannot write %s", w->v[1]);
    bool wrote = fwrite(upp.p, 1, upp.n, f) == upp.n;
    if (fclose(f) != 0 || !wrote)
        return err_errno(e, "cannot write %s", w->v[1]);
    return 0;
}

static int show(const char *db, const struct show_args *a, struct err *e)
{
    struct store *s = NULL;
    json_t *o = NULL;

    int rc = store_open(db, &s, e);
    if (rc == 0 && a->upp.n > 0) {
        rc = dump_upp(s, &a->upp, e);
    } else if (rc == 0) {
        rc = describe(s, &o, e);
        if (rc == 0 && a->json) {
            json_dumpf(o, stdout, JSON_INDENT(2));
            putchar('\n');
        } else if (rc == 0) {
            print_text(o);
        }
    }
    json_decref(o);
    store_close(s);
    return rc;
}

static int run_show(int argc, char **argv, struct err *e)
{
    AUTO(words_clear) struct words rest = { NULL, 0 };
    AUTO(world_clear) struct world w = { .dir = NULL };
    AUTO(str_free_p) char *db = NULL;
    struct show_args a = { .json = false };

    int rc = opts_parse(&cmd_euicc_show, argc, argv, &a, &rest, 2, 2, e);
    if (rc == 0)
        rc = world_open(rest.v[0], &w, e);
    if (rc == 0)
        rc = check_eid(rest.v[1], e);
    if (rc == 0)
        rc = (db = world_path(&w, e, "euicc/%s.db", rest.v[1])) ? 0 : -1;
    if (rc == 0)
        rc = show(db, &a, e);
    words_clear(&a.upp);
    return rc;
}

const struct command cmd_euicc_show = {
    "euicc-show", "WORLD EID [--json] [--upp ICCID FILE]",
    "Print what a chip remembers: keys left, profiles, closed or not.",
    show_opts, run_show,
};

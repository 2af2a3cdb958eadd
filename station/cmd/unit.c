#include "station/cmd/cmd.h"

#include "station/base/clock.h"
#include "station/cmd/event_out.h"
#include "station/show/unit.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_SERIAL = 256, OPT_EID, OPT_ICCID, OPT_TXID, OPT_IMEI };

struct opts {
    enum show_unit_by only;
};

static int own(void *ctx, int val, const char *arg, struct err *e)
{
    static const enum show_unit_by by[] = { SHOW_UNIT_SERIAL, SHOW_UNIT_EID,
                                            SHOW_UNIT_ICCID, SHOW_UNIT_TXID,
                                            SHOW_UNIT_IMEI };
    enum show_unit_by only = by[val - OPT_SERIAL];
    struct opts *o = ctx;

    (void)arg;
    if (o->only && o->only != only)
        return err_set(e, ERR_USAGE, "only one of --serial, --eid, --iccid, "
                       "--txid and --imei can be asked for");
    o->only = only;
    return 0;
}

/* --- for people ------------------------------------------------------------------ */

static void print_failure(const struct life *l, const struct life_euicc *u)
{
    const char *code = u->position.last_code;
    const struct verdict_row *row = show_unit_verdict(code);
    const char *words = life_failure_words(l, u);

    if (!*code)
        return;
    printf("    last failure: %s%s%s\n", code, row ? ": " : "",
           row ? row->cause : "");
    if (words)
        printf("    detail: %s\n", words);
    if (row)
        printf("    next: %s\n", row->next);
}

static void print_bpp(const struct life_bpp *p)
{
    const struct bpp_info *b = &p->b;
    char txid[TXID_HEX + 1], iccid[ICCID_DIGITS + 1], at[24];

    printf("    ICCID %s  %s of %s: %s, %u load%s begun",
           iccid_format(&b->iccid, iccid), b->name, b->provider,
           bpp_state_name(b->state), b->attempts, b->attempts == 1 ? "" : "s");
    if (p->installed_at)
        printf(", installed %s", clock_text(p->installed_at, at));
    if (b->deleted)
        printf(", deleted %s",
               p->deleted_at ? clock_text(p->deleted_at, at) : "later");
    printf("\n      transaction %s, SM-DPf %s, bundle %s\n",
           txid_format(&b->txid, txid), b->smdp_oid, b->bundle);
}

static void print_euicc(const struct life *l, const struct life_euicc *u)
{
    const struct position *p = &u->position;
    char eid[EID_DIGITS + 1];

    printf("  %s: EID %s", u->registered ? p->name : "eUICC",
           eid_format(&p->eid, eid));
    if (p->imei[0])
        printf(", IMEI %s", p->imei);
    if (u->registered) {
        printf(", %s, %s", p->kind == EUICC_UNKNOWN ? "kind not known"
                                                    : euicc_kind_name(p->kind),
               position_state_name(p->state));
        if (p->keys_left >= 0)
            printf(", %lld one-time keys left", (long long)p->keys_left);
        printf("%s\n", p->closed ? ", closed" : ", not closed");
    } else {
        printf(l->registered ? ", taken out of it\n" : ", in no unit yet\n");
    }
    print_failure(l, u);
    if (u->bpp_count == 0)
        printf("    no BPP of it has come to this station\n");
    for (size_t i = 0; i < u->bpp_count; i++)
        print_bpp(&u->bpps[i]);
}

static void print_acknowledged(const struct life_evidence *v)
{
    char at[24];

    if (v->acknowledged)
        printf(", acknowledged by SM-DPf %s at %s", v->smdp,
               clock_text(v->acknowledged_at, at));
    else if (*v->smdp)
        printf(v->expected ? ", not acknowledged by SM-DPf %s yet"
                           : ", never acknowledged by SM-DPf %s, which is not on the "
                             "allow-list any more", v->smdp);
}

static void print_evidence(const struct life_evidence *v)
{
    char at[24];

    printf("%8llu  %s  %-24s", (unsigned long long)v->event,
           clock_text(v->at, at), life_evidence_what(v));
    if (v->size)
        printf(" %zu octets,", v->size);
    if (v->report_sequence)
        printf(" in loading report %llu (%s)",
               (unsigned long long)v->report_sequence, v->report);
    print_acknowledged(v);
    if (!v->report_sequence)
        printf(" waits for the next loading report");
    if (v->code[0])
        printf("  %s", v->code);
    if (v->detail[0])
        printf(": %s", v->detail);
    putchar('\n');
}

static int print_text(const struct life *l, struct err *e)
{
    struct event ev;

    if (l->registered)
        printf("unit %s\n", l->serial);
    else if (l->serial[0])
        printf("%s: no unit of this serial was ever registered\n", l->serial);
    else
        printf("an eUICC that was in no unit yet\n");
    for (size_t i = 0; i < l->euicc_count; i++)
        print_euicc(l, &l->euiccs[i]);
    printf("evidence:%s\n", l->evidence_count ? "" : " none");
    for (size_t i = 0; i < l->evidence_count; i++)
        print_evidence(&l->evidence[i]);
    printf("events:%s\n", l->event_count ? "" : " none");
    for (size_t i = 0; i < l->event_count; i++) {
        if (event_decode(buf_span(&l->events[i].der), &ev, e) != 0)
            return -1;
        event_print(&ev);
    }
    return 0;
}

/* --- the command -------------------------------------------------------------------- */

static int print_json(const struct life *l, struct err *e)
{
    json_t *all;

    if (show_unit(l, 0, &all, e) != 0)
        return -1;
    json_dumpf(all, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(all);
    return 0;
}

static int answer(const struct show_units *q, bool json, struct err *e)
{
    if (!json && q->n > 1)
        printf("This can be read in more than one way; all %zu that fit:\n\n",
               q->n);
    for (size_t i = 0; i < q->n; i++) {
        if (!json && i)
            putchar('\n');
        if ((json ? print_json(&q->v[i], e) : print_text(&q->v[i], e)) != 0)
            return -1;
    }
    return 0;
}

static int run(const struct command *self, int argc, char **argv)
{
    static const struct option options[] = {
        { "serial", no_argument, NULL, OPT_SERIAL },
        { "eid", no_argument, NULL, OPT_EID },
        { "iccid", no_argument, NULL, OPT_ICCID },
        { "txid", no_argument, NULL, OPT_TXID },
        { "imei", no_argument, NULL, OPT_IMEI },
        { 0 },
    };
    struct opts o = { .only = SHOW_UNIT_ANY };
    struct cmd_common c;
    struct err e = ERR_INIT;
    AUTO(show_units_clear) struct show_units q = { NULL, 0 };
    AUTO(db_close_p) struct db *db = NULL;

    int end = cmd_options(self, argc, argv, options, own, &o, &c);
    if (end)
        return end - 1;
    if (optind + 1 != argc)
        return cmd_usage(self, "one serial, EID, ICCID or transaction id, "
                               "or one IMEI, is expected");
    if (db_open(c.data_dir, DB_READ, NULL, &db, &e) != 0 ||
        show_unit_find(db, o.only, argv[optind], &q, &e) != 0 ||
        answer(&q, c.json, &e) != 0)
        return cmd_fail(self, &e);
    return 0;
}

const struct command cmd_unit = {
    "unit", "[--serial | --eid | --iccid | --txid | --imei] WHAT",
    "a unit's whole life, by its serial, EID, IMEI, ICCID or transaction id",
    "  --serial     WHAT is a serial, whatever it looks like\n"
    "  --eid        WHAT is an EID\n"
    "  --iccid      WHAT is the ICCID of a profile meant for it\n"
    "  --txid       WHAT is the transaction id of a profile meant for it\n"
    "  --imei       WHAT is the IMEI of one of its positions\n",
    run
};

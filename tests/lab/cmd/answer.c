/* lineside-lab answer: the SM-DPf answers a station's bpp-request. */
#include "tests/lab/cmd/lab.h"
#include "tests/lab/parallel.h"
#include "tests/lab/smdpf/answer.h"
#include "tests/lab/smdpf/book.h"

#include <stdio.h>
#include <stdlib.h>

#define DAY 86400

struct args {
    uint64_t threads, valid_days, size;
    bool no_ppk;
    const char *out;
};

static const struct opt opts[] = {
    { "--out", OPT_TEXT, offsetof(struct args, out), "DIR",
      "where the bpp-bundle shall appear" },
    { "--size", OPT_NUMBER, offsetof(struct args, size), "OCTETS",
      "of a generated profile, at least (default: about 6 KB)" },
    { "--no-ppk", OPT_FLAG, offsetof(struct args, no_ppk), NULL,
      "protect with session keys instead of random PPKs" },
    { "--valid-days", OPT_NUMBER, offsetof(struct args, valid_days), "N",
      "not-after of the bundle (default: 365)" },
    { "--threads", OPT_NUMBER, offsetof(struct args, threads), "N",
      "default: one per processor" },
    OPT_END,
};

static int answer(const char *dir, const char *request, const struct args *a,
                  struct err *e)
{
    AUTO(world_clear) struct world w = { .dir = NULL };
    AUTO(sql_close_p) struct sql *book = NULL;
    struct answered done;
    struct produce_order o = {
        .target_size = a->size,
        .session_keys = a->no_ppk,
        .valid_s = (int64_t)a->valid_days * DAY,
        .out = a->out,
        .threads = a->threads > PARALLEL_MAX ? PARALLEL_MAX
                                             : (unsigned)a->threads,
    };

    if (!a->out || a->valid_days > 36500)
        return err_set(e, ERR_USAGE, "--out DIR is needed; --valid-days is at "
                       "most 36500");
    if (world_open(dir, &w, e) != 0 || book_open(&w, &book, e) != 0 ||
        book_intake(&w, book, o.threads, e) != 0 ||
        smdpf_answer(&w, book, request, &o, &done, e) != 0)
        return -1;
    printf("request      %s of station %s%s%s%s%s\n", done.request, done.station,
           done.msp[0] ? ", MSP " : "", done.msp,
           done.profile[0] ? ", profile " : "", done.profile);
    printf("bpp-bundle   %s\n", done.made.container);
    printf("bound        %zu for %zu eUICCs\n", done.made.bpps, done.made.euiccs);
    free(done.made.container);
    return 0;
}

static int run(int argc, char **argv, struct err *e)
{
    AUTO(words_clear) struct words rest = { NULL, 0 };
    struct args a = { .valid_days = 365, .threads = parallel_threads() };

    if (opts_parse(&cmd_answer, argc, argv, &a, &rest, 2, 2, e) != 0)
        return -1;
    return answer(rest.v[0], rest.v[1], &a, e);
}

const struct command cmd_answer = {
    "answer", "WORLD BPP-REQUEST --out DIR",
    "Answer a station's bpp-request with a bpp-bundle for just its keys.",
    opts, run,
};

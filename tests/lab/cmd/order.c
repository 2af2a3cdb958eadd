/* lineside-lab order: the Device Manufacturer's order desk makes a work-order. */
#include "tests/lab/cmd/lab.h"
#include "tests/lab/pki/orders.h"

#include <stdio.h>
#include <stdlib.h>

#define DAY 86400

struct args {
    const char *site, *out, *number, *product, *serials;
    uint64_t quantity, valid_days;
    struct words station, recipe;
};

static const struct opt opts[] = {
    { "--station", OPT_LIST, offsetof(struct args, station), "KEYID...",
      "recipients: key ids of stations, 64 hex digits each" },
    { "--site", OPT_TEXT, offsetof(struct args, site), "ID",
      "recipient: a site, instead of stations" },
    { "--out", OPT_TEXT, offsetof(struct args, out), "DIR",
      "where the work-order shall appear" },
    { "--number", OPT_TEXT, offsetof(struct args, number), "NUMBER",
      "the order's number" },
    { "--product", OPT_TEXT, offsetof(struct args, product), "TEXT",
      "what is made (default: Device)" },
    { "--quantity", OPT_NUMBER, offsetof(struct args, quantity), "N",
      "how many units" },
    { "--serials", OPT_TEXT, offsetof(struct args, serials), "PATTERN",
      "of the units' serial numbers (default: *)" },
    { "--recipe", OPT_LIST, offsetof(struct args, recipe), "[POSITION:]RECIPE...",
      "for each position one (docs/formats/order.md)" },
    { "--valid-days", OPT_NUMBER, offsetof(struct args, valid_days), "N",
      "not-after; 0: expires this second (default: 365)" },
    OPT_END,
};

static int fill(const struct args *a, struct order_spec *s, struct err *e)
{
    *s = (struct order_spec){ .quantity = a->quantity };
    snprintf(s->number, sizeof s->number, "%s", a->number);
    snprintf(s->product, sizeof s->product, "%s", a->product);
    snprintf(s->serials, sizeof s->serials, "%s", a->serials);
    if (a->recipe.n > ORDER_POSITIONS_MAX)
        return err_set(e, ERR_USAGE, "at most %d recipes", ORDER_POSITIONS_MAX);
    for (; s->positions < a->recipe.n; s->positions++)
        if (order_recipe_parse(a->recipe.v[s->positions],
                               &s->recipe[s->positions], e) != 0)
            return -1;
    return order_check(s, e);
}

static int stations_read(const struct args *a, uint8_t (*out)[32], struct err *e)
{
    for (size_t i = 0; i < a->station.n; i++)
        if (hex_decode(a->station.v[i], out[i], 32) != 0)
            return err_set(e, ERR_USAGE, "\"%.80s\" is no station key id (64 hex "
                           "digits)", a->station.v[i]);
    return 0;
}

static int issue(const char *dir, const struct args *a, struct order_spec *spec,
                 uint8_t (*stations)[32], struct err *e)
{
    AUTO(world_clear) struct world w = { .dir = NULL };
    AUTO(str_free_p) char *container = NULL;
    struct desk_order o = {
        .spec = spec, .stations = (const uint8_t (*)[32])stations,
        .station_count = a->station.n, .site = a->site,
        .valid_s = (int64_t)a->valid_days * DAY, .out = a->out,
    };

    if (stations_read(a, stations, e) != 0 || fill(a, spec, e) != 0 ||
        world_open(dir, &w, e) != 0 || orders_issue(&w, &o, &container, e) != 0)
        return -1;
    printf("work-order   %s\n", container);
    return 0;
}

static int order(const char *dir, const struct args *a, struct err *e)
{
    if (!a->out || !a->number || (a->station.n > 0) == (a->site != NULL))
        return err_set(e, ERR_USAGE, "--out DIR, --number NUMBER and either "
                       "--station KEYID... or --site ID are needed");
    if (a->valid_days > 36500)
        return err_set(e, ERR_USAGE, "--valid-days is at most 36500");
    struct order_spec *spec = malloc(sizeof *spec);
    uint8_t (*stations)[32] = calloc(a->station.n + 1, sizeof *stations);
    int got = spec && stations ? issue(dir, a, spec, stations, e)
                               : err_set(e, ERR_NOMEM, "out of memory");
    free(stations);
    free(spec);
    return got;
}

static int run(int argc, char **argv, struct err *e)
{
    AUTO(words_clear) struct words rest = { NULL, 0 };
    struct args a = { .product = "Device", .serials = "*", .valid_days = 365 };
    int got = opts_parse(&cmd_order, argc, argv, &a, &rest, 1, 1, e);

    if (got == 0)
        got = order(rest.v[0], &a, e);
    words_clear(&a.station);
    words_clear(&a.recipe);
    return got;
}

const struct command cmd_order = {
    "order", "WORLD --number NUMBER --quantity N --recipe RECIPE --out DIR",
    "The Device Manufacturer's order desk signs a work-order.", opts, run,
};

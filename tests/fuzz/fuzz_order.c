/* Recipes and serial patterns, whatever stands in them: what is understood is
 * written and understood again as the same, and a pattern's match ends.
 *
 * The first line is a pattern, the second a serial, the rest a recipe. */
#include "station/ifpp/order.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x)     \
    do {             \
        if (!(x))    \
            abort(); \
    } while (0)

static void recipe(const char *text)
{
    static char once[ORDER_RECIPE_TEXT_MAX], again[ORDER_RECIPE_TEXT_MAX];
    static struct order_spec o;
    struct order_recipe r;
    struct err e = ERR_INIT;

    if (order_recipe_parse(text, &o.recipe[0], &e) != 0) {
        CHECK(e.code != ERR_NONE && e.msg[0]);
        return;
    }
    strcpy(o.number, "1");
    strcpy(o.product, "p");
    strcpy(o.serials, "*");
    o.quantity = o.positions = 1;
    if (order_check(&o, &e) != 0)
        return;
    order_recipe_text(&o.recipe[0], once);
    CHECK(order_recipe_parse(once, &r, &e) == 0);
    CHECK(strcmp(order_recipe_text(&r, again), once) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    CHECK(text);
    memcpy(text, data, size);
    text[size] = '\0';
    char *serial = strchr(text, '\n');
    if (serial) {
        *serial++ = '\0';
        char *rest = strchr(serial, '\n');
        if (rest) {
            *rest++ = '\0';
            recipe(rest);
        }
        if (serials_check(text, NULL) == 0)
            serials_match(text, serial);
    }
    free(text);
    return 0;
}

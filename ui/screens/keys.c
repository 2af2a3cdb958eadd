/* Help: every key and command barcode, from the table of actions. */
#include "ui/screens/screens.h"
#include "ui/widgets/parts.h"

#include <stdio.h>

/* Half of a wide screen each; one below the other on a narrow one. */
static void draw(struct grid *g, struct area a, const struct view *v)
{
    int barcode = 20, key = 6;

    for (size_t i = 0; i < action_count && (int)i < a.h; i++) {
        char text[64];
        int y = a.y + (int)i;
        grid_text(g, a.x + 1, y, key, TONE_HEAD, actions[i].key_name);
        snprintf(text, sizeof text, "%s%s", COMMAND_PREFIX, actions[i].barcode);
        grid_text(g, a.x + key + 2, y, barcode, TONE_DIM, text);
        int x = key + barcode + 2;
        grid_text(g, a.x + x, y, a.w - x, TONE_PLAIN, say(v, actions[i].help));
    }
}

static const struct part parts[] = {
    { head_draw, one_row },
    { draw, NULL },
    { message_draw, message_height },
    { keyline_draw, one_row },
};
const struct screen screen_keys = {
    "help", N_("Help"), N_("Keys and command barcodes."), parts,
    sizeof parts / sizeof *parts, NULL, 0, false, true, NULL, NULL
};

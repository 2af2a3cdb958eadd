/* What comes by the control socket, each line a message, on the operator's screen:
 * events, and replies as answers to each screen's question. Every screen is drawn
 * of it, small and large, and no cell holds what could move a terminal. */
#include "ui/model/model.h"
#include "ui/screens/screens.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void draw_all(const struct model *m)
{
    static const int sizes[][2] = { { 80, 24 }, { 7, 3 } };

    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        struct grid *g = grid_new(sizes[k][0], sizes[k][1]);
        for (size_t i = 0; g && i < screen_count; i++) {
            const struct desk d = { .lang = (enum lang)(i % LANGS), .what = "x" };
            screen_draw(screens[i], g, model_now(m), &d);
            for (int y = 0; y < g->rows; y++)
                for (int x = 0; x < g->cols; x++)
                    if (grid_at(g, x, y)->ch < ' ' || grid_at(g, x, y)->tone >= TONES)
                        abort();
        }
        grid_free(g);
    }
}

static void take(struct model *m, const char *line, size_t n)
{
    json_t *j = json_loadb(line, n, JSON_ALLOW_NUL, NULL);

    if (json_is_object(j) && json_object_get(j, "event"))
        model_apply(m, j);
    for (size_t i = 0; json_is_object(j) && !json_object_get(j, "event") && i < screen_count; i++)
        if (screens[i]->verb) {
            model_answer(m, screens[i]->name, j);
            draw_all(m);
        }
    if (json_is_object(j) && json_object_get(j, "acts")) { /* what is offered */
        model_may(m, j);
        draw_all(m);
    }
    /* And as the end of what each screen may have asked for that takes long. */
    for (size_t i = 0; json_is_object(j) && !json_object_get(j, "event") && i < screen_count; i++)
        for (size_t k = 0; screens[i]->does && k < screens[i]->does->deeds; k++) {
            if (!screens[i]->does->deed[k].job)
                continue;
            model_job_begin(m, screens[i]->name, screens[i]->does->deed[k].label, "x", 1);
            model_job_end(m, j);
            draw_all(m);
        }
    json_decref(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct model *m = model_new();
    const char *at = (const char *)data, *end = at + n;

    if (!m || n > 65536) {
        model_free(m);
        return 0;
    }
    model_clock(m, 1796041627, 3600);
    for (int lines = 0; at < end && lines < 64; lines++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((stop ? stop : end) - at);
        take(m, at, length);
        at += length + 1;
    }
    draw_all(m);
    model_free(m);
    return 0;
}

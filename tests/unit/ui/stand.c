#include "tests/unit/ui/stand.h"

#include <string.h>

struct stand stand_at(enum scene s, int lock_s)
{
    struct stand t = { .m = scene_model(s) };

    hands_init(&t.h, LANG_EN, lock_s);
    hands_look(&t.h, model_now(t.m));
    return t;
}

struct stand stand_on(enum scene s, const char *command)
{
    struct stand t = stand_at(s, 0);

    scan(&t, command);
    return t;
}

void press(struct stand *t, enum key k)
{
    hands_key(&t->h, model_now(t->m), 80, 24, k, &t->r);
    hands_look(&t->h, model_now(t->m));
}

void scan(struct stand *t, const char *text)
{
    while (*text) /* a tab is no blank here */
        hands_char(&t->h, model_now(t->m), (uint8_t)*text < 0x80 ? (uint32_t)*text++ : text_next(&text));
    press(t, K_ENTER);
}

void later(struct stand *t, int seconds)
{
    model_clock(t->m, SCENE_NOW + 4 + seconds, 0);
    hands_look(&t->h, model_now(t->m));
}

bool kept_nowhere(const struct stand *t, const char *text)
{
    size_t n = strlen(text);

    for (size_t i = 0; i + n <= sizeof t->h; i++)
        if (memcmp((const char *)&t->h + i, text, n) == 0)
            return false;
    return true;
}

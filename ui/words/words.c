#include "ui/words/words.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static const struct {
    const char *code, *name;
} langs[LANGS] = {
    [LANG_EN] = { "en", "English" },
    [LANG_ZH] = { "zh", "中文" },
    [LANG_DE] = { "de", "Deutsch" },
    [LANG_ES] = { "es", "Español" },
};

/* The Makefile says where msgfmt's files are. */
#ifndef WORDS_MO
#define WORDS_MO "build/release/ui/words/po"
#endif
#define CATALOGUE(name)                                                      \
    __asm__(".pushsection .rodata\n.balign 8\n"                              \
            ".local words_" #name "\nwords_" #name ":\n"                     \
            ".incbin \"" WORDS_MO "/" #name ".mo\"\n"                        \
            ".local words_" #name "_end\nwords_" #name "_end:\n"             \
            ".byte 0\n.popsection\n");                                       \
    extern const uint8_t words_##name[] __attribute__((visibility("hidden"))); \
    extern const uint8_t words_##name##_end[] __attribute__((visibility("hidden")))
CATALOGUE(zh);
CATALOGUE(de);
CATALOGUE(es);

bool lang_of(const char *name, enum lang *out)
{
    for (int l = 0; l < LANGS; l++)
        if (strncmp(name, langs[l].code, 2) == 0 &&
            (name[2] == '\0' || strchr("_-.@", name[2]))) {
            *out = (enum lang)l;
            return true;
        }
    return false;
}

const char *lang_code(enum lang l)
{
    return langs[(unsigned)l < LANGS ? l : LANG_EN].code;
}

const char *lang_name(enum lang l)
{
    return langs[(unsigned)l < LANGS ? l : LANG_EN].name;
}

/* --- gettext's MO files: two tables of (length, offset), by the English text --- */

#define MO_MAGIC 0x950412DEu

static uint32_t word_at(const uint8_t *mo, uint32_t at)
{
    uint32_t v;

    memcpy(&v, mo + at, sizeof v);
    return v;
}

static const char *text_at(const uint8_t *mo, uint32_t table, uint32_t i)
{
    return (const char *)mo + word_at(mo, table + 8 * i + 4);
}

static const char *look_up(const uint8_t *mo, size_t n, const char *text)
{
    if (n < 28 || word_at(mo, 0) != MO_MAGIC)
        return NULL;
    uint32_t from = word_at(mo, 12), to = word_at(mo, 16);
    uint32_t low = 0, high = word_at(mo, 8);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = strcmp(text, text_at(mo, from, middle));
        if (order == 0)
            return text_at(mo, to, middle);
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const char *words_find(enum lang l, const char *text)
{
    if (!*text || l == LANG_EN) /* the empty one is the catalogue's header */
        return l == LANG_EN ? text : NULL;
    return l == LANG_ZH ? look_up(words_zh, (size_t)(words_zh_end - words_zh), text)
         : l == LANG_DE ? look_up(words_de, (size_t)(words_de_end - words_de), text)
         : l == LANG_ES ? look_up(words_es, (size_t)(words_es_end - words_es), text)
                        : NULL;
}

const char *tr(enum lang l, const char *text)
{
    const char *there = words_find(l, text);

    return there ? there : text;
}

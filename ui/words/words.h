/* ui/words: every text of the screen, in four languages. The catalogues are
 * gettext's (po/), made by msgfmt and built in: libintl's language is the
 * process's and comes from locales that an appliance does not have, while here
 * drawing is a function of the language. */
#ifndef LINESIDE_UI_WORDS_H
#define LINESIDE_UI_WORDS_H

#include <stdbool.h>

enum lang { LANG_EN, LANG_ZH, LANG_DE, LANG_ES, LANGS };

/* "de", "de_DE.UTF-8", "zh-CN"; false: none of ours. */
bool lang_of(const char *name, enum lang *out);
const char *lang_code(enum lang l); /* "zh" */
const char *lang_name(enum lang l); /* in itself: "Deutsch" */

/* Marks text in tables for xgettext. */
#define N_(text) text
/* The English text's translation; itself where there is none. */
const char *tr(enum lang l, const char *text) __attribute__((format_arg(2)));
/* ... NULL where there is none. */
const char *words_find(enum lang l, const char *text);

#endif

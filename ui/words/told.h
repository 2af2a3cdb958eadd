/* ui/words/told: what the line tells in English sentences with figures and names
 * in them: refusals, and what stands against an order. */
#ifndef LINESIDE_UI_TOLD_H
#define LINESIDE_UI_TOLD_H

#include "ui/words/words.h"

#include <stddef.h>

/* The text in this language: as it is known, or as a sentence that is known but
 * for its figures. Else what a refusal of this code (NULL: it has none) means and
 * what to do, with the English text behind it; itself where even that is not
 * known. Cut at cap; what it returns is out. */
char *told(enum lang l, const char *code, const char *text, char *out, size_t cap);
/* What a refusal of this code means, and what to do; NULL: there is no such code. */
const char *told_code(const char *code);

#endif

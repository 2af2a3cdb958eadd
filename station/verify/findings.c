#include "station/verify/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *text, *json;
    bool holds;
} words[] = {
    [PROVEN] = { "proven", "proven", true },
    [BROKEN] = { "BROKEN", "broken", false },
    [MISSING] = { "MISSING", "missing", false },
    [NOT_PROVEN] = { "not proven", "not-proven", true },
};

void findings_add(struct findings *f, enum finding what, const char *fmt, ...)
{
    struct finding_line *v = realloc(f->v, (f->n + 1) * sizeof *v);
    va_list ap;

    if (!v) {
        f->lost = true;
        return;
    }
    f->v = v;
    v[f->n].what = what;
    va_start(ap, fmt);
    vsnprintf(v[f->n].text, sizeof v[f->n].text, fmt, ap);
    va_end(ap);
    f->n++;
}

void findings_clear(struct findings *f)
{
    free(f->v);
    *f = (struct findings){ 0 };
}

bool findings_hold(const struct findings *f)
{
    for (size_t i = 0; i < f->n; i++)
        if (!words[f->v[i].what].holds)
            return false;
    return !f->lost && f->n > 0;
}

void findings_print(const struct findings *f)
{
    for (size_t i = 0; i < f->n; i++)
        printf("  %-10s  %s\n", words[f->v[i].what].text, f->v[i].text);
}

void json_text(const char *s)
{
    putchar('"');
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

void findings_print_json(const struct findings *f)
{
    putchar('[');
    for (size_t i = 0; i < f->n; i++) {
        printf("%s{\"finding\":\"%s\",\"text\":", i ? "," : "",
               words[f->v[i].what].json);
        json_text(f->v[i].text);
        putchar('}');
    }
    putchar(']');
}

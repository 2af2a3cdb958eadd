#include "station/verify/imeis.h"

#include "station/verify/findings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int room(struct imeis *l)
{
    if (l->n < l->cap)
        return 0;
    size_t cap = l->cap ? 2 * l->cap : 64;
    char **v = realloc(l->v, cap * sizeof *v);
    if (!v)
        return -1;
    l->v = v;
    l->cap = cap;
    return 0;
}

int imeis_add(struct imeis *l, const struct report_record *r, const struct eid *eid)
{
    char digits[EID_DIGITS + 1] = "", line[3 * REPORT_TEXT_MAX];

    if (!r->imei.n)
        return 0;
    if (eid)
        eid_format(eid, digits);
    snprintf(line, sizeof line, "%.*s\t%s\t%.*s\t%.*s", (int)r->imei.n,
             (const char *)r->imei.p, digits, (int)r->serial.n,
             (const char *)r->serial.p, (int)r->position.n,
             (const char *)r->position.p);
    /* One unit's records follow each other, where no other's come between. */
    if (l->n && strcmp(l->v[l->n - 1], line) == 0)
        return 0;
    char *copy = strdup(line);
    if (!copy || room(l) != 0) {
        free(copy);
        return -1;
    }
    l->v[l->n++] = copy;
    return 0;
}

static int by_line(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void imeis_sort(struct imeis *l)
{
    size_t n = 0;

    if (l->n)
        qsort(l->v, l->n, sizeof *l->v, by_line);
    for (size_t i = 0; i < l->n; i++)
        if (n && strcmp(l->v[n - 1], l->v[i]) == 0)
            free(l->v[i]);
        else
            l->v[n++] = l->v[i];
    l->n = n;
}

void imeis_clear(struct imeis *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->v[i]);
    free(l->v);
    *l = (struct imeis){ NULL, 0, 0 };
}

/* --- printing ------------------------------------------------------------------- */

enum { IMEI, EID, SERIAL, POSITION, PARTS };

struct parts {
    char text[3 * REPORT_TEXT_MAX];
    const char *of[PARTS];
};

static void split(const char *line, struct parts *out)
{
    char *at = out->text;

    snprintf(out->text, sizeof out->text, "%s", line);
    for (int i = 0; i < PARTS; i++) {
        out->of[i] = at;
        at += strcspn(at, "\t");
        if (*at)
            *at++ = '\0';
    }
}

void imeis_print(const struct imeis *l)
{
    struct parts p;

    if (l->n)
        printf("\n%-15s  %-*s  %s\n", "IMEI", EID_DIGITS, "EID", "unit (position)");
    for (size_t i = 0; i < l->n; i++) {
        split(l->v[i], &p);
        printf("%s  %-*s  %s%s%s%s\n", p.of[IMEI], EID_DIGITS,
               *p.of[EID] ? p.of[EID] : "-", *p.of[SERIAL] ? p.of[SERIAL] : "-",
               *p.of[POSITION] ? " (" : "", p.of[POSITION],
               *p.of[POSITION] ? ")" : "");
    }
}

void imeis_print_json(const struct imeis *l)
{
    static const char *const names[PARTS] = { "imei", "eid", "serial", "position" };
    struct parts p;

    putchar('[');
    for (size_t i = 0; i < l->n; i++) {
        split(l->v[i], &p);
        for (int k = 0; k < PARTS; k++) {
            printf("%s\"%s\":", k ? "," : i ? ",{" : "{", names[k]);
            json_text(p.of[k]);
        }
        putchar('}');
    }
    putchar(']');
}

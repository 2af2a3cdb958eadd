#include "tests/unit/ui/golden.h"

#include "ui/cells/dump.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "tests/unit/ui/golden"
#define FILE_MAX (4u << 20)

void golden_add(struct buf *all, const struct grid *g, const char *heading)
{
    char number[16];

    buf_put(all, "== ", 3);
    buf_put(all, heading, strlen(heading));
    buf_put(all, "\n", 1);
    for (int y = 0; y < g->rows; y++) {
        buf_put(all, "|", 1);
        dump_text(g, y, all);
        buf_put(all, "\n", 1);
    }
    for (int y = 0; y < g->rows; y++) {
        AUTO(buf_clear) struct buf tones = BUF_INIT;
        dump_tones(g, y, &tones);
        if (tones.n == 0)
            continue;
        buf_put(all, number, (size_t)snprintf(number, sizeof number, "%d ", y));
        buf_put(all, tones.p, tones.n);
        buf_put(all, "\n", 1);
    }
    ck_assert(buf_ok(all));
}

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    char *text = calloc(1, FILE_MAX);

    if (f) {
        size_t n = fread(text, 1, FILE_MAX - 1, f);
        text[n] = '\0';
        fclose(f);
    }
    return text;
}

static void write_file(const char *path, const struct buf *b)
{
    FILE *f = fopen(path, "wb");

    ck_assert_msg(f != NULL, "%s cannot be written", path);
    fwrite(b->p, 1, b->n - 1, f);
    fclose(f);
}

/* Side by side, line for line, each change under its heading. */
static void print_difference(const char *name, const char *was, const char *is)
{
    const char *heading = "";
    int told = 0;

    fprintf(stderr, "%s (UPDATE=1 takes it as it is now):\n", name);
    while (*was || *is) {
        size_t a = strcspn(was, "\n"), b = strcspn(is, "\n");
        if (strncmp(is, "== ", 3) == 0)
            heading = is;
        if ((a != b || memcmp(was, is, a) != 0) && told++ < 60)
            fprintf(stderr, "  %.*s\n    was %.*s\n    is  %.*s\n", (int)strcspn(heading, "\n"),
                    heading, (int)a, was, (int)b, is);
        was += a + (was[a] == '\n');
        is += b + (is[b] == '\n');
    }
}

void golden_check(struct buf *all, const char *name)
{
    const char *update = getenv("UPDATE");
    char path[256];

    snprintf(path, sizeof path, FOLDER "/%s.txt", name);
    buf_put(all, "", 1);
    ck_assert(buf_ok(all));
    if (update && strcmp(update, "1") == 0) {
        write_file(path, all);
        return;
    }
    char *was = read_file(path);
    bool same = strcmp(was, (const char *)all->p) == 0;
    if (!same)
        print_difference(path, was, (const char *)all->p);
    free(was);
    ck_assert_msg(same, "%s is another", path);
}

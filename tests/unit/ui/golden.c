#include "tests/unit/ui/golden.h"

#include "ui/cells/dump.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "tests/unit/ui/golden"

/* The rows, each behind a bar; then the tones of those that have some. */
static void picture(const struct grid *g, struct buf *out)
{
    char number[16];

    for (int y = 0; y < g->rows; y++) {
        buf_put(out, "|", 1);
        dump_text(g, y, out);
        buf_put(out, "\n", 1);
    }
    for (int y = 0; y < g->rows; y++) {
        AUTO(buf_clear) struct buf tones = BUF_INIT;
        dump_tones(g, y, &tones);
        if (tones.n == 0)
            continue;
        buf_put(out, number, (size_t)snprintf(number, sizeof number, "%d ", y));
        buf_put(out, tones.p, tones.n);
        buf_put(out, "\n", 1);
    }
    buf_put(out, "", 1);
    ck_assert(buf_ok(out));
}

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    char *text = calloc(1, 1 << 20);

    if (f) {
        size_t n = fread(text, 1, (1 << 20) - 1, f);
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

/* Side by side, line for line. */
static void print_difference(const char *name, const char *was, const char *is)
{
    fprintf(stderr, "%s (UPDATE=1 takes it as it is now):\n", name);
    for (int n = 1; *was || *is; n++) {
        size_t a = strcspn(was, "\n"), b = strcspn(is, "\n");
        if (a != b || memcmp(was, is, a) != 0)
            fprintf(stderr, "  line %d\n    was %.*s\n    is  %.*s\n", n, (int)a, was, (int)b, is);
        was += a + (was[a] == '\n');
        is += b + (is[b] == '\n');
    }
}

void golden_check(const struct grid *g, const char *name)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    const char *update = getenv("UPDATE");
    char path[256];

    snprintf(path, sizeof path, FOLDER "/%s.txt", name);
    picture(g, &b);
    if (update && strcmp(update, "1") == 0) {
        write_file(path, &b);
        return;
    }
    char *was = read_file(path);
    bool same = strcmp(was, (const char *)b.p) == 0;
    if (!same)
        print_difference(path, was, (const char *)b.p);
    free(was);
    ck_assert_msg(same, "%s is another", path);
}

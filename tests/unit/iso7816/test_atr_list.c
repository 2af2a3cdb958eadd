/* Every answer to reset in the list of Debian's pcsc-tools: some four thousand
 * cards that people have held in their hands. Each is taken, or refused for a
 * reason that the table below knows and answers for.
 *
 * The entries are regular expressions. A wildcard digit becomes 1 (0 would be
 * RFU in most parameters); when TCK then does not add up, the last octet that
 * had a wildcard is changed until it does, since the list cannot say which of
 * its values was seen. Entries whose wildcard hides the structure itself (T0,
 * TDi) are counted apart. VERBOSE=1 lists what is refused. */
#include "drivers/iso7816/atr.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST "/usr/share/pcsc/smartcard_list.txt"
#define OCTETS_MAX 64

/* What is refused, how many at most, and why that holds. The figures are
 * those of pcsc-tools 1.6.2 (Debian 12); another list may have more. */
static const struct expected {
    enum atr_verdict verdict;
    unsigned at_most;
    const char *why;
} expected[] = {
    { ATR_TRAILING, 40,
      "8.2.1: the answer ends with its historical octets or TCK. Status words, "
      "noise or a second answer read along; 9 begin with an answer that the "
      "list has whole" },
    { ATR_NO_TCK, 30,
      "8.2.5: TCK is due with any type but T=0; 5 are cut copies of answers "
      "that the list has whole" },
    { ATR_CUT, 30,
      "8.2.2: fewer octets than T0 and TDi announce; 10 are cut copies of "
      "answers that the list has whole" },
    { ATR_BAD_TCK, 25,
      "8.2.5: the octets do not add up: misread or mistyped; 8 differ in one "
      "or two octets from an answer that the list has whole" },
    { ATR_NO_PROTOCOL, 15,
      "T=14 alone: pay-television cards with a protocol of their own" },
    { ATR_T15_ALONE, 4,
      "8.2.3: T=15 is no protocol and cannot come first. A USB token's own "
      "pseudo-answer, and one line of noise" },
    { ATR_BAD_TA2, 4,
      "8.3: specific mode with Fi and Di that are RFU, so that the length of "
      "a bit is unknown (2), or with a wildcard for TA2 itself (1)" },
};

struct entry {
    uint8_t octets[OCTETS_MAX];
    bool wild[OCTETS_MAX];
    size_t n;
};

struct tally {
    unsigned all, good, odd, hidden, refused[ATR_VERDICTS];
    unsigned oddities[8];
};

/* One digit of the expression: hex, '.', or a set such as [1,3] or [0-9],
 * of which the first is taken. -1: no digit. */
static int digit(const char **at, bool *wild)
{
    const char *p = *at;
    int v;

    if (*p == '[') {
        const char *end = strchr(p, ']');
        char c = p[1];
        if (!end || !isxdigit((unsigned char)c))
            return -1;
        *at = end + 1;
        *wild = true;
        return (int)strtol((char[]){ c, 0 }, NULL, 16);
    }
    if (*p == '.')
        *wild = true;
    else if (!isxdigit((unsigned char)*p))
        return -1;
    v = *p == '.' ? 1 : (int)strtol((char[]){ *p, 0 }, NULL, 16);
    *at = p + 1;
    return v;
}

/* False: not an entry. ".*" stands for nothing here. */
static bool read_entry(const char *line, struct entry *e)
{
    memset(e, 0, sizeof *e);
    while (*line && *line != '\n' && *line != '\r') {
        int hi, lo;
        if (*line == ' ') {
            line++;
        } else if (line[0] == '.' && line[1] == '*') {
            line += 2;
        } else if (e->n == OCTETS_MAX ||
                   (hi = digit(&line, &e->wild[e->n])) < 0 ||
                   (lo = digit(&line, &e->wild[e->n])) < 0) {
            return false;
        } else {
            e->octets[e->n++] = (uint8_t)(hi << 4 | lo);
        }
    }
    return e->n > 0;
}

/* The wildcard stands in TS, T0 or a TDi that is in the way. */
static bool structure_hidden(const struct entry *e)
{
    size_t at = 1;

    if (e->wild[0] || e->wild[1])
        return true;
    while (at < e->n) {
        if (e->wild[at])
            return true;
        uint8_t y = e->octets[at] >> 4;
        if (!(y & 8))
            return false;
        at += (size_t)(y & 1) + (y >> 1 & 1) + (y >> 2 & 1) + 1;
    }
    return false;
}

static enum atr_verdict judge(struct entry *e, struct atr *a)
{
    enum atr_verdict v = atr_judge(SPAN(e->octets, e->n), a);
    uint8_t sum = 0;

    if (v != ATR_BAD_TCK && v != ATR_TRAILING)
        return v;
    for (size_t k = 1; k < e->n; k++)
        sum ^= e->octets[k];
    for (size_t k = e->n; k-- > 0;)
        if (e->wild[k]) {
            e->octets[k] ^= sum;
            return atr_judge(SPAN(e->octets, e->n), a);
        }
    return v;
}

static void count(struct tally *t, struct entry *e, const char *line)
{
    struct atr a = { .n = 0 };
    enum atr_verdict v = judge(e, &a);

    t->all++;
    if (v == ATR_GOOD) {
        t->good++;
        t->odd += a.oddities != 0;
        for (unsigned b = 0; b < 8; b++)
            t->oddities[b] += a.oddities >> b & 1;
    } else if (structure_hidden(e)) {
        t->hidden++;
    } else {
        t->refused[v]++;
        if (getenv("VERBOSE"))
            printf("%-40s %s", atr_verdict_text(v), line);
    }
}

static int report(const struct tally *t)
{
    static const char *const odd[8] = {
        "TA1 is RFU: default speed", "TCK although not due",
        "types not ascending", "T=0 not usable", "T=1 not usable",
        "RFU bits in TC of T=1", "IFSC is FF: 32 is used",
    };
    int bad = 0;

    printf("%u answers: %u taken (%u of them odd), %u unknowable (a wildcard "
           "hides the structure)\n", t->all, t->good, t->odd, t->hidden);
    for (int b = 0; b < 8; b++)
        if (t->oddities[b])
            printf("%6u  odd: %s\n", t->oddities[b], odd[b]);
    for (int v = 1; v < ATR_VERDICTS; v++) {
        const struct expected *x = NULL;
        for (size_t k = 0; k < sizeof expected / sizeof *expected; k++)
            if (expected[k].verdict == (enum atr_verdict)v)
                x = &expected[k];
        if (t->refused[v] == 0)
            continue;
        printf("%6u  refused: %s\n        %s\n", t->refused[v],
               atr_verdict_text((enum atr_verdict)v), x ? x->why : "NO REASON");
        if (!x || t->refused[v] > x->at_most) {
            printf("FAIL: more than this test answers for\n");
            bad = 1;
        }
    }
    return bad;
}

int main(void)
{
    FILE *f = fopen(LIST, "r");
    struct tally t = { 0 };
    char line[1024];

    if (!f) {
        printf("SKIP: no " LIST " (package pcsc-tools)\n");
        return 77;
    }
    while (fgets(line, sizeof line, f)) {
        struct entry e;
        if (line[0] == '#' || line[0] == '\t' || line[0] == '\n')
            continue;
        if (read_entry(line, &e)) {
            count(&t, &e, line);
        } else {
            printf("FAIL: not understood: %s", line);
            return 1;
        }
    }
    fclose(f);
    if (t.all < 3000) {
        printf("FAIL: only %u answers found\n", t.all);
        return 1;
    }
    return report(&t);
}

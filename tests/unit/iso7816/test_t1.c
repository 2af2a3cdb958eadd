/* T=1 by script, in the words of ISO/IEC 7816-3: I(N(S),M), R(N(R)),
 * S(IFS request) and so on. What encodes a script's blocks is written apart
 * from what it tests. Words of a script:
 *   open, begin:APDU        the caller's move
 *   >BLOCK                  what must be sent now
 *   <BLOCK, damaged, silence, raw:HEX   what comes
 *   wtx:N                   how long the wait is
 *   =HEX, fail:NAME         the end; alive, dead: what the session is then
 * BLOCK: I(n,m)HEX  R(n) R(n,e)  S(name?HEX) request  S(name!HEX) response */
#include "drivers/iso7816/t1.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/support.h"

#define ROWS(t) (int)(sizeof(t) / sizeof *(t))

static const struct script {
    const char *name;
    uint8_t ifsc, ifsd;
    const char *words;
} scripts[] = {
    /* --- without errors (annex A.2) --- */
    { "exchanges", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 <I(0,0)9000 =9000 alive "
      "begin:00b0000001 >I(1,0)00b0000001 <I(1,0)aa9000 =aa9000 "
      "begin:00a40000 >I(0,0)00a40000 <I(0,0)6a82 =6a82" },
    { "IFSD first", 32, 254,
      "begin:00a40000 >S(ifs?fe) <S(ifs!fe) >I(0,0)00a40000 <I(0,0)9000 =9000 "
      "begin:00a40000 >I(1,0)00a40000 <I(1,0)9000 =9000" },
    { "IFSD by itself", 32, 254,
      "open >S(ifs?fe) wtx:1 <S(ifs!fe) = alive open = "
      "begin:00a40000 >I(0,0)00a40000 <I(0,0)9000 =9000" },
    { "IFSD 32 needs no word", 32, 32, "open =" },
    { "more time", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 wtx:1 <S(wtx?05) >S(wtx!05) wtx:5 "
      "<S(wtx?01) >S(wtx!01) wtx:1 <I(0,0)9000 =9000" },
    { "card changes IFSC", 4, 32,
      "begin:00b0000000 >I(0,1)00b00000 <S(ifs?20) >S(ifs!20) <R(1) "
      ">I(1,0)00 <I(0,0)9000 =9000 "
      "begin:00b0000000 >I(0,0)00b0000000 <I(1,0)9000 =9000" },
    { "chain from the host", 4, 32,
      "begin:80e2910005aabbccddee >I(0,1)80e29100 <R(1) >I(1,1)05aabbcc <R(0) "
      ">I(0,0)ddee <I(0,0)9000 =9000 "
      "begin:00a40000 >I(1,0)00a40000 <I(1,0)9000 =9000" },
    { "chain from the card", 32, 32,
      "begin:00b0000000 >I(0,0)00b0000000 <I(0,1)0102 >R(1) <I(1,1)0304 >R(0) "
      "<I(0,0)059000 =01020304059000 "
      "begin:00a40000 >I(1,0)00a40000 <I(1,0)9000 =9000" },
    { "chains both ways", 4, 32,
      "begin:80e2910001aa >I(0,1)80e29100 <R(1) >I(1,0)01aa <I(0,1)01 >R(1) "
      "<I(1,0)9000 =019000 "
      "begin:00a40000 >I(0,0)00a40000 <I(0,0)9000 =9000" },
    { "empty block in a chain", 32, 32,
      "begin:00b0000000 >I(0,0)00b0000000 <I(0,1) >R(1) <I(1,0)9000 =9000" },
    { "more time inside a chain", 4, 32,
      "begin:80e2910001aa >I(0,1)80e29100 <S(wtx?02) >S(wtx!02) wtx:2 <R(1) "
      ">I(1,0)01aa wtx:1 <I(0,1)01 >R(1) <S(wtx?03) >S(wtx!03) <I(1,0)9000 "
      "=019000" },

    /* --- errors (annex A.3) --- */
    { "command damaged on its way", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 <R(0,1) >I(0,0)00a40000 <I(0,0)9000 "
      "=9000" },
    { "answer damaged", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 damaged >R(0,1) <I(0,0)9000 =9000" },
    { "answer lost", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 silence >R(0,2) <I(0,0)9000 =9000" },
    { "command lost", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 silence >R(0,2) <R(0,2) >I(0,0)00a40000 "
      "<I(0,0)9000 =9000" },
    { "answer damaged, and what asks for it", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 damaged >R(0,1) <R(1,1) >R(0,2) "
      "<I(0,0)9000 =9000" },
    { "command damaged, and the card's word for it", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 damaged >R(0,1) <R(0,1) >I(0,0)00a40000 "
      "<I(0,0)9000 =9000" },
    { "bad LRC", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 raw:000002900091 >R(0,1) <I(0,0)9000 "
      "=9000" },
    { "request for time damaged", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 damaged >R(0,1) <S(wtx?02) >S(wtx!02) "
      "wtx:2 <I(0,0)9000 =9000" },
    { "grant of time damaged", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 <S(wtx?02) >S(wtx!02) <S(wtx?02) "
      ">S(wtx!02) wtx:2 <I(0,0)9000 =9000" },
    { "answer after a grant of time damaged", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 <S(wtx?02) >S(wtx!02) damaged >R(0,1) "
      "wtx:1 <I(0,0)9000 =9000" },
    { "IFSD's confirmation damaged", 32, 254,
      "open >S(ifs?fe) damaged >S(ifs?fe) <S(ifs!fe) =" },
    { "IFSD refused by R", 32, 254,
      "open >S(ifs?fe) <R(0,1) >S(ifs?fe) <S(ifs!fe) =" },
    { "IFSD confirmed with another", 32, 254,
      "open >S(ifs?fe) <S(ifs!20) >S(ifs?fe) <S(ifs!fe) =" },
    { "acknowledgement damaged", 4, 32,
      "begin:80e2910001aa >I(0,1)80e29100 damaged >R(0,1) <R(1) >I(1,0)01aa "
      "<I(0,0)9000 =9000" },
    { "second block of a chain damaged", 4, 32,
      "begin:80e2910005aabbccddee >I(0,1)80e29100 <R(1) >I(1,1)05aabbcc "
      "<R(1,1) >I(1,1)05aabbcc <R(0) >I(0,0)ddee <I(0,0)9000 =9000" },
    { "the card's chain: acknowledgement damaged", 32, 32,
      "begin:00b0000000 >I(0,0)00b0000000 <I(0,1)01 >R(1) <R(1,1) >R(1) "
      "<I(1,0)9000 =019000" },
    { "the card's chain: acknowledgement damaged, block again", 32, 32,
      "begin:00b0000000 >I(0,0)00b0000000 <I(0,1)01 >R(1) <I(0,1)01 >R(1,2) "
      "<I(1,0)9000 =019000" },
    { "the card's chain: second block damaged", 32, 32,
      "begin:00b0000000 >I(0,0)00b0000000 <I(0,1)01 >R(1) damaged >R(1,1) "
      "<I(1,0)9000 =019000" },
    { "two errors, then good, then two again", 4, 32,
      "begin:80e2910001aa >I(0,1)80e29100 damaged >R(0,1) silence >R(0,2) "
      "<R(1) >I(1,0)01aa damaged >R(0,1) damaged >R(0,1) <I(0,0)9000 =9000" },

    /* --- blocks that have no place --- */
    { "wrong N(S)", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 <I(1,0)9000 >R(0,2) <I(0,0)9000 =9000" },
    { "wrong NAD", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 raw:1200029000 >R(0,1) raw:120002900080 "
      ">R(0,2) <I(0,0)9000 =9000" },
    { "LEN is not what came", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 raw:000003900093 >R(0,2) <I(0,0)9000 "
      "=9000" },
    { "LEN FF", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 raw:0000ff90006f >R(0,2) <I(0,0)9000 "
      "=9000" },
    { "too short for a block", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 raw:0000 >R(0,2) raw: >R(0,2) "
      "<I(0,0)9000 =9000" },
    { "longer than IFSD", 32, 4,
      "begin:00b0000000 >S(ifs?04) <S(ifs!04) >I(0,0)00b0000000 "
      "<I(0,0)0102039000 >R(0,2) <I(0,1)010203 >R(1) <I(1,0)9000 =0102039000" },
    { "RFU bits in an I-block", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 raw:000102900093 >R(0,2) <I(0,0)9000 "
      "=9000" },
    { "RFU bits in an R-block", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 raw:00840084 >R(0,2) <I(0,0)9000 =9000" },
    { "R-block with data", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 raw:00800100" "81 >R(0,2) <I(0,0)9000 "
      "=9000" },
    { "unknown S-block", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 raw:00c400c4 >R(0,2) <I(0,0)9000 =9000" },
    { "VPP error", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 raw:00e400e4 >R(0,2) <I(0,0)9000 =9000" },
    { "the card may not resynchronise", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 <S(resynch?) >R(0,2) <I(0,0)9000 =9000" },
    { "confirmations of nothing", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 <S(ifs!fe) >R(0,2) <S(wtx!01) >R(0,2) "
      "<I(0,0)9000 =9000" },
    { "WTX of nothing", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 <S(wtx?00) >R(0,2) <S(wtx?) >R(0,2) "
      "<I(0,0)9000 =9000" },
    { "IFSC 00 and FF", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 <S(ifs?00) >R(0,2) <S(ifs?ff) >R(0,2) "
      "<I(0,0)9000 =9000" },
    { "answer before the command is whole", 4, 32,
      "begin:80e2910001aa >I(0,1)80e29100 <I(0,0)9000 >R(0,2) <R(1) "
      ">I(1,0)01aa <I(0,0)9000 =9000" },
    { "acknowledgement of the last block", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 <R(1) >R(0,2) <I(0,0)9000 =9000" },

    /* --- the ends --- */
    { "never heard", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 silence >R(0,2) silence >R(0,2) silence "
      "fail:mute dead" },
    { "never heard, IFSD", 32, 254,
      "open >S(ifs?fe) damaged >S(ifs?fe) damaged >S(ifs?fe) damaged fail:mute "
      "dead begin:00a40000 fail:use" },
    { "RESYNCH, then on", 32, 254,
      "open >S(ifs?fe) <S(ifs!fe) = "
      "begin:00a40000 >I(0,0)00a40000 damaged >R(0,1) damaged >R(0,1) damaged "
      ">S(resynch?) <S(resynch!) fail:resynched alive "
      "begin:00a40000 >S(ifs?fe) <S(ifs!fe) >I(0,0)00a40000 <I(0,0)9000 =9000" },
    { "RESYNCH sets both counters and IFSC back", 4, 32,
      "begin:00a40000 >I(0,0)00a40000 <I(0,0)9000 =9000 "
      "begin:00a40000 >I(1,0)00a40000 <S(ifs?20) >S(ifs!20) silence >R(1,2) "
      "silence >R(1,2) silence >S(resynch?) <S(resynch!) fail:resynched alive "
      "begin:80e2910001aa >I(0,1)80e29100 <R(1) >I(1,0)01aa <I(0,0)9000 =9000" },
    { "RESYNCH takes three", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 <I(0,0)9000 =9000 "
      "begin:00a40000 >I(1,0)00a40000 silence >R(1,2) silence >R(1,2) silence "
      ">S(resynch?) silence >S(resynch?) <I(1,0)9000 >S(resynch?) <S(resynch!) "
      "fail:resynched alive" },
    { "RESYNCH fails", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 <I(0,0)9000 =9000 "
      "begin:00a40000 >I(1,0)00a40000 silence >R(1,2) silence >R(1,2) silence "
      ">S(resynch?) silence >S(resynch?) damaged >S(resynch?) silence fail:mute "
      "dead begin:00a40000 fail:use dead" },
    { "the card never gets the command", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 <R(0,1) >I(0,0)00a40000 <R(0,1) "
      ">I(0,0)00a40000 <R(0,1) >S(resynch?) <S(resynch!) fail:resynched" },
    { "damaged both ways in turn", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 silence >R(0,2) silence >R(0,2) <R(0,2) "
      ">I(0,0)00a40000 silence >R(0,2) silence >R(0,2) <R(0,2) "
      ">I(0,0)00a40000 <I(0,0)9000 =9000" },
    { "the card never gets the acknowledgement", 32, 32,
      "begin:00b0000000 >I(0,0)00b0000000 <I(0,1)01 >R(1) <R(1,1) >R(1) <R(1,1) "
      ">R(1) <R(1,1) >S(resynch?) <S(resynch!) fail:resynched" },
    { "time without end", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 <S(wtx?0a) >S(wtx!0a) <S(wtx?0a) "
      ">S(wtx!0a) <S(wtx?01) fail:wtx dead" },
    { "a limit for each exchange", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 <S(wtx?14) >S(wtx!14) <I(0,0)9000 =9000 "
      "begin:00a40000 >I(1,0)00a40000 <S(wtx?14) >S(wtx!14) <I(1,0)9000 =9000" },
    { "the card aborts our chain", 4, 32,
      "begin:80e2910001aa >I(0,1)80e29100 <S(abort?) >S(abort!) <R(0) "
      "fail:abort dead" },
    { "the card aborts its chain", 32, 32,
      "begin:00b0000000 >I(0,0)00b0000000 <I(0,1)01 >R(1) <S(abort?) >S(abort!) "
      "<I(1,0)6f00 fail:abort dead" },
    { "the card aborts and is gone", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 <S(abort?) >S(abort!) silence fail:abort "
      "dead" },
    { "no status word", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 <I(0,0)90 fail:short dead" },
    { "nothing at all", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 <I(0,0) fail:short dead" },
    { "three octets are no command", 32, 32, "begin:00a400 fail:use alive" },
    { "busy", 32, 32,
      "begin:00a40000 >I(0,0)00a40000 begin:00a40000 fail:use <I(0,0)9000 "
      "=9000" },
    { "unasked", 32, 32, "<I(0,0)9000 fail:use alive" },
};

static const char *const failures[T1_FAILURES] = {
    [T1_FAIL_MUTE] = "mute", [T1_FAIL_RESYNCHED] = "resynched",
    [T1_FAIL_WTX] = "wtx", [T1_FAIL_ABORT] = "abort", [T1_FAIL_LONG] = "long",
    [T1_FAIL_SHORT] = "short", [T1_FAIL_ENDLESS] = "endless",
    [T1_FAIL_USE] = "use", [T1_FAIL_NONE] = "none",
};

static size_t unhex(const char *digits, size_t n, uint8_t *out)
{
    char body[600];

    snprintf(body, sizeof body, "%.*s", (int)(2 * n), digits);
    ck_assert_msg(hex_decode(body, out, n) == 0, "bad hex: %s", body);
    return n;
}

static uint8_t s_code(const char *name)
{
    static const char *const names[] = { "resynch", "ifs", "abort", "wtx" };

    for (uint8_t k = 0; k < 4; k++)
        if (strncmp(name, names[k], strlen(names[k])) == 0)
            return k;
    ck_abort_msg("no S-block: %s", name);
}

static struct span finish(uint8_t *b, uint8_t pcb, size_t inf)
{
    b[0] = 0;
    b[1] = pcb;
    b[2] = (uint8_t)inf;
    b[3 + inf] = 0;
    for (size_t k = 0; k < 3 + inf; k++)
        b[3 + inf] ^= b[k];
    return SPAN(b, 4 + inf);
}

static struct span encode(const char *w, uint8_t *b)
{
    size_t len = strlen(w);

    if (w[0] == 'I')
        return finish(b, (uint8_t)((w[2] - '0') << 6 | (w[4] - '0') << 5),
                      unhex(w + 6, (len - 6) / 2, b + 3));
    if (w[0] == 'R')
        return finish(b, (uint8_t)(0x80 | (w[2] - '0') << 4 |
                                   (w[3] == ',' ? w[4] - '0' : 0)), 0);
    ck_assert_int_eq(w[0], 'S');
    size_t mark = strcspn(w, "?!");
    return finish(b, (uint8_t)(0xc0 | s_code(w + 2) | (w[mark] == '!') << 5),
                  unhex(w + mark + 1, (len - mark - 2) / 2, b + 3));
}

static void check_sent(const struct t1 *t, enum t1_next next, const char *w,
                       const char *where)
{
    char got[2 * T1_BLOCK_MAX + 1];
    uint8_t b[600];
    struct span want = encode(w, b);

    ck_assert_msg(next == T1_SEND, "%s: at %s: not sent (%d, %s)", where, w,
                  next, t1_failure_text(t->failure));
    ck_assert_msg(span_eq(want, SPAN(t->block, t->block_n)), "%s: at %s: %s",
                  where, w, hex_encode(SPAN(t->block, t->block_n), got, sizeof got));
}

static enum t1_next play(struct t1 *t, enum t1_next next, const char *w,
                         const char *where)
{
    uint8_t b[600];

    if (strcmp(w, "open") == 0)
        return t1_open(t);
    if (strncmp(w, "begin:", 6) == 0)
        return t1_begin(t, SPAN(b, unhex(w + 6, strlen(w + 6) / 2, b)));
    if (strcmp(w, "damaged") == 0)
        return t1_receive(t, T1_DAMAGED, SPAN(NULL, 0));
    if (strcmp(w, "silence") == 0)
        return t1_receive(t, T1_SILENCE, SPAN(NULL, 0));
    if (strncmp(w, "raw:", 4) == 0)
        return t1_receive(t, T1_BLOCK,
                          SPAN(b, unhex(w + 4, strlen(w + 4) / 2, b)));
    if (w[0] == '<')
        return t1_receive(t, T1_BLOCK, encode(w + 1, b));
    if (w[0] == '>') {
        check_sent(t, next, w + 1, where);
    } else if (w[0] == '=') {
        size_t n = unhex(w + 1, strlen(w + 1) / 2, b);
        ck_assert_msg(next == T1_DONE, "%s: %s: not done", where, w);
        ck_assert_msg(span_eq(SPAN(b, n), SPAN(t->response, t->response_n)),
                      "%s: %s: other response", where, w);
    } else if (strncmp(w, "fail:", 5) == 0) {
        ck_assert_msg(next == T1_FAILED && strcmp(failures[t->failure], w + 5) == 0,
                      "%s: %s: %d %s", where, w, next, failures[t->failure]);
    } else if (strncmp(w, "wtx:", 4) == 0) {
        ck_assert_msg(t->wtx == strtoul(w + 4, NULL, 10), "%s: %s: %u", where, w,
                      t->wtx);
    } else {
        ck_assert_msg(strcmp(w, t1_alive(t) ? "alive" : "dead") == 0, "%s: %s",
                      where, w);
    }
    return next;
}

static void run_script(const struct script *s)
{
    const struct t1_params p = { s->ifsc, s->ifsd, false, 20 };
    struct t1 t;
    enum t1_next next = T1_FAILED;
    char *words = strdup(s->words), *save = NULL;

    t1_init(&t, &p);
    for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save))
        next = play(&t, next, w, s->name);
    free(words);
}

START_TEST(scripts_hold)
{
    run_script(&scripts[_i]);
}
END_TEST

/* The octets themselves, with LRC and with CRC (CRC-16/X-25 as another
 * program works it out). */
START_TEST(octets)
{
    static const uint8_t lrc[] = { 0, 0, 5, 0, 0xb0, 0, 0, 2, 0xb7 };
    static const uint8_t crc[] = { 0, 0, 5, 0, 0xb0, 0, 0, 2, 0x7a, 0xd5 };
    struct t1_params p = { 32, 32, false, 20 };
    struct t1 t;

    t1_init(&t, &p);
    ck_assert_int_eq(t1_begin(&t, SPAN(lrc + 3, 5)), T1_SEND);
    ck_assert(span_eq(SPAN(t.block, t.block_n), SPAN_ARRAY(lrc)));
    p.crc = true;
    t1_init(&t, &p);
    ck_assert_int_eq(t1_begin(&t, SPAN(crc + 3, 5)), T1_SEND);
    ck_assert(span_eq(SPAN(t.block, t.block_n), SPAN_ARRAY(crc)));
    /* What we send we also take: the same block as an answer. */
    ck_assert_int_eq(t1_receive(&t, T1_BLOCK, SPAN_ARRAY(crc)), T1_DONE);
    ck_assert(span_eq(SPAN(t.response, t.response_n), SPAN(crc + 3, 5)));
    /* A wrong CRC is asked for again as such. */
    ck_assert_int_eq(t1_begin(&t, SPAN(crc + 3, 5)), T1_SEND);
    ck_assert_int_eq(t1_receive(&t, T1_BLOCK,
                     SPAN("\0\x40\2\x90\0\xff\xff", 7)), T1_SEND);
    ck_assert_int_eq(t.block[1], 0x91);
}
END_TEST

/* A card whose CRC is of the form without complement, high octet first, says
 * that ours is damaged; from its first block on it is spoken to in its own. */
START_TEST(other_crc)
{
    static const uint8_t complains[] = { 0, 0x81, 0, 0xac, 0x27 };
    static const uint8_t again[] = { 0, 0, 5, 0, 0xb0, 0, 0, 2, 0x2a, 0x85 };
    static const uint8_t standard[] = { 0, 0, 5, 0, 0xb0, 0, 0, 2, 0x7a, 0xd5 };
    const struct t1_params p = { 32, 32, true, 20 };
    struct t1 t;

    t1_init(&t, &p);
    ck_assert_int_eq(t1_begin(&t, SPAN(again + 3, 5)), T1_SEND);
    ck_assert(span_eq(SPAN(t.block, t.block_n), SPAN_ARRAY(standard)));
    ck_assert_int_eq(t1_receive(&t, T1_BLOCK, SPAN_ARRAY(complains)), T1_SEND);
    ck_assert(span_eq(SPAN(t.block, t.block_n), SPAN_ARRAY(again)));
    /* Once known, the other form is damage like any other. */
    ck_assert_int_eq(t1_receive(&t, T1_BLOCK, SPAN_ARRAY(standard)), T1_SEND);
    ck_assert_int_eq(t.block[1], 0x81);
    ck_assert_int_eq(t1_receive(&t, T1_BLOCK, SPAN_ARRAY(again)), T1_DONE);
}
END_TEST

/* The longest command and the longest answer at each IFSC and IFSD; one octet
 * more is too much. */
START_TEST(longest)
{
    static const size_t sizes[] = { 1, 2, 31, 32, 253, 254 };
    uint8_t apdu[T1_COMMAND_MAX], b[600];

    for (size_t k = 0; k < sizeof apdu; k++)
        apdu[k] = (uint8_t)k;
    for (size_t k = 0; k < 2 * sizeof sizes / sizeof *sizes; k++) {
        size_t ifs = sizes[k / 2], too_long = k % 2, total = 258 + too_long;
        const struct t1_params p = { (uint8_t)ifs, (uint8_t)ifs, false, 0 };
        struct t1 t;
        size_t at = 0;
        uint8_t nr = 1, ns = 0;

        t1_init(&t, &p);
        enum t1_next next = t1_begin(&t, SPAN_ARRAY(apdu));
        while (next == T1_SEND) {
            if (t.block[1] == 0xc1) {
                b[3] = t.block[3];
                next = t1_receive(&t, T1_BLOCK, finish(b, 0xe1, 1));
            } else if (t.block[1] & 0x20) {
                ck_assert_uint_eq(t.block[2], ifs);
                next = t1_receive(&t, T1_BLOCK,
                                  finish(b, (uint8_t)(0x80 | nr << 4), 0));
                nr ^= 1;
            } else {
                size_t n = total - at < ifs ? total - at : ifs;
                memset(b + 3, (int)at, n);
                at += n;
                next = t1_receive(&t, T1_BLOCK,
                                  finish(b, (uint8_t)(ns << 6 | (at < total) << 5),
                                         n));
                ns ^= 1;
            }
        }
        ck_assert_int_eq(next, too_long ? T1_FAILED : T1_DONE);
        if (too_long)
            ck_assert_int_eq(t.failure, T1_FAIL_LONG);
        else
            ck_assert_uint_eq(t.response_n, 258);
    }
    struct t1 t;
    t1_init(&t, &(struct t1_params){ 254, 254, false, 0 });
    uint8_t more[T1_COMMAND_MAX + 1] = { 0 };
    ck_assert_int_eq(t1_begin(&t, SPAN_ARRAY(more)), T1_FAILED);
    ck_assert(t1_alive(&t));
}
END_TEST

/* Blocks that get nowhere: empty ones, or a new IFSC for ever. */
START_TEST(endless)
{
    for (int kind = 0; kind < 2; kind++) {
        const struct t1_params p = { 32, 32, false, 20 };
        struct t1 t;
        uint8_t b[16], ns = 0;
        unsigned rounds = 0;

        t1_init(&t, &p);
        enum t1_next next = t1_begin(&t, SPAN("\0\xb0\0\0\0", 5));
        while (next == T1_SEND && ++rounds < 100000) {
            b[3] = 32;
            next = t1_receive(&t, T1_BLOCK,
                              kind ? finish(b, 0xc1, 1)
                                   : finish(b, (uint8_t)(ns << 6 | 0x20), 0));
            ns ^= 1;
        }
        ck_assert_int_eq(next, T1_FAILED);
        ck_assert_int_eq(t.failure, T1_FAIL_ENDLESS);
        ck_assert(!t1_alive(&t));
    }
}
END_TEST

/* The card takes more than the reader carries, from the ATR and when it says
 * so later. */
START_TEST(reader_carries_less)
{
    const struct t1_params p = { 254, 32, false, 0 };
    uint8_t apdu[100] = { 0x80 }, b[16];
    struct t1 t;

    t1_init(&t, &p);
    t.ifsc_max = 60;
    ck_assert_int_eq(t1_begin(&t, SPAN_ARRAY(apdu)), T1_SEND);
    ck_assert_uint_eq(t.block[2], 60);
    ck_assert_int_eq(t.block[1], 0x20);
    b[3] = 254;
    ck_assert_int_eq(t1_receive(&t, T1_BLOCK, finish(b, 0xc1, 1)), T1_SEND);
    ck_assert_int_eq(t1_receive(&t, T1_BLOCK, finish(b, 0x90, 0)), T1_SEND);
    ck_assert_uint_eq(t.block[2], 40);
    ck_assert_int_eq(t.block[1], 0x40);
    b[3] = 0x90;
    b[4] = 0;
    ck_assert_int_eq(t1_receive(&t, T1_BLOCK, finish(b, 0x00, 2)), T1_DONE);
}
END_TEST

START_TEST(texts)
{
    for (int f = 0; f <= T1_FAILURES; f++)
        ck_assert_ptr_nonnull(t1_failure_text((enum t1_failure)f));
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "scripts", scripts_hold, ROWS(scripts) },
        { "octets", octets, 1 },
        { "other CRC", other_crc, 1 },
        { "longest", longest, 1 },
        { "endless", endless, 1 },
        { "reader carries less", reader_carries_less, 1 },
        { "texts", texts, 1 },
    };
    return run_tests("iso7816/t1", tests, sizeof tests / sizeof *tests);
}

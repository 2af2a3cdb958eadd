/* A client from hell: what it sends, whole lines of it as requests. Whatever
 * comes: one reply each, that bears an id or null; no refusal without a
 * sentence. */
#include "station/control/protocol.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x)     \
    do {             \
        if (!(x))    \
            abort(); \
    } while (0)

static void check_id(const json_t *id)
{
    CHECK(json_is_null(id) || json_is_integer(id) ||
          (json_is_string(id) && json_string_length(id) <= CONTROL_ID_MAX));
}

static void one_line(struct span line)
{
    struct control_request r;
    struct err e = ERR_INIT;
    struct span text = { NULL, 0 };

    int bad = control_request_read(line, &r, &e);
    check_id(r.id);
    CHECK(bad ? e.code != ERR_NONE && e.msg[0] : r.verb < CONTROL_VERBS);
    if (!bad && control_text(&r, "line", &text, &e) == 0)
        CHECK(text.n < CONTROL_REQUEST_MAX);
    uint64_t n = 7;
    const char *word = NULL;
    if (!bad && control_number(&r, "limit", 1, 1000, &n, &e) == 0)
        CHECK(n >= 1 && n <= 1000);
    if (!bad && control_need(&r, "what", &word, &e) == 0)
        CHECK(word && strlen(word) < CONTROL_REQUEST_MAX);
    control_forget_secrets(r.words);
    json_t *reply = bad ? control_reply_refused(r.id, &e) : control_reply_ok(r.id);
    char *out = reply ? json_dumps(reply, JSON_COMPACT) : NULL;
    CHECK(out && !strchr(out, '\n'));
    free(out);
    json_decref(reply);
    control_request_clear(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = SPAN(data, size);

    while (in.n > 0) {
        const uint8_t *end = memchr(in.p, '\n', in.n);
        size_t n = end ? (size_t)(end - in.p) : in.n;
        one_line(span_sub(in, 0, n));
        in = span_sub(in, n + (end != NULL), in.n);
    }
    return 0;
}

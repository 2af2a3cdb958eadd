/* verify/findings.h: one line each, in order. */
#ifndef LINESIDE_VERIFY_FINDINGS_H
#define LINESIDE_VERIFY_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum finding {
    PROVEN,
    BROKEN,     /* does not hold                                          */
    MISSING,    /* asked for (--bundle, --previous), and what was given is
                   not enough to prove it                                 */
    NOT_PROVEN  /* cannot be proven, or was not asked for                 */
};

struct findings {
    struct finding_line {
        enum finding what;
        char text[480];
    } *v;
    size_t n;
    bool lost; /* out of memory: the verdict is then BROKEN */
};
void findings_add(struct findings *f, enum finding what, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void findings_clear(struct findings *f);
/* Nothing broken, nothing missing. */
bool findings_hold(const struct findings *f);
void findings_print(const struct findings *f);
void findings_print_json(const struct findings *f);

/* A string in JSON, with its quotes. */
void json_text(const char *s);

#endif

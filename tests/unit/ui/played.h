/* tests/unit/ui/played: a line that is played, at a control socket of its own.
 * It has units, failures, fixtures that go and come, people; it answers what a
 * screen asks, refuses, is late, hangs up, talks nonsense: by chance. Single
 * threaded; nothing waits. */
#ifndef LINESIDE_UNIT_UI_PLAYED_H
#define LINESIDE_UNIT_UI_PLAYED_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct played {
    const char *dir; /* the data directory; borrowed */
    uint64_t chance;
    int door, line; /* -1: not there */
    char in[1 << 16];
    size_t n;
    json_int_t job; /* what was asked last that may take long */
    unsigned visits, asked, told;
};

uint32_t played_roll(uint64_t *chance, uint32_t n); /* below n */

void played_init(struct played *p, const char *data_dir, uint64_t seed);
void played_clear(struct played *p);

bool played_is_up(const struct played *p);
void played_up(struct played *p);
void played_down(struct played *p);
/* Lets a screen in, and answers what it has asked. */
void played_serve(struct played *p);
/* Something has happened. */
void played_tell(struct played *p);
/* Somebody has logged in at the station. */
void played_login(struct played *p);

#endif

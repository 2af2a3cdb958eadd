/* base/clock.h: time as the ledger keeps it, and the floor rule (binding,
 * clause 5). Times are seconds since 1970, UTC. */
#ifndef LINESIDE_BASE_CLOCK_H
#define LINESIDE_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define GTIME_LEN 15 /* "20261123224100Z" */

int64_t clock_system(void);       /* the machine's clock */
int64_t clock_monotonic_ms(void); /* for waits and durations only */
int64_t clock_monotonic_us(void);

/* Empty when the year has not four digits. */
char *gtime_format(int64_t t, char out[GTIME_LEN + 1]);
/* Exactly YYYYMMDDHHMMSSZ, a real date; -1 otherwise. */
int gtime_parse(const char *s, int64_t *out);
/* "2026-11-23 22:41:00Z", for people; empty as above. */
char *clock_text(int64_t t, char out[24]);

/* The time that certificates and containers are judged by: the system clock
 * when it lies between floor and floor + 30 days, else the floor. floor 0
 * (nothing accepted yet) means the system clock. *confirmed tells whether
 * the system clock was believed. */
#define CLOCK_TRUST_SPAN_S (30 * 86400)
int64_t clock_for_checks(int64_t system, int64_t floor, bool *confirmed);

#endif

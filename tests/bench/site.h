/* A world of parties, and a station that trusts it, made with the lab's
 * library and the real programs in build/bin. What fails ends the program. */
#ifndef LINESIDE_TESTS_BENCH_SITE_H
#define LINESIDE_TESTS_BENCH_SITE_H

#include "tests/lab/world.h"

struct site {
    char *dir;  /* scratch: everything is below it */
    char *data; /* the station's data directory    */
    struct world world;
    const struct world_smdpf *smdpf; /* the world's only one */
    uint8_t key_id[32];              /* the station's        */
};
void site_open(struct site *s);
void site_close(struct site *s); /* removes it all */

/* A copy of the station as it was commissioned; the caller frees the path. */
char *site_station(const struct site *s);

/* `lineside import` of one container, from start to exit. */
struct site_import {
    int64_t ns;
    long station_kib, importer_kib; /* resident peaks */
};
void site_import(const char *data, const char *container,
                 struct site_import *out);

/* Remove a folder that lies below the site's. Frees the path. */
void site_remove(char *path);

#endif

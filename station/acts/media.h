/* acts/media.h: what comes in on a stick and what goes out on one. No right names
 * it: who may read and write the station's folders may. */
#ifndef LINESIDE_ACTS_MEDIA_H
#define LINESIDE_ACTS_MEDIA_H

#include "station/acts/desk.h"
#include "station/import/import.h"

/* --- in ----------------------------------------------------------------------- */

/* Everything that an import needs: the import lock, whom the station trusts, and
 * nothing left of one that was cut. Close it in any case. */
struct inbox {
    struct db *db;
    struct lock *lock;
    struct station s;
};
int inbox_open(struct inbox *b, const char *data_dir, struct err *e);
void inbox_close(struct inbox *b);
#define INBOX_EMPTY { .db = NULL }

/* bpp-bundle, euicc-data or report-receipt: in whole or not at all. */
int inbox_take(struct inbox *b, const char *path, const struct import_watch *w,
               struct import_result *out, struct err *e);
/* work-order: its number. */
int inbox_take_order(struct inbox *b, const char *path, const struct import_watch *w,
                     struct import_result *out, char number[ORDER_NUMBER_MAX + 1],
                     struct err *e);

/* What to do when a container was refused so, where the sentence may not say it;
 * NULL: it does. */
const char *inbox_next_step(enum err_code code);

/* What lies in a folder by the names of its folders, KIND-UUID: nothing of it is
 * opened, and nothing proven. In the order of kinds
 * and ids; of more than MEDIA_MAX some. */
#define MEDIA_MAX 500
struct media_item {
    enum container_kind kind;
    char id[UUID_LEN + 1];
};
struct media_list {
    struct media_item *v;
    size_t n;
    bool more;
};
int media_list(const char *folder, struct media_list *out, struct err *e);
void media_list_clear(struct media_list *l);

/* --- out ----------------------------------------------------------------------- */

/* d is opened here. again: the export of that id once more (NULL: what is new). What
 * arrived is in *made, also when the rest did not. */
int act_export(struct desk *d, const char *data_dir, const char *to,
               const char *again, const struct report_watch *w,
               struct report_list *made, struct err *e);

#endif

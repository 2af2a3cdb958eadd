/* ui/model: the control socket's messages become a snapshot. Whatever comes,
 * the snapshot is one that can be drawn: texts and lists are cut, numbers held
 * within bounds, what is not known is passed over. */
#ifndef LINESIDE_UI_MODEL_H
#define LINESIDE_UI_MODEL_H

#include "ui/model/snapshot.h"

#include <jansson.h>

struct model;
struct model *model_new(void); /* NULL: no memory */
void model_free(struct model *m); /* NULL is fine */

/* One event, as the line told it. */
void model_apply(struct model *m, const json_t *event);
/* The line is not there: everything it told is forgotten but its events. */
void model_lose(struct model *m, const char *why);
void model_clock(struct model *m, int64_t now, long zone);
/* The PIN that was asked for was given, or will not be. */
void model_pin_done(struct model *m);

/* A reply to `may`; NULL: it is not known any more. */
void model_may(struct model *m, const json_t *reply);
/* A reply to the question of this screen; NULL: none yet, it is asked anew. */
void model_answer(struct model *m, const char *screen, const json_t *reply);

/* The folders below `media` that may be media; SNAPSHOT_PLACES are kept. True: others
 * than before. */
bool model_places(struct model *m, const char *media, const struct place *v, size_t n);

/* The line was asked for something that takes long, with this id, from this screen; and
 * its reply. What comes in between, model_apply takes. */
void model_job_begin(struct model *m, const char *screen, const char *label,
                     const char *about, long long id);
void model_job_end(struct model *m, const json_t *reply);

/* The next command barcode that was scanned somewhere; false: none. */
#define MODEL_COMMANDS 8 /* more than that at once are not kept */
bool model_command(struct model *m, char out[WORD_CAP]);

/* What is to be heard, since it was asked the last time. */
enum sound { SOUND_PASS = 1, SOUND_FAIL = 2, SOUND_REFUSED = 4 };
unsigned model_sounds(struct model *m);

/* Valid until the next call that changes it. */
const struct snapshot *model_now(const struct model *m);

#endif

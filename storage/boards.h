/* storage/boards.h: another board in a unit, recorded by two people. The eUICC
 * that was there is retired: what it did stays, and no position takes it again
 * unless two people record that too. */
#ifndef LINESIDE_STORAGE_BOARDS_H
#define LINESIDE_STORAGE_BOARDS_H

#include "storage/units.h"

struct board_change {
    const char *serial, *position;
    struct eid new_eid;
    const char *reason; /* one line */
    bool line_stands;   /* LOCK_RUN is the caller's: an open unit is in no
                           fixture, and its board may be another */
    const char *new_imei; /* NULL: not known yet */
};
/* The position is open with the new eUICC, of which nothing is known yet;
 * *was is what it was. The IMEI that was known went with the board. Events
 * "position-moved" and "board-replaced", "imei-noted" when there is a new one.
 * ERR_NOT_FOUND: no such unit or position. ERR_CONFLICT, both values in the
 * text: the new EID is in a unit already. ERR_WRONG_STATE: the position is
 * scrapped, or open while the line runs. */
int board_replace(struct tx *tx, const struct act *a, const struct board_change *c,
                  struct position *was, struct err *e);

struct retired_board {
    char serial[UNIT_SERIAL_MAX + 1];
    char position[POSITION_NAME_MAX + 1];
    uint64_t event; /* of the replacement that took it out last */
};
/* 1: this eUICC was taken out of a unit and is in none now; 0: not; -1. */
int board_retired(struct db *db, const struct eid *eid, struct retired_board *out,
                  struct err *e);

#endif

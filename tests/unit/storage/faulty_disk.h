/* An SQLite VFS that wraps the machine's own and, at the Nth call that
 * changes the disk, says that it is full or broken. */
#ifndef LINESIDE_TESTS_FAULTY_DISK_H
#define LINESIDE_TESTS_FAULTY_DISK_H

#include <stdbool.h>
#include <stdint.h>

#define FAULTY_DISK "faulty"

enum disk_fault {
    DISK_FULL_ONCE, /* the Nth write fails, later ones succeed          */
    DISK_FULL,      /* the Nth write and all after it fail              */
    DISK_NO_SYNC    /* the Nth fsync fails                              */
};

void faulty_disk_register(void);
/* Fail at the Nth such call from now; 0: never. */
void faulty_disk_arm(enum disk_fault f, unsigned n);
bool faulty_disk_fired(void);

#endif

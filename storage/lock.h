/* storage/lock.h: the inside of a lock, for storage only. */
#ifndef LINESIDE_STORAGE_LOCK_H
#define LINESIDE_STORAGE_LOCK_H

#include "storage/db.h"

struct lock {
    enum lock_kind kind;
    int fd;
};

#endif

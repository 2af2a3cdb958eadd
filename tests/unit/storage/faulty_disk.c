#include "tests/unit/storage/faulty_disk.h"

#include <check.h>
#include <pthread.h>
#include <sqlite3.h>

struct file {
    sqlite3_file base;
    sqlite3_file *real; /* right behind this struct */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static enum disk_fault fault;
static unsigned countdown;
static bool fired;

void faulty_disk_arm(enum disk_fault f, unsigned n)
{
    pthread_mutex_lock(&mutex);
    fault = f;
    countdown = n;
    fired = false;
    pthread_mutex_unlock(&mutex);
}

bool faulty_disk_fired(void)
{
    pthread_mutex_lock(&mutex);
    bool f = fired;
    pthread_mutex_unlock(&mutex);
    return f;
}

static bool fails(bool sync)
{
    bool now = false;

    pthread_mutex_lock(&mutex);
    if (sync == (fault == DISK_NO_SYNC)) {
        if (countdown > 0 && --countdown == 0)
            now = fired = true;
        else if (fired && fault == DISK_FULL)
            now = true;
    }
    pthread_mutex_unlock(&mutex);
    return now;
}

#define REAL(f) (((struct file *)(f))->real)
#define CALL(f, m, ...) REAL(f)->pMethods->m(REAL(f), ##__VA_ARGS__)

static int f_close(sqlite3_file *f)
{
    return REAL(f)->pMethods ? CALL(f, xClose) : SQLITE_OK;
}

static int f_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
    return CALL(f, xRead, p, n, at);
}

static int f_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    return fails(false) ? SQLITE_FULL : CALL(f, xWrite, p, n, at);
}

static int f_truncate(sqlite3_file *f, sqlite3_int64 n)
{
    return CALL(f, xTruncate, n);
}

static int f_sync(sqlite3_file *f, int flags)
{
    return fails(true) ? SQLITE_IOERR_FSYNC : CALL(f, xSync, flags);
}

static int f_size(sqlite3_file *f, sqlite3_int64 *n)
{
    return CALL(f, xFileSize, n);
}

static int f_lock(sqlite3_file *f, int l)
{
    return CALL(f, xLock, l);
}

static int f_unlock(sqlite3_file *f, int l)
{
    return CALL(f, xUnlock, l);
}

static int f_reserved(sqlite3_file *f, int *out)
{
    return CALL(f, xCheckReservedLock, out);
}

static int f_control(sqlite3_file *f, int op, void *arg)
{
    return CALL(f, xFileControl, op, arg);
}

static int f_sector(sqlite3_file *f)
{
    return CALL(f, xSectorSize);
}

static int f_device(sqlite3_file *f)
{
    return CALL(f, xDeviceCharacteristics);
}

static int f_shm_map(sqlite3_file *f, int r, int n, int extend,
                     void volatile **p)
{
    return CALL(f, xShmMap, r, n, extend, p);
}

static int f_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
    return CALL(f, xShmLock, at, n, flags);
}

static void f_shm_barrier(sqlite3_file *f)
{
    CALL(f, xShmBarrier);
}

static int f_shm_unmap(sqlite3_file *f, int del)
{
    return CALL(f, xShmUnmap, del);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2, .xClose = f_close, .xRead = f_read, .xWrite = f_write,
    .xTruncate = f_truncate, .xSync = f_sync, .xFileSize = f_size,
    .xLock = f_lock, .xUnlock = f_unlock, .xCheckReservedLock = f_reserved,
    .xFileControl = f_control, .xSectorSize = f_sector,
    .xDeviceCharacteristics = f_device, .xShmMap = f_shm_map,
    .xShmLock = f_shm_lock, .xShmBarrier = f_shm_barrier,
    .xShmUnmap = f_shm_unmap,
};

static int vfs_open(sqlite3_vfs *v, const char *name, sqlite3_file *f,
                    int flags, int *out)
{
    sqlite3_vfs *real = v->pAppData;
    struct file *file = (struct file *)f;

    file->real = (sqlite3_file *)(file + 1);
    file->real->pMethods = NULL;
    int rc = real->xOpen(real, name, file->real, flags, out);
    f->pMethods = rc == SQLITE_OK ? &methods : NULL;
    return rc;
}

void faulty_disk_register(void)
{
    static sqlite3_vfs vfs;
    sqlite3_vfs *real = sqlite3_vfs_find(NULL);

    ck_assert_ptr_nonnull(real);
    vfs = *real;
    vfs.szOsFile = (int)sizeof(struct file) + real->szOsFile;
    vfs.zName = FAULTY_DISK;
    vfs.pAppData = real;
    vfs.xOpen = vfs_open;
    vfs.pNext = NULL;
    ck_assert_int_eq(sqlite3_vfs_register(&vfs, 0), SQLITE_OK);
}

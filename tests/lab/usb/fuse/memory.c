#include "tests/lab/usb/fuse/memory.h"

#include <errno.h>
#include <sys/uio.h>

#define PIECES_MAX 4

/* process_vm_readv and writev take addresses as pointers. */
static void *as_pointer(uintptr_t p)
{
    return (void *)p;
}

int memory_read(pid_t pid, uintptr_t there, void *here, size_t n)
{
    struct iovec to = { here, n }, from = { as_pointer(there), n };

    if (n == 0)
        return 0;
    return process_vm_readv(pid, &to, 1, &from, 1, 0) == (ssize_t)n ? 0
                                                                    : -EFAULT;
}

int memory_write(pid_t pid, const struct memory_piece *pieces, size_t count)
{
    struct iovec from[PIECES_MAX], to[PIECES_MAX];
    size_t n = 0;

    if (count > PIECES_MAX)
        return -EFAULT;
    for (size_t i = 0; i < count; i++) {
        from[i] = (struct iovec){ pieces[i].here, pieces[i].n };
        to[i] = (struct iovec){ as_pointer(pieces[i].there), pieces[i].n };
        n += pieces[i].n;
    }
    return process_vm_writev(pid, from, count, to, count, 0) == (ssize_t)n
               ? 0
               : -EFAULT;
}

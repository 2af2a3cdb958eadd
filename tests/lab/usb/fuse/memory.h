/* lab/usb/fuse/memory: another process's memory. FUSE itself carries only the
 * octets that an ioctl's number tells of; usbfs's calls point further. */
#ifndef LINESIDE_LAB_USB_FUSE_MEMORY_H
#define LINESIDE_LAB_USB_FUSE_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct memory_piece {
    uintptr_t there;
    void *here;
    size_t n;
};

/* 0 or -EFAULT, as a kernel would say. At most four pieces. */
int memory_read(pid_t pid, uintptr_t there, void *here, size_t n);
int memory_write(pid_t pid, const struct memory_piece *pieces, size_t count);

#endif

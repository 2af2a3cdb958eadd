/* lab/usb/inprocess/descriptor_table.h: the program's file descriptors that
 * are emulated usbfs files. Between inprocess.c, which knows them, and
 * syscalls.c, which asks for each call of the program. */
#ifndef LINESIDE_LAB_USB_INPROCESS_DESCRIPTOR_TABLE_H
#define LINESIDE_LAB_USB_INPROCESS_DESCRIPTOR_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#define DESCRIPTORS_MOST 65536

/* True for a descriptor that may be ours: all that most calls ever look at. */
extern atomic_bool inprocess_ours[DESCRIPTORS_MOST];

/* errno is set as the system call would. *mine false: it was not ours. */
int inprocess_open(const char *path, int flags, bool *mine);
int inprocess_ioctl(int fd, unsigned long request, void *arg, bool *mine);
ssize_t inprocess_read(int fd, void *p, size_t n, bool *mine);
off_t inprocess_lseek(int fd, off_t at, int whence, bool *mine);
/* Everything but the close of the descriptor itself, which is the caller's. */
void inprocess_close(int fd);

#endif

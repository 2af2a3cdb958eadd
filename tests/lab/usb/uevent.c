#include "tests/lab/usb/uevent.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define GROUP_UDEV 2
#define MAGIC 0xfeedcafeu

struct header {
    char prefix[8];
    uint32_t magic; /* this and the filters: network order */
    uint32_t header_size, properties_at, properties_n;
    uint32_t subsystem_filter, devtype_filter;
    uint32_t tag_filter_high, tag_filter_low;
};

/* MurmurHash2, seed 0: what libudev's socket filter compares. */
static uint32_t filter_hash(const char *s)
{
    const uint32_t m = 0x5bd1e995u;
    size_t n = strlen(s);
    uint32_t h = (uint32_t)n;

    for (; n >= 4; n -= 4, s += 4) {
        uint32_t k;

        memcpy(&k, s, 4);
        k *= m;
        k ^= k >> 24;
        h = h * m ^ k * m;
    }
    if (n) {
        for (size_t i = n; i-- > 0;)
            h ^= (uint32_t)(uint8_t)s[i] << (8 * i);
        h *= m;
    }
    h ^= h >> 13;
    h *= m;
    return h ^ h >> 15;
}

int uevent_open(int *fd, struct err *e)
{
    *fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
    return *fd >= 0 ? 0 : err_errno(e, "no netlink for hot-plug messages");
}

/* The octets that wait at the listeners of udev's group. */
static size_t unread(void)
{
    FILE *f = fopen("/proc/thread-self/net/netlink", "re");
    char line[256];
    size_t most = 0;

    if (!f)
        return 0;
    while (fgets(line, sizeof line, f)) {
        unsigned protocol, groups;
        size_t waiting;

        if (sscanf(line, "%*s %u %*u %x %zu", &protocol, &groups, &waiting) == 3 &&
            protocol == NETLINK_KOBJECT_UEVENT && groups & GROUP_UDEV &&
            waiting > most)
            most = waiting;
    }
    fclose(f);
    return most;
}

/* A listener that is behind loses messages without anyone being told. On a
 * real machine hubs bring their devices slowly; here two hundred can come in
 * no time. */
static void let_listeners_read(void)
{
    const struct timespec moment = { 0, 1000000 };

    for (int i = 0; i < 2000 && unread() > 65536; i++)
        nanosleep(&moment, NULL);
}

void uevent_send(int fd, const char *devtype, struct span properties)
{
    struct header h = {
        .prefix = "libudev",
        .magic = htonl(MAGIC),
        .header_size = sizeof h,
        .properties_at = sizeof h,
        .properties_n = (uint32_t)properties.n,
        .subsystem_filter = htonl(filter_hash("usb")),
        .devtype_filter = htonl(filter_hash(devtype)),
    };
    struct iovec parts[2] = {
        { &h, sizeof h },
        { (void *)(uintptr_t)properties.p, properties.n },
    };
    struct sockaddr_nl to = { .nl_family = AF_NETLINK, .nl_groups = GROUP_UDEV };
    struct msghdr m = { .msg_name = &to,
                        .msg_namelen = sizeof to,
                        .msg_iov = parts,
                        .msg_iovlen = 2 };

    let_listeners_read();
    /* ECONNREFUSED: nobody listens, which is fine. */
    (void)sendmsg(fd, &m, MSG_NOSIGNAL);
}

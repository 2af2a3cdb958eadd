#include "tests/lab/euicc/server.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum control {
    CONTROL_OFF = 0,
    CONTROL_ON = 1,
    CONTROL_RESET = 2,
    CONTROL_GET_ATR = 4,
};

#define HEADER_LEN 2
#define MESSAGE_MAX 65535
#define BACKLOG 8
#define REDIAL_MS 500

struct slot {
    struct slot *next;
    struct server *server;
    pthread_t thread;
    struct card *card;
    char *socket_path;      /* listening: ours to remove           */
    char *host, *port;      /* dialling                            */
    int listen_fd;          /* -1: dialling                        */
    int fd;                 /* the peer, -1; under server->lock    */
};

struct server {
    pthread_mutex_t lock;
    atomic_bool stop;
    struct slot *slots;
};

/* --- messages ------------------------------------------------------------ */

static int read_all(int fd, uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t r = read(fd, p, n);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return -1;
        p += r;
        n -= (size_t)r;
    }
    return 0;
}

static int write_message(int fd, struct span body)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;

    buf_put_u16(&b, (uint16_t)body.n);
    buf_put_span(&b, body);
    if (!buf_ok(&b))
        return -1;
    for (size_t at = 0; at < b.n;) {
        ssize_t w = send(fd, b.p + at, b.n - at, MSG_NOSIGNAL);
        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return -1;
        at += (size_t)w;
    }
    return 0;
}

static int read_message(int fd, struct buf *body)
{
    uint8_t head[HEADER_LEN];

    if (read_all(fd, head, sizeof head) != 0)
        return -1;
    size_t n = (size_t)head[0] << 8 | head[1];
    buf_reset(body);
    uint8_t *p = buf_reserve(body, n);
    if (!p || read_all(fd, p, n) != 0)
        return -1;
    body->n += n;
    return 0;
}

/* --- one connection ------------------------------------------------------ */

static void complain(const struct slot *s, const struct err *e)
{
    fprintf(stderr, "eUICC at %s: %s\n",
            s->socket_path ? s->socket_path : s->host, e->msg);
}

/* 0, or -1 to hang up. */
static int control(struct slot *s, int fd, uint8_t what)
{
    AUTO(buf_clear) struct buf atr = BUF_INIT;
    struct err e = ERR_INIT;

    switch (what) {
    case CONTROL_OFF:
        card_power_off(s->card);
        return 0;
    case CONTROL_ON:
    case CONTROL_RESET:
        return card_power_on(s->card, &atr, &e);
    case CONTROL_GET_ATR:
        if (card_atr(s->card, &atr, &e) != 0)
            return -1;
        return write_message(fd, buf_span(&atr));
    default:
        return 0;
    }
}

static int apdu(struct slot *s, int fd, struct span cmd, struct buf *rsp)
{
    struct err e = ERR_INIT;

    if (card_transmit(s->card, cmd, rsp, &e) == 0)
        return write_message(fd, buf_span(rsp));
    if (e.code == ERR_TIMEOUT)
        return 0; /* mute, but still there */
    if (e.code != ERR_NO_CARD)
        complain(s, &e);
    return -1;
}

static void serve(struct slot *s, int fd)
{
    AUTO(buf_clear) struct buf in = BUF_INIT;
    AUTO(buf_clear) struct buf rsp = BUF_INIT;
    int rc = 0;

    while (rc == 0 && read_message(fd, &in) == 0)
        rc = in.n == 1  ? control(s, fd, in.p[0])
             : in.n > 1 ? apdu(s, fd, buf_span(&in), &rsp)
                        : 0;
    card_power_off(s->card);
}

/* --- threads ------------------------------------------------------------- */

/* The peer is known to server_free from here on. false: too late. */
static bool adopt(struct slot *s, int fd)
{
    pthread_mutex_lock(&s->server->lock);
    bool go = !atomic_load(&s->server->stop);
    if (go)
        s->fd = fd;
    pthread_mutex_unlock(&s->server->lock);
    return go;
}

static void part(struct slot *s, int fd)
{
    pthread_mutex_lock(&s->server->lock);
    s->fd = -1;
    pthread_mutex_unlock(&s->server->lock);
    close(fd);
}

static void *listen_thread(void *arg)
{
    struct slot *s = arg;

    while (!atomic_load(&s->server->stop)) {
        int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0)
            break;
        if (adopt(s, fd))
            serve(s, fd);
        part(s, fd);
    }
    return NULL;
}

static int dial(const char *host, const char *port, struct err *e)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *all = NULL;
    int fd = -1;

    int rc = getaddrinfo(host, port, &hints, &all);
    if (rc != 0)
        return err_set(e, ERR_USAGE, "%s:%s: %s", host, port,
                       gai_strerror(rc));
    for (const struct addrinfo *a = all; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC,
                    a->ai_protocol);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(all);
    return fd >= 0 ? fd
                   : err_errno(e, "cannot reach a virtual reader at %s:%s",
                               host, port);
}

static void *dial_thread(void *arg)
{
    struct slot *s = arg;
    int fd = s->fd; /* the first one is made by server_connect */

    while (!atomic_load(&s->server->stop)) {
        struct err e = ERR_INIT;
        if (fd >= 0) {
            if (adopt(s, fd))
                serve(s, fd);
            part(s, fd);
        }
        fd = atomic_load(&s->server->stop) ? -1 : dial(s->host, s->port, &e);
        if (fd < 0)
            usleep(REDIAL_MS * 1000);
    }
    if (fd >= 0) /* stopped before the first turn */
        part(s, fd);
    return NULL;
}

/* --- the server ---------------------------------------------------------- */

int server_new(struct server **out, struct err *e)
{
    struct server *s = calloc(1, sizeof *s);

    if (!s)
        return err_set(e, ERR_NOMEM, "out of memory");
    pthread_mutex_init(&s->lock, NULL);
    *out = s;
    return 0;
}

static void slot_free(struct slot *s)
{
    if (s->listen_fd >= 0)
        close(s->listen_fd);
    if (s->fd >= 0)
        close(s->fd);
    if (s->socket_path)
        unlink(s->socket_path);
    card_close(s->card);
    free(s->socket_path);
    free(s->host);
    free(s->port);
    free(s);
}

static struct slot *slot_new(struct server *server, struct err *e)
{
    struct slot *s = calloc(1, sizeof *s);

    if (!s) {
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    s->server = server;
    s->listen_fd = s->fd = -1;
    return s;
}

static int slot_run(struct slot *s, void *(*thread)(void *), struct err *e)
{
    int rc = pthread_create(&s->thread, NULL, thread, s);

    if (rc != 0)
        return err_set(e, ERR_IO, "cannot start a thread: %s", strerror(rc));
    s->next = s->server->slots;
    s->server->slots = s;
    return 0;
}

static bool anybody_there(const struct sockaddr_un *a)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool there = fd >= 0 && (connect(fd, (const struct sockaddr *)a,
                                     sizeof *a) == 0 ||
                             errno == EAGAIN);

    if (fd >= 0)
        close(fd);
    return there;
}

static int bind_socket(const char *path, int *out, struct err *e)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };

    if (strlen(path) >= sizeof a.sun_path)
        return err_set(e, ERR_LIMIT, "%s is too long for a socket, at most "
                                     "%zu octets; choose a shorter folder",
                       path, sizeof a.sun_path - 1);
    memcpy(a.sun_path, path, strlen(path) + 1);
    if (anybody_there(&a))
        return err_set(e, ERR_BUSY, "another process serves %s", path);
    unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_errno(e, "cannot make a socket");
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 ||
        listen(fd, BACKLOG) != 0) {
        err_errno(e, "cannot listen at %s", path);
        close(fd);
        return -1;
    }
    *out = fd;
    return 0;
}

int server_listen(struct server *server, const char *path,
                  const char *socket_path, const struct card_options *options,
                  struct err *e)
{
    struct slot *s = slot_new(server, e);

    if (!s)
        return -1;
    if (card_open(path, options, &s->card, e) != 0 ||
        bind_socket(socket_path, &s->listen_fd, e) != 0 ||
        !(s->socket_path = strdup(socket_path)) ||
        slot_run(s, listen_thread, e) != 0) {
        slot_free(s);
        return -1;
    }
    return 0;
}

int server_connect(struct server *server, const char *path, const char *host,
                   const char *port, const struct card_options *options,
                   struct err *e)
{
    struct slot *s = slot_new(server, e);

    if (!s)
        return -1;
    s->host = strdup(host);
    s->port = strdup(port);
    if (!s->host || !s->port || card_open(path, options, &s->card, e) != 0 ||
        (s->fd = dial(host, port, e)) < 0 ||
        slot_run(s, dial_thread, e) != 0) {
        slot_free(s);
        return -1;
    }
    return 0;
}

void server_free(struct server *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    atomic_store(&s->stop, true);
    for (struct slot *x = s->slots; x; x = x->next) {
        if (x->listen_fd >= 0)
            shutdown(x->listen_fd, SHUT_RDWR);
        if (x->fd >= 0)
            shutdown(x->fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&s->lock);
    while (s->slots) {
        struct slot *x = s->slots;
        s->slots = x->next;
        pthread_join(x->thread, NULL);
        slot_free(x);
    }
    pthread_mutex_destroy(&s->lock);
    free(s);
}

void server_free_p(struct server **s)
{
    server_free(*s);
}

/* lab/euicc/server.h: software eUICCs behind sockets, in vsmartcard's framing
 * (binding, clause 6): a length of two octets, big-endian, then a control of
 * one octet (0 off, 1 on, 2 reset, 4 get ATR; only 4 is answered) or a command
 * APDU, answered by one response.
 *
 * Each card has a thread of its own, so that a slow or dead one delays nobody.
 * A connection is a card in a reader, without power yet; it ends when the peer
 * closes it or when a fault cuts the power. A second peer of the same card
 * waits until the first has gone. */
#ifndef LINESIDE_LAB_EUICC_SERVER_H
#define LINESIDE_LAB_EUICC_SERVER_H

#include "tests/lab/euicc/card.h"

struct server;

int server_new(struct server **out, struct err *e);

/* Wait for peers at a Unix socket. A socket that nobody listens at any more is
 * replaced; ERR_BUSY when somebody does. `path` is the chip's store. */
int server_listen(struct server *s, const char *path, const char *socket_path,
                  const struct card_options *options, struct err *e);

/* Dial a virtual reader over TCP, and dial again whenever it goes away.
 * ERR_IO when it cannot be reached now. */
int server_connect(struct server *s, const char *path, const char *host,
                   const char *port, const struct card_options *options,
                   struct err *e);

/* Take all cards out, remove the sockets, wait for the threads. */
void server_free(struct server *s); /* NULL is fine */
void server_free_p(struct server **s);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two connected sockets, as socketpair() gives them, of TCP: for who treats peers on the network
 * otherwise than those of a unix socket. */
#ifndef PLANECAST_TCP_PAIR_H
#define PLANECAST_TCP_PAIR_H

#include <stdbool.h>

/* Blocking, close-on-exec, over the loopback interface; nobody else gets in between. 0 or -errno.
 */
int tcp_pair(int pair[2]);

/* Whether a socket is one of TCP. */
bool tcp_pair_fits(int fd);

#endif

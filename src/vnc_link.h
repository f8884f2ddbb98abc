/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel knows of the link to a peer. */
#ifndef PLANECAST_VNC_LINK_H
#define PLANECAST_VNC_LINK_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the peer has taken all that was written. */
bool vnc_link_is_idle(int fd);

/*
 * Bytes a second that the link carried lately, or most of all while it was never filled (tcp_info's
 * delivery rate); 0: not known, or no TCP.
 */
uint64_t vnc_link_rate(int fd);

#endif

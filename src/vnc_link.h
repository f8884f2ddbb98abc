/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel knows of the link to a peer. */
#ifndef PLANECAST_VNC_LINK_H
#define PLANECAST_VNC_LINK_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the peer has taken all that was written. */
bool vnc_link_is_idle(int fd);

/* Bytes that were written and that the peer has not taken yet. */
uint64_t vnc_link_queued(int fd);

/*
 * Bytes a second that the link carried lately, or most of all while it was never filled (tcp_info's
 * delivery rate); 0: not known, or no TCP. What a slow reader takes comes in bursts that look fast.
 */
uint64_t vnc_link_rate(int fd);

/*
 * How long `bytes` that were begun to be written `gap` us ago take the link, in us: by what is
 * still queued of them, else by its rate, and then no longer than the gap.
 */
int64_t vnc_link_carry_us(uint64_t bytes, int64_t gap, uint64_t queued, uint64_t bytes_per_second);

#endif

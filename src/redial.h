/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection to a unix socket of somebody who comes and goes: made when the socket is there, and
 * made again, with growing pauses, when it was lost. In the main context; nothing waits.
 */
#ifndef PLANECAST_REDIAL_H
#define PLANECAST_REDIAL_H

struct redial;

/*
 * Connects at once if it can, and then calls opened() with the descriptor, non-blocking, which is
 * the callee's to close. `what` begins the lines of the log.
 */
struct redial *redial_create(const char *what, const char *path, void (*opened)(int fd, void *data),
			     void *data);
void redial_destroy(struct redial *redial); /* takes NULL */

/*
 * The connection is gone, and the descriptor closed: tries again later. The reason is said once
 * until the peer has proved itself again, since it may be gone for days.
 */
void redial_lost(struct redial *redial, const char *reason);

/* The peer has proved to be what it should: the next pause is a short one again. */
void redial_proved(struct redial *redial);

#endif

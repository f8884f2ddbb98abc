/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Passwords that take long to check, in threads of their own: few at a time, of one host one, so
 * that nobody keeps the others from being checked, nor the processors busy, by many tries.
 *
 * All of it in the thread of the context, but for create and destroy.
 */
#ifndef PLANECAST_DOOR_CHECKS_H
#define PLANECAST_DOOR_CHECKS_H

#include <stdbool.h>

#include "users.h"

struct checks;
struct check; /* one that was asked for */

/* How each of them ends: by either one, the check is gone then. Not from within checks_ask(). */
struct check_ops {
	/* Its turn has come. False: it is not wanted any more, and settled otherwise. */
	bool (*turn)(void *data);
	void (*done)(void *data, enum password_verdict verdict);
};

/* The users outlive it; it outlives the context's thread. */
struct checks *checks_create(struct users *users, GMainContext *context,
			     const struct check_ops *ops);

/* Copies the strings. */
struct check *checks_ask(struct checks *checks, const char *host, const char *name,
			 const char *password, void *data);

/* Whoever asked does not want to know any more. Takes NULL. */
void check_forget(struct check *check);

/* Once the context's thread has ended and everything is forgotten: waits for the threads. Takes
 * NULL. */
void checks_destroy(struct checks *checks);

#endif

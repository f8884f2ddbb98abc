/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the door is made of: of door.c and door_arrival.c alone. */
#ifndef PLANECAST_DOOR_OWN_H
#define PLANECAST_DOOR_OWN_H

#include <pthread.h>

#include "backoff.h"
#include "door.h"
#include "door_checks.h"
#include "log.h"

struct door_ticket {
	struct door *door;
	struct pump *pump;
	char *host, *peer;
};

struct door {
	struct door_options options;
	GThread *thread;
	GMainContext *context;
	gint quit; /* atomic */
	char *full_text;
	struct log_limit limit;  /* of the door's thread */
	struct backoff *backoff; /* of the door's thread */
	struct checks *checks;   /* of users; NULL: there are none */
	GPtrArray *gates;        /* of who listens, and once the thread has ended */

	pthread_mutex_t lock; /* of all below */
	bool closed;
	GQueue arrivals;    /* handshakes under way, oldest first; changed by the door's thread */
	GHashTable *guests; /* host -> how many */
	struct door_counts counts;
};

/* A line of the log, unless there are too many. In the door's thread. */
void door_say(struct door *door, const char *peer, const char *what, const char *why);

/* Why nobody of this host fits in now (a string that lives on), or NULL. */
const char *door_no_place(struct door *door, const char *host);

/* Takes a place; NULL, with the reason, if there is none (any more). */
struct door_ticket *door_take_place(struct door *door, const char *host, const char **reason);

#endif

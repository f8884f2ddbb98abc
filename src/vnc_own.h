/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the VNC sink is made of: of vnc.c and vnc_thread.c alone. */
#ifndef PLANECAST_VNC_OWN_H
#define PLANECAST_VNC_OWN_H

#include <pthread.h>

#include "encoder.h"
#include "log.h"
#include "vnc.h"
#include "vnc_client.h"

struct vnc {
	struct sink sink; /* first: ops get it */
	char *name;
	struct input *input;         /* or NULL */
	struct clipboard *clipboard; /* or NULL */
	bool copies;                 /* what moved is copied by those who can */
	gint64 stall_us;
	unsigned int flood_percent;
	struct door *door;
	struct encoder *encoder;
	GThread *thread;
	GMainContext *context;
	gint closing, ended, resumed; /* atomic: the sink is closing; clients to bury, to hear */

	pthread_mutex_t lock; /* of all below */
	GPtrArray *guests;
	struct frame *frame;
	struct pointer *shape; /* of the guest's pointer, at x, y */
	int32_t x, y;
	int leds;           /* of the guest's keyboard, or VNC_LEDS_UNKNOWN */
	GBytes *text;       /* copied last, or NULL */
	unsigned int rests; /* of the thread: ticks in a row at which nothing was under way */
	gint quiet;         /* atomic: so it has been for a while; who sends something says so */
	struct vnc_counts counts;
	struct log_limit limit;
};

/* A client in the list. */
struct guest {
	struct vnc *vnc;
	struct vnc_client *client;
	struct door_ticket *ticket;
	gint ended;     /* atomic */
	gint resumed;   /* atomic: what it said can be obeyed now */
	GSource *input; /* of the thread; NULL while the client has said too much */
};

#endif

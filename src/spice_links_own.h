/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the links are made of: of spice_links.c and spice_links_view.c alone. */
#ifndef PLANECAST_SPICE_LINKS_OWN_H
#define PLANECAST_SPICE_LINKS_OWN_H

#include <pthread.h>

#include "backoff.h"
#include "door_gate.h"
#include "flow.h"
#include "log.h"
#include "pump.h"
#include "spice_acks.h"
#include "spice_guard.h"
#include "spice_links.h"

enum stage {
	STAGE_SILENT,  /* has not said a word */
	STAGE_HELD,    /* waits for a frame */
	STAGE_TOLD,    /* the same, and demand() has told of it */
	STAGE_LINKING, /* with spice-server */
	STAGE_THROUGH,
};

struct link {
	struct spice_links *links;
	enum stage stage;
	int fd;            /* for spice-server, until it has it; -1 */
	int wire;          /* a duplicate of the peer's: spice-server does not disconnect; -1 */
	struct pump *pump; /* between the wire and fd, from the first word on; NULL */
	bool tls;
	struct spice_guard guard; /* of the pump's thread, but for what the link message said */
	GSource *source;          /* until the first word */
	const SpiceChannelEventInfo *info;
	char *peer, *host;
	bool main, local;
	uint32_t session;
	/* With the lock: its link message has been read, and the guard knows whose it is;
	 * spice-server has its channel, or has done with it. */
	bool asked, settled;
	bool passing;           /* its pump hands on what it said */
	bool leaving;           /* cut off, or its end handed on; not gone yet */
	struct spice_acks acks; /* what it owes */
	uint32_t acked;         /* so many of its words are in there (the guard's count) */
	gint64 silent;          /* since when it has owed one, and taken all that was sent */
	gint64 since, wall_us, deadline;
	struct flow flow;
};

struct spice_links {
	struct spice_links_options options;
	GMainContext *context;
	SpiceServer *server;
	struct backoff *backoff;
	struct link *entering; /* spice_server_add_client() is called for it */
	GSource *tick;
	struct log_limit limit;
	bool closing, unsettled;
	int hurry_fd; /* an eventfd, readable while hurried: the pumps' (pump.h); -1 */
	GPtrArray *gates;

	pthread_mutex_t lock; /* of all below; changed by the context's thread */
	pthread_cond_t settling;
	bool hurried;
	uint64_t said; /* bytes, by spice-server to all of them */
	GPtrArray *links;
	struct spice_links_counts counts;
};

void spice_links_say(struct spice_links *links, const char *peer, const char *what,
		     const char *why);

/* In a pump's reading thread: what follows goes to the worker now, or once it does not wait. */
void spice_links_enter(struct link *link, bool waits);
void spice_links_end(struct link *link);
void spice_links_passed(void *link);

/* With the lock, or in the context's thread. */
bool spice_link_is_session(const struct link *link);
unsigned int spice_links_count_sessions(const struct spice_links *links,
					const char *host); /* NULL: of all */
unsigned int spice_links_count_channels(const struct spice_links *links, uint32_t session);

#endif

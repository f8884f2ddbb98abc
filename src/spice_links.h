/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is connected to the SPICE server. A SPICE client opens a connection, a *link*, for each of
 * its channels; the links of one client are a *session*, and what is limited is sessions. Links are
 * accepted here and handed to spice-server.
 *
 * All that a client says is read along on its way (spice_guard.h). A link is watched until it is
 * through: it has a deadline, there may be only so many, and a host
 * whose links end before that, which is what a wrong ticket does, has to wait longer and longer.
 *
 * All but listen, demand, describe and count: in the thread of the context.
 */
#ifndef PLANECAST_SPICE_LINKS_H
#define PLANECAST_SPICE_LINKS_H

#include <json-glib/json-glib.h>
#include <spice.h>

#include "certificate.h"
#include "sink.h"

struct spice_links;

struct spice_links_options {
	unsigned int sessions;    /* at a time; 1: the newcomer replaces the one that is there */
	unsigned int per_address; /* of these from one host; 0: no limit of its own */
	bool password;            /* every client is asked for a ticket */
	bool view_only;
	struct certificate *certificate; /* NULL: no TLS; outlives the links */
	bool only_tls, insecure;         /* as in door_options */
	gint64 link_us, stall_us; /* time to get through; without taking anything that was sent */
	/* Sessions came or went, or somebody is held. */
	void (*changed)(void *data);
	/* A channel has been opened: waits until spice-server's worker has it. Until then nothing
	 * else may happen to its client, whose end would free it in the worker's hands. */
	void (*settle)(void *data);
	void *data;
};

struct spice_links_counts {
	unsigned int accepted, refused, failed, stalled; /* links */
	unsigned int links, sessions;                    /* now */
};

struct spice_links *spice_links_create(const struct spice_links_options *options,
				       GMainContext *context);
void spice_links_destroy(struct spice_links *links); /* after the server's end; takes NULL */

/* As door_listen(); the server has to be there. */
int spice_links_listen(struct spice_links *links, const char *address, GError **error);

void spice_links_serve(struct spice_links *links, SpiceServer *server);

/* The core's event, and after each call of spice-server (spice_core.h). */
void spice_links_event(int event, const SpiceChannelEventInfo *info, void *links);
void spice_links_after(void *links);

/*
 * The first of all clients is held until the frame is what the device shows. True if there is one
 * that demand() has told of.
 */
bool spice_links_are_held(struct spice_links *links);
void spice_links_admit(struct spice_links *links);

/* Whether spice-server has anybody, or has not let go of them yet. */
bool spice_links_are_served(struct spice_links *links);

/* While spice-server waits for its clients to take what was sent to them: those who do not take it
 * keep nobody waiting, since it is kept for them; and those who leave stay until this is over. */
void spice_links_hurry(struct spice_links *links, bool hurry);

/* spice-server sends nothing to anybody: cuts off the one who has let it wait longest, if that is
 * longer than this, and if there are others. */
void spice_links_press(struct spice_links *links, gint64 patience_us);

/* Before such a wait: cuts off those who might not end it, since they have not acknowledged for a
 * second what they have, if there are others. True: it has to be put off, for they are still there,
 * or others who have left, or somebody who gets no pointer before he acknowledges what he has.
 */
bool spice_links_part(struct spice_links *links);

/* Closes the gates and cuts everybody off; true until all are gone. */
bool spice_links_close(struct spice_links *links);

/* Any thread. */

uint64_t spice_links_said(struct spice_links *links); /* bytes, by spice-server to everybody */

/* `waiting` is left alone. */
void spice_links_demand(struct spice_links *links, struct sink_demand *demand);
void spice_links_count(struct spice_links *links, struct spice_links_counts *counts);

/* An object in the open array for each session; more() adds members that all have in common. */
void spice_links_describe(struct spice_links *links, JsonBuilder *json,
			  void (*more)(JsonBuilder *json, void *data), void *data);

#endif

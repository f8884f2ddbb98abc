/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VNC sink: clients come in through a door of its own (door.h), each with a sending thread; one
 * more thread reads what they say and throws out those that take nothing.
 *
 * A mode change waits for nobody: every client moves on to the new frame when it has finished what
 * it was sending, and keeps the old one until then.
 */
#ifndef PLANECAST_VNC_H
#define PLANECAST_VNC_H

#include <glib.h>
#include <stdint.h>

#include "clipboard.h"
#include "door.h"
#include "encoder.h"
#include "input.h"
#include "sink.h"

/* All zero: the defaults. */
struct vnc_options {
	const char *name; /* of the desktop, for viewers' title bars; copied */
	/* Where clients type and point if they may, outlives the sink; NULL: all only watch. What
	   it calls on activity must not call the sink: a client is locked then. */
	struct input *input;
	/* What its clients copy and paste, but those that only watch; outlives the sink. NULL:
	   they do not. */
	struct clipboard *clipboard;
	unsigned int max_clients;          /* DOOR_DEFAULT_CLIENTS */
	unsigned int per_address;          /* of these from one host; 0: no limit of its own */
	unsigned int handshakes;           /* DOOR_DEFAULT_HANDSHAKES */
	unsigned int handshake_ms;         /* DOOR_DEFAULT_HANDSHAKE */
	const struct passwords *passwords; /* as in door_options; lives as long as the sink */
	struct users *users;               /* as in door_options; lives as long as the sink */
	struct certificate *certificate;   /* as in door_options; lives as long as the sink */
	bool only_tls;                     /* as in door_options */
	bool insecure;                     /* as in door_options */
	bool lossless;                     /* nothing is ever sent in lossy form */
	bool no_copies;                    /* what has moved is sent as pixels, too */
	/* A client that takes nothing for so long is parked: 5000. It is dropped after four times
	   that, or when the mode changes. */
	unsigned int stall_ms;
	unsigned int flood_percent; /* of a core that a client's messages may cost: 25 */
};

/*
 * A sink that shows `frame` (it takes a reference) to nobody yet. Set sink->poke before the first
 * vnc_listen(). A newcomer gets ServerInit only after captured() has followed the demand() that
 * counted it as fresh, so the size and the pixels that it sees first are what the device shows.
 * 0 or -errno.
 */
int vnc_create(const struct vnc_options *options, struct frame *frame, struct sink **sink,
	       GError **error);

/* As door_listen(): may be called several times. */
int vnc_listen(struct sink *sink, const char *address, GError **error);

/* The door that its clients come through, for who brings more of them; it ends with the sink. */
struct door *vnc_door(struct sink *sink);

/* What happened so far. */
struct vnc_counts {
	struct door_counts door;
	unsigned int clients;        /* now */
	unsigned int stalled;        /* dropped: took nothing */
	unsigned int flooded;        /* dropped: their messages cost too much */
	unsigned int dropped_behind; /* dropped: kept too many old frames alive at mode changes */
	uint64_t updates, bytes;     /* sent to all clients, those that have gone, too */
	struct encoder_counts encoder;
};
void vnc_count(struct sink *sink, struct vnc_counts *counts);

#endif

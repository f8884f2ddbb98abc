/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The SPICE sink: spice-server without QEMU, on a thread of its own; a worker thread of
 * spice-server's encodes. One a process (spice_core.h).
 */
#ifndef PLANECAST_SPICE_SINK_H
#define PLANECAST_SPICE_SINK_H

#include <glib.h>

#include "certificate.h"
#include "clipboard.h"
#include "input.h"
#include "sink.h"

#define SPICE_TICKET 60 /* the longest that the protocol has (SPICE_MAX_PASSWORD_LENGTH) */

/* All zero: the defaults. */
struct spice_options {
	const char *name;        /* of the machine, for clients' title bars; copied */
	const char *ticket;      /* every client is asked for it; NULL: none; copied */
	const char *compression; /* of images: spice_compression_names; NULL: the first */
	const char *streaming;   /* of video: spice_streaming_names; NULL: the first */
	/* Where clients type and point, outlives the sink; NULL: nowhere, and they do not resize.
	 */
	struct input *input;
	struct clipboard
		*clipboard;       /* joined with that of clients, outlives the sink; NULL: none */
	unsigned int clients;     /* at a time; 0, 1: a newcomer replaces the one that is there */
	unsigned int per_address; /* of these from one host; 0: no limit of its own */
	struct certificate *certificate; /* NULL: no TLS; outlives the sink */
	bool only_tls, insecure;         /* as in door_options */
	unsigned int link_ms;            /* for a channel to get through: 10000 */
	unsigned int stall_ms; /* a client that takes nothing for so long is dropped: 5000 */
};

/* End with NULL. */
extern const char *const spice_compression_names[];
extern const char *const spice_streaming_names[];

/* A sink that shows `frame` (it takes a reference) to nobody yet. 0 or -errno. */
int spice_create(const struct spice_options *options, struct frame *frame, struct sink **sink,
		 GError **error);

/* As door_listen(): may be called several times. */
int spice_listen(struct sink *sink, const char *address, GError **error);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a VNC client is made of: of vnc_client.c, vnc_sender.c and vnc_talk.c alone. */
#ifndef PLANECAST_VNC_CLIENT_OWN_H
#define PLANECAST_VNC_CLIENT_OWN_H

#include <pthread.h>

#include "flow.h"
#include "vnc_changes.h"
#include "vnc_client.h"
#include "vnc_clipboard.h"
#include "vnc_cost.h"
#include "vnc_fence.h"
#include "vnc_input.h"
#include "vnc_library.h"
#include "vnc_lossy.h"
#include "vnc_parser.h"
#include "vnc_tally.h"
#include "vnc_window.h"
#include "vnc_wish.h"

#define VNC_CLIENT_READ 4096 /* bytes at once */

/* A newcomer sees nothing until a pass that began after it was announced has finished. */
enum freshness {
	FRESH_NEW,       /* demand() has not told of it yet */
	FRESH_ANNOUNCED, /* waits for captured() */
	FRESH_CURRENT,
};

struct vnc_client {
	struct vnc_client_owner owner;
	int fd;
	int wire; /* what the peer itself is at: fd, or behind a pump */
	char *peer;
	GThread *thread;

	/* Of the thread that calls input and refill. */
	struct vnc_parser parser;
	struct vnc_input input;
	gint64 bytes_left, messages_left;
	uint8_t said[VNC_CLIENT_READ]; /* read from it */
	struct vnc_cut_text cut;       /* a complete one waits until it is read */
	/* Of the one that calls look. */
	struct flow flow;

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t news;  /* something for the sending thread */
	bool stop;
	bool parked; /* it takes nothing: no work for it, and what it misses is all */
	struct vnc_cost cost;
	const char *reason;
	enum freshness freshness;
	struct frame *frame;        /* current */
	uint64_t showing;           /* generation of the frame that the sending thread works with */
	gint64 superseded;          /* when `frame` became another one than that, or 0 */
	struct vnc_changes changes; /* of `frame`, not yet taken by the sending thread */
	uint64_t seen;     /* frame_touched() of the frame that it shows, after it was read last */
	bool sending;      /* it works on an update */
	gint64 repair_due; /* as vnc_library_repair_due() */
	bool rest;         /* it has more to send, outside of what was asked for */
	bool asked;        /* it holds a request that it could not answer yet */
	bool new_request, new_format, new_encodings;
	struct vnc_rect request;
	struct vnc_format format;
	struct vnc_encodings encodings;
	bool announce_size, force_look;
	struct vnc_wish wish;
	struct pointer *shape; /* the guest's pointer, at x, y */
	int32_t x, y;
	int leds;           /* of the guest's keyboard, or VNC_LEDS_UNKNOWN */
	bool new_leds;      /* since the sending thread took them last */
	bool moved_pointer; /* since the sending thread took it last */
	bool whole;         /* the new request is not an incremental one */
	bool again;         /* it was sent pixels of a frame that it had: it can take a newer one */
	bool waiting;       /* as last told by poke */
	struct vnc_tally tally;
	size_t held; /* bytes of `said` that wait for an answer to a fence */
	struct vnc_fences fences;
	bool answering; /* a fence that holds what comes next is taken and not answered yet */
	bool fence_told, continuous_told; /* it knows that these are understood */
	bool probe;                       /* a fence of our own is due */
	struct vnc_clipboard clipboard;
	struct vnc_window window;
	uint64_t copied; /* rectangles, by the client */
	uint32_t marked; /* the count of bytes sent, at the last mark */
	bool continuous; /* it takes updates of this part without requests */
	struct vnc_rect continuous_part;
	bool continuous_rest; /* there is something unsent in it */
};

/* With the lock. Its messages have cost so much more CPU time: too much ends it. */
void vnc_client_charge(struct vnc_client *client, gint64 us);

/* With the lock. */
void vnc_client_stop_locked(struct vnc_client *client, const char *reason);

/* Only for a client that is not stopping yet: all memory it has is small, so this hardly fails. */
bool vnc_client_renew_damage(struct vnc_client *client);

#endif

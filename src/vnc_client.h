/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VNC client after the door: what it asked for, what of the frame it has not seen, and the
 * thread that sends it. Only that thread ever waits for the client; all calls here are short.
 *
 * Lock order: the owner's lock, then the client's, then the input's. The owner's callbacks are
 * called without any.
 */
#ifndef PLANECAST_VNC_CLIENT_H
#define PLANECAST_VNC_CLIENT_H

#include <glib.h>
#include <stdbool.h>

#include "encoder.h"
#include "input.h"
#include "sink.h"

struct vnc_client;

/* Called from any thread. */
struct vnc_client_owner {
	const char *desktop; /* its name, for ServerInit; lives as long as the client */
	struct input
		*input; /* where it types, lives as long as the client; NULL: it only watches */
	struct encoder *encoder;                  /* lives as long as the client */
	void (*poke)(void *data);                 /* the client's part of demand() has changed */
	void (*ended)(void *data);                /* its thread has finished: destroy it */
	void (*copied)(GBytes *text, void *data); /* it copied that (clipboard.h); from its input */
	bool clipboard;                           /* it may copy and paste */
	bool copies;                              /* what has moved is copied by it, if it can */
	void (*resume)(void *data); /* what it said earlier can be obeyed now: call input */
	void (*stir)(void *data);   /* something is sent to it: look at it again */
	void *data;
	unsigned int flood_percent; /* of a core, that its messages may cost */
	bool view_only;
	const char *security; /* what the door asked it for; static */
	const char *user;     /* who it is; NULL: that was not asked; copied */
};

/* Takes fd on success. The thread starts with vnc_client_start(). */
struct vnc_client *vnc_client_create(int fd, const char *peer,
				     const struct vnc_client_owner *owner);

/*
 * fd is the plain end of a pump: this is the peer's own socket, which tells what it has taken, and
 * lives as long as the client. Before the start.
 */
void vnc_client_set_wire(struct vnc_client *client, int wire);

/* Gives it the first frame; from now on ended() will be called once. 0 or -errno. */
int vnc_client_start(struct vnc_client *client, struct frame *frame);

/* As in sink_ops, from main. */
void vnc_client_resize(struct vnc_client *client, struct frame *frame);
void vnc_client_wake(struct vnc_client *client, const struct damage *damage,
		     const struct moves *moves);
void vnc_client_pointer(struct vnc_client *client, struct pointer *shape, int32_t x, int32_t y);
void vnc_client_leds(struct vnc_client *client, int leds); /* as vnc_library_set_leds() */
void vnc_client_captured(struct vnc_client *client);
void vnc_client_demand(struct vnc_client *client, struct sink_demand *demand);

/* As in sink_ops, if it is this client's wish that demand() told of; true: it has another one. */
bool vnc_client_answer(struct vnc_client *client, int ret);

/* Somebody has copied a text (own: this client has). */
void vnc_client_copied(struct vnc_client *client, GBytes *text, bool own);

/* Adds what it was sent so far. */
void vnc_client_add_sent(struct vnc_client *client, uint64_t *updates, uint64_t *bytes);

/* An object of the array that is open in json. */
void vnc_client_describe(struct vnc_client *client, JsonBuilder *json);

int vnc_client_fd(const struct vnc_client *client);
const char *vnc_client_peer(const struct vnc_client *client);

/* Why it ended, NULL if it simply left. Once its thread has finished. */
const char *vnc_client_reason(struct vnc_client *client);

/*
 * Reads and obeys what the socket has, a bounded amount. False when it is to be fed no more for
 * now: it has ended, or has to wait for vnc_client_refill() or resume().
 */
bool vnc_client_input(struct vnc_client *client);
bool vnc_client_refill(struct vnc_client *client); /* true: call input and watch its socket */

/*
 * Looks whether the client takes what is sent to it; to be called a few times a second. One that
 * has taken nothing for `park_us` although data waits is parked; returns true when it is for
 * `drop_us`. *poke becomes true if its part of demand() has changed. *busy becomes true unless it
 * has all that was sent, and all that it said is obeyed: then it need not be looked at until it
 * says something or stir() is called.
 */
bool vnc_client_look(struct vnc_client *client, gint64 now, gint64 park_us, gint64 drop_us,
		     bool *poke, bool *busy);

/* It takes nothing: nothing is done for it, but it holds a frame. */
bool vnc_client_is_parked(struct vnc_client *client);

/* It was stopped for what its messages cost. Once its thread has finished. */
bool vnc_client_has_flooded(const struct vnc_client *client);

/*
 * Since when its thread has been busy sending a frame that is not the current one, and which
 * (struct frame's generation); 0 if it is not.
 */
gint64 vnc_client_lags_since(struct vnc_client *client, uint64_t *generation);

/* From any thread: breaks the connection; the reason (static) is kept if it is the first. */
void vnc_client_stop(struct vnc_client *client, const char *reason);

/* After ended(), or if start failed. Joins the thread. */
void vnc_client_destroy(struct vnc_client *client);

#endif

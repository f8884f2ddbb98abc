/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One client's encoder: libvncserver 0.9.14. Only this file, vnc_session, vnc_layout, vnc_region,
 * vnc_pointer, vnc_copies, vnc_send and vnc_tight know it; Tight comes from the encoder that all
 * share.
 *
 * Each client has a private rfbScreenInfo with one rfbClientRec, driven by the one thread that
 * writes to that client; none of libvncserver's threads, listeners and readers ever run. So its
 * unlocked structures have one user each, a client keeps the frame that it is sending for as long
 * as it needs, and a change of mode waits for nobody. (Its own threaded mode shares one screen:
 * rfbNewFramebuffer then waits for the slowest client, its client list is walked without a lock
 * while clients are freed, and its reader changes formats under the encoder.)
 *
 * All calls for one encoder come from one thread.
 */
#ifndef PLANECAST_VNC_LIBRARY_H
#define PLANECAST_VNC_LIBRARY_H

#include <stdbool.h>

#include "damage.h"
#include "encoder.h"
#include "frame.h"
#include "moves.h"
#include "pointer.h"
#include "vnc_parser.h"
#include "vnc_rects.h"

struct vnc_library;

enum vnc_library_result {
	VNC_LIBRARY_SENT,          /* an update has answered the request, if there was one */
	VNC_LIBRARY_NOTHING,       /* nothing to send yet; the request stays */
	VNC_LIBRARY_FAILED,        /* the connection is over */
	VNC_LIBRARY_CANNOT_RESIZE, /* the size changed, and the client knows no way to be told */
};

/*
 * Attaches to a connected socket (borrowed, blocking from now on; the encoder has a duplicate) and
 * sends ServerInit. wire is the peer's own socket, the same or beyond a pump, and lives as long.
 * name and peer are copied, `encoder` outlives it. SIGPIPE is blocked in the calling thread. 0 or
 * -errno.
 */
int vnc_library_create(int fd, int wire, const char *name, const char *peer, struct frame *frame,
		       struct encoder *encoder, struct vnc_library **library);
void vnc_library_destroy(struct vnc_library *library); /* takes NULL */

/*
 * Another frame (it takes a reference and drops that of the old one), all of it modified. The
 * client is told of another size with the next update.
 */
void vnc_library_set_frame(struct vnc_library *library, struct frame *frame);

/* False if the client is gone. */
bool vnc_library_set_format(struct vnc_library *library, const struct vnc_format *format);
void vnc_library_set_encodings(struct vnc_library *library, const struct vnc_encodings *encodings);

/* Not a view-only client: it may be told of the ways to type. Before the first encodings. */
void vnc_library_take_input(struct vnc_library *library);

/*
 * The guest's pointer (NULL: none) with its left top corner at x, y: told to a client that draws
 * one, and drawn into the picture of one that does not. It takes a reference.
 */
void vnc_library_set_pointer(struct vnc_library *library, struct pointer *shape, int32_t x,
			     int32_t y);

/* The lights of the guest's keyboard, a mask of enum input_led, or VNC_LEDS_UNKNOWN. */
#define VNC_LEDS_UNKNOWN (-1)
void vnc_library_set_leds(struct vnc_library *library, int leds);

/* The client takes updates of this part without asking; NULL: no more. */
void vnc_library_set_continuous(struct vnc_library *library, const struct vnc_rect *part);

/* The client asks for (a part of) the frame: clipped to it. */
void vnc_library_request(struct vnc_library *library, const struct vnc_rect *rect);

/*
 * To be told the size with the next update, where the client knows how; with the answer to its own
 * wish, unless that is VNC_SIZE_SILENT.
 */
void vnc_library_announce_size(struct vnc_library *library, enum vnc_size_status answer);

void vnc_library_add(struct vnc_library *library, const struct damage *damage);

/*
 * The frame has changed in that damage, and some of that by moves, which the client may be sent
 * instead of pixels.
 */
void vnc_library_move(struct vnc_library *library, const struct moves *moves,
		      const struct damage *damage);

/* It is not to copy what it has not got yet. */
void vnc_library_forget_moves(struct vnc_library *library);

/* A message that is no update, between two of them. False if the client is gone. */
bool vnc_library_write(struct vnc_library *library, const uint8_t *bytes, size_t length);

/*
 * Answers what was asked for; with `continuous`, a part that is taken without asking, too. Blocks
 * until the socket has taken it all, or breaks.
 */
enum vnc_library_result vnc_library_update(struct vnc_library *library, bool continuous);

/*
 * When to update although nothing has changed: something may rest then that the client has in lossy
 * form only. VNC_LOSSY_NEVER, or g_get_monotonic_time()'s time.
 */
gint64 vnc_library_repair_due(const struct vnc_library *library);

/* Rectangles that the client was told to copy so far. */
uint64_t vnc_library_copied(const struct vnc_library *library);

/* Bytes of updates so far, modulo 2^32. */
uint32_t vnc_library_bytes(const struct vnc_library *library);

/* Something is unsent that the last request did not ask for, or that waits for one. */
bool vnc_library_has_rest(const struct vnc_library *library);

/* Something is unsent of what is taken without asking. */
bool vnc_library_has_continuous_rest(const struct vnc_library *library);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The encoder: parts of the frame as Tight rectangles, made on all processors, and once for all
 * clients of equal settings: these are a group. What a group encoded last is kept as long as it
 * shows what the frame shows, so a client that comes later, or that missed something, gets the
 * same bytes. Nobody waits for another client: only for encoding.
 *
 * Memory: a group holds at most ENCODER_KEPT pieces of a tile, and goes with its last client; what
 * is being sent is held by reference.
 */
#ifndef PLANECAST_ENCODER_H
#define PLANECAST_ENCODER_H

#include "damage.h"
#include "frame.h"
#include "tight.h"

#define ENCODER_KEPT 2u /* pieces of one tile, of different shapes */

struct encoder;
struct encoder_group;

/* Encoded: what is in it does not change. */
struct encoder_piece {
	struct detile_rect rect;
	GByteArray *bytes;
	unsigned int rects; /* Tight rectangles in them */
	uint32_t lossy;     /* cells of it, as tight_encode() tells */
	/* The encoder's: */
	struct encoder *encoder;
	gint references; /* atomic */
	bool ready;
};

/* What it did so far. */
struct encoder_counts {
	unsigned int groups;     /* now */
	unsigned int pieces;     /* in memory now: kept, or being sent */
	uint64_t bytes;          /* of them */
	uint64_t encoded, asked; /* pieces: the difference was shared */
};

/* threads: with the caller's. lossless: for all clients, whatever they allow. 0 or -errno. */
int encoder_create(unsigned int threads, bool lossless, struct encoder **encoder);
bool encoder_is_lossless(const struct encoder *encoder);
void encoder_destroy(struct encoder *encoder); /* takes NULL; all groups have been left */
void encoder_count(struct encoder *encoder, struct encoder_counts *counts);

/* Pixels of the frame of that generation have changed. Before any client hears of it. */
void encoder_wake(struct encoder *encoder, uint64_t generation, const struct damage *damage);

/* From any thread, for clients that show this frame with these settings. */
struct encoder_group *encoder_join(struct encoder *encoder, const struct tight_settings *settings,
				   const struct frame *frame);
void encoder_leave(struct encoder_group *group); /* takes NULL */

/*
 * Encodes rectangles of the group's frame, each inside one tile of TIGHT_WIDTH x TIGHT_HEIGHT, as
 * the frame is now or was since they changed last. The references are the caller's.
 */
void encoder_take(struct encoder_group *group, const struct frame *frame,
		  const struct detile_rect *rects, unsigned int count,
		  struct encoder_piece **pieces);

/* The same of a picture that is the caller's alone. */
void encoder_take_alone(struct encoder_group *group, const struct frame *picture,
			const struct detile_rect *rects, unsigned int count,
			struct encoder_piece **pieces);
void encoder_release(struct encoder_piece *piece);

#endif

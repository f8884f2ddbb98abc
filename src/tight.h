/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tight rectangles (the RFB community's rfbproto, "Tight Encoding") of a part of a frame: solid
 * areas as fills, few colours as palettes, many as JPEG where the client allows it, else as pixels.
 *
 * What comes out depends on nothing that was sent before: each compressed rectangle resets the
 * stream that it uses. So the same bytes serve any client with the same settings, at any time.
 */
#ifndef PLANECAST_TIGHT_H
#define PLANECAST_TIGHT_H

#include <glib.h>

#include "detile/detile.h"
#include "frame.h"
#include "vnc_parser.h"

/* The largest piece. Cells of damage fill it exactly. */
#define TIGHT_WIDTH  (8 * DETILE_CELL_WIDTH)
#define TIGHT_HEIGHT (4 * DETILE_CELL_HEIGHT)

/* A piece is at most this many rectangles. */
#define TIGHT_RECTS 32u

struct tight_settings {
	struct vnc_format format; /* true colour */
	int level;                /* of zlib, 0 .. 9 */
	int quality;              /* of JPEG, 1 .. 100; 0: lossless */
	int subsampling;          /* of JPEG, as the pseudo-encoding numbers them, 0 .. 5 */
	bool gradient;            /* the client knows that filter */
	bool own_subsampling;     /* the client has named it */
};

/* What a client that wants these encodings in this format gets. */
void tight_settings_init(struct tight_settings *settings, const struct vnc_format *format,
			 const struct vnc_encodings *encodings);
/* So many steps down from what the client allows, 0 .. TIGHT_STEPS - 1. */
#define TIGHT_STEPS 5u
void tight_settings_lower(struct tight_settings *settings, unsigned int steps);

bool tight_settings_equal(const struct tight_settings *a, const struct tight_settings *b);

/* The working memory of one encoding thread (a megabyte). */
struct tight;
struct tight *tight_create(void);
void tight_destroy(struct tight *tight); /* takes NULL */

/*
 * Appends a piece of the frame, which lies inside it, with its rectangles' heads. Returns how many
 * rectangles. *lossy has a bit, from the lowest, for each 64x32 of the piece, row by row: it is
 * JPEG. The pixels are read once, without a lock.
 */
unsigned int tight_encode(struct tight *tight, const struct tight_settings *settings,
			  const struct frame *frame, const struct detile_rect *piece,
			  GByteArray *out, uint32_t *lossy);

#endif

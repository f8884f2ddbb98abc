/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's pointer for one client: told to a client that draws pointers itself, and drawn into
 * the picture of one that does not. All calls for one come from one thread.
 */
#ifndef PLANECAST_VNC_POINTER_H
#define PLANECAST_VNC_POINTER_H

#include <rfb/rfb.h>
#include <rfb/rfbregion.h>
#include <stdbool.h>

#include "vnc_rects.h"

struct vnc_pointer {
	struct pointer *shape; /* with its left top corner at x, y; NULL: the guest shows none */
	int32_t x, y;
	bool alpha, rich, two_colours, position; /* what the client takes */
	bool shape_pending, position_pending;
	struct frame *composed; /* the frame with the pointer in it; NULL: not needed */
};

/* All zero at first. */
void vnc_pointer_finish(struct vnc_pointer *pointer);

/*
 * The client takes these, or the guest's pointer is another one (it takes a reference). Where the
 * picture of `frame` looks otherwise for that is added to `modified`.
 */
void vnc_pointer_set_encodings(struct vnc_pointer *pointer, const struct vnc_encodings *encodings,
			       const struct frame *frame, sraRegionPtr modified);
void vnc_pointer_set(struct vnc_pointer *pointer, struct pointer *shape, int32_t x, int32_t y,
		     const struct frame *frame, sraRegionPtr modified);

/* Another frame, or another pixel format. */
void vnc_pointer_renew(struct vnc_pointer *pointer);

/* The client's picture has the pointer drawn into it. */
bool vnc_pointer_is_drawn(const struct vnc_pointer *pointer);

/* Something is to be told. */
bool vnc_pointer_is_pending(const struct vnc_pointer *pointer);
void vnc_pointer_tell(struct vnc_pointer *pointer, const struct vnc_format *format,
		      const struct frame *frame, struct vnc_rects *rects);

/*
 * What is to be sent of a region: the frame itself, or one of the client's own that has the
 * pointer over it, for the shared one never has. Borrowed until the next call. NULL without
 * memory.
 */
const struct frame *vnc_pointer_compose(struct vnc_pointer *pointer, const struct frame *frame,
					sraRegionPtr region);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VNC client's wish of another size (SetDesktopSize of the community's rfbproto), on its way to
 * the screen and back. A newer wish takes an older one's place: one answer tells of the last.
 */
#ifndef PLANECAST_VNC_WISH_H
#define PLANECAST_VNC_WISH_H

#include <stdbool.h>
#include <stdint.h>

#include "vnc_rects.h"

/* All zero at first. */
struct vnc_wish {
	enum vnc_wish_state {
		VNC_WISH_NONE,
		VNC_WISH_MADE,     /* by the client */
		VNC_WISH_ASKED,    /* the screen knows */
		VNC_WISH_ANSWERED, /* the client does not know */
	} state;
	uint16_t width, height;
	enum vnc_size_status status; /* while answered */
};

void vnc_wish_make(struct vnc_wish *wish, uint16_t width, uint16_t height);

static inline bool vnc_wish_is_made(const struct vnc_wish *wish)
{
	return wish->state == VNC_WISH_MADE;
}

static inline bool vnc_wish_is_asked(const struct vnc_wish *wish)
{
	return wish->state == VNC_WISH_ASKED;
}

static inline bool vnc_wish_is_answered(const struct vnc_wish *wish)
{
	return wish->state == VNC_WISH_ANSWERED;
}

/* Sets the size if there is one that the screen does not know of yet. */
void vnc_wish_ask(struct vnc_wish *wish, uint32_t *width, uint32_t *height);

/* The status of what sink_ops' answer() is told. */
enum vnc_size_status vnc_wish_status(int ret);

void vnc_wish_answer(struct vnc_wish *wish, enum vnc_size_status status);
enum vnc_size_status vnc_wish_take_answer(struct vnc_wish *wish); /* VNC_SIZE_SILENT: none yet */

#endif

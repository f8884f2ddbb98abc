/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_wish.h"

#include <errno.h>

void vnc_wish_make(struct vnc_wish *wish, uint16_t width, uint16_t height)
{
	*wish = (struct vnc_wish){.state = VNC_WISH_MADE, .width = width, .height = height};
}

void vnc_wish_ask(struct vnc_wish *wish, uint32_t *width, uint32_t *height)
{
	if (wish->state != VNC_WISH_MADE)
		return;
	wish->state = VNC_WISH_ASKED;
	*width = wish->width;
	*height = wish->height;
}

enum vnc_size_status vnc_wish_status(int ret)
{
	switch (ret) {
	case 0:
		return VNC_SIZE_DONE;
	case -EINPROGRESS:
		return VNC_SIZE_FORWARDED;
	case -ENOTSUP:
		return VNC_SIZE_PROHIBITED;
	case -ERANGE:
		return VNC_SIZE_INVALID;
	default:
		return VNC_SIZE_NO_ROOM;
	}
}

void vnc_wish_answer(struct vnc_wish *wish, enum vnc_size_status status)
{
	wish->state = VNC_WISH_ANSWERED;
	wish->status = status;
}

enum vnc_size_status vnc_wish_take_answer(struct vnc_wish *wish)
{
	if (wish->state != VNC_WISH_ANSWERED)
		return VNC_SIZE_SILENT;
	wish->state = VNC_WISH_NONE;
	return wish->status;
}

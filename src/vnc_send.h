/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One FramebufferUpdate by libvncserver's encoders: pseudo-rectangles first, then the pixels of a
 * region. Its own function for that knows fewer pseudo-rectangles, drops clients whose cursor is
 * larger than its buffer, and paints cursors into the frame.
 */
#ifndef PLANECAST_VNC_SEND_H
#define PLANECAST_VNC_SEND_H

#include <rfb/rfb.h>
#include <rfb/rfbregion.h>
#include <stdbool.h>

#include "vnc_rects.h"

/* region: NULL for none. Blocks until the socket has taken it all. False: the client is gone. */
bool vnc_send_update(rfbClientPtr client, const struct vnc_rects *rects, sraRegionPtr region);

#endif

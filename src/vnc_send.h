/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A FramebufferUpdate by libvncserver's encoders: pseudo-rectangles first, then the pixels of a
 * region. Its own function for that knows fewer pseudo-rectangles, drops clients whose cursor is
 * larger than its buffer, and paints cursors into the frame.
 */
#ifndef PLANECAST_VNC_SEND_H
#define PLANECAST_VNC_SEND_H

#include <rfb/rfb.h>
#include <rfb/rfbregion.h>
#include <stdbool.h>

#include "vnc_rects.h"

/*
 * region: NULL for none. Blocks until the socket has taken it all. False: the client is gone. Where
 * vnc_layout does not know the library, it is an update of ours with the pseudo-rectangles, and one
 * by the library's own function with the pixels.
 */
bool vnc_send_update(rfbClientPtr client, const struct vnc_rects *rects, sraRegionPtr region);

/* The same, whatever vnc_layout says: it tries it. */
bool vnc_send_known(rfbClientPtr client, const struct vnc_rects *rects, sraRegionPtr region);

#endif

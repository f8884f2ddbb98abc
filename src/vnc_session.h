/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libvncserver's part of one connection: a private rfbScreenInfo that points at a frame, with one
 * rfbClientRec that writes to the client's socket. None of its threads, listeners and readers run.
 */
#ifndef PLANECAST_VNC_SESSION_H
#define PLANECAST_VNC_SESSION_H

#include <rfb/rfb.h>

#include "frame.h"

struct vnc_session {
	rfbScreenInfoPtr screen;
	rfbClientPtr client;
	rfbCursor cursor; /* never shown: libvncserver must not paint into the frame */
	char *name;
};

/*
 * How many descriptors below libvncserver's limit (an fd_set) and the process's are left, minus a
 * reserve; no more clients at 0 or less. Each takes one for long.
 */
int vnc_session_room(void);

/*
 * All zero at first. Attaches to a connected socket (borrowed, blocking from now on; it has a
 * duplicate) and sends ServerInit. The frame is borrowed until another one is shown. SIGPIPE is
 * blocked in the calling thread. 0 or -errno; close it in any case.
 */
int vnc_session_open(struct vnc_session *session, int fd, const char *name, const char *peer,
		     const struct frame *frame);
void vnc_session_close(struct vnc_session *session);

/* What it encodes from now on. */
void vnc_session_show(struct vnc_session *session, const struct frame *frame);

#endif

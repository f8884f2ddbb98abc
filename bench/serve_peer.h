/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SERVE_PEER_H
#define SERVE_PEER_H

#include <rfb/rfb.h>

/*
 * Lets planecast's door listen for a screen of libvncserver's, which then gets each client's socket
 * (or its pump's end) and does the rest with threads of its own. kind is "door", "door-tls",
 * "door-ws" or "door-wss". Ends the process if that cannot be.
 */
void serve_peer_door(rfbScreenInfoPtr screen, const char *kind, const char *port);

#endif

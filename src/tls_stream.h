/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS, the server's side, as a stream for a pump (pump.h). The pump's reading thread shakes hands,
 * so nobody else ever waits for a peer: not even threads are shared.
 */
#ifndef PLANECAST_TLS_STREAM_H
#define PLANECAST_TLS_STREAM_H

#include "certificate.h"
#include "pump.h"

/*
 * Puts a pump in front of a connected socket, as pump_create(). TLS 1.2 at least. Takes fd in any
 * case; the plain end may be used at once. 0 or -errno.
 */
int tls_stream_pump(int fd, struct certificate *certificate, struct pump **pump, int *plain);

#endif

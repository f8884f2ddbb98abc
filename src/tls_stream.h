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

/*
 * Likewise, with a tap (NULL: none), for peers that mind where records end: piece() tells how many
 * of the bytes (one at least) that are to be sent go into one record. In the writing thread, in the
 * order of the bytes; `state` is the stream's to g_free() at its end, in any case.
 */
int tls_stream_pump_pieces(int fd, struct certificate *certificate,
			   size_t (*piece)(void *state, const void *bytes, size_t length),
			   void *state, const struct pump_tap *tap, struct pump **pump, int *plain);

#endif

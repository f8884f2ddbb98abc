/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A WebSocket as a stream for a pump (pump.h), over the stream that carried its HTTP handshake: the
 * bytes of binary messages in both directions. Answers pings, says and answers close.
 */
#ifndef PLANECAST_WEB_STREAM_H
#define PLANECAST_WEB_STREAM_H

#include <stddef.h>

#include "pump.h"

/*
 * `under` carries the frames and belongs to the new stream. `early` is what the client sent
 * together with its handshake; copied. Hand the result to pump_create() with web_stream_ops.
 */
void *web_stream_new(const struct pump_ops *under_ops, void *under, const void *early,
		     size_t early_length);

extern const struct pump_ops web_stream_ops;

/* A plain, blocking socket as such an under; it closes fd at the end. */
void *web_stream_plain_new(int fd);
extern const struct pump_ops web_stream_plain_ops;

/*
 * The blocking plain end of another pump, which does TLS, as an under; both are the stream's. The
 * wire of the new pump is the other's pump_wire().
 */
void *web_stream_tls_new(int fd, struct pump *tls);
extern const struct pump_ops web_stream_tls_ops;

#endif

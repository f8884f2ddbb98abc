/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A socket as it is, as a stream for a pump (pump.h): for taps on what comes without TLS. */
#ifndef PLANECAST_PLAIN_STREAM_H
#define PLANECAST_PLAIN_STREAM_H

#include "pump.h"

/* As tls_stream_pump(), with a tap (NULL: none). */
int plain_stream_pump(int fd, const struct pump_tap *tap, struct pump **pump, int *plain);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control socket of `planecast serve`: its option, and what it tells. */
#ifndef PLANECAST_SERVE_CONTROL_H
#define PLANECAST_SERVE_CONTROL_H

#include "control.h"
#include "status.h"

/* Makes the folder of the default place, if address is NULL: that may take rights given up later.
 */
void serve_control_prepare(const char *address);

/*
 * Opens the socket that tells status: at address, nowhere if that is "none", at the default place
 * if it is NULL. The default is a convenience: where it cannot be had, the log says so, and
 * *control is NULL. 0 or -errno.
 */
int serve_control_start(const char *address, struct status *status, struct control **control,
			GError **error);

#endif

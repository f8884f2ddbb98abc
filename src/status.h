/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a server says of itself: doc/status.md. Main thread. */
#ifndef PLANECAST_STATUS_H
#define PLANECAST_STATUS_H

#include <json-glib/json-glib.h>

#include "guest_agent.h"
#include "screen.h"

struct status {
	const char *device; /* the DEVICE as the user named it, borrowed */
	struct screen *screen;
	gint64 started_us;                /* monotonic */
	bool calls;                       /* its system calls are restricted */
	int landlock;                     /* the version of Landlock in force; 0: none */
	struct guest_agent *const *agent; /* the guest's own, which may come later; *agent NULL */
	const char *input;                /* where viewers' input goes */
	const char *const *input_nodes; /* event nodes that it goes to, up to a NULL; may be NULL */
};

/* An object; for json_node_unref(). */
JsonNode *status_node(const struct status *status);

/* The same as one line of JSON with its newline, for g_free(). */
char *status_text(const struct status *status);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a server said of itself (doc/status.md), as lines for people. What it said need not be true,
 * complete, or fit to be printed.
 */
#ifndef PLANECAST_STATUS_VIEW_H
#define PLANECAST_STATUS_VIEW_H

#include <json-glib/json-glib.h>

/*
 * before: what it said some time ago, for rates between the two; NULL: none are shown. For
 * g_free().
 */
char *status_view(JsonObject *now, JsonObject *before);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a server says of itself (doc/status.md) as metrics for Prometheus, in its text format 0.0.4:
 * https://prometheus.io/docs/instrumenting/exposition_formats/. Pure functions.
 */
#ifndef PLANECAST_METRICS_H
#define PLANECAST_METRICS_H

#include <json-glib/json-glib.h>

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/*
 * All families of doc/status.md whose members the status has. A status is taken for hostile: what
 * is missing or of another type makes no sample. For g_free().
 */
char *metrics_text(JsonObject *status);

#endif

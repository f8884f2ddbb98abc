/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The probe: what display a device has and what reading it takes, with the evidence. The device is
 * attached or opened for a moment; a guest is not disturbed and nothing is reset that is in use.
 */
#ifndef PLANECAST_PROBE_H
#define PLANECAST_PROBE_H

#include <glib.h>
#include <json-glib/json-glib.h>

/*
 * The report on a device (a DEVICE of the command line, sim: apart), for json_node_unref(). Its
 * members are those of `planecast probe --json`. -errno and one line in error; a device without a
 * display is no failure here ("display": "none").
 */
int probe_device(const char *spec, JsonNode **report, GError **error);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection to QEMU's machine monitor (qemu.git docs/interop/qmp-spec.rst): lines of JSON over a
 * unix socket, made when the socket is there and made again, with growing pauses, when it was lost.
 *
 * Everything happens in the main context, and nothing waits: what the monitor does not take stays
 * here. What it says is hostile: lines are bounded in length and depth, and what is no JSON object
 * ends the connection.
 */
#ifndef PLANECAST_QMP_H
#define PLANECAST_QMP_H

#include <json-glib/json-glib.h>
#include <stdbool.h>

#define QMP_LINE_LIMIT  (64u << 10) /* bytes of one line of the monitor's */
#define QMP_DEPTH_LIMIT 32u         /* arrays and objects within each other */

struct qmp;

/* Called from the main context, never from within a call of qmp_send(). */
struct qmp_events {
	void (*said)(JsonObject *object, void *data);
	void (*lost)(void *data); /* after anything was said */
};

/* Events are copied. Connects at once if it can. */
struct qmp *qmp_create(const char *path, const struct qmp_events *events, void *data);
/* Gives the monitor what it takes at once of what was sent. */
void qmp_destroy(struct qmp *qmp);

/* A command, without its line feed. Lost while there is no connection. */
void qmp_send(struct qmp *qmp, const char *command);

/* The monitor has proved to be one: the next pause is a short one again. */
void qmp_proved(struct qmp *qmp);

/* For tests: the object of a line, or NULL; the caller unrefs it. */
JsonObject *qmp_parse(const char *line);

#endif

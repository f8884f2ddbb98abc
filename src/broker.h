/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A broker: the process that keeps the rights it takes to reach one device, while the server that
 * it was forked from gives up its own. It takes requests without any argument: "reach the device
 * again", "does its owner still hold it?", and "say when it does not", so that the server sleeps
 * meanwhile. It ends with the server.
 *
 * Main thread of both.
 */
#ifndef PLANECAST_BROKER_H
#define PLANECAST_BROKER_H

#include "reach.h"

struct broker;

/* Forks; the child works by its copy of reach. -errno with a line. No other threads yet. */
int broker_start(const struct reach *reach, struct broker **broker, GError **error);

/* Closes the connection, which ends it; one that hangs in a driver is not waited for. Takes NULL.
 */
void broker_stop(struct broker *broker);

/* As reach_device() and reach_holds(), done there. */
int broker_reach(struct broker *broker, struct vfio *vfio, GError **error);
bool broker_holds(struct broker *broker);

/* As reach_watch(), reach_lost() and reach_rest(). */
int broker_watch(struct broker *broker);
bool broker_lost(struct broker *broker);
void broker_rest(struct broker *broker);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who has come to the door and is no guest yet: one at a time under the door's limits and its
 * deadline, through the handshake. In the door's thread.
 */
#ifndef PLANECAST_DOOR_ARRIVAL_H
#define PLANECAST_DOOR_ARRIVAL_H

#include <stdbool.h>

#include "door_gate.h"
#include "door_own.h"

/* Takes all of the peer's. */
void arrival_begin(struct door *door, const struct gate_peer *peer, bool local);

/* How those that a check is about (their data) hear of it. */
extern const struct check_ops arrival_check_ops;

/* Everybody goes, without a word. Once the door's thread has ended. */
void arrivals_end(struct door *door);

#endif

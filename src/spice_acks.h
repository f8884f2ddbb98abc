/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a SPICE client owes. A server asks on a channel, by SPICE_MSG_SET_ACK, for a word after each
 * `window` messages; spice-server stops sending when two windows are out and it has none
 * (server/red-channel-client.cpp, is_waiting_for_ack()). What it does not send to one client it
 * lets all others wait for, sooner or later, and it waits with patience: so it is counted here who
 * owes a word, and since when. Pure.
 *
 * spice-server also believes each such word, and a client that says it too often stops its own
 * channel in the same way: there nothing would be owed, so it is a fault.
 */
#ifndef PLANECAST_SPICE_ACKS_H
#define PLANECAST_SPICE_ACKS_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spice_framing.h"

#define SPICE_ACKS_SET 8u /* bytes of a SET_ACK: generation, window */

/* All zero at the first byte of either direction. */
struct spice_acks {
	struct spice_framing framing; /* of what the server sends */
	uint8_t set[SPICE_ACKS_SET];
	size_t have; /* bytes of it; the message under way is one if is_set */
	bool is_set;
	uint32_t generation, window; /* 0: no word was asked for */
	uint64_t out;                /* messages since, less those that were acknowledged */
	gint64 since;                /* the first one that is owed for, or the last word */
};

/* The server has sent this much more, all of which is on its way to the client. */
void spice_acks_sent(struct spice_acks *acks, const uint8_t *bytes, size_t length, gint64 now);

/* The client has said ACK, and in its last ACK_SYNC this generation. The fault, or NULL. */
const char *spice_acks_heard(struct spice_acks *acks, uint32_t generation, gint64 now);

/* How long it has owed a word, and whether the server sends nothing before that: microseconds, 0:
 * it owes none. */
gint64 spice_acks_owed(const struct spice_acks *acks, gint64 now);
bool spice_acks_block(const struct spice_acks *acks);

#endif

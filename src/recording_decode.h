/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the records of one plane make of it, one after the other. No I/O: the bodies are bytes that
 * anybody may have written.
 */
#ifndef PLANECAST_RECORDING_DECODE_H
#define PLANECAST_RECORDING_DECODE_H

#include "recording.h"

struct recording_state {
	bool on;
	struct plane plane; /* while on; data points to bytes */
	uint8_t *bytes;
	char *reason; /* while off; may be NULL */
	uint8_t *map; /* of the blocks that changed, while on */
	bool all;     /* everything changed */
};

/*
 * Applies a record. 0; -EINVAL: it is not one that can follow, -ENOMEM; then the state is as it
 * was. Nothing is allocated that the geometry and the compressed bytes do not justify.
 */
int recording_decode(struct recording_state *state, enum recording_kind kind, const uint8_t *body,
		     size_t size);

/* Off, for no reason; everything changed. Frees what it held; takes a zeroed one. */
void recording_state_reset(struct recording_state *state);

/* Adds what changed since the last call to damage. */
void recording_state_take_changes(struct recording_state *state, struct damage *damage);

#endif

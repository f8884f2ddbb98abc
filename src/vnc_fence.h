/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client waits for in the stream of updates: answers to its fences (ClientFence of the
 * community's rfbproto) and EndOfContinuousUpdates, in order. The owner locks.
 *
 * A fence may bind what the client says before and after it. What it said before is noted for the
 * sending thread, which takes all that is noted at once; so
 *   SyncNext    is taken together with the message that follows it, and answered before that takes
 *               effect. It waits until nothing older is noted.
 *   BlockBefore is answered after what was taken with it has taken effect.
 *   BlockAfter  holds what the client says next until it is answered.
 */
#ifndef PLANECAST_VNC_FENCE_H
#define PLANECAST_VNC_FENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vnc_parser.h"

#define VNC_FENCE_BLOCK_BEFORE (1u << 0)
#define VNC_FENCE_BLOCK_AFTER  (1u << 1)
#define VNC_FENCE_SYNC_NEXT    (1u << 2)
#define VNC_FENCE_REQUEST      (1u << 31)

#define VNC_FENCE_QUEUE 16
#define VNC_FENCE_BYTES (9 + VNC_FENCE_PAYLOAD) /* of a message at most */

struct vnc_fence {
	uint64_t after; /* so many messages of the client's must have passed */
	uint32_t flags;
	bool end; /* no fence: EndOfContinuousUpdates */
	uint8_t length, payload[VNC_FENCE_PAYLOAD];
};

/* All zero at first. */
struct vnc_fences {
	struct vnc_fence queue[VNC_FENCE_QUEUE];
	unsigned int count;
	bool unsettled; /* the last one waits until what is older has been taken */
};

/* Messages for a client, made of the queue. */
struct vnc_answers {
	uint8_t before[VNC_FENCE_BYTES]; /* before what was taken takes effect */
	uint8_t after[VNC_FENCE_QUEUE * VNC_FENCE_BYTES];
	size_t before_length, after_length;
};

/*
 * A fence of the client's that asks for an answer, its `messages`-th message, counted from 0.
 * older: something that it said before is noted and not taken yet. There must be room.
 */
void vnc_fences_add(struct vnc_fences *fences, uint32_t flags, const uint8_t *payload,
		    size_t length, uint64_t messages, bool older);
void vnc_fences_add_end(struct vnc_fences *fences);

/* After so many messages the next one has to wait: for an answer, or for room. */
bool vnc_fences_hold(const struct vnc_fences *fences, uint64_t messages);

/* Something can be answered now. */
bool vnc_fences_are_ready(const struct vnc_fences *fences, uint64_t messages);

/* All that is noted is taken; what can be answered goes into answers. */
void vnc_fences_take(struct vnc_fences *fences, uint64_t messages, struct vnc_answers *answers);

/* A ServerFence, into VNC_FENCE_BYTES; returns its length. */
size_t vnc_fence_write(uint8_t *bytes, uint32_t flags, const uint8_t *payload, uint8_t length);

#endif

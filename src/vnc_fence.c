/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_fence.h"

#include <string.h>

#define END_OF_CONTINUOUS_UPDATES 150
#define SERVER_FENCE              248
#define UNDERSTOOD                (VNC_FENCE_BLOCK_BEFORE | VNC_FENCE_BLOCK_AFTER | VNC_FENCE_SYNC_NEXT)
/* One message of the client's may bring a fence, and one more may be announced beside it. */
#define ROOM 2u

void vnc_fences_add(struct vnc_fences *fences, uint32_t flags, const uint8_t *payload,
		    size_t length, uint64_t messages, bool older)
{
	bool sync = flags & VNC_FENCE_SYNC_NEXT;
	struct vnc_fence *fence = &fences->queue[fences->count];

	fences->unsettled = sync && (older || fences->count);
	*fence = (struct vnc_fence){
		.after = messages + (sync ? 2 : 1),
		.flags = flags & UNDERSTOOD,
		.length = (uint8_t)length,
	};
	memcpy(fence->payload, payload, length);
	fences->count++;
}

void vnc_fences_add_end(struct vnc_fences *fences)
{
	fences->queue[fences->count++] = (struct vnc_fence){.end = true};
}

bool vnc_fences_hold(const struct vnc_fences *fences, uint64_t messages)
{
	if (fences->unsettled || fences->count + ROOM > VNC_FENCE_QUEUE)
		return true;
	for (unsigned int i = 0; i < fences->count; i++)
		if (fences->queue[i].flags & VNC_FENCE_BLOCK_AFTER &&
		    fences->queue[i].after <= messages)
			return true;
	return false;
}

/* An unsettled one is the last, and its next message has not come. */
static unsigned int count_ready(const struct vnc_fences *fences, uint64_t messages)
{
	unsigned int count = 0;

	while (count < fences->count && fences->queue[count].after <= messages)
		count++;
	return count;
}

bool vnc_fences_are_ready(const struct vnc_fences *fences, uint64_t messages)
{
	return fences->unsettled || count_ready(fences, messages);
}

size_t vnc_fence_write(uint8_t *bytes, uint32_t flags, const uint8_t *payload, uint8_t length)
{
	memset(bytes, 0, 9);
	bytes[0] = SERVER_FENCE;
	for (unsigned int i = 0; i < 4; i++)
		bytes[4 + i] = (uint8_t)(flags >> (24 - 8 * i));
	bytes[8] = length;
	memcpy(bytes + 9, payload, length);
	return 9u + length;
}

static size_t write_answer(uint8_t *bytes, const struct vnc_fence *fence)
{
	if (!fence->end)
		return vnc_fence_write(bytes, fence->flags, fence->payload, fence->length);
	*bytes = END_OF_CONTINUOUS_UPDATES;
	return 1;
}

void vnc_fences_take(struct vnc_fences *fences, uint64_t messages, struct vnc_answers *answers)
{
	unsigned int count = count_ready(fences, messages);

	answers->before_length = answers->after_length = 0;
	fences->unsettled = false;
	for (unsigned int i = 0; i < count; i++) {
		const struct vnc_fence *fence = &fences->queue[i];

		/* Only the first can be such a one: it waits until the queue is empty. */
		if (fence->flags & VNC_FENCE_SYNC_NEXT)
			answers->before_length = write_answer(answers->before, fence);
		else
			answers->after_length += write_answer(
				answers->after + answers->after_length, fence);
	}
	fences->count -= count;
	memmove(fences->queue, fences->queue + count, fences->count * sizeof(*fences->queue));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spice_acks.h"

#include <string.h>

#include <spice/enums.h>

/* As the server counts it: the SET_ACK itself is the first of the messages. */
static void take_set(struct spice_acks *acks, gint64 now)
{
	uint32_t words[2];

	memcpy(words, acks->set, sizeof(words));
	acks->generation = GUINT32_FROM_LE(words[0]);
	acks->window = GUINT32_FROM_LE(words[1]);
	acks->out = 1;
	acks->since = now;
	acks->is_set = false;
}

static void begin_message(struct spice_acks *acks, gint64 now)
{
	acks->is_set = acks->framing.type == SPICE_MSG_SET_ACK;
	acks->have = 0;
	if (acks->out++ == acks->window)
		acks->since = now;
}

/* So many more bytes of a SET_ACK's body, up to there. */
static void collect(struct spice_acks *acks, const uint8_t *end, size_t length, gint64 now)
{
	size_t more = MIN(length, SPICE_ACKS_SET - acks->have);

	memcpy(acks->set + acks->have, end - length, more);
	acks->have += more;
	if (acks->have == SPICE_ACKS_SET)
		take_set(acks, now);
}

void spice_acks_sent(struct spice_acks *acks, const uint8_t *bytes, size_t length, gint64 now)
{
	const struct spice_framing *framing = &acks->framing;

	while (length) {
		uint64_t messages = framing->messages, left = framing->left;
		size_t taken = spice_framing_next(&acks->framing, bytes, length);

		if (framing->messages != messages) {
			begin_message(acks, now);
			left = framing->size;
		}
		if (acks->is_set)
			collect(acks, bytes + taken, (size_t)(left - framing->left), now);
		bytes += taken;
		length -= taken;
	}
}

const char *spice_acks_heard(struct spice_acks *acks, uint32_t generation, gint64 now)
{
	if (!acks->window || generation != acks->generation)
		return NULL; /* spice-server does not heed it either */
	if (acks->out < acks->window)
		return "it acknowledges what was not sent to it";
	acks->out -= acks->window;
	acks->since = now;
	return NULL;
}

gint64 spice_acks_owed(const struct spice_acks *acks, gint64 now)
{
	return acks->window && acks->out > acks->window ? now - acks->since : 0;
}

bool spice_acks_block(const struct spice_acks *acks)
{
	return acks->window && acks->out > 2 * (uint64_t)acks->window;
}

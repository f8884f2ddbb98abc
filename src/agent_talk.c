/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent_talk.h"

#include <stdbool.h>
#include <string.h>

#include <spice/vd_agent.h>

#include "clipboard.h"

/* The longest message that is looked at, and how much may wait for the other side. */
#define LONGEST (CLIPBOARD_LIMIT + 64)
#define WAITING (4 * (size_t)LONGEST)

struct agent_talk {
	void (*copied)(GBytes *text, void *data);
	void *data;
	GBytes *offered; /* or NULL */
	bool asked;      /* for the other side's text */

	bool resizes;
	uint32_t other; /* capabilities of the other side; 0: it has not said them */

	/* What comes in: heads as they come, little-endian, and what is left of that which follows.
	 */
	VDIChunkHeader chunk;
	VDAgentMessage message;
	size_t chunk_got, message_got;
	uint32_t chunk_left, message_left;
	GByteArray *body; /* of the message, empty if it is skipped */

	GByteArray *out;
	size_t out_given;
};

struct agent_talk *agent_talk_create(bool resizes, void (*copied)(GBytes *text, void *data),
				     void *data)
{
	struct agent_talk *talk = g_new0(struct agent_talk, 1);

	talk->resizes = resizes;
	talk->copied = copied;
	talk->data = data;
	talk->body = g_byte_array_new();
	talk->out = g_byte_array_new();
	return talk;
}

void agent_talk_destroy(struct agent_talk *talk)
{
	if (!talk)
		return;
	if (talk->offered)
		g_bytes_unref(talk->offered);
	g_byte_array_unref(talk->body);
	g_byte_array_unref(talk->out);
	g_free(talk);
}

/* What goes out. */

static void put_chunks(GByteArray *out, const uint8_t *bytes, size_t length)
{
	while (length) {
		uint32_t size = (uint32_t)MIN(length, VD_AGENT_MAX_DATA_SIZE);
		VDIChunkHeader chunk = {
			.port = GUINT32_TO_LE(VDP_CLIENT_PORT),
			.size = GUINT32_TO_LE(size),
		};

		g_byte_array_append(out, (const guint8 *)&chunk, sizeof(chunk));
		g_byte_array_append(out, bytes, size);
		bytes += size;
		length -= size;
	}
}

/* A message of a 32-bit word, then more. While nothing is taken, what is too much is not said.
 */
static void say(struct agent_talk *talk, uint32_t type, uint32_t word, const void *more,
		size_t length)
{
	VDAgentMessage message = {
		.protocol = GUINT32_TO_LE(VD_AGENT_PROTOCOL),
		.type = GUINT32_TO_LE(type),
		.size = GUINT32_TO_LE((uint32_t)(sizeof(word) + length)),
	};
	GByteArray *whole;

	if (talk->out->len - talk->out_given + length > WAITING)
		return;
	word = GUINT32_TO_LE(word);
	whole = g_byte_array_sized_new((guint)(sizeof(message) + sizeof(word) + length));
	g_byte_array_append(whole, (const guint8 *)&message, sizeof(message));
	g_byte_array_append(whole, (const guint8 *)&word, sizeof(word));
	if (length)
		g_byte_array_append(whole, more, (guint)length);
	put_chunks(talk->out, whole->data, whole->len);
	g_byte_array_unref(whole);
}

static void say_capabilities(struct agent_talk *talk, bool asks)
{
	uint32_t capabilities = 1u << VD_AGENT_CAP_GUEST_LINEEND_LF;

	if (talk->resizes)
		capabilities |= 1u << VD_AGENT_CAP_MONITORS_CONFIG;
	if (talk->copied)
		capabilities |= 1u << VD_AGENT_CAP_CLIPBOARD_BY_DEMAND;
	capabilities = GUINT32_TO_LE(capabilities);
	say(talk, VD_AGENT_ANNOUNCE_CAPABILITIES, asks, &capabilities, sizeof(capabilities));
}

static void say_offer(struct agent_talk *talk)
{
	if (talk->offered)
		say(talk, VD_AGENT_CLIPBOARD_GRAB, VD_AGENT_CLIPBOARD_UTF8_TEXT, NULL, 0);
}

static void say_text(struct agent_talk *talk, uint32_t type)
{
	gsize length = 0;
	const void *text = NULL;

	if (talk->offered && type == VD_AGENT_CLIPBOARD_UTF8_TEXT)
		text = g_bytes_get_data(talk->offered, &length);
	say(talk, VD_AGENT_CLIPBOARD, text ? VD_AGENT_CLIPBOARD_UTF8_TEXT : VD_AGENT_CLIPBOARD_NONE,
	    text, length);
}

void agent_talk_greet(struct agent_talk *talk)
{
	say_capabilities(talk, true);
}

bool agent_talk_has_other(const struct agent_talk *talk)
{
	return talk->other;
}

bool agent_talk_resize(struct agent_talk *talk, uint32_t width, uint32_t height)
{
	/* Flags, then height, width, depth and position. */
	const uint32_t monitor[] = {
		0, GUINT32_TO_LE(height), GUINT32_TO_LE(width), GUINT32_TO_LE(32), 0, 0};

	if (!(talk->other & 1u << VD_AGENT_CAP_MONITORS_CONFIG))
		return false;
	say(talk, VD_AGENT_MONITORS_CONFIG, 1, monitor, sizeof(monitor));
	return true;
}

void agent_talk_offer(struct agent_talk *talk, GBytes *text)
{
	if (talk->offered)
		g_bytes_unref(talk->offered);
	talk->offered = g_bytes_ref(text);
	say_offer(talk);
}

size_t agent_talk_give(struct agent_talk *talk, uint8_t *bytes, size_t length)
{
	length = MIN(length, talk->out->len - talk->out_given);
	if (length)
		memcpy(bytes, talk->out->data + talk->out_given, length);
	talk->out_given += length;
	if (talk->out_given == talk->out->len) {
		g_byte_array_set_size(talk->out, 0);
		talk->out_given = 0;
	}
	return length;
}

/* What comes in. */

static uint32_t word_at(const struct agent_talk *talk, size_t number)
{
	uint32_t word = 0;

	if ((number + 1) * sizeof(word) <= talk->body->len)
		memcpy(&word, talk->body->data + number * sizeof(word), sizeof(word));
	return GUINT32_FROM_LE(word);
}

/* The other side has copied something: what it has as text is asked for. */
static void on_grab(struct agent_talk *talk)
{
	for (size_t i = 0; talk->copied && i < talk->body->len / sizeof(uint32_t); i++)
		if (word_at(talk, i) == VD_AGENT_CLIPBOARD_UTF8_TEXT) {
			talk->asked = true;
			say(talk, VD_AGENT_CLIPBOARD_REQUEST, VD_AGENT_CLIPBOARD_UTF8_TEXT, NULL,
			    0);
			return;
		}
}

static void on_text(struct agent_talk *talk)
{
	GBytes *text;

	if (!talk->asked || word_at(talk, 0) != VD_AGENT_CLIPBOARD_UTF8_TEXT)
		return;
	talk->asked = false;
	text = clipboard_text((const char *)talk->body->data + sizeof(uint32_t),
			      talk->body->len - sizeof(uint32_t));
	if (!text)
		return;
	talk->copied(text, talk->data);
	g_bytes_unref(text);
}

/* Every message that is looked at begins with a word. */
static void on_message(struct agent_talk *talk)
{
	if (talk->body->len < sizeof(uint32_t))
		return;
	switch (GUINT32_FROM_LE(talk->message.type)) {
	case VD_AGENT_ANNOUNCE_CAPABILITIES:
		talk->other = word_at(talk, 1);
		if (word_at(talk, 0))
			say_capabilities(talk, false);
		say_offer(talk);
		break;
	case VD_AGENT_CLIPBOARD_GRAB:
		on_grab(talk);
		break;
	case VD_AGENT_CLIPBOARD:
		on_text(talk);
		break;
	case VD_AGENT_CLIPBOARD_REQUEST:
		say_text(talk, word_at(talk, 0));
		break;
	}
}

/* Appends to a head what it still needs; how much that was. */
static size_t fill(void *head, size_t size, size_t *got, const uint8_t *bytes, size_t length)
{
	length = MIN(length, size - *got);
	memcpy((uint8_t *)head + *got, bytes, length);
	*got += length;
	return length;
}

static bool is_skipped(const struct agent_talk *talk)
{
	return GUINT32_FROM_LE(talk->message.protocol) != VD_AGENT_PROTOCOL ||
	       GUINT32_FROM_LE(talk->message.size) > LONGEST ||
	       GUINT32_FROM_LE(talk->chunk.port) != VDP_CLIENT_PORT;
}

static void end_message(struct agent_talk *talk)
{
	if (!is_skipped(talk))
		on_message(talk);
	g_byte_array_set_size(talk->body, 0);
	talk->message_got = 0;
}

/* Some of a chunk: of one message at most; how much that was. */
static size_t take_message(struct agent_talk *talk, const uint8_t *bytes, size_t length)
{
	if (talk->message_got < sizeof(talk->message)) {
		length = fill(&talk->message, sizeof(talk->message), &talk->message_got, bytes,
			      length);
		talk->message_left = GUINT32_FROM_LE(talk->message.size);
	} else {
		length = MIN(length, talk->message_left);
		if (!is_skipped(talk))
			g_byte_array_append(talk->body, bytes, (guint)length);
		talk->message_left -= (uint32_t)length;
	}
	if (talk->message_got == sizeof(talk->message) && !talk->message_left)
		end_message(talk);
	return length;
}

/* Some of the bytes, at most to the end of a head or of a chunk; how many. */
static size_t take_some(struct agent_talk *talk, const uint8_t *bytes, size_t length)
{
	if (talk->chunk_got < sizeof(talk->chunk)) {
		length = fill(&talk->chunk, sizeof(talk->chunk), &talk->chunk_got, bytes, length);
		talk->chunk_left = GUINT32_FROM_LE(talk->chunk.size);
	} else {
		length = take_message(talk, bytes, MIN(length, talk->chunk_left));
		talk->chunk_left -= (uint32_t)length;
	}
	if (talk->chunk_got == sizeof(talk->chunk) && !talk->chunk_left)
		talk->chunk_got = 0;
	return length;
}

void agent_talk_take(struct agent_talk *talk, const uint8_t *bytes, size_t length)
{
	while (length) {
		size_t taken = take_some(talk, bytes, length);

		bytes += taken;
		length -= taken;
	}
}

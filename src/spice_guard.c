/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spice_guard.h"

#include <glib.h>
#include <string.h>

#include <spice/enums.h>
#include <spice/protocol.h>

#define START     16u /* magic, version, size */
#define LINK      18u /* session, channel, counts of capabilities, where they are */
#define LINK_MOST 4096u
#define WORD      4u
#define TICKET    (SPICE_TICKET_KEY_PAIR_LENGTH / 8)
#define MINI      6u  /* type, size */
#define LONG      18u /* serial, type, size, sub-messages */
#define INIT      14u
/* Pixels. spice-gtk has 12 MiB of dictionary at least (src/spice-session.c). */
#define DICTIONARY (3u << 20)

static uint16_t half_at(const uint8_t *bytes)
{
	uint16_t wire;

	memcpy(&wire, bytes, sizeof(wire));
	return GUINT16_FROM_LE(wire);
}

static uint32_t word_at(const uint8_t *bytes)
{
	uint32_t wire;

	memcpy(&wire, bytes, sizeof(wire));
	return GUINT32_FROM_LE(wire);
}

static bool can(const struct spice_guard *guard, unsigned int capability)
{
	return guard->caps & 1u << capability;
}

static size_t header_size(const struct spice_guard *guard)
{
	switch (guard->state) {
	case SPICE_GUARD_START:
		return START;
	case SPICE_GUARD_LINK:
		return LINK;
	case SPICE_GUARD_CHOICE:
		return WORD;
	default:
		return can(guard, SPICE_COMMON_CAP_MINI_HEADER) ? MINI : LONG;
	}
}

static const char *read_start(struct spice_guard *guard)
{
	uint32_t size = word_at(guard->header + START - WORD);

	if (memcmp(guard->header, "REDQ", WORD) != 0 || size < LINK || size > LINK_MOST)
		return "it does not speak SPICE";
	guard->left = size - LINK;
	guard->state = SPICE_GUARD_LINK;
	return NULL;
}

static const char *read_link(struct spice_guard *guard)
{
	uint64_t common = word_at(guard->header + 6), channel = word_at(guard->header + 10),
		 at = word_at(guard->header + 14);

	guard->session = word_at(guard->header);
	guard->type = guard->header[4];
	guard->id = guard->header[5];
	/* As spice-server does: they follow the fixed part somewhere. */
	if (common + channel && (at < LINK || at + (common + channel) * WORD > LINK + guard->left))
		return "it does not speak SPICE";
	if (guard->type == SPICE_CHANNEL_MAIN && guard->session)
		return "it migrates from elsewhere, which is not offered";
	guard->caps_at = common ? at - LINK : LINK_MOST;
	guard->state = SPICE_GUARD_CAPS;
	return NULL;
}

/* The main channel has messages of its own for it. */
static bool is_migration(const struct spice_guard *guard, uint16_t type)
{
	if (type == SPICE_MSGC_MIGRATE_FLUSH_MARK || type == SPICE_MSGC_MIGRATE_DATA)
		return true;
	return guard->type == SPICE_CHANNEL_MAIN &&
	       (type == SPICE_MSGC_MAIN_MIGRATE_CONNECTED ||
		type == SPICE_MSGC_MAIN_MIGRATE_CONNECT_ERROR ||
		type == SPICE_MSGC_MAIN_MIGRATE_END ||
		type == SPICE_MSGC_MAIN_MIGRATE_DST_DO_SEAMLESS ||
		type == SPICE_MSGC_MAIN_MIGRATE_CONNECTED_SEAMLESS);
}

static const char *read_message(struct spice_guard *guard)
{
	const uint8_t *header = guard->header;
	uint16_t type;

	if (!can(guard, SPICE_COMMON_CAP_MINI_HEADER))
		header += sizeof(uint64_t);
	type = half_at(header);
	if (is_migration(guard, type))
		return "it speaks of migration, which is not offered";
	guard->silent = guard->type == SPICE_CHANNEL_DISPLAY && type == SPICE_MSGC_DISPLAY_INIT;
	if (guard->silent && guard->begun)
		return "it begins twice";
	guard->begun |= guard->silent;
	guard->kind = type;
	guard->acks += type == SPICE_MSGC_ACK;
	guard->sync_left = type == SPICE_MSGC_ACK_SYNC ? WORD : 0;
	guard->left = word_at(header + sizeof(uint16_t));
	if (spice_guard_acknowledges(guard) && guard->left != guard->sync_left)
		return "it does not speak SPICE";
	guard->state = SPICE_GUARD_BODY;
	return NULL;
}

static const char *read_choice(struct spice_guard *guard)
{
	if (word_at(guard->header) != SPICE_COMMON_CAP_AUTH_SPICE)
		return "it asks for SASL, which is not offered";
	guard->left = TICKET;
	guard->state = SPICE_GUARD_TICKET;
	return NULL;
}

/* The header is there. */
static const char *read_header(struct spice_guard *guard)
{
	guard->have = 0;
	switch (guard->state) {
	case SPICE_GUARD_START:
		return read_start(guard);
	case SPICE_GUARD_LINK:
		return read_link(guard);
	case SPICE_GUARD_CHOICE:
		return read_choice(guard);
	default:
		return read_message(guard);
	}
}

/* SPICE_MSGC_DISPLAY_INIT: identity and size of the cache of images, and those of the dictionary.
 */
static void say_init(const struct spice_guard *guard, GByteArray *out)
{
	static const uint8_t mini[MINI] = {SPICE_MSGC_DISPLAY_INIT, 0, INIT};
	static const uint8_t serial[sizeof(uint64_t)] = {1}, none[WORD];
	static const uint8_t cache[1 + sizeof(uint64_t)] = {1};
	const uint32_t dictionary = GUINT32_TO_LE(DICTIONARY);
	const uint8_t id = 1;
	bool is_mini = can(guard, SPICE_COMMON_CAP_MINI_HEADER);

	if (!is_mini)
		g_byte_array_append(out, serial, sizeof(serial));
	g_byte_array_append(out, mini, sizeof(mini));
	if (!is_mini)
		g_byte_array_append(out, none, sizeof(none));
	g_byte_array_append(out, cache, sizeof(cache));
	g_byte_array_append(out, &id, sizeof(id));
	g_byte_array_append(out, (const guint8 *)&dictionary, sizeof(dictionary));
}

/* Nothing is left to be passed over. */
static void go_on(struct spice_guard *guard, GByteArray *out)
{
	guard->have = 0;
	if (guard->state == SPICE_GUARD_CAPS &&
	    can(guard, SPICE_COMMON_CAP_PROTOCOL_AUTH_SELECTION)) {
		guard->state = SPICE_GUARD_CHOICE;
	} else if (guard->state == SPICE_GUARD_CAPS) {
		guard->left = TICKET;
		guard->state = SPICE_GUARD_TICKET;
	} else {
		if (guard->state == SPICE_GUARD_TICKET && guard->type == SPICE_CHANNEL_DISPLAY)
			say_init(guard, out);
		guard->state = SPICE_GUARD_MESSAGE;
		guard->silent = false;
	}
}

static bool is_header(const struct spice_guard *guard)
{
	return guard->state != SPICE_GUARD_CAPS && guard->state != SPICE_GUARD_TICKET &&
	       guard->state != SPICE_GUARD_BODY;
}

static size_t take_header(struct spice_guard *guard, const uint8_t *bytes, size_t length,
			  GByteArray *out, const char **fault)
{
	size_t size = header_size(guard), taken = MIN(length, size - guard->have);

	memcpy(guard->header + guard->have, bytes, taken);
	guard->have += taken;
	if (guard->have < size)
		return taken;
	*fault = read_header(guard);
	if (!*fault && !guard->silent)
		g_byte_array_append(out, guard->header, (guint)size);
	return taken;
}

static size_t pass_over(struct spice_guard *guard, const uint8_t *bytes, size_t length,
			GByteArray *out)
{
	size_t taken = (size_t)MIN((uint64_t)length, guard->left);

	for (size_t i = 0; guard->state == SPICE_GUARD_CAPS && i < taken; i++, guard->have++)
		if (guard->have - guard->caps_at < WORD)
			guard->caps |= (uint32_t)bytes[i] << 8 * (guard->have - guard->caps_at);
	for (size_t i = 0; guard->sync_left && i < taken; i++, guard->sync_left--)
		guard->generation = guard->generation >> 8 | (uint32_t)bytes[i] << 24;
	if (!guard->silent)
		g_byte_array_append(out, bytes, (guint)taken);
	guard->left -= taken;
	return taken;
}

size_t spice_guard_next(struct spice_guard *guard, const uint8_t *bytes, size_t length,
			GByteArray *out, const char **fault)
{
	size_t taken;

	*fault = NULL;
	if (is_header(guard))
		taken = take_header(guard, bytes, length, out, fault);
	else
		taken = pass_over(guard, bytes, length, out);
	/* What is empty ends where it begins. */
	while (!*fault && !is_header(guard) && !guard->left)
		go_on(guard, out);
	return taken;
}

bool spice_guard_is_linked(const struct spice_guard *guard)
{
	return guard->state > SPICE_GUARD_CAPS;
}

bool spice_guard_is_proved(const struct spice_guard *guard)
{
	return guard->state >= SPICE_GUARD_MESSAGE;
}

bool spice_guard_is_workers(const struct spice_guard *guard)
{
	return guard->type == SPICE_CHANNEL_DISPLAY || guard->type == SPICE_CHANNEL_CURSOR;
}

bool spice_guard_acknowledges(const struct spice_guard *guard)
{
	return guard->kind == SPICE_MSGC_ACK || guard->kind == SPICE_MSGC_ACK_SYNC;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "recording_decode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* As wide as the widest loads of detile/. */
#define ALIGNMENT 64u

static size_t map_bytes(const struct plane *plane)
{
	return (recording_blocks(plane->size) + 7) / 8;
}

static bool has_block(const uint8_t *map, size_t block)
{
	return map[block / 8] & 1u << block % 8;
}

static void set_block(uint8_t *map, size_t block)
{
	map[block / 8] |= (uint8_t)(1u << block % 8);
}

/* Exactly so many bytes out of exactly these; free() takes them. */
static int unpack(const uint8_t *packed, size_t packed_size, size_t size, uint8_t **out)
{
	uLong used = (uLong)packed_size;
	uLongf got = (uLongf)size;
	uint8_t *bytes;

	if (!size || !recording_can_unpack(packed_size, size))
		return -EINVAL;
	bytes = aligned_alloc(ALIGNMENT, (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
	if (!bytes)
		return -ENOMEM;
	if (uncompress2(bytes, &got, packed, &used) != Z_OK || got != size || used != packed_size) {
		free(bytes);
		return -EINVAL;
	}
	*out = bytes;
	return 0;
}

static void describe(struct recording_state *state, const struct plane *plane)
{
	state->plane = *plane;
	state->plane.data = state->bytes;
}

/* A plane of another shape, or the first. */
static int start_plane(struct recording_state *state, const struct plane *plane, uint8_t *bytes)
{
	uint8_t *map = calloc(1, map_bytes(plane));

	if (!map) {
		free(bytes);
		return -ENOMEM;
	}
	recording_state_reset(state);
	state->on = true;
	state->bytes = bytes;
	state->map = map;
	describe(state, plane);
	return 0;
}

static int decode_whole(struct recording_state *state, const struct plane *plane,
			const uint8_t *packed, size_t packed_size)
{
	uint8_t *bytes;
	int ret = unpack(packed, packed_size, plane->size, &bytes);

	if (ret)
		return ret;
	if (!state->on || !recording_same_shape(&state->plane, plane))
		return start_plane(state, plane, bytes);
	for (size_t i = 0; i < recording_blocks(plane->size); i++) {
		size_t at = i * RECORDING_BLOCK_BYTES;

		if (memcmp(bytes + at, state->bytes + at, recording_block_bytes(plane->size, i)))
			set_block(state->map, i);
	}
	free(state->bytes);
	state->bytes = bytes;
	describe(state, plane);
	return 0;
}

/* How many bytes the blocks of a map have; 0 if it has none, or some that do not exist. */
static size_t changed_bytes(const struct plane *plane, const uint8_t *map)
{
	size_t blocks = recording_blocks(plane->size), bytes = 0;

	for (size_t i = 0; i < map_bytes(plane) * 8; i++) {
		if (!has_block(map, i))
			continue;
		if (i >= blocks)
			return 0;
		bytes += recording_block_bytes(plane->size, i);
	}
	return bytes;
}

static int decode_delta(struct recording_state *state, const struct plane *plane,
			const uint8_t *body, size_t size)
{
	size_t map_size = map_bytes(plane);
	uint8_t *changed, *from;
	int ret;

	if (size < map_size)
		return -EINVAL;
	ret = unpack(body + map_size, size - map_size, changed_bytes(plane, body), &changed);
	if (ret)
		return ret;
	from = changed;
	for (size_t i = 0; i < recording_blocks(plane->size); i++) {
		size_t bytes = recording_block_bytes(plane->size, i);

		if (!has_block(body, i))
			continue;
		memcpy(state->bytes + i * RECORDING_BLOCK_BYTES, from, bytes);
		from += bytes;
		set_block(state->map, i);
	}
	free(changed);
	describe(state, plane);
	return 0;
}

/* A record that begins with a description. */
static int decode_plane(struct recording_state *state, enum recording_kind kind,
			const uint8_t *body, size_t size)
{
	struct plane plane;

	if (size < RECORDING_DESCRIPTION_BYTES || !recording_get_description(body, &plane))
		return -EINVAL;
	body += RECORDING_DESCRIPTION_BYTES;
	size -= RECORDING_DESCRIPTION_BYTES;
	if (kind == RECORDING_WHOLE)
		return decode_whole(state, &plane, body, size);
	if (!state->on || !recording_same_shape(&state->plane, &plane))
		return -EINVAL;
	if (kind == RECORDING_DELTA)
		return decode_delta(state, &plane, body, size);
	if (size)
		return -EINVAL;
	describe(state, &plane);
	return 0;
}

/* A reason is shown to people, on a card and on terminals: it is one line of printable text. */
static bool is_line(const char *text, size_t size)
{
	if (!g_utf8_validate(text, (gssize)size, NULL))
		return false;
	for (const char *at = text; at < text + size; at = g_utf8_next_char(at))
		if (!g_unichar_isprint(g_utf8_get_char(at)))
			return false;
	return true;
}

static int decode_off(struct recording_state *state, const uint8_t *body, size_t size)
{
	const char *text = (const char *)body;

	if (size > RECORDING_MAX_REASON_BYTES || (size && !is_line(text, size)))
		return -EINVAL;
	recording_state_reset(state);
	state->reason = size ? g_strndup(text, size) : NULL;
	return 0;
}

int recording_decode(struct recording_state *state, enum recording_kind kind, const uint8_t *body,
		     size_t size)
{
	switch (kind) {
	case RECORDING_WHOLE:
	case RECORDING_DELTA:
	case RECORDING_MOVED:
		return decode_plane(state, kind, body, size);
	case RECORDING_STILL:
		return size ? -EINVAL : 0;
	case RECORDING_OFF:
		return decode_off(state, body, size);
	default:
		return -EINVAL;
	}
}

void recording_state_reset(struct recording_state *state)
{
	free(state->bytes);
	free(state->map);
	g_free(state->reason);
	*state = (struct recording_state){.all = true};
}

void recording_state_take_changes(struct recording_state *state, struct damage *damage)
{
	if (state->all)
		damage_add_all(damage);
	for (size_t i = 0; state->on && !state->all && i < recording_blocks(state->plane.size); i++)
		if (has_block(state->map, i))
			recording_add_block(&state->plane, i, damage);
	state->all = false;
	if (state->on)
		memset(state->map, 0, map_bytes(&state->plane));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spice_framing.h"

#include <glib.h>
#include <string.h>

#define LINK_HEADER 16u /* magic, version, size */
#define LINK_SIZE   12u /* where the size is in it */
#define MINI_HEADER 6u  /* type, size */
#define MINI_SIZE   2u
#define LONG_HEADER 18u /* serial, type, size, sub-messages */
#define LONG_SIZE   10u
#define RESULT      4u

static uint32_t number_at(const uint8_t *bytes)
{
	uint32_t wire;

	memcpy(&wire, bytes, sizeof(wire));
	return GUINT32_FROM_LE(wire);
}

/* A long header begins with the serial number 1, which a mini one would be a MIGRATE's. */
static void tell_kind(struct spice_framing *framing)
{
	static const uint8_t serial[MINI_HEADER] = {1};

	framing->state = memcmp(framing->header, serial, sizeof(serial)) ? SPICE_FRAMING_MINI
									 : SPICE_FRAMING_LONG;
}

static size_t header_size(const struct spice_framing *framing)
{
	switch (framing->state) {
	case SPICE_FRAMING_LINK:
		return LINK_HEADER;
	case SPICE_FRAMING_RESULT:
		return RESULT;
	case SPICE_FRAMING_LONG:
		return LONG_HEADER;
	default:
		return MINI_HEADER;
	}
}

/* A long header has a mini one in it. */
static void begin(struct spice_framing *framing, const uint8_t *header)
{
	framing->type = (uint16_t)(header[0] | header[1] << 8);
	framing->size = number_at(header + MINI_SIZE);
	framing->left = framing->size;
	framing->messages++;
}

/* The header is there. */
static void read_header(struct spice_framing *framing)
{
	switch (framing->state) {
	case SPICE_FRAMING_LINK:
		framing->left = number_at(framing->header + LINK_SIZE);
		framing->state = memcmp(framing->header, "REDQ", 4) ? SPICE_FRAMING_UNKNOWN
								    : SPICE_FRAMING_RESULT;
		break;
	case SPICE_FRAMING_RESULT:
		framing->left = 0;
		framing->state = SPICE_FRAMING_FIRST;
		break;
	case SPICE_FRAMING_LONG:
		begin(framing, framing->header + LONG_SIZE - MINI_SIZE);
		break;
	default:
		begin(framing, framing->header);
		break;
	}
	framing->have = 0;
}

/* Takes bytes of the header; how many. */
static size_t take_header(struct spice_framing *framing, const uint8_t *bytes, size_t length)
{
	size_t taken = 0;

	while (taken < length && framing->have < header_size(framing)) {
		framing->header[framing->have++] = bytes[taken++];
		if (framing->state == SPICE_FRAMING_FIRST && framing->have == MINI_HEADER)
			tell_kind(framing);
	}
	if (framing->have == header_size(framing))
		read_header(framing);
	return taken;
}

size_t spice_framing_next(struct spice_framing *framing, const void *bytes, size_t length)
{
	size_t taken = 0, more;

	if (framing->state == SPICE_FRAMING_UNKNOWN)
		return length;
	if (!framing->left)
		taken = take_header(framing, bytes, length);
	if (framing->state == SPICE_FRAMING_UNKNOWN)
		return length;
	more = (size_t)MIN((uint64_t)(length - taken), framing->left);
	framing->left -= more;
	return taken + more;
}

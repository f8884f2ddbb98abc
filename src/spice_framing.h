/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the messages end that a SPICE server sends on one channel: its link reply, the result, then
 * messages with mini headers, or with the long ones of before spice 0.9.2 (spice-protocol's
 * spice/protocol.h). Pure. What is no SPICE is one message without end.
 *
 * For TLS: spice-gtk waits for the socket while the second message of a record is in its buffer, so
 * a record has to end where a message does.
 */
#ifndef PLANECAST_SPICE_FRAMING_H
#define PLANECAST_SPICE_FRAMING_H

#include <stddef.h>
#include <stdint.h>

#define SPICE_FRAMING_HEADER 18u /* bytes: the longest one */

/* All zero at the first byte. */
struct spice_framing {
	enum {
		SPICE_FRAMING_LINK,   /* the link reply */
		SPICE_FRAMING_RESULT, /* of the authentication */
		SPICE_FRAMING_FIRST,  /* message: its header tells the kind of all */
		SPICE_FRAMING_MINI,
		SPICE_FRAMING_LONG,
		SPICE_FRAMING_UNKNOWN,
	} state;
	uint8_t header[SPICE_FRAMING_HEADER];
	size_t have;       /* bytes of the header */
	uint64_t left;     /* bytes of the message after its header */
	uint64_t messages; /* whose headers were read, without the link reply and the result */
	uint16_t type;     /* of the last one, */
	uint32_t size;     /* and how many bytes follow its header */
};

/* Goes over bytes (one at least) that follow those before; returns how many of them belong to the
 * message that the first one is of. */
size_t spice_framing_next(struct spice_framing *framing, const void *bytes, size_t length);

#endif

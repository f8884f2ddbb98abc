/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a SPICE client says on one channel, read along on its way to spice-server: the link message,
 * how it proves itself, the ticket, then messages with mini headers or with long ones
 * (spice-protocol's spice/protocol.h and spice/enums.h). Pure.
 *
 * It keeps away what spice-server 0.15.1 does not survive, or allows without having offered it:
 *  - a word of migration. Nothing migrates here, and SPICE_MSGC_MIGRATE_FLUSH_MARK ends the process
 *    (server/red-channel-client.cpp, handle_message());
 *  - SASL, which would let in who is in the machine's database, without a ticket
 *    (server/reds.cpp, reds_handle_auth_mechanism());
 *  - waiting for a display channel's SPICE_MSGC_DISPLAY_INIT: the worker does so for half a minute,
 *    and nobody gets a picture meanwhile (server/dcc.cpp, display_channel_client_wait_for_init()).
 *    The guard says it at once, with the ticket, for a client without a cache of images, since
 *    planecast marks none for it, and with the least dictionary that spice-gtk has. What the
 *    client itself says of them is left out.
 *
 * Two things are for who knows of the other channels. A second channel of a kind in one session,
 * and whatever comes between the ticket and the moment at which the server has the channel, its end
 * included, make spice-server use a client after freeing it (server/red-client.cpp, add_channel();
 * server/dcc.cpp, dcc_start()).
 */
#ifndef PLANECAST_SPICE_GUARD_H
#define PLANECAST_SPICE_GUARD_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPICE_GUARD_HEADER 18u /* bytes: of the longest header, and of a link message at least */

/* All zero at the first byte. */
struct spice_guard {
	enum {
		SPICE_GUARD_START,  /* the link message's header */
		SPICE_GUARD_LINK,   /* itself, up to its fixed part's end */
		SPICE_GUARD_CAPS,   /* the rest */
		SPICE_GUARD_CHOICE, /* of the way to prove oneself */
		SPICE_GUARD_TICKET,
		SPICE_GUARD_MESSAGE, /* a header */
		SPICE_GUARD_BODY,
	} state;
	uint8_t header[SPICE_GUARD_HEADER];
	size_t have;               /* bytes of what the state reads */
	uint64_t left;             /* bytes of what is passed over */
	bool silent;               /* which are not passed on */
	bool begun;                /* the client has said its DISPLAY_INIT */
	uint16_t kind;             /* of the last message that has begun */
	size_t sync_left;          /* bytes of the generation, while its ACK_SYNC is passed over */
	uint32_t generation, acks; /* of its last ACK_SYNC; how many ACKs it has said */
	size_t caps_at;   /* where in the rest the first word of the common capabilities is */
	uint32_t caps;    /* that word; 0: there is none */
	uint32_t session; /* 0: a new one */
	uint8_t type, id; /* of the channel */
};

/*
 * Goes over some of the bytes (one at least) that follow those before; returns over how many, and
 * appends what is to be passed on. *fault is a static string that tells why nothing is, or NULL.
 */
size_t spice_guard_next(struct spice_guard *guard, const uint8_t *bytes, size_t length,
			GByteArray *out, const char **fault);

/* The link message has been read: session, type and id are known. */
bool spice_guard_is_linked(const struct spice_guard *guard);

/* The ticket as well. next() has not gone beyond when this becomes true. */
bool spice_guard_is_proved(const struct spice_guard *guard);

/* Whether spice-server's worker has this channel. */
bool spice_guard_is_workers(const struct spice_guard *guard);

/* Whether the message that has begun last only acknowledges what was sent. */
bool spice_guard_acknowledges(const struct spice_guard *guard);

#endif

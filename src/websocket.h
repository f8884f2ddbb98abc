/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The frames of WebSocket (RFC 6455 section 5), on the server's side: what a client sent becomes
 * the bytes of its binary messages; control frames are told to the caller. No input or output, no
 * memory: a message is a stream here, however large its frames say that they are.
 */
#ifndef PLANECAST_WEBSOCKET_H
#define PLANECAST_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum websocket_opcode {
	WEBSOCKET_CONTINUATION = 0x0,
	WEBSOCKET_TEXT = 0x1,
	WEBSOCKET_BINARY = 0x2,
	WEBSOCKET_CLOSE = 0x8,
	WEBSOCKET_PING = 0x9,
	WEBSOCKET_PONG = 0xa,
};

/* Codes of a close frame (section 7.4.1). */
enum websocket_code {
	WEBSOCKET_NORMAL = 1000,
	WEBSOCKET_GOING_AWAY = 1001,
	WEBSOCKET_PROTOCOL_ERROR = 1002,
	WEBSOCKET_UNSUPPORTED = 1003,
	WEBSOCKET_POLICY = 1008,
	WEBSOCKET_TOO_BIG = 1009,
};

#define WEBSOCKET_HEADER  10  /* bytes at most, of a frame that a server sends */
#define WEBSOCKET_CONTROL 125 /* bytes at most in a control frame */
#define WEBSOCKET_MESSAGE                                                       \
	16777216 /* bytes at most in one message of a client, in all its frames \
		  */

/* Writes the header of a whole message of a server; returns its length. */
size_t websocket_header(uint8_t header[WEBSOCKET_HEADER], enum websocket_opcode opcode,
			size_t length);

/* What a client says. Zeroed: at the beginning. */
struct websocket_reader {
	/* Told by websocket_reader_feed(); the first two are the caller's to clear. */
	bool ping;          /* a pong with ping_payload is due, for the last ping */
	uint32_t empty;     /* frames without data: control frames, and empty ones */
	bool closed;        /* the client sent a close frame: nothing else counts */
	uint16_t code;      /* its code, or 0 if it gave none; after an error, what to answer */
	const char *reason; /* of an error, static */
	uint8_t ping_payload[WEBSOCKET_CONTROL];
	uint8_t ping_length;
	/* Private. */
	uint8_t header[14], have, want; /* the frame's header so far; want 0: not known yet */
	bool in_frame, in_message;
	uint8_t opcode, at_mask;
	uint8_t mask[4];
	uint64_t left, message; /* bytes of the frame to come; of the message so far */
	uint8_t control[WEBSOCKET_CONTROL], control_length;
};

/*
 * Takes bytes in any pieces. Moves what belongs to binary messages, unmasked, to the beginning of
 * `bytes` and returns how much it is; or -EPROTO: answer with a close frame of `code` and cut the
 * connection. No bytes are taken after that, nor after `closed`.
 */
ssize_t websocket_reader_feed(struct websocket_reader *reader, uint8_t *bytes, size_t length);

#endif

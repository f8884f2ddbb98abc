/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "websocket.h"

#include <errno.h>
#include <string.h>

#define FIN         0x80
#define RESERVED    0x70
#define OPCODE      0x0f
#define MASKED      0x80
#define LENGTH      0x7f
#define LENGTH_16   126
#define LENGTH_64   127
#define MASK_LENGTH 4u

size_t websocket_header(uint8_t header[WEBSOCKET_HEADER], enum websocket_opcode opcode,
			size_t length)
{
	unsigned int bytes = length < LENGTH_16 ? 0 : length <= UINT16_MAX ? 2 : 8;

	header[0] = FIN | (uint8_t)opcode;
	header[1] = bytes == 0 ? (uint8_t)length : bytes == 2 ? LENGTH_16 : LENGTH_64;
	for (unsigned int i = 0; i < bytes; i++)
		header[2 + i] = (uint8_t)((uint64_t)length >> 8 * (bytes - 1 - i));
	return 2 + bytes;
}

static int wrong(struct websocket_reader *reader, enum websocket_code code, const char *reason)
{
	reader->code = (uint16_t)code;
	reader->reason = reason;
	return -EPROTO;
}

static bool is_control(uint8_t opcode)
{
	return opcode & 0x8;
}

/* The first two bytes say how long the header is. */
static uint8_t header_length(const uint8_t *header)
{
	uint8_t length = header[1] & LENGTH;

	return (uint8_t)(2 + (length == LENGTH_64 ? 8 : length == LENGTH_16 ? 2 : 0) + MASK_LENGTH);
}

static int read_length(struct websocket_reader *reader)
{
	uint8_t length = reader->header[1] & LENGTH;
	unsigned int bytes = length == LENGTH_64 ? 8 : length == LENGTH_16 ? 2 : 0;
	uint64_t least = bytes == 8 ? UINT16_MAX + 1u : bytes == 2 ? LENGTH_16 : 0;

	reader->left = bytes ? 0 : length;
	for (unsigned int i = 0; i < bytes; i++)
		reader->left = reader->left << 8 | reader->header[2 + i];
	if (reader->left < least)
		return wrong(reader, WEBSOCKET_PROTOCOL_ERROR, "a frame's length is padded");
	memcpy(reader->mask, reader->header + 2 + bytes, MASK_LENGTH);
	reader->at_mask = 0;
	return 0;
}

static int begin_control(struct websocket_reader *reader)
{
	if (!(reader->header[0] & FIN) || reader->left > WEBSOCKET_CONTROL)
		return wrong(reader, WEBSOCKET_PROTOCOL_ERROR,
			     "a control frame is long or in parts");
	if (reader->opcode > WEBSOCKET_PONG)
		return wrong(reader, WEBSOCKET_PROTOCOL_ERROR, "a frame of an unknown kind");
	reader->control_length = 0;
	reader->empty++;
	return 0;
}

static int begin_data(struct websocket_reader *reader)
{
	if (reader->opcode == WEBSOCKET_TEXT)
		return wrong(reader, WEBSOCKET_UNSUPPORTED, "a text message");
	if (reader->opcode > WEBSOCKET_BINARY)
		return wrong(reader, WEBSOCKET_PROTOCOL_ERROR, "a frame of an unknown kind");
	if ((reader->opcode == WEBSOCKET_CONTINUATION) != reader->in_message)
		return wrong(reader, WEBSOCKET_PROTOCOL_ERROR,
			     "the parts of a message are mixed up");
	if (!reader->in_message)
		reader->message = 0;
	if (reader->left > WEBSOCKET_MESSAGE - reader->message)
		return wrong(reader, WEBSOCKET_TOO_BIG, "a message is too long");
	reader->message += reader->left;
	reader->empty += !reader->left;
	return 0;
}

static int begin_frame(struct websocket_reader *reader)
{
	reader->opcode = reader->header[0] & OPCODE;
	if (reader->header[0] & RESERVED)
		return wrong(reader, WEBSOCKET_PROTOCOL_ERROR, "a frame with reserved bits");
	if (!(reader->header[1] & MASKED))
		return wrong(reader, WEBSOCKET_PROTOCOL_ERROR, "a frame without a mask");
	if (read_length(reader))
		return -EPROTO;
	return is_control(reader->opcode) ? begin_control(reader) : begin_data(reader);
}

/* Codes that may be in a close frame: section 7.4.1 and 7.4.2. */
static bool is_code(unsigned int code)
{
	return (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) ||
	       (code >= 3000 && code <= 4999);
}

static int end_close(struct websocket_reader *reader)
{
	unsigned int code = 0;

	if (reader->control_length >= 2)
		code = (unsigned int)reader->control[0] << 8 | reader->control[1];
	if (reader->control_length && !is_code(code))
		return wrong(reader, WEBSOCKET_PROTOCOL_ERROR,
			     "a close frame without a valid code");
	reader->closed = true;
	reader->code = (uint16_t)code;
	return 0;
}

static int end_frame(struct websocket_reader *reader)
{
	reader->in_frame = false;
	reader->have = reader->want = 0;
	if (!is_control(reader->opcode)) {
		reader->in_message = !(reader->header[0] & FIN);
		return 0;
	}
	if (reader->opcode == WEBSOCKET_CLOSE)
		return end_close(reader);
	if (reader->opcode == WEBSOCKET_PING) {
		reader->ping = true;
		memcpy(reader->ping_payload, reader->control, reader->control_length);
		reader->ping_length = reader->control_length;
	}
	return 0;
}

/* `to` is never beyond `from`. The long way round the mask is a word at a time. */
static void unmask(struct websocket_reader *reader, uint8_t *to, const uint8_t *from, size_t length)
{
	uint8_t turned[8];
	uint64_t key, word;
	size_t i = 0;

	for (unsigned int j = 0; j < sizeof(turned); j++)
		turned[j] = reader->mask[(reader->at_mask + j) % MASK_LENGTH];
	memcpy(&key, turned, sizeof(key));
	for (; i + sizeof(word) <= length; i += sizeof(word)) {
		memcpy(&word, from + i, sizeof(word));
		word ^= key;
		memcpy(to + i, &word, sizeof(word));
	}
	for (; i < length; i++)
		to[i] = from[i] ^ turned[i % sizeof(turned)];
	reader->at_mask = (uint8_t)((reader->at_mask + length) % MASK_LENGTH);
}

/* The header's bytes, as many as there are; 0 with in_frame once it is whole. */
static int take_header(struct websocket_reader *reader, uint8_t byte)
{
	reader->header[reader->have++] = byte;
	if (reader->have == 2)
		reader->want = header_length(reader->header);
	if (reader->have < 2 || reader->have < reader->want)
		return 0;
	reader->in_frame = true;
	return begin_frame(reader);
}

ssize_t websocket_reader_feed(struct websocket_reader *reader, uint8_t *bytes, size_t length)
{
	size_t at = 0, payload = 0;

	while (!reader->reason && !reader->closed) {
		size_t part;

		if (reader->in_frame && !reader->left) {
			end_frame(reader);
			continue;
		}
		if (at == length)
			break;
		if (!reader->in_frame) {
			take_header(reader, bytes[at++]);
			continue;
		}
		part = length - at < reader->left ? length - at : (size_t)reader->left;
		if (is_control(reader->opcode)) {
			unmask(reader, reader->control + reader->control_length, bytes + at, part);
			reader->control_length = (uint8_t)(reader->control_length + part);
		} else {
			unmask(reader, bytes + payload, bytes + at, part);
			payload += part;
		}
		at += part;
		reader->left -= part;
	}
	return reader->reason ? -EPROTO : (ssize_t)payload;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_parser.h"

#include <errno.h>
#include <string.h>

#define SCREEN_LENGTH 16 /* of one in SetDesktopSize */
/* Of a PointerEvent: another byte of buttons follows; those of it that have a meaning. */
#define MORE_BUTTONS 0x80u
#define MORE_KNOWN   0x03u
#define UNKNOWN      "it sent a message of an unknown type"

/* Encodings and pseudo-encodings: RFC 6143 section 7.7, 7.8 and the community's rfbproto. */
enum {
	ENCODING_RAW = 0,
	ENCODING_COPY_RECT = 1,
	ENCODING_RRE = 2,
	ENCODING_CORRE = 4,
	ENCODING_HEXTILE = 5,
	ENCODING_ZLIB = 6,
	ENCODING_TIGHT = 7,
	ENCODING_ULTRA = 9,
	ENCODING_ZRLE = 16,
	ENCODING_ZYWRLE = 17,
	ENCODING_DESKTOP_SIZE = -223,
	ENCODING_LAST_RECT = -224,
	ENCODING_POINTER_POSITION = -232,
	ENCODING_RICH_CURSOR = -239,
	ENCODING_X_CURSOR = -240,
	ENCODING_EXTENDED_KEYS = -258,
	ENCODING_TIGHT_PNG = -260,
	ENCODING_LED_STATE = -261,
	ENCODING_DESKTOP_NAME = -307,
	ENCODING_EXTENDED_DESKTOP_SIZE = -308,
	ENCODING_FENCE = -312,
	ENCODING_CONTINUOUS_UPDATES = -313,
	ENCODING_ALPHA_CURSOR = -314,
	ENCODING_EXTENDED_MOUSE = -316,
	ENCODING_EXTENDED_CLIPBOARD = (int32_t)0xc0a1e5ce,
	ENCODING_COMPRESS_0 = -256,
	ENCODING_COMPRESS_9 = -247,
	ENCODING_QUALITY_0 = -32,
	ENCODING_QUALITY_9 = -23,
	ENCODING_FINE_QUALITY_0 = -512,
	ENCODING_FINE_QUALITY_100 = -412,
	ENCODING_SUBSAMPLING_FIRST = -768,
	ENCODING_SUBSAMPLING_LAST = -763,
};

static uint16_t get16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static uint32_t get32(const uint8_t *bytes)
{
	return (uint32_t)get16(bytes) << 16 | get16(bytes + 2);
}

static int broken(struct vnc_parser *parser, const char *reason)
{
	parser->reason = reason;
	return -EPROTO;
}

static int type_received(struct vnc_parser *parser, const struct vnc_parser_ops *ops, void *data);

/* Ends a message: the next byte is a type. */
static int finished(struct vnc_parser *parser)
{
	parser->messages++;
	parser->have = 0;
	parser->want = 1;
	parser->received = type_received;
	return 0;
}

/* Waits for `want` bytes more: after the type, which goes, or after those of the last step. */
static int next(struct vnc_parser *parser, size_t want,
		int (*received)(struct vnc_parser *, const struct vnc_parser_ops *, void *))
{
	parser->have = 0;
	parser->want = want;
	parser->received = received;
	return 0;
}

/* max is 2^n - 1 and its bits lie within the pixel, on nobody else's. */
static bool take_bits(uint16_t max, uint8_t shift, uint8_t bits, uint64_t *taken)
{
	uint64_t mask = (uint64_t)max << (shift & 31);

	if (!max || (max & (max + 1)) || shift > 31 || mask >> bits || (mask & *taken))
		return false;
	*taken |= mask;
	return true;
}

static bool check_format(const struct vnc_format *format)
{
	uint64_t taken = 0;

	if (format->bits != 8 && format->bits != 16 && format->bits != 32)
		return false;
	if (!format->true_colour)
		return format->bits == 8;
	return take_bits(format->red_max, format->red_shift, format->bits, &taken) &&
	       take_bits(format->green_max, format->green_shift, format->bits, &taken) &&
	       take_bits(format->blue_max, format->blue_shift, format->bits, &taken);
}

static int format_received(struct vnc_parser *parser, const struct vnc_parser_ops *ops, void *data)
{
	const uint8_t *bytes = parser->buffer + 3;
	struct vnc_format format = {
		.bits = bytes[0],
		.depth = bytes[1],
		.big_endian = bytes[2],
		.true_colour = bytes[3],
		.red_max = get16(bytes + 4),
		.green_max = get16(bytes + 6),
		.blue_max = get16(bytes + 8),
		.red_shift = bytes[10],
		.green_shift = bytes[11],
		.blue_shift = bytes[12],
	};

	if (!check_format(&format))
		return broken(parser, "it asked for an impossible pixel format");
	ops->format(data, &format);
	return finished(parser);
}

static bool in_range(int32_t encoding, int32_t first, int32_t last)
{
	return encoding >= first && encoding <= last;
}

static void note_level(struct vnc_encodings *encodings, int32_t encoding)
{
	if (in_range(encoding, ENCODING_COMPRESS_0, ENCODING_COMPRESS_9))
		encodings->compress_level = encoding - ENCODING_COMPRESS_0;
	else if (in_range(encoding, ENCODING_QUALITY_0, ENCODING_QUALITY_9))
		encodings->quality_level = encoding - ENCODING_QUALITY_0;
	else if (in_range(encoding, ENCODING_FINE_QUALITY_0 + 1, ENCODING_FINE_QUALITY_100))
		encodings->fine_quality_level = encoding - ENCODING_FINE_QUALITY_0;
	else if (in_range(encoding, ENCODING_SUBSAMPLING_FIRST, ENCODING_SUBSAMPLING_LAST))
		encodings->subsampling = encoding - ENCODING_SUBSAMPLING_FIRST;
}

static void note_encoding(struct vnc_encodings *encodings, int32_t encoding, bool *chosen)
{
	switch (encoding) {
	case ENCODING_RAW:
	case ENCODING_RRE:
	case ENCODING_CORRE:
	case ENCODING_HEXTILE:
	case ENCODING_ZLIB:
	case ENCODING_TIGHT:
	case ENCODING_ULTRA:
	case ENCODING_ZRLE:
	case ENCODING_ZYWRLE:
		if (!*chosen)
			encodings->preferred = encoding;
		*chosen = true;
		break;
	case ENCODING_DESKTOP_SIZE:
		encodings->desktop_size = true;
		break;
	case ENCODING_EXTENDED_DESKTOP_SIZE:
		encodings->extended_desktop_size = true;
		break;
	case ENCODING_COPY_RECT:
		encodings->copy_rect = true;
		break;
	case ENCODING_LAST_RECT:
		encodings->last_rect = true;
		break;
	case ENCODING_RICH_CURSOR:
		encodings->rich_cursor = true;
		break;
	case ENCODING_X_CURSOR:
		encodings->x_cursor = true;
		break;
	case ENCODING_ALPHA_CURSOR:
		encodings->alpha_cursor = true;
		break;
	case ENCODING_EXTENDED_KEYS:
		encodings->extended_keys = true;
		break;
	case ENCODING_TIGHT_PNG:
		encodings->tight_png = true;
		break;
	case ENCODING_POINTER_POSITION:
		encodings->pointer_position = true;
		break;
	case ENCODING_LED_STATE:
		encodings->led_state = true;
		break;
	case ENCODING_DESKTOP_NAME:
		encodings->desktop_name = true;
		break;
	case ENCODING_EXTENDED_MOUSE:
		encodings->extended_mouse = true;
		break;
	case ENCODING_EXTENDED_CLIPBOARD:
		encodings->extended_clipboard = true;
		break;
	case ENCODING_FENCE:
		encodings->fence = true;
		break;
	case ENCODING_CONTINUOUS_UPDATES:
		encodings->continuous_updates = true;
		break;
	default:
		note_level(encodings, encoding);
	}
}

static int encodings_done(struct vnc_parser *parser, const struct vnc_parser_ops *ops, void *data)
{
	parser->may_fence |= parser->encodings.fence;
	parser->may_extend |= parser->encodings.extended_clipboard;
	parser->many_buttons |= parser->encodings.extended_mouse;
	parser->may_continue |= parser->encodings.fence && parser->encodings.continuous_updates;
	ops->encodings(data, &parser->encodings);
	return finished(parser);
}

static int encoding_received(struct vnc_parser *parser, const struct vnc_parser_ops *ops,
			     void *data)
{
	/* The first one chosen stays: while none is, `preferred` holds a number that is none. */
	bool chosen = parser->encodings.preferred != INT32_MIN;

	note_encoding(&parser->encodings, (int32_t)get32(parser->buffer), &chosen);
	if (--parser->left)
		return next(parser, 4, encoding_received);
	if (!chosen)
		parser->encodings.preferred = ENCODING_RAW;
	return encodings_done(parser, ops, data);
}

static int encodings_received(struct vnc_parser *parser, const struct vnc_parser_ops *ops,
			      void *data)
{
	parser->left = get16(parser->buffer + 1);
	parser->encodings = (struct vnc_encodings){
		.preferred = parser->left ? INT32_MIN : ENCODING_RAW,
		.compress_level = -1,
		.quality_level = -1,
		.fine_quality_level = -1,
		.subsampling = -1,
	};
	if (parser->left)
		return next(parser, 4, encoding_received);
	return encodings_done(parser, ops, data);
}

static int request_received(struct vnc_parser *parser, const struct vnc_parser_ops *ops, void *data)
{
	const uint8_t *bytes = parser->buffer;
	struct vnc_rect rect = {get16(bytes + 1), get16(bytes + 3), get16(bytes + 5),
				get16(bytes + 7)};

	ops->request(data, bytes[0], &rect);
	return finished(parser);
}

static int key_received(struct vnc_parser *parser, const struct vnc_parser_ops *ops, void *data)
{
	ops->key(data, parser->buffer[0], get32(parser->buffer + 3), 0);
	return finished(parser);
}

static int extended_key_received(struct vnc_parser *parser, const struct vnc_parser_ops *ops,
				 void *data)
{
	const uint8_t *bytes = parser->buffer;

	ops->key(data, get16(bytes), get32(bytes + 2), get32(bytes + 6));
	return finished(parser);
}

/* QEMU's messages have a type of their own after the type: only one of them is offered. */
static int qemu_received(struct vnc_parser *parser, const struct vnc_parser_ops *ops, void *data)
{
	(void)ops;
	(void)data;
	if (parser->buffer[0])
		return broken(parser, "it sent a message of QEMU's of an unknown type");
	return next(parser, 10, extended_key_received);
}

static int pointer_done(struct vnc_parser *parser, const struct vnc_parser_ops *ops, void *data)
{
	ops->pointer(data, parser->point.buttons, parser->point.x, parser->point.y);
	return finished(parser);
}

static int buttons_received(struct vnc_parser *parser, const struct vnc_parser_ops *ops, void *data)
{
	parser->point.buttons |= (uint16_t)((parser->buffer[0] & MORE_KNOWN) << 7);
	return pointer_done(parser, ops, data);
}

static int pointer_received(struct vnc_parser *parser, const struct vnc_parser_ops *ops, void *data)
{
	const uint8_t *bytes = parser->buffer;

	parser->point = (struct vnc_point){bytes[0], get16(bytes + 1), get16(bytes + 3)};
	if (!parser->many_buttons || !(bytes[0] & MORE_BUTTONS))
		return pointer_done(parser, ops, data);
	parser->point.buttons &= (uint16_t)~MORE_BUTTONS;
	return next(parser, 1, buttons_received);
}

static int cut_text_piece(struct vnc_parser *parser, const struct vnc_parser_ops *ops, void *data);

/* Waits for the next piece, or ends the message. */
static int next_cut_text(struct vnc_parser *parser)
{
	size_t piece = parser->left < VNC_PARSER_BUFFER ? parser->left : VNC_PARSER_BUFFER;

	return piece ? next(parser, piece, cut_text_piece) : finished(parser);
}

static int cut_text_piece(struct vnc_parser *parser, const struct vnc_parser_ops *ops, void *data)
{
	parser->left -= (uint32_t)parser->have;
	ops->cut_text(data, parser->buffer, parser->have, parser->left, parser->extended);
	return next_cut_text(parser);
}

static int cut_text_received(struct vnc_parser *parser, const struct vnc_parser_ops *ops,
			     void *data)
{
	int32_t length = (int32_t)get32(parser->buffer + 3);

	parser->extended = length < 0;
	parser->left = length < 0 ? 0u - (uint32_t)length : (uint32_t)length;
	if (parser->extended && !parser->may_extend)
		return broken(parser, "it sent an extended clipboard that was not offered");
	if (!parser->left)
		ops->cut_text(data, parser->buffer, 0, 0, parser->extended);
	return next_cut_text(parser);
}

static int size_done(struct vnc_parser *parser, const struct vnc_parser_ops *ops, void *data)
{
	const struct vnc_layout *layout = &parser->layout;

	ops->set_desktop_size(data, layout->width, layout->height, layout->valid);
	return finished(parser);
}

static int screen_received(struct vnc_parser *parser, const struct vnc_parser_ops *ops, void *data)
{
	const uint8_t *bytes = parser->buffer;
	struct vnc_rect rect = {get16(bytes + 4), get16(bytes + 6), get16(bytes + 8),
				get16(bytes + 10)};
	struct vnc_layout *layout = &parser->layout;

	if (!rect.width || !rect.height || rect.x + rect.width > layout->width ||
	    rect.y + rect.height > layout->height)
		layout->valid = false;
	return --parser->left ? next(parser, SCREEN_LENGTH, screen_received)
			      : size_done(parser, ops, data);
}

static int desktop_size_received(struct vnc_parser *parser, const struct vnc_parser_ops *ops,
				 void *data)
{
	const uint8_t *bytes = parser->buffer;

	parser->left = bytes[5]; /* screens */
	parser->layout = (struct vnc_layout){
		.width = get16(bytes + 1), .height = get16(bytes + 3), .valid = parser->left};
	return parser->left ? next(parser, SCREEN_LENGTH, screen_received)
			    : size_done(parser, ops, data);
}

static int continuous_received(struct vnc_parser *parser, const struct vnc_parser_ops *ops,
			       void *data)
{
	const uint8_t *bytes = parser->buffer;
	struct vnc_rect rect = {get16(bytes + 1), get16(bytes + 3), get16(bytes + 5),
				get16(bytes + 7)};

	if (!parser->may_continue)
		return broken(parser, UNKNOWN);
	ops->continuous(data, bytes[0], &rect);
	return finished(parser);
}

static int fence_received(struct vnc_parser *parser, const struct vnc_parser_ops *ops, void *data)
{
	ops->fence(data, parser->flags, parser->buffer, parser->left);
	return finished(parser);
}

static int fence_head_received(struct vnc_parser *parser, const struct vnc_parser_ops *ops,
			       void *data)
{
	if (!parser->may_fence)
		return broken(parser, UNKNOWN);
	parser->flags = get32(parser->buffer + 3);
	parser->left = parser->buffer[7];
	if (parser->left > VNC_FENCE_PAYLOAD)
		return broken(parser, "its fence is too large");
	return parser->left ? next(parser, parser->left, fence_received)
			    : fence_received(parser, ops, data);
}

static int type_received(struct vnc_parser *parser, const struct vnc_parser_ops *ops, void *data)
{
	/* Bytes after the type, up to the end or to the part of variable length. */
	static const struct {
		uint8_t type, length;
		int (*received)(struct vnc_parser *, const struct vnc_parser_ops *, void *);
	} messages[] = {
		{0, 19, format_received},        {2, 3, encodings_received},
		{3, 9, request_received},        {4, 7, key_received},
		{5, 5, pointer_received},        {6, 7, cut_text_received},
		{150, 9, continuous_received},   {248, 8, fence_head_received},
		{251, 7, desktop_size_received}, {255, 1, qemu_received},
	};

	(void)ops;
	(void)data;
	for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++)
		if (messages[i].type == parser->buffer[0])
			return next(parser, messages[i].length, messages[i].received);
	return broken(parser, UNKNOWN);
}

void vnc_parser_init(struct vnc_parser *parser)
{
	*parser = (struct vnc_parser){0};
	next(parser, 1, type_received);
}

static bool is_held(const struct vnc_parser *parser, const struct vnc_parser_ops *ops, void *data)
{
	return parser->received == type_received && !parser->have && ops->holds && ops->holds(data);
}

int vnc_parser_feed(struct vnc_parser *parser, const uint8_t *bytes, size_t length,
		    const struct vnc_parser_ops *ops, void *data)
{
	parser->taken = 0;
	while (length && !is_held(parser, ops, data)) {
		size_t piece = parser->want - parser->have;
		int r;

		if (piece > length)
			piece = length;
		memcpy(parser->buffer + parser->have, bytes, piece);
		parser->have += piece;
		parser->taken += piece;
		bytes += piece;
		length -= piece;
		if (parser->have < parser->want)
			return 0;
		r = parser->received(parser, ops, data);
		if (r < 0)
			return r;
	}
	return 0;
}

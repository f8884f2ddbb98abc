/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a VNC client says after ClientInit (RFC 6143 section 7.5), taken from the stream in pieces
 * of any size. Nothing here reads a socket, waits or allocates, and whatever the bytes are, a
 * parser stays the size that it is: long messages are used or thrown away as they pass.
 *
 * Only what planecast has offered is a message; anything else ends the connection. libvncserver's
 * own reader is not used: it changes what its encoder works with (pixel format, scale, encodings)
 * in the middle of an update, which a hostile client turns into writes beyond its buffers.
 */
#ifndef PLANECAST_VNC_PARSER_H
#define PLANECAST_VNC_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A pixel format that has passed the checks: the colours do not overlap and fit in the pixel. */
struct vnc_format {
	uint8_t bits, depth; /* a pixel; bits is 8, 16 or 32 */
	bool big_endian;
	bool true_colour; /* else a palette of 256: bits is 8 */
	uint16_t red_max, green_max, blue_max;
	uint8_t red_shift, green_shift, blue_shift;
};

/* The last list of encodings, reduced to what the encoder can do. */
struct vnc_encodings {
	int32_t preferred; /* the first one known; Raw if none */
	bool x_cursor, rich_cursor, alpha_cursor;
	bool pointer_position;
	bool last_rect;
	bool copy_rect;
	bool desktop_size, extended_desktop_size;
	bool extended_keys; /* QEMU Extended Key Event */
	bool tight_png;     /* a browser, whose Tight knows no gradients */
	bool fence, continuous_updates;
	bool led_state, desktop_name, extended_mouse, extended_clipboard;
	int compress_level;     /* 0 .. 9, or -1: none was asked for */
	int quality_level;      /* 0 .. 9, or -1 */
	int fine_quality_level; /* 1 .. 100, or -1 */
	int subsampling;        /* as the pseudo-encoding numbers them, 0 .. 5, or -1 */
};

struct vnc_rect {
	uint16_t x, y, width, height;
};

struct vnc_parser_ops {
	void (*format)(void *data, const struct vnc_format *format);
	void (*encodings)(void *data, const struct vnc_encodings *encodings);
	void (*request)(void *data, bool incremental, const struct vnc_rect *rect);
	/* valid: it has screens, and they lie within this size. */
	void (*set_desktop_size)(void *data, uint16_t width, uint16_t height, bool valid);
	/* scancode: as QEMU has it (scancode.h), 0 where the client told none. */
	void (*key)(void *data, bool down, uint32_t keysym, uint32_t scancode);
	/* buttons: a bit each, the first lowest; the eighth goes back, the ninth forward. */
	void (*pointer)(void *data, uint16_t buttons, uint16_t x, uint16_t y);
	/* EnableContinuousUpdates, ClientFence. */
	void (*continuous)(void *data, bool on, const struct vnc_rect *rect);
	/* A piece of a ClientCutText, after which `left` bytes more come. */
	void (*cut_text)(void *data, const uint8_t *bytes, size_t n, size_t left, bool extended);
	void (*fence)(void *data, uint32_t flags, const uint8_t *payload, size_t length);
	/* Asked between messages: true if the next one has to wait. May be NULL. */
	bool (*holds)(void *data);
};

/* Of a SetDesktopSize whose screens still come. */
struct vnc_layout {
	uint16_t width, height;
	bool valid;
};

/* Of a PointerEvent whose last byte still comes. */
struct vnc_point {
	uint16_t buttons, x, y;
};

#define VNC_FENCE_PAYLOAD 64                /* bytes at most */
#define VNC_PARSER_BUFFER VNC_FENCE_PAYLOAD /* the most that is looked at in one piece */

struct vnc_parser {
	uint8_t buffer[VNC_PARSER_BUFFER];
	size_t have, want;
	int (*received)(struct vnc_parser *parser, const struct vnc_parser_ops *ops, void *data);
	uint32_t left; /* bytes or items of a long message that still come */
	struct vnc_encodings encodings;
	struct vnc_layout layout;
	struct vnc_point point;
	uint32_t flags; /* of a fence whose payload still comes */
	/* It has offered that once. */
	bool may_fence, may_continue, many_buttons, may_extend;
	bool extended;      /* of a ClientCutText that still comes */
	size_t taken;       /* bytes of the last feed: all, unless it is held */
	uint64_t messages;  /* finished so far */
	const char *reason; /* after -EPROTO: why */
};

void vnc_parser_init(struct vnc_parser *parser);

/* 0, or -EPROTO: the client broke the protocol, feed no more. What was not taken comes again. */
int vnc_parser_feed(struct vnc_parser *parser, const uint8_t *bytes, size_t length,
		    const struct vnc_parser_ops *ops, void *data);

#endif

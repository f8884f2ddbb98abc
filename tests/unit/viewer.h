/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VNC viewer for tests and measurements: decodes Raw, CopyRect, ZRLE and Tight in any pixel
 * format, or only counts what comes. Written from RFC 6143 and the registry's page on Tight and
 * the extensions, and from nothing of the server's. Blocking; a read that takes longer than
 * VIEWER_PATIENCE_MS counts as failed.
 */
#ifndef PLANECAST_VIEWER_H
#define PLANECAST_VIEWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __SANITIZE_THREAD__ /* each race that is suppressed takes its time */
#define VIEWER_PATIENCE_MS 200000
#else
#define VIEWER_PATIENCE_MS 20000
#endif

enum {
	VIEWER_RAW = 0,
	VIEWER_COPY_RECT = 1,
	VIEWER_TIGHT = 7,
	VIEWER_ZRLE = 16,
	VIEWER_JPEG_QUALITY_0 = -32, /* .. 9: -23 */
	VIEWER_DESKTOP_SIZE = -223,
	VIEWER_LAST_RECT = -224,
	VIEWER_CURSOR = -239,
	VIEWER_COMPRESS_LEVEL_0 = -256, /* .. 9: -247 */
	VIEWER_EXTENDED_DESKTOP_SIZE = -308,
	VIEWER_FENCE = -312,
	VIEWER_CONTINUOUS_UPDATES = -313,
};

/* What viewer_message() has read; negative: the connection is over. */
enum {
	VIEWER_UPDATE = 0,
	VIEWER_COLOUR_MAP = 1,
	VIEWER_BELL = 2,
	VIEWER_CUT_TEXT = 3,
	VIEWER_END_OF_CONTINUOUS = 150,
	VIEWER_GOT_FENCE = 248,
};

struct viewer_format {
	uint8_t bits, depth; /* true colour */
	bool big_endian;
	uint16_t max[3]; /* red, green, blue */
	uint8_t shift[3];
};

extern const struct viewer_format viewer_x8r8g8b8; /* little-endian */

struct viewer_counts {
	uint64_t bytes; /* since it was opened */
	unsigned int updates, rectangles;
	unsigned int raw, copied, zrle, fills, jpegs, palettes, full; /* kinds of rectangles */
	unsigned int gradients;                                       /* of those in full */
	uint64_t pixels, jpeg_pixels;
	unsigned int resizes, cursors, fences;
};

struct viewer_zlib;

struct viewer {
	int fd;
	bool decodes;
	uint32_t rows; /* raw pixels and JPEG further down are not decoded; 0: all are */
	uint32_t width, height;
	struct viewer_format format;
	uint32_t *pixels; /* as numbers of the format; NULL if it does not decode */
	struct viewer_counts counts;
	bool offered_continuous, resized; /* of the last update: its size changed */
	void (*got_fence)(struct viewer *viewer, uint32_t flags, const uint8_t *payload,
			  uint8_t length); /* NULL: requests are answered at once */
	const char *reason;                /* why it failed */

	uint8_t *buffer, *inflated;
	size_t have, at, room, inflated_room;
	struct viewer_zlib *zlib;
	void *jpeg;
};

/* Greets with security None up to ServerInit; takes fd. False with a reason. */
bool viewer_open(struct viewer *viewer, int fd, bool decodes);

/* One that gets the bytes of server messages from memory instead of a socket. */
bool viewer_feed(struct viewer *viewer, const void *bytes, size_t length);
void viewer_open_fed(struct viewer *viewer, uint32_t width, uint32_t height,
		     const struct viewer_format *format);
void viewer_close(struct viewer *viewer);

bool viewer_set_format(struct viewer *viewer, const struct viewer_format *format);
bool viewer_set_encodings(struct viewer *viewer, const int32_t *encodings, unsigned int count);
bool viewer_request(struct viewer *viewer, bool incremental);
bool viewer_continuous(struct viewer *viewer, bool on);
bool viewer_send_fence(struct viewer *viewer, uint32_t flags, const void *payload, uint8_t length);

int viewer_message(struct viewer *viewer);

/* An x8r8g8b8 pixel as a number of the format, rounded as RFB servers do. */
uint32_t viewer_pixel(const struct viewer_format *format, uint32_t pixel);

/* For the decoders: n bytes of the stream, in one piece until the next call; NULL at its end. */
const uint8_t *viewer_take(struct viewer *viewer, size_t n);
bool viewer_skip(struct viewer *viewer, size_t n);
bool viewer_fail(struct viewer *viewer, const char *reason); /* false */
uint32_t viewer_wire_pixel(const struct viewer_format *format, const uint8_t *bytes);

struct viewer_rect {
	uint32_t x, y, width, height;
};
bool viewer_tight(struct viewer *viewer, const struct viewer_rect *rect);
bool viewer_zrle(struct viewer *viewer, const struct viewer_rect *rect);

/* zlib streams: Tight's 0 .. 3, ZRLE's 4. Inflates exactly `out` bytes into viewer->inflated, or
 * (out 0) all that there is; *made says how many. */
#define VIEWER_ZRLE_STREAM 4
bool viewer_inflate(struct viewer *viewer, unsigned int stream, const uint8_t *bytes, size_t length,
		    size_t out, size_t *made);
void viewer_reset_stream(struct viewer *viewer, unsigned int stream);
void viewer_end_streams(struct viewer *viewer);
void viewer_end_jpeg(struct viewer *viewer);

#endif

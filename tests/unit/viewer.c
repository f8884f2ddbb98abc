/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "viewer.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

#define PATIENCE_STEP_MS 200
#define READ_AT_ONCE     65536u
#define VERSION          "RFB 003.008\n"
#define REQUEST_BIT      (1u << 31)

const struct viewer_format viewer_x8r8g8b8 = {32, 24, false, {255, 255, 255}, {16, 8, 0}};

bool viewer_fail(struct viewer *viewer, const char *reason)
{
	if (!viewer->reason)
		viewer->reason = reason;
	return false;
}

/* Bytes. */

static bool make_room(struct viewer *viewer, size_t n)
{
	uint8_t *buffer;

	if (viewer->at)
		memmove(viewer->buffer, viewer->buffer + viewer->at, viewer->have - viewer->at);
	viewer->have -= viewer->at;
	viewer->at = 0;
	if (n + READ_AT_ONCE <= viewer->room)
		return true;
	buffer = realloc(viewer->buffer, n + READ_AT_ONCE);
	if (!buffer)
		return viewer_fail(viewer, "out of memory");
	viewer->buffer = buffer;
	viewer->room = n + READ_AT_ONCE;
	return true;
}

/* In steps: one during which all of this process was halted counts as one. */
static bool waits_in_vain(int fd)
{
	struct pollfd poller = {fd, POLLIN, 0};
	int ready = 0;

	for (int waited = 0; !ready && waited < VIEWER_PATIENCE_MS; waited += PATIENCE_STEP_MS)
		ready = poll(&poller, 1, PATIENCE_STEP_MS);
	return ready <= 0;
}

static bool read_more(struct viewer *viewer)
{
	ssize_t n;

	if (viewer->fd < 0)
		return viewer_fail(viewer, "the message is cut short");
	n = recv(viewer->fd, viewer->buffer + viewer->have, viewer->room - viewer->have,
		 MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN) {
		if (waits_in_vain(viewer->fd))
			return viewer_fail(viewer, "the server says nothing");
		n = recv(viewer->fd, viewer->buffer + viewer->have, viewer->room - viewer->have, 0);
	}
	if (n <= 0)
		return viewer_fail(viewer, "the server has closed the connection");
	viewer->have += (size_t)n;
	viewer->counts.bytes += (uint64_t)n;
	return true;
}

const uint8_t *viewer_take(struct viewer *viewer, size_t n)
{
	const uint8_t *bytes;

	if (viewer->have - viewer->at < n && !make_room(viewer, n))
		return NULL;
	while (viewer->have - viewer->at < n)
		if (!read_more(viewer))
			return NULL;
	bytes = viewer->buffer + viewer->at;
	viewer->at += n;
	return bytes;
}

bool viewer_skip(struct viewer *viewer, size_t n)
{
	while (n) {
		size_t part = viewer->have - viewer->at;

		if (!part) {
			viewer->have = viewer->at = 0;
			if (!make_room(viewer, READ_AT_ONCE * 4) || !read_more(viewer))
				return false;
			continue;
		}
		if (part > n)
			part = n;
		viewer->at += part;
		n -= part;
	}
	return true;
}

bool viewer_feed(struct viewer *viewer, const void *bytes, size_t length)
{
	if (!make_room(viewer, viewer->have - viewer->at + length))
		return false;
	memcpy(viewer->buffer + viewer->have, bytes, length);
	viewer->have += length;
	viewer->counts.bytes += length;
	return true;
}

static bool say(struct viewer *viewer, const void *data, size_t length)
{
	const uint8_t *bytes = data;

	while (length) {
		ssize_t n = send(viewer->fd, bytes, length, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return viewer_fail(viewer, "the server takes nothing");
		bytes += n;
		length -= (size_t)n;
	}
	return true;
}

/* Pixels. */

uint32_t viewer_wire_pixel(const struct viewer_format *format, const uint8_t *bytes)
{
	if (format->bits == 8)
		return bytes[0];
	if (format->bits == 16)
		return format->big_endian ? wire_u16(bytes) : bytes[0] | (uint32_t)bytes[1] << 8;
	if (format->big_endian)
		return wire_u32(bytes);
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

uint32_t viewer_pixel(const struct viewer_format *format, uint32_t pixel)
{
	uint32_t result = 0;

	for (unsigned int i = 0; i < 3; i++) {
		uint32_t value = pixel >> (16 - 8 * i) & 255;

		result |= (value * format->max[i] + 127) / 255 << format->shift[i];
	}
	return result;
}

static bool resize(struct viewer *viewer, uint32_t width, uint32_t height)
{
	uint32_t *pixels = NULL;

	if (viewer->decodes) {
		pixels = calloc((size_t)width * height + 1, sizeof(*pixels));
		if (!pixels)
			return viewer_fail(viewer, "out of memory");
	}
	free(viewer->pixels);
	viewer->pixels = pixels;
	viewer->width = width;
	viewer->height = height;
	return true;
}

static bool raw(struct viewer *viewer, const struct viewer_rect *rect)
{
	size_t size = viewer->format.bits / 8u;
	uint32_t end = rect->y + rect->height;

	viewer->counts.raw++;
	if (!viewer->decodes)
		end = rect->y;
	else if (viewer->rows && end > viewer->rows)
		end = rect->y > viewer->rows ? rect->y : viewer->rows;
	for (uint32_t y = rect->y; y < end; y++) {
		uint32_t *out = viewer->pixels + (size_t)y * viewer->width + rect->x;
		const uint8_t *bytes = viewer_take(viewer, rect->width * size);

		if (!bytes)
			return false;
		for (uint32_t x = 0; x < rect->width; x++)
			out[x] = viewer_wire_pixel(&viewer->format, bytes + x * size);
	}
	return viewer_skip(viewer, rect->width * size * (rect->y + rect->height - end));
}

static bool copy_rect(struct viewer *viewer, const struct viewer_rect *rect)
{
	const uint8_t *bytes = viewer_take(viewer, 4);
	uint32_t x, y;

	if (!bytes)
		return false;
	x = wire_u16(bytes);
	y = wire_u16(bytes + 2);
	if (x + rect->width > viewer->width || y + rect->height > viewer->height)
		return viewer_fail(viewer, "copies from outside");
	viewer->counts.copied++;
	if (!viewer->decodes)
		return true;
	for (uint32_t i = 0; i < rect->height; i++) {
		uint32_t row = y >= rect->y ? i : rect->height - 1 - i;

		memmove(viewer->pixels + (size_t)(rect->y + row) * viewer->width + rect->x,
			viewer->pixels + (size_t)(y + row) * viewer->width + x,
			rect->width * sizeof(*viewer->pixels));
	}
	return true;
}

static bool cursor(struct viewer *viewer, uint32_t width, uint32_t height)
{
	viewer->counts.cursors++;
	return viewer_skip(viewer, (size_t)width * height * (viewer->format.bits / 8u) +
					   (size_t)(width + 7) / 8 * height);
}

static bool new_size(struct viewer *viewer, uint32_t width, uint32_t height, bool extended)
{
	const uint8_t *bytes;

	if (extended) {
		bytes = viewer_take(viewer, 4);
		if (!bytes || !viewer_skip(viewer, bytes[0] * 16u))
			return false;
	}
	viewer->counts.resizes++;
	if (width == viewer->width && height == viewer->height)
		return true;
	viewer->resized = true;
	return resize(viewer, width, height);
}

static bool pixels_of(struct viewer *viewer, int32_t encoding, const struct viewer_rect *rect)
{
	if (rect->x + rect->width > viewer->width || rect->y + rect->height > viewer->height)
		return viewer_fail(viewer, "a rectangle lies outside");
	viewer->counts.rectangles++;
	viewer->counts.pixels += (uint64_t)rect->width * rect->height;
	switch (encoding) {
	case VIEWER_RAW:
		return raw(viewer, rect);
	case VIEWER_COPY_RECT:
		return copy_rect(viewer, rect);
	case VIEWER_TIGHT:
		return viewer_tight(viewer, rect);
	case VIEWER_ZRLE:
		return viewer_zrle(viewer, rect);
	default:
		return viewer_fail(viewer, "an encoding that was not asked for");
	}
}

static bool update(struct viewer *viewer)
{
	const uint8_t *bytes = viewer_take(viewer, 3);
	uint32_t count;

	if (!bytes)
		return false;
	viewer->resized = false;
	count = wire_u16(bytes + 1);
	for (uint32_t i = 0; i < count; i++) {
		struct viewer_rect rect;
		int32_t encoding;
		bool good = true;

		bytes = viewer_take(viewer, 12);
		if (!bytes)
			return false;
		rect = (struct viewer_rect){wire_u16(bytes), wire_u16(bytes + 2),
					    wire_u16(bytes + 4), wire_u16(bytes + 6)};
		encoding = (int32_t)wire_u32(bytes + 8);
		if (encoding == VIEWER_LAST_RECT)
			break;
		if (encoding == VIEWER_DESKTOP_SIZE || encoding == VIEWER_EXTENDED_DESKTOP_SIZE)
			good = new_size(viewer, rect.width, rect.height,
					encoding == VIEWER_EXTENDED_DESKTOP_SIZE);
		else if (encoding == VIEWER_CURSOR)
			good = cursor(viewer, rect.width, rect.height);
		else
			good = pixels_of(viewer, encoding, &rect);
		if (!good)
			return false;
	}
	viewer->counts.updates++;
	return true;
}

/* Messages. */

static bool fence(struct viewer *viewer)
{
	const uint8_t *bytes = viewer_take(viewer, 8);
	uint8_t payload[255], length;
	uint32_t flags;

	if (!bytes)
		return false;
	flags = wire_u32(bytes + 3);
	length = bytes[7];
	bytes = viewer_take(viewer, length);
	if (!bytes)
		return false;
	memcpy(payload, bytes, length);
	viewer->counts.fences++;
	if (viewer->got_fence)
		viewer->got_fence(viewer, flags, payload, length);
	else if (flags & REQUEST_BIT)
		return viewer_send_fence(viewer, flags & 7, payload, length);
	return true;
}

int viewer_message(struct viewer *viewer)
{
	const uint8_t *bytes = viewer_take(viewer, 1);
	int type = bytes ? bytes[0] : -1;
	bool good = true;

	switch (type) {
	case VIEWER_UPDATE:
		good = update(viewer);
		break;
	case VIEWER_COLOUR_MAP:
		bytes = viewer_take(viewer, 5);
		good = bytes && viewer_skip(viewer, wire_u16(bytes + 3) * 6u);
		break;
	case VIEWER_BELL:
		break;
	case VIEWER_CUT_TEXT:
		bytes = viewer_take(viewer, 7);
		good = bytes && viewer_skip(viewer, wire_u32(bytes + 3));
		break;
	case VIEWER_END_OF_CONTINUOUS:
		viewer->offered_continuous = true;
		break;
	case VIEWER_GOT_FENCE:
		good = fence(viewer);
		break;
	default:
		good = viewer_fail(viewer, "an unknown message");
	}
	return good ? type : -1;
}

bool viewer_set_format(struct viewer *viewer, const struct viewer_format *format)
{
	uint8_t message[20] = {0, 0, 0, 0, format->bits, format->depth, format->big_endian, 1};

	for (unsigned int i = 0; i < 3; i++) {
		wire_put_u16(message + 8 + 2 * i, format->max[i]);
		message[14 + i] = format->shift[i];
	}
	viewer->format = *format;
	return say(viewer, message, sizeof(message));
}

bool viewer_set_encodings(struct viewer *viewer, const int32_t *encodings, unsigned int count)
{
	uint8_t message[4 + 4 * 64] = {2};

	if (count > 64)
		return viewer_fail(viewer, "too many encodings");
	wire_put_u16(message + 2, count);
	for (unsigned int i = 0; i < count; i++)
		wire_put_u32(message + 4 + 4 * i, (uint32_t)encodings[i]);
	return say(viewer, message, 4 + 4 * count);
}

bool viewer_request(struct viewer *viewer, bool incremental)
{
	uint8_t message[10] = {3, incremental};

	wire_put_u16(message + 6, viewer->width);
	wire_put_u16(message + 8, viewer->height);
	return say(viewer, message, sizeof(message));
}

bool viewer_continuous(struct viewer *viewer, bool on)
{
	uint8_t message[10] = {150, on};

	wire_put_u16(message + 6, viewer->width);
	wire_put_u16(message + 8, viewer->height);
	return say(viewer, message, sizeof(message));
}

bool viewer_send_fence(struct viewer *viewer, uint32_t flags, const void *payload, uint8_t length)
{
	uint8_t message[9 + 255] = {248};

	wire_put_u32(message + 4, flags);
	message[8] = length;
	memcpy(message + 9, payload, length);
	return say(viewer, message, 9u + length);
}

/* Beginning and end. */

static bool greet(struct viewer *viewer)
{
	const uint8_t *bytes = viewer_take(viewer, 12);
	bool none = false;
	size_t count;

	if (!bytes || !say(viewer, VERSION, 12))
		return false;
	bytes = viewer_take(viewer, 1);
	count = bytes ? bytes[0] : 0;
	bytes = viewer_take(viewer, count);
	for (size_t i = 0; bytes && i < count; i++)
		none |= bytes[i] == 1;
	if (!none || !say(viewer, "\1", 1))
		return viewer_fail(viewer, "security None is not offered");
	bytes = viewer_take(viewer, 4);
	return bytes && !wire_u32(bytes) && say(viewer, "\1", 1);
}

bool viewer_open(struct viewer *viewer, int fd, bool decodes)
{
	const uint8_t *bytes;

	*viewer = (struct viewer){.fd = fd, .decodes = decodes};
	if (!make_room(viewer, 0) || !greet(viewer))
		return viewer_fail(viewer, "the handshake failed");
	bytes = viewer_take(viewer, 24);
	if (!bytes)
		return false;
	viewer->width = wire_u16(bytes);
	viewer->height = wire_u16(bytes + 2);
	if (!viewer_skip(viewer, wire_u32(bytes + 20)))
		return false;
	return resize(viewer, viewer->width, viewer->height) &&
	       viewer_set_format(viewer, &viewer_x8r8g8b8);
}

void viewer_open_fed(struct viewer *viewer, uint32_t width, uint32_t height,
		     const struct viewer_format *format)
{
	*viewer = (struct viewer){.fd = -1, .decodes = true, .format = *format};
	resize(viewer, width, height);
}

void viewer_close(struct viewer *viewer)
{
	if (viewer->fd >= 0)
		close(viewer->fd);
	viewer_end_streams(viewer);
	viewer_end_jpeg(viewer);
	free(viewer->pixels);
	free(viewer->buffer);
	free(viewer->inflated);
}

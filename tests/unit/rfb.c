/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rfb.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ENCODING_DESKTOP_SIZE          (-223)
#define ENCODING_POSITION              (-232)
#define ENCODING_RICH_CURSOR           (-239)
#define ENCODING_X_CURSOR              (-240)
#define ENCODING_EXTENDED_KEYS         (-258)
#define ENCODING_LEDS                  (-261)
#define ENCODING_NAME                  (-307)
#define ENCODING_EXTENDED_DESKTOP_SIZE (-308)
#define ENCODING_ALPHA_CURSOR          (-314)
#define ENCODING_EXTENDED_MOUSE        (-316)

static int dial(int family, const void *name, socklen_t length)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, name, length)) {
		close(fd);
		return -1;
	}
	return fd;
}

int rfb_dial_tcp(uint16_t port)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return dial(AF_INET, &name, sizeof(name));
}

int rfb_dial_unix(const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	strncpy(name.sun_path, path, sizeof(name.sun_path) - 1);
	return dial(AF_UNIX, &name, sizeof(name));
}

bool rfb_send(int fd, const void *data, size_t length)
{
	return send(fd, data, length, MSG_NOSIGNAL) == (ssize_t)length;
}

static ssize_t receive_some(int fd, void *data, size_t length)
{
	struct pollfd poller = {.fd = fd, .events = POLLIN};

	if (poll(&poller, 1, RFB_PATIENCE_MS) != 1) {
		errno = ETIMEDOUT;
		return -1;
	}
	return recv(fd, data, length, 0);
}

bool rfb_receive(int fd, void *data, size_t length)
{
	uint8_t *bytes = data;

	while (length) {
		ssize_t n = receive_some(fd, bytes, length);

		if (n <= 0)
			return false;
		bytes += n;
		length -= (size_t)n;
	}
	return true;
}

bool rfb_is_closed(int fd)
{
	char waste[4096];
	ssize_t n;

	do
		n = receive_some(fd, waste, sizeof(waste));
	while (n > 0);
	return n == 0 || errno == ECONNRESET;
}

static bool receive16(int fd, uint16_t *number)
{
	bool ok = rfb_receive(fd, number, 2);

	*number = ntohs(*number);
	return ok;
}

static bool receive32(int fd, uint32_t *number)
{
	bool ok = rfb_receive(fd, number, 4);

	*number = ntohl(*number);
	return ok;
}

static bool receive_refusal(int fd, char *refusal)
{
	uint32_t length;
	char text[128] = "";

	if (receive32(fd, &length) && length < sizeof(text))
		rfb_receive(fd, text, length);
	if (refusal)
		strcpy(refusal, text);
	return false;
}

static bool choose(int fd, int minor, char *refusal)
{
	uint8_t count, types[255], none = 1;
	uint32_t result = 0;

	if (minor == 3) {
		if (!receive32(fd, &result))
			return false;
		return result ? result == 1 : receive_refusal(fd, refusal);
	}
	if (!rfb_receive(fd, &count, 1))
		return false;
	if (!count)
		return receive_refusal(fd, refusal);
	if (!rfb_receive(fd, types, count) || !memchr(types, 1, count) || !rfb_send(fd, &none, 1))
		return false;
	if (minor < 8)
		return true;
	if (!receive32(fd, &result))
		return false;
	return result ? receive_refusal(fd, refusal) : true;
}

bool rfb_greet(int fd, int minor, char *refusal)
{
	char version[13];
	uint8_t shared = 1;

	if (refusal)
		*refusal = '\0';
	if (!rfb_receive(fd, version, 12) || memcmp(version, "RFB 003.008\n", 12))
		return false;
	snprintf(version, sizeof(version), "RFB 003.%03u\n", (unsigned int)minor % 1000u);
	return rfb_send(fd, version, 12) && choose(fd, minor, refusal) && rfb_send(fd, &shared, 1);
}

bool rfb_greet_with(int fd, const uint8_t password[PASSWORD_LENGTH])
{
	uint8_t version[12], kinds[4], challenge[PASSWORD_CHALLENGE], answer[PASSWORD_CHALLENGE];
	uint8_t result[4];
	const uint8_t vnc_auth = 2, shared = 1;

	return rfb_receive(fd, version, 12) && rfb_send(fd, "RFB 003.008\n", 12) &&
	       rfb_receive(fd, kinds, 1) && kinds[0] && kinds[0] < sizeof(kinds) &&
	       rfb_receive(fd, kinds + 1, kinds[0]) && kinds[kinds[0]] == vnc_auth &&
	       rfb_send(fd, &vnc_auth, 1) && rfb_receive(fd, challenge, sizeof(challenge)) &&
	       !password_answer(password, challenge, answer) &&
	       rfb_send(fd, answer, sizeof(answer)) && rfb_receive(fd, result, 4) && !result[3] &&
	       rfb_send(fd, &shared, 1);
}

static void resize(struct rfb *rfb, uint32_t width, uint32_t height)
{
	free(rfb->pixels);
	rfb->width = width;
	rfb->height = height;
	rfb->pixels = calloc((size_t)width * height + 1, 4);
}

static bool receive_init(struct rfb *rfb)
{
	static const uint8_t format[13] = {32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0};
	uint16_t width, height;
	uint8_t got[16];
	uint32_t length;

	if (!receive16(rfb->fd, &width) || !receive16(rfb->fd, &height) ||
	    !rfb_receive(rfb->fd, got, 16) || !receive32(rfb->fd, &length) ||
	    length >= sizeof(rfb->name) || !rfb_receive(rfb->fd, rfb->name, length))
		return false;
	resize(rfb, width, height);
	return !memcmp(got, format, sizeof(format));
}

bool rfb_init(struct rfb *rfb, int fd)
{
	*rfb = (struct rfb){.fd = fd};
	return receive_init(rfb);
}

bool rfb_open(struct rfb *rfb, int fd, int minor)
{
	*rfb = (struct rfb){.fd = fd};
	return fd >= 0 && rfb_greet(fd, minor, NULL) && receive_init(rfb);
}

void rfb_close(struct rfb *rfb)
{
	if (rfb->fd >= 0)
		close(rfb->fd);
	free(rfb->pixels);
	free(rfb->cursor);
	*rfb = (struct rfb){.fd = -1};
}

bool rfb_encodings(struct rfb *rfb, unsigned int which)
{
	static const struct {
		unsigned int bit;
		int32_t encoding;
	} table[] = {
		{RFB_DESKTOP_SIZE, ENCODING_DESKTOP_SIZE},
		{RFB_EXTENDED_DESKTOP_SIZE, ENCODING_EXTENDED_DESKTOP_SIZE},
		{RFB_CURSOR, ENCODING_RICH_CURSOR},
		{RFB_X_CURSOR, ENCODING_X_CURSOR},
		{RFB_ALPHA_CURSOR, ENCODING_ALPHA_CURSOR},
		{RFB_POSITION, ENCODING_POSITION},
		{RFB_EXTENDED_KEYS, ENCODING_EXTENDED_KEYS},
		{RFB_EXTENDED_MOUSE, ENCODING_EXTENDED_MOUSE},
		{RFB_LEDS, ENCODING_LEDS},
		{RFB_NAME, ENCODING_NAME},
	};
	uint32_t message[2 + sizeof(table) / sizeof(*table)] = {0};
	uint16_t count = 1; /* Raw, 0 */

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (which & table[i].bit)
			message[1 + count++] = htonl((uint32_t)table[i].encoding);
	message[0] = htonl(2u << 24 | count);
	return rfb_send(rfb->fd, message, 4u + 4u * count);
}

bool rfb_request(struct rfb *rfb, bool incremental)
{
	uint16_t message[5] = {htons((uint16_t)(3u << 8 | incremental)), 0, 0,
			       htons((uint16_t)rfb->width), htons((uint16_t)rfb->height)};

	return rfb_send(rfb->fd, message, sizeof(message));
}

static bool receive_raw(struct rfb *rfb, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	if (x + width > rfb->width || y + height > rfb->height || !width || !height)
		return false;
	for (; height; y++, height--)
		if (!rfb_receive(rfb->fd, rfb->pixels + (size_t)y * rfb->width + x, width * 4))
			return false;
	return true;
}

static bool receive_screens(struct rfb *rfb)
{
	uint8_t head[4], screen[16];

	if (!rfb_receive(rfb->fd, head, 4))
		return false;
	for (int i = 0; i < head[0]; i++)
		if (!rfb_receive(rfb->fd, screen, 16))
			return false;
	return true;
}

/* Its bytes, of a format of 32 bits. */
static size_t cursor_size(int32_t encoding, size_t width, size_t height)
{
	size_t bits = (width + 7) / 8 * height;

	if (encoding == ENCODING_ALPHA_CURSOR)
		return 4 + width * height * 4;
	if (!bits)
		return 0;
	return encoding == ENCODING_X_CURSOR ? 6 + 2 * bits : width * height * 4 + bits;
}

static bool receive_cursor(struct rfb *rfb, int32_t encoding)
{
	size_t size = cursor_size(encoding, rfb->cursor_width, rfb->cursor_height);

	rfb->cursors++;
	rfb->cursor_encoding = encoding;
	free(rfb->cursor);
	rfb->cursor = malloc(size + 1);
	return rfb_receive(rfb->fd, rfb->cursor, size);
}

static bool receive_name(struct rfb *rfb)
{
	uint32_t length;

	memset(rfb->name, 0, sizeof(rfb->name));
	return receive32(rfb->fd, &length) && length < sizeof(rfb->name) &&
	       rfb_receive(rfb->fd, rfb->name, length);
}

static bool receive_rect(struct rfb *rfb)
{
	uint16_t x, y, width, height;
	uint32_t encoding;
	int fd = rfb->fd;

	if (!receive16(fd, &x) || !receive16(fd, &y) || !receive16(fd, &width) ||
	    !receive16(fd, &height) || !receive32(fd, &encoding))
		return false;
	switch ((int32_t)encoding) {
	case 0:
		return receive_raw(rfb, x, y, width, height);
	case ENCODING_POSITION:
		rfb->positions++;
		rfb->point_x = x;
		rfb->point_y = y;
		return !width && !height;
	case ENCODING_EXTENDED_KEYS:
		rfb->key_offers++;
		return true;
	case ENCODING_EXTENDED_MOUSE:
		rfb->mouse_offers++;
		return !x && !y && !width && !height;
	case ENCODING_LEDS:
		rfb->lights++;
		return rfb_receive(fd, &rfb->leds, 1);
	case ENCODING_NAME:
		rfb->names++;
		return receive_name(rfb);
	case ENCODING_RICH_CURSOR:
	case ENCODING_X_CURSOR:
	case ENCODING_ALPHA_CURSOR:
		rfb->hot_x = x;
		rfb->hot_y = y;
		rfb->cursor_width = width;
		rfb->cursor_height = height;
		return receive_cursor(rfb, (int32_t)encoding);
	case ENCODING_EXTENDED_DESKTOP_SIZE:
		rfb->size_reason = x;
		rfb->size_status = y;
		if (!receive_screens(rfb))
			return false;
		/* A refusal says nothing of the size (as TigerVNC's viewer has it). */
		if ((x == 1 && y) || (width == rfb->width && height == rfb->height))
			return true;
		/* fall through */
	case ENCODING_DESKTOP_SIZE:
		rfb->resizes++;
		resize(rfb, width, height);
		return true;
	default:
		return false;
	}
}

bool rfb_update(struct rfb *rfb)
{
	uint8_t head[2];
	uint16_t rects;

	if (!rfb_receive(rfb->fd, head, 2) || head[0] || !receive16(rfb->fd, &rects))
		return false;
	while (rects--)
		if (!receive_rect(rfb))
			return false;
	rfb->updates++;
	return true;
}

bool rfb_shows(const struct rfb *rfb, const struct frame *frame)
{
	if (rfb->width != frame->width || rfb->height != frame->height)
		return false;
	for (size_t y = 0; y < frame->height; y++) {
		const uint32_t *a = rfb->pixels + y * rfb->width;
		const uint32_t *b = frame->pixels + y * (frame->stride / 4);

		for (size_t x = 0; x < frame->width; x++)
			if ((a[x] ^ b[x]) & 0xffffff)
				return false;
	}
	return true;
}

bool rfb_converge(struct rfb *rfb, const struct frame *frame, unsigned int limit)
{
	for (unsigned int i = 0; i < limit; i++) {
		if (rfb_shows(rfb, frame))
			return true;
		if (!rfb_request(rfb, true) || !rfb_update(rfb))
			return false;
	}
	return rfb_shows(rfb, frame);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_layout.h"

#include <glib.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "vnc_send.h"
#include "vnc_session.h"

#define SERIES "0.9."
#define FIRST  14

#define SIDE   16 /* pixels */
#define NAME   "x"
#define HEAD   (4 + 12)
#define LENGTH (sz_rfbServerInitMsg + sizeof(NAME) - 1 + HEAD + SIDE * SIDE * 4)

enum answer {
	ANSWER_NONE,
	ANSWER_KNOWN,
	ANSWER_UNKNOWN,
};

static gint answer; /* atomic */

bool vnc_layout_knows_version(const char *version)
{
	char *end;
	guint64 patch;

	if (!g_str_has_prefix(version, SERIES) || !g_ascii_isdigit(version[strlen(SERIES)]))
		return false;
	patch = g_ascii_strtoull(version + strlen(SERIES), &end, 10);
	return !*end && patch >= FIRST;
}

static bool read_all(int fd, uint8_t *bytes, size_t length)
{
	while (length) {
		ssize_t n = recv(fd, bytes, length, MSG_DONTWAIT);

		if (n <= 0)
			return false;
		bytes += n;
		length -= (size_t)n;
	}
	return true;
}

/* ServerInit, and one Raw rectangle in an update. */
static bool is_right(const uint8_t *bytes, const struct frame *frame)
{
	static const uint8_t head[HEAD] = {
		[3] = 1, [9] = SIDE, [11] = SIDE /* type, count, x, y, width, height, Raw */};

	bytes += sz_rfbServerInitMsg + sizeof(NAME) - 1;
	if (memcmp(bytes, head, HEAD))
		return false;
	for (size_t y = 0; y < SIDE; y++)
		if (memcmp(bytes + HEAD + y * SIDE * 4, frame->pixels + y * (frame->stride / 4),
			   (size_t)SIDE * 4))
			return false;
	return true;
}

/* Sends a picture to nobody and reads it back. All of it has room in the sockets. */
static bool try_update(const struct frame *frame, int server, int viewer)
{
	const struct vnc_rects none = {0};
	struct vnc_session session = {0};
	uint8_t bytes[LENGTH];
	sraRegionPtr all = sraRgnCreateRect(0, 0, SIDE, SIDE);
	bool right = false;

	if (!vnc_session_open(&session, server, NAME, "nobody", frame)) {
		session.client->preferredEncoding = rfbEncodingRaw;
		right = vnc_send_known(session.client, &none, all) &&
			read_all(viewer, bytes, sizeof(bytes)) && is_right(bytes, frame) &&
			recv(viewer, bytes, 1, MSG_DONTWAIT) < 0;
	}
	vnc_session_close(&session);
	sraRgnDestroy(all);
	return right;
}

static bool try_library(void)
{
	struct frame *frame = frame_create(SIDE, SIDE);
	bool right = false;
	sigset_t signals;
	int pair[2];

	if (!frame)
		return false;
	pthread_sigmask(SIG_SETMASK, NULL, &signals);
	for (size_t i = 0; i < SIDE * frame->stride / 4; i++)
		frame->pixels[i] = (uint32_t)i * 2654435761u;
	if (!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		right = try_update(frame, pair[0], pair[1]);
		close(pair[0]);
		close(pair[1]);
	}
	frame_release(frame);
	pthread_sigmask(SIG_SETMASK, &signals, NULL);
	return right;
}

bool vnc_layout_is_known(void)
{
	bool known;

	if (!g_atomic_int_get(&answer)) {
		known = vnc_layout_knows_version(LIBVNCSERVER_VERSION) && try_library();
		if (!known)
			log_warning("vnc: libvncserver %s is not known: it makes the updates "
				    "itself, which is slower (0.9.14 is)",
				    LIBVNCSERVER_VERSION);
		g_atomic_int_compare_and_exchange(&answer, ANSWER_NONE,
						  known ? ANSWER_KNOWN : ANSWER_UNKNOWN);
	}
	return g_atomic_int_get(&answer) == ANSWER_KNOWN;
}

void vnc_layout_pretend(bool known)
{
	g_atomic_int_set(&answer, known ? ANSWER_KNOWN : ANSWER_UNKNOWN);
}

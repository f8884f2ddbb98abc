/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The other servers of serve_bench show the same pixels as planecast's sim: this program paints
 * them, each frame at its moment.
 *
 *   serve_peer libvncserver PORT PATTERN WIDTH HEIGHT FPS CYCLE EPOCH
 *   serve_peer door[-tls|-ws|-wss] PORT ...      behind planecast's door, reached in that way
 *   serve_peer x11 DISPLAY ...                   shown on an X server
 *
 * libvncserver is used as its documentation says: rfbRunEventLoop with its own threads, which the
 * door gives their sockets. The thread that paints is called "painter", so that its time can be
 * told from the server's.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <rfb/rfb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <time.h>
#ifdef HAVE_XCB
#include <xcb/shm.h>
#include <xcb/xcb.h>
#endif

#include "kmod/pattern.h"
#include "serve_peer.h"

#define MAX_STEPS 64u

struct peer {
	struct pattern pattern;
	unsigned int fps, cycle; /* cycle: so many frames, painted beforehand; or 0 */
	int64_t epoch_us;
	uint32_t *ring;
	uint32_t *pixels;
	void (*changed)(struct peer *peer, const struct pattern_rect *rect);
	void (*flush)(struct peer *peer);
	rfbScreenInfoPtr screen;
#ifdef HAVE_XCB
	xcb_connection_t *x;
	xcb_window_t window;
	xcb_gcontext_t context;
	xcb_shm_seg_t segment;
#endif
};

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void sleep_until(int64_t when_us)
{
	struct timespec when = {when_us / 1000000, when_us % 1000000 * 1000};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR)
		;
}

static size_t picture_size(const struct peer *peer)
{
	return (size_t)peer->pattern.width * peer->pattern.height;
}

static void fill_ring(struct peer *peer)
{
	uint32_t *out = malloc(peer->cycle * picture_size(peer) * sizeof(*out));

	peer->ring = out;
	for (uint64_t frame = 0; out && frame < peer->cycle; frame++)
		for (uint32_t y = 0; y < peer->pattern.height; y++, out += peer->pattern.width)
			pattern_row(&peer->pattern, frame, y, 0, peer->pattern.width, out);
}

static void paint_rect(struct peer *peer, uint64_t frame, const struct pattern_rect *rect)
{
	for (uint32_t y = rect->y; y < rect->y + rect->height; y++) {
		size_t at = (size_t)y * peer->pattern.width + rect->x;

		if (peer->ring)
			memcpy(peer->pixels + at,
			       peer->ring + frame % peer->cycle * picture_size(peer) + at,
			       rect->width * sizeof(*peer->pixels));
		else
			pattern_row(&peer->pattern, frame, y, rect->x, rect->width,
				    peer->pixels + at);
	}
	peer->changed(peer, rect);
}

static bool contains(const struct pattern_rect *outer, const struct pattern_rect *inner)
{
	return inner->x >= outer->x && inner->y >= outer->y &&
	       inner->x + inner->width <= outer->x + outer->width &&
	       inner->y + inner->height <= outer->y + outer->height;
}

/* What the frames since `last` changed, as they are now; what lies in one rectangle only once. */
static void paint(struct peer *peer, uint64_t last, uint64_t frame)
{
	struct pattern_rect rects[PATTERN_MAX_RECTS], done[MAX_STEPS * PATTERN_MAX_RECTS];
	uint64_t step = frame - last > MAX_STEPS ? 0 : last + 1;
	unsigned int count, painted = 0;

	if (!frame)
		step = 0;
	do {
		count = pattern_damage(&peer->pattern, step, rects);
		for (unsigned int i = 0; i < count; i++) {
			unsigned int j = 0;

			while (j < painted && !contains(&done[j], &rects[i]))
				j++;
			if (j < painted)
				continue;
			done[painted++] = rects[i];
			paint_rect(peer, frame, &rects[i]);
		}
	} while (step && ++step <= frame);
	peer->flush(peer);
}

static void paint_for_ever(struct peer *peer)
{
	uint64_t last = 0;

	if (peer->cycle)
		fill_ring(peer);
	paint(peer, 0, 0);
	for (;;) {
		int64_t due = peer->epoch_us +
			      (int64_t)((last + 1) * 1000000 + peer->fps - 1) / peer->fps;
		uint64_t frame;

		sleep_until(due);
		frame = (uint64_t)(now_us() - peer->epoch_us) * peer->fps / 1000000;
		paint(peer, last, frame);
		last = frame;
	}
}

/* libvncserver. */

static void mark(struct peer *peer, const struct pattern_rect *rect)
{
	rfbMarkRectAsModified(peer->screen, (int)rect->x, (int)rect->y,
			      (int)(rect->x + rect->width), (int)(rect->y + rect->height));
}

static void flush_nothing(struct peer *peer)
{
	(void)peer;
}

static void *painter(void *data)
{
	prctl(PR_SET_NAME, "painter");
	paint_for_ever(data);
	return NULL;
}

static int serve(struct peer *peer, const char *kind, const char *port)
{
	bool behind = !strncmp(kind, "door", strlen("door"));
	int width = (int)peer->pattern.width, height = (int)peer->pattern.height;
	pthread_t thread;

	peer->pixels = calloc((size_t)width * (size_t)height, sizeof(*peer->pixels));
	peer->screen = rfbGetScreen(NULL, NULL, width, height, 8, 3, 4);
	if (!peer->pixels || !peer->screen)
		return 1;
	peer->screen->serverFormat.depth = 24;
	peer->screen->serverFormat.redShift = 16;
	peer->screen->serverFormat.greenShift = 8;
	peer->screen->serverFormat.blueShift = 0;
	peer->screen->frameBuffer = (char *)peer->pixels;
	peer->screen->cursor = NULL;
	peer->screen->alwaysShared = TRUE;
	peer->screen->listenInterface = htonl(INADDR_LOOPBACK);
	peer->screen->port = behind ? 0 : atoi(port);
	peer->screen->ipv6port = 0;
	peer->screen->handleEventsEagerly = TRUE;
	peer->changed = mark;
	peer->flush = flush_nothing;
	rfbInitServer(peer->screen);
	if (behind)
		serve_peer_door(peer->screen, kind, port);
	else
		rfbRunEventLoop(peer->screen, -1, TRUE);
	if (pthread_create(&thread, NULL, painter, peer))
		return 1;
	pthread_join(thread, NULL);
	return 0;
}

/* X11. */

#ifdef HAVE_XCB
static void put(struct peer *peer, const struct pattern_rect *rect)
{
	xcb_shm_put_image(peer->x, peer->window, peer->context, (uint16_t)peer->pattern.width,
			  (uint16_t)peer->pattern.height, (uint16_t)rect->x, (uint16_t)rect->y,
			  (uint16_t)rect->width, (uint16_t)rect->height, (int16_t)rect->x,
			  (int16_t)rect->y, 24, XCB_IMAGE_FORMAT_Z_PIXMAP, 0, peer->segment, 0);
}

/* Until the server has read the memory; with the server we end. */
static void wait_for_server(struct peer *peer)
{
	free(xcb_get_input_focus_reply(peer->x, xcb_get_input_focus(peer->x), NULL));
	if (xcb_connection_has_error(peer->x))
		exit(0);
}

static int show(struct peer *peer, const char *display)
{
	size_t size = (size_t)peer->pattern.width * peer->pattern.height * 4;
	int id = shmget(IPC_PRIVATE, size, IPC_CREAT | 0600);
	uint32_t override = 1;
	xcb_screen_t *screen;

	peer->x = xcb_connect(*display ? display : NULL, NULL);
	if (id < 0 || xcb_connection_has_error(peer->x))
		return 1;
	peer->pixels = shmat(id, NULL, 0);
	screen = xcb_setup_roots_iterator(xcb_get_setup(peer->x)).data;
	peer->segment = xcb_generate_id(peer->x);
	xcb_shm_attach(peer->x, peer->segment, (uint32_t)id, 1);
	peer->window = xcb_generate_id(peer->x);
	xcb_create_window(peer->x, XCB_COPY_FROM_PARENT, peer->window, screen->root, 0, 0,
			  (uint16_t)peer->pattern.width, (uint16_t)peer->pattern.height, 0,
			  XCB_WINDOW_CLASS_INPUT_OUTPUT, XCB_COPY_FROM_PARENT,
			  XCB_CW_OVERRIDE_REDIRECT, &override);
	xcb_map_window(peer->x, peer->window);
	peer->context = xcb_generate_id(peer->x);
	xcb_create_gc(peer->x, peer->context, peer->window, 0, NULL);
	wait_for_server(peer);
	shmctl(id, IPC_RMID, NULL);
	peer->changed = put;
	peer->flush = wait_for_server;
	paint_for_ever(peer);
	return 0;
}
#else
static int show(struct peer *peer, const char *display)
{
	(void)peer;
	fprintf(stderr, "serve_peer: %s: built without xcb-shm\n", display);
	return 1;
}
#endif

int main(int argc, char **argv)
{
	struct peer peer = {0};
	int kind;

	if (argc != 9) {
		fprintf(stderr,
			"usage: serve_peer libvncserver|door[-tls|-ws|-wss]|x11 PORT|DISPLAY "
			"PATTERN WIDTH HEIGHT FPS CYCLE EPOCH\n");
		return 2;
	}
	kind = pattern_kind_from_name(argv[3]);
	peer.pattern = (struct pattern){(enum pattern_kind)kind, 0,
					(uint32_t)strtoul(argv[4], NULL, 10),
					(uint32_t)strtoul(argv[5], NULL, 10)};
	peer.fps = (unsigned int)strtoul(argv[6], NULL, 10);
	peer.cycle = (unsigned int)strtoul(argv[7], NULL, 10);
	peer.epoch_us = (int64_t)strtoull(argv[8], NULL, 10);
	if (kind < 0 || !peer.fps || !peer.pattern.width || !peer.pattern.height)
		return 2;
	return strcmp(argv[1], "x11") ? serve(&peer, argv[1], argv[2]) : show(&peer, argv[2]);
}

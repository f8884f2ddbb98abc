/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "rfb.h"
#include "stage.h"
#include "unit.h"

#define ALL (RFB_DESKTOP_SIZE | RFB_CURSOR)

static void join(struct stage *stage, struct rfb *rfb, unsigned int encodings)
{
	assert_true(rfb_open(rfb, rfb_dial_tcp(stage->port), 8));
	assert_true(rfb_encodings(rfb, encodings));
}

static void test_vnc_shows_exact_pixels_to_each_version(void **state)
{
	static const int minors[] = {3, 5, 7, 8, 889};
	struct stage stage;

	(void)state;
	stage_open(&stage, &(struct vnc_options){.name = "a desktop"}, 333, 77);
	for (size_t i = 0; i < G_N_ELEMENTS(minors); i++) {
		struct rfb rfb;

		assert_true(
			rfb_open(&rfb, rfb_dial_tcp(stage.port), minors[i] == 5 ? 3 : minors[i]));
		assert_int_equal(rfb.width, 333);
		assert_int_equal(rfb.height, 77);
		assert_string_equal(rfb.name, "a desktop");
		assert_true(rfb_request(&rfb, false));
		assert_true(rfb_update(&rfb));
		assert_true(rfb_shows(&rfb, stage.frame));
		rfb_close(&rfb);
	}
	stage_close(&stage);
}

static void test_vnc_sends_what_changes(void **state)
{
	struct stage stage;
	struct rfb rfb;

	(void)state;
	stage_open(&stage, NULL, 640, 480);
	join(&stage, &rfb, ALL);
	assert_true(rfb_converge(&rfb, stage.frame, 3));
	assert_int_equal(rfb.cursors, 1);
	for (uint32_t i = 0; i < 50; i++) {
		uint32_t x = i * 37 % 600, y = i * 91 % 440;

		stage_paint(&stage, x, y, 1 + i % 40, 1 + i * 3 % 40);
		assert_true(rfb_converge(&rfb, stage.frame, 3));
	}
	rfb_close(&rfb);
	stage_close(&stage);
}

static void test_vnc_converges_for_ten_clients(void **state)
{
	struct stage stage;
	struct rfb rfb[10];

	(void)state;
	stage_open(&stage, NULL, 800, 600);
	for (size_t i = 0; i < 10; i++)
		join(&stage, &rfb[i], ALL);
	assert_true(stage_wait(&stage, stage_has_clients, 10));
	for (uint32_t turn = 0; turn < 20; turn++) {
		stage_paint(&stage, turn * 13 % 700, turn * 29 % 500, 90, 70);
		for (size_t i = turn % 2; i < 10; i += 2)
			assert_true(rfb_converge(&rfb[i], stage.frame, 5));
	}
	for (size_t i = 0; i < 10; i++) {
		assert_true(rfb_converge(&rfb[i], stage.frame, 5));
		rfb_close(&rfb[i]);
	}
	assert_true(stage_wait(&stage, stage_has_clients, 0));
	stage_close(&stage);
}

static void test_vnc_follows_each_mode(void **state)
{
	static const struct {
		uint32_t width, height;
	} modes[] = {{320, 200}, {1920, 1080}, {64, 64}, {65, 31}, {1, 1}, {640, 480}, {640, 480}};
	struct stage stage;
	struct rfb plain, extended;

	(void)state;
	stage_open(&stage, NULL, 640, 400);
	join(&stage, &plain, RFB_DESKTOP_SIZE);
	join(&stage, &extended, RFB_EXTENDED_DESKTOP_SIZE);
	for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
		assert_true(rfb_converge(&plain, stage.frame, 5));
		assert_true(rfb_converge(&extended, stage.frame, 5));
		stage_resize(&stage, modes[i].width, modes[i].height);
	}
	assert_true(rfb_converge(&plain, stage.frame, 5));
	assert_true(rfb_converge(&extended, stage.frame, 5));
	assert_int_equal(plain.resizes, 6);
	assert_int_equal(extended.resizes, 6);
	rfb_close(&plain);
	rfb_close(&extended);
	stage_close(&stage);
}

/* Modes that pass while nobody asks are not sent one by one: the newest wins. */
static void test_vnc_sends_the_newest_of_many_modes(void **state)
{
	struct stage stage;
	struct rfb rfb;

	(void)state;
	stage_open(&stage, NULL, 640, 400);
	join(&stage, &rfb, ALL);
	assert_true(rfb_converge(&rfb, stage.frame, 3));
	for (uint32_t i = 1; i <= 100; i++)
		stage_resize(&stage, 100 + i, 200 + i);
	assert_true(rfb_converge(&rfb, stage.frame, 3));
	assert_int_equal(rfb.resizes, 1);
	rfb_close(&rfb);
	stage_close(&stage);
}

static void test_vnc_lets_go_of_who_cannot_follow(void **state)
{
	struct stage stage;
	struct rfb rfb;

	(void)state;
	stage_open(&stage, NULL, 640, 400);
	join(&stage, &rfb, 0);
	assert_true(rfb_converge(&rfb, stage.frame, 3));
	/* There and back is no change. */
	stage_resize(&stage, 320, 200);
	stage_resize(&stage, 640, 400);
	assert_true(rfb_converge(&rfb, stage.frame, 3));
	stage_resize(&stage, 320, 200);
	assert_true(rfb_request(&rfb, true));
	assert_true(rfb_is_closed(rfb.fd));
	rfb_close(&rfb);
	stage_close(&stage);
}

static void test_vnc_holds_newcomers_until_a_pass(void **state)
{
	struct sink_demand demand;
	struct stage stage;
	struct pollfd poller;
	struct rfb rfb;
	int fd;

	(void)state;
	stage_open(&stage, NULL, 320, 200);
	stage_set_hold(&stage, true);
	fd = rfb_dial_tcp(stage.port);
	assert_true(rfb_greet(fd, 8, NULL));
	assert_true(stage_wait(&stage, stage_has_clients, 1));
	stage.sink->ops->captured(stage.sink); /* of a pass before anybody knew of it */
	demand = stage_demand(&stage);
	assert_int_equal(demand.clients, 1);
	assert_int_equal(demand.fresh, 1);
	assert_int_equal(demand.waiting, 0);
	demand = stage_demand(&stage);
	assert_int_equal(demand.fresh, 0);
	/* What it will see is the size and the picture after the pass. */
	stage_resize(&stage, 500, 300);
	stage_paint(&stage, 3, 3, 400, 200);
	poller = (struct pollfd){.fd = fd, .events = POLLIN};
	assert_int_equal(poll(&poller, 1, 50), 0);
	stage.sink->ops->captured(stage.sink);
	stage_set_hold(&stage, false);
	assert_true(rfb_init(&rfb, fd));
	assert_int_equal(rfb.width, 500);
	assert_true(rfb_request(&rfb, false));
	assert_true(rfb_update(&rfb));
	assert_true(rfb_shows(&rfb, stage.frame));
	rfb_close(&rfb);
	stage_close(&stage);
}

static bool has_stalled(const struct vnc_counts *counts, unsigned int n)
{
	return counts->stalled == n && counts->clients == 1;
}

/* A client whose socket takes next to nothing, and that asks for everything and reads nothing. */
static int join_stalled(struct stage *stage, int fd)
{
	struct rfb rfb = {.fd = fd, .width = 4096, .height = 4096};
	int size = 4096;
	uint8_t init[24];

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	assert_true(rfb_greet(fd, 8, NULL));
	assert_true(rfb_receive(fd, init, sizeof(init)));
	assert_true(rfb_encodings(&rfb, ALL));
	assert_true(rfb_request(&rfb, false));
	(void)stage;
	return fd;
}

static void test_vnc_drops_who_takes_nothing(void **state)
{
	struct stage stage;
	struct rfb healthy;
	char *folder = g_dir_make_tmp("vnc-XXXXXX", NULL);
	char *path = g_build_filename(folder, "socket", NULL);
	char *spec = g_strdup_printf("unix:%s", path);
	int tcp, un;

	(void)state;
	stage_open(&stage, &(struct vnc_options){.stall_ms = 600}, 2560, 1440);
	assert_int_equal(vnc_listen(stage.sink, spec, NULL), 0);
	join(&stage, &healthy, ALL);
	tcp = join_stalled(&stage, rfb_dial_tcp(stage.port));
	un = join_stalled(&stage, rfb_dial_unix(path));
	assert_true(stage_wait(&stage, stage_has_clients, 3));
	for (uint32_t i = 0; i < 10; i++) {
		stage_paint(&stage, 100 * i, 10, 90, 1000);
		assert_true(rfb_converge(&healthy, stage.frame, 5));
	}
	assert_true(stage_wait(&stage, has_stalled, 2));
	stage_paint(&stage, 0, 0, 2560, 1440);
	assert_true(rfb_converge(&healthy, stage.frame, 5));
	close(tcp);
	close(un);
	rfb_close(&healthy);
	stage_close(&stage);
	rmdir(folder);
	g_free(folder);
	g_free(path);
	g_free(spec);
}

#define STORM 200

static void test_vnc_resizes_past_a_stalled_client(void **state)
{
	struct frame *frames[STORM];
	struct rfb healthy[3];
	unsigned int alive = 0;
	struct stage stage;
	int stalled;

	(void)state;
	stage_open(&stage, NULL, 2560, 1440);
	stalled = join_stalled(&stage, rfb_dial_tcp(stage.port));
	for (size_t i = 0; i < G_N_ELEMENTS(healthy); i++)
		join(&stage, &healthy[i], ALL);
	for (uint32_t i = 0; i < STORM; i++) {
		stage_resize(&stage, 64 + i * 7 % 301, 64 + i * 11 % 203);
		frames[i] = frame_acquire(stage.frame);
		if (i % 20 == 0)
			for (size_t j = 0; j < G_N_ELEMENTS(healthy); j++)
				assert_true(rfb_converge(&healthy[j], stage.frame, 5));
	}
	for (size_t j = 0; j < G_N_ELEMENTS(healthy); j++) {
		assert_true(rfb_converge(&healthy[j], stage.frame, 5));
		assert_true(healthy[j].resizes <= 11);
	}
	/* What the storm left behind is the last frame alone. */
	for (size_t i = 0; i < STORM; i++) {
		alive += g_atomic_int_get(&frames[i]->references) > 1;
		frame_release(frames[i]);
	}
	assert_int_equal(alive, 1);
	close(stalled);
	for (size_t j = 0; j < G_N_ELEMENTS(healthy); j++)
		rfb_close(&healthy[j]);
	stage_close(&stage);
}

static void test_vnc_closes_with_stalled_clients(void **state)
{
	struct stage stage;
	char *folder = g_dir_make_tmp("vnc-XXXXXX", NULL);
	char *path = g_build_filename(folder, "socket", NULL);
	char *spec = g_strdup_printf("unix:%s", path);
	struct stat st;
	int fds[8];

	(void)state;
	stage_open(&stage, NULL, 1920, 1080);
	assert_int_equal(vnc_listen(stage.sink, spec, NULL), 0);
	for (size_t i = 0; i < 4; i++)
		fds[i] = join_stalled(&stage,
				      i % 2 ? rfb_dial_tcp(stage.port) : rfb_dial_unix(path));
	fds[4] = rfb_dial_tcp(stage.port); /* in the middle of the handshake */
	fds[5] = rfb_dial_tcp(stage.port);
	assert_true(rfb_greet(fds[5], 8, NULL));
	stage_set_hold(&stage, true);
	fds[6] = rfb_dial_unix(path); /* waits for a pass that will not come */
	assert_true(rfb_greet(fds[6], 8, NULL));
	assert_true(stage_wait(&stage, stage_has_clients, 6));
	stage_close(&stage);
	assert_int_equal(stat(path, &st), -1);
	for (size_t i = 0; i < 7; i++)
		close(fds[i]);
	assert_int_equal(rmdir(folder), 0);
	g_free(folder);
	g_free(path);
	g_free(spec);
}

static void test_vnc_counts_demand(void **state)
{
	struct sink_demand demand;
	struct stage stage;
	struct rfb rfb;

	(void)state;
	stage_open(&stage, NULL, 320, 200);
	demand = stage_demand(&stage);
	assert_int_equal(demand.clients, 0);
	join(&stage, &rfb, 0);
	demand = stage_demand(&stage);
	assert_int_equal(demand.clients, 1);
	assert_int_equal(demand.waiting, 0); /* it has not asked */
	assert_true(rfb_converge(&rfb, stage.frame, 3));
	demand = stage_demand(&stage);
	assert_int_equal(demand.waiting, 0); /* it has what it asked for */
	assert_true(rfb_request(&rfb, true));
	for (int i = 0; !stage_demand(&stage).waiting && i < RFB_PATIENCE_MS; i++)
		g_usleep(1000);
	demand = stage_demand(&stage);
	assert_int_equal(demand.waiting, 1);
	stage_paint(&stage, 5, 5, 5, 5);
	assert_int_equal(stage_demand(&stage).waiting, 0);
	assert_true(rfb_update(&rfb));
	assert_true(rfb_shows(&rfb, stage.frame));
	/* A client that has left is no client. */
	rfb_close(&rfb);
	assert_true(stage_wait(&stage, stage_has_clients, 0));
	assert_int_equal(stage_demand(&stage).clients, 0);
	stage_close(&stage);
}

/* What is damaged outside of a request waits for the next one. */
static void test_vnc_answers_what_was_asked_for(void **state)
{
	static const uint8_t corner[] = {3, 1, 0, 0, 0, 0, 0, 64, 0, 32};
	struct stage stage;
	struct rfb rfb;

	(void)state;
	stage_open(&stage, NULL, 640, 480);
	join(&stage, &rfb, 0);
	assert_true(rfb_converge(&rfb, stage.frame, 3));
	assert_true(rfb_send(rfb.fd, corner, sizeof(corner)));
	stage_paint(&stage, 300, 300, 50, 50);
	while (!stage_demand(&stage).waiting)
		g_usleep(1000);
	stage_paint(&stage, 10, 10, 20, 10);
	assert_true(rfb_update(&rfb));
	assert_int_equal(rfb.pixels[10 * 640 + 10], stage.frame->pixels[10 * 640 + 10]);
	assert_int_not_equal(rfb.pixels[300 * 640 + 300], stage.frame->pixels[300 * 640 + 300]);
	assert_true(rfb_converge(&rfb, stage.frame, 2));
	rfb_close(&rfb);
	stage_close(&stage);
}

static void test_vnc_denies_sizes_that_clients_want(void **state)
{
	static const uint8_t wish[8 + 16] = {251, 0, 4, 0, 3, 0, 1};
	struct stage stage;
	struct rfb rfb;

	(void)state;
	stage_open(&stage, NULL, 640, 480);
	join(&stage, &rfb, RFB_EXTENDED_DESKTOP_SIZE);
	assert_true(rfb_request(&rfb, false));
	assert_true(rfb_update(&rfb)); /* what can be done with the size */
	assert_int_equal(rfb.size_reason, 0);
	assert_true(rfb_converge(&rfb, stage.frame, 3));
	assert_true(rfb_send(rfb.fd, wish, sizeof(wish)));
	assert_true(rfb_request(&rfb, true));
	assert_true(rfb_update(&rfb));
	assert_int_equal(rfb.size_reason, 1);
	assert_int_equal(rfb.size_status, 1);
	assert_int_equal(rfb.resizes, 0);
	rfb_close(&rfb);
	stage_close(&stage);
}

/* A pixel as a client format shows it; libvncserver rounds to the nearest. */
static uint32_t scale(uint32_t value, uint32_t max)
{
	return (value * max + 127) / 255;
}

static void test_vnc_translates_pixel_formats(void **state)
{
	static const struct {
		uint8_t message[20];
		uint8_t bytes;
	} formats[] = {
		{{0, 0, 0, 0, 16, 16, 0, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0}, 2},
		{{0, 0, 0, 0, 16, 16, 1, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0}, 2},
		{{0, 0, 0, 0, 8, 8, 0, 1, 0, 7, 0, 7, 0, 3, 0, 3, 6}, 1},
		{{0, 0, 0, 0, 32, 24, 1, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16}, 4},
		{{0, 0, 0, 0, 32, 30, 0, 1, 3, 255, 3, 255, 3, 255, 20, 10, 0}, 4},
	};
	struct stage stage;

	(void)state;
	stage_open(&stage, NULL, 64, 48);
	for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
		const uint8_t *format = formats[i].message + 4;
		uint8_t pixels[64 * 48 * 4], head[16];
		size_t bytes = formats[i].bytes;
		struct rfb rfb;

		join(&stage, &rfb, 0);
		assert_true(rfb_send(rfb.fd, formats[i].message, 20));
		assert_true(rfb_request(&rfb, false));
		assert_true(rfb_receive(rfb.fd, head, sizeof(head)));
		assert_true(rfb_receive(rfb.fd, pixels, 64 * 48 * bytes));
		for (size_t j = 0; j < 64 * 48; j++) {
			uint32_t pixel = stage.frame->pixels[j], got = 0;
			uint32_t want =
				scale(pixel >> 16 & 255, format[4] << 8 | format[5]) << format[10] |
				scale(pixel >> 8 & 255, format[6] << 8 | format[7]) << format[11] |
				scale(pixel & 255, format[8] << 8 | format[9]) << format[12];

			for (size_t k = 0; k < bytes; k++)
				got |= (uint32_t)pixels[j * bytes + k]
				       << 8 * (format[2] ? bytes - 1 - k : k);
			assert_int_equal(got, want);
		}
		rfb_close(&rfb);
	}
	stage_close(&stage);
}

static void test_vnc_gives_a_palette_to_who_wants_one(void **state)
{
	static const uint8_t format[20] = {0, 0, 0, 0, 8, 8};
	uint8_t palette[6 + 256 * 6], head[16], pixels[64 * 48];
	struct stage stage;
	struct rfb rfb;

	(void)state;
	stage_open(&stage, NULL, 64, 48);
	join(&stage, &rfb, 0);
	assert_true(rfb_send(rfb.fd, format, sizeof(format)));
	assert_true(rfb_request(&rfb, false));
	assert_true(rfb_receive(rfb.fd, palette, sizeof(palette)));
	assert_memory_equal(palette, ((uint8_t[]){1, 0, 0, 0, 1, 0}), 6);
	assert_true(rfb_receive(rfb.fd, head, sizeof(head)));
	assert_true(rfb_receive(rfb.fd, pixels, sizeof(pixels)));
	for (size_t i = 0; i < sizeof(pixels); i++) {
		const uint8_t *entry = palette + 6 + 6 * pixels[i];
		uint32_t pixel = stage.frame->pixels[i];

		assert_int_equal(entry[0], scale(pixel >> 16 & 255, 7) * 65535 / 7 >> 8);
		assert_int_equal(entry[2], scale(pixel >> 8 & 255, 7) * 65535 / 7 >> 8);
		assert_int_equal(entry[4], scale(pixel & 255, 3) * 65535 / 3 >> 8);
	}
	rfb_close(&rfb);
	stage_close(&stage);
}

static void test_vnc_disconnects_who_breaks_the_protocol(void **state)
{
	static const struct {
		uint8_t bytes[20];
		size_t length;
	} cases[] = {
		{{1, 0, 0, 1, 0, 0}, 6}, /* FixColourMapEntries */
		{{7, 0}, 2},             /* file transfer */
		{{8, 2, 0, 0}, 4},       /* SetScale */
		{{250, 0, 1, 2}, 4},     /* xvp */
		{{255, 255}, 2},
		{{6, 0, 0, 0, 0, 0x10, 0, 1}, 8},       /* clipboard: 1 MiB and a byte */
		{{6, 0, 0, 0, 0xff, 0xff, 0xff, 0}, 8}, /* extended clipboard, not offered */
		{{0, 0, 0, 0, 24, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0}, 20},
		{{0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 25, 8, 0}, 20},
		{{0, 0, 0, 0, 16, 16, 0, 0, 0, 255, 0, 255, 0, 255, 0, 0, 0}, 20},
	};
	struct stage stage;

	(void)state;
	stage_open(&stage, NULL, 320, 200);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct rfb rfb;

		join(&stage, &rfb, ALL);
		assert_true(rfb_send(rfb.fd, cases[i].bytes, cases[i].length));
		assert_true(rfb_is_closed(rfb.fd));
		rfb_close(&rfb);
	}
	assert_true(stage_wait(&stage, stage_has_clients, 0));
	stage_close(&stage);
}

struct reader {
	struct rfb *rfb;
	size_t taken;
};

static void *read_to_the_end(void *data)
{
	struct reader *reader = data;
	char waste[65536];
	ssize_t n;

	while ((n = recv(reader->rfb->fd, waste, sizeof(waste), 0)) > 0)
		reader->taken += (size_t)n;
	return NULL;
}

/*
 * Formats, encodings and requests change faster than updates are sent: what libvncserver's own
 * reader lets a client do to its encoder.
 */
static void test_vnc_survives_settings_that_change_all_the_time(void **state)
{
	static const int32_t encodings[] = {0, 2, 4, 5, 6, 7, 9, 16, 17};
	static const uint8_t formats[][20] = {
		{0, 0, 0, 0, 8, 8, 0, 1, 0, 7, 0, 7, 0, 3, 0, 3, 6},
		{0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0},
		{0, 0, 0, 0, 16, 16, 1, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0},
		{0, 0, 0, 0, 8, 8, 0, 0},
		{0, 0, 0, 0, 32, 24, 1, 1, 0, 255, 0, 255, 0, 255, 24, 16, 8},
	};
	struct stage stage;
	struct rfb rfb, healthy;
	struct reader reader = {.rfb = &rfb};
	pthread_t thread;

	(void)state;
	stage_open(&stage, NULL, 500, 400);
	join(&stage, &healthy, ALL);
	join(&stage, &rfb, ALL);
	pthread_create(&thread, NULL, read_to_the_end, &reader);
	for (uint32_t i = 0; i < 1500; i++) {
		int32_t encoding = encodings[i % G_N_ELEMENTS(encodings)];
		uint8_t list[] = {2, 0, 0, 4, 0, 0, 0, (uint8_t)encoding,
				  /* DesktopSize, ExtendedClipboard, quality */
				  0xff, 0xff, 0xff, 0x21, 0xc0, 0xa1, 0xe5, 0xce, 0xff, 0xff, 0xff,
				  (uint8_t)(0xe0 + i % 10)};

		rfb.width = 500;
		rfb.height = 400;
		assert_true(rfb_send(rfb.fd, list, sizeof(list)));
		assert_true(rfb_send(rfb.fd, formats[i / 2 % G_N_ELEMENTS(formats)], 20));
		assert_true(rfb_request(&rfb, i % 3));
		if (i % 7 == 0)
			stage_paint(&stage, i % 400, i % 300, 100, 100);
		if (i % 50 == 0)
			stage_resize(&stage, 300 + i % 200, 200 + i % 190);
	}
	assert_true(rfb_converge(&healthy, stage.frame, 10));
	shutdown(rfb.fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	assert_true(reader.taken > 0);
	rfb_close(&rfb);
	rfb_close(&healthy);
	stage_close(&stage);
}

struct vandal {
	struct stage *stage;
	uint32_t seed;
};

static void send_rubbish(struct rfb *rfb, GRand *random)
{
	uint8_t bytes[256];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)g_rand_int(random);
	bytes[0] %= 8;
	rfb_send(rfb->fd, bytes, (size_t)g_rand_int_range(random, 1, sizeof(bytes)));
}

/* Forty clients that leave in the middle of anything, half of them with a reset. */
static void *vandalise(void *data)
{
	static const struct linger reset = {1, 0};
	struct vandal *vandal = data;
	GRand *random = g_rand_new_with_seed(vandal->seed);

	for (int i = 0; i < 40; i++) {
		int what = g_rand_int_range(random, 0, 8);
		struct rfb rfb = {.fd = rfb_dial_tcp(vandal->stage->port)};

		if (what == 0) {
			rfb_send(rfb.fd, "RFB 003.0", 9);
		} else if (what == 1) {
			send_rubbish(&rfb, random);
		} else if (what == 2) {
			rfb_greet(rfb.fd, 8, NULL);
		} else if (rfb_open(&rfb, rfb.fd, what == 3 ? 3 : 8)) {
			rfb_encodings(&rfb, ALL);
			rfb_request(&rfb, false);
			if (what > 4)
				rfb_update(&rfb);
			if (what > 5)
				rfb_request(&rfb, true);
			if (what > 6)
				send_rubbish(&rfb, random);
		}
		if (g_rand_boolean(random))
			setsockopt(rfb.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		rfb_close(&rfb);
	}
	g_rand_free(random);
	return NULL;
}

static unsigned int count_entries(const char *folder)
{
	GDir *dir = g_dir_open(folder, 0, NULL);
	unsigned int count = 0;

	assert_non_null(dir);
	while (g_dir_read_name(dir))
		count++;
	g_dir_close(dir);
	return count;
}

static void test_vnc_survives_clients_that_abort(void **state)
{
	struct vandal vandals[8];
	pthread_t threads[8];
	unsigned int descriptors, tasks;
	struct stage stage;
	struct rfb healthy;

	(void)state;
	stage_open(&stage, NULL, 400, 300);
	join(&stage, &healthy, ALL);
	assert_true(rfb_converge(&healthy, stage.frame, 3));
	descriptors = count_entries("/proc/self/fd");
	tasks = count_entries("/proc/self/task");
	for (uint32_t i = 0; i < 8; i++) {
		vandals[i] = (struct vandal){&stage, i + 1};
		pthread_create(&threads[i], NULL, vandalise, &vandals[i]);
	}
	for (uint32_t i = 0; i < 40; i++) {
		if (i % 10 == 9)
			stage_resize(&stage, 300 + i, 200 + i);
		else
			stage_paint(&stage, i, i, 200, 100);
		assert_true(rfb_converge(&healthy, stage.frame, 10));
	}
	for (size_t i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	assert_true(stage_wait(&stage, stage_has_clients, 1));
	stage_paint(&stage, 0, 0, 300, 200);
	assert_true(rfb_converge(&healthy, stage.frame, 5));
	/* The last handshakes may still have to notice that nobody is there. */
	for (int i = 0; count_entries("/proc/self/fd") != descriptors && i < RFB_PATIENCE_MS; i++)
		g_usleep(1000);
	assert_int_equal(count_entries("/proc/self/fd"), descriptors);
	assert_int_equal(count_entries("/proc/self/task"), tasks);
	rfb_close(&healthy);
	stage_close(&stage);
}

/* libvncserver aborts the process at descriptor 1024. */
static void test_vnc_refuses_before_descriptors_run_out(void **state)
{
	struct stage stage;
	char refusal[128];
	GArray *taken = g_array_new(FALSE, FALSE, sizeof(int));
	struct rfb rfb;
	int fd;

	(void)state;
	stage_open(&stage, NULL, 320, 200);
	while ((fd = dup(STDERR_FILENO)) >= 0 && fd < 1024 - 64)
		g_array_append_val(taken, fd);
	if (fd >= 0)
		close(fd);
	fd = rfb_dial_tcp(stage.port);
	assert_false(rfb_greet(fd, 8, refusal));
	assert_string_equal(refusal, "too many open files");
	close(fd);
	for (guint i = 0; i < taken->len; i++)
		close(g_array_index(taken, int, i));
	g_array_free(taken, TRUE);
	join(&stage, &rfb, ALL);
	assert_true(rfb_converge(&rfb, stage.frame, 3));
	rfb_close(&rfb);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vnc_shows_exact_pixels_to_each_version),
		cmocka_unit_test(test_vnc_sends_what_changes),
		cmocka_unit_test(test_vnc_converges_for_ten_clients),
		cmocka_unit_test(test_vnc_follows_each_mode),
		cmocka_unit_test(test_vnc_sends_the_newest_of_many_modes),
		cmocka_unit_test(test_vnc_lets_go_of_who_cannot_follow),
		cmocka_unit_test(test_vnc_holds_newcomers_until_a_pass),
		cmocka_unit_test(test_vnc_drops_who_takes_nothing),
		cmocka_unit_test(test_vnc_resizes_past_a_stalled_client),
		cmocka_unit_test(test_vnc_closes_with_stalled_clients),
		cmocka_unit_test(test_vnc_counts_demand),
		cmocka_unit_test(test_vnc_answers_what_was_asked_for),
		cmocka_unit_test(test_vnc_denies_sizes_that_clients_want),
		cmocka_unit_test(test_vnc_translates_pixel_formats),
		cmocka_unit_test(test_vnc_gives_a_palette_to_who_wants_one),
		cmocka_unit_test(test_vnc_disconnects_who_breaks_the_protocol),
		cmocka_unit_test(test_vnc_survives_settings_that_change_all_the_time),
		cmocka_unit_test(test_vnc_survives_clients_that_abort),
		cmocka_unit_test(test_vnc_refuses_before_descriptors_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

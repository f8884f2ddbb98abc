/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VNC sink in bad company. */
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
	/* What that costs is not the matter here. */
	stage_open(&stage, &(struct vnc_options){.flood_percent = 1000}, 500, 400);
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
		cmocka_unit_test(test_vnc_disconnects_who_breaks_the_protocol),
		cmocka_unit_test(test_vnc_survives_settings_that_change_all_the_time),
		cmocka_unit_test(test_vnc_survives_clients_that_abort),
		cmocka_unit_test(test_vnc_refuses_before_descriptors_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

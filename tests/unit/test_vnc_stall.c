/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VNC sink and clients that take nothing, or too much of it. */
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
#include "vnc_cost.h"

#define ALL (RFB_DESKTOP_SIZE | RFB_CURSOR)

static void join(struct stage *stage, struct rfb *rfb, unsigned int encodings)
{
	assert_true(rfb_open(rfb, rfb_dial_tcp(stage->port), 8));
	assert_true(rfb_encodings(rfb, encodings));
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

/* How many of the stage's clients are parked, as `planecast status` tells it. */
static unsigned int count_parked(struct stage *stage)
{
	JsonBuilder *json = json_builder_new();
	unsigned int parked = 0;
	JsonArray *clients;
	JsonNode *root;

	json_builder_begin_object(json);
	pthread_mutex_lock(&stage->main);
	stage->sink->ops->describe(stage->sink, json);
	pthread_mutex_unlock(&stage->main);
	json_builder_end_object(json);
	root = json_builder_get_root(json);
	g_object_unref(json);
	clients = json_object_get_array_member(json_node_get_object(root), "clients");
	for (guint i = 0; i < json_array_get_length(clients); i++)
		parked += json_object_get_boolean_member(json_array_get_object_element(clients, i),
							 "parked");
	json_node_unref(root);
	return parked;
}

static void await_parked(struct stage *stage, unsigned int n)
{
	for (int i = 0; count_parked(stage) != n && i < RFB_PATIENCE_MS; i++)
		g_usleep(1000);
	assert_int_equal(count_parked(stage), n);
}

/* Over a unix socket the queue alone tells; over TCP it is what was acknowledged. */
static void test_vnc_parks_and_goes_on(void **state)
{
	char *folder = g_dir_make_tmp("vnc-XXXXXX", NULL);
	char *path = g_build_filename(folder, "socket", NULL);
	char *spec = g_strdup_printf("unix:%s", path);

	(void)state;
	for (int un = 0; un < 2; un++) {
		struct sink_demand demand;
		struct stage stage;
		struct rfb rfb = {.fd = -1};
		int size = 1 << 18;

		stage_open(&stage, &(struct vnc_options){.stall_ms = 1500}, 640, 480);
		assert_int_equal(vnc_listen(stage.sink, spec, NULL), 0);
		rfb.fd = un ? rfb_dial_unix(path) : rfb_dial_tcp(stage.port);
		setsockopt(rfb.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
		assert_true(rfb_open(&rfb, rfb.fd, 8));
		assert_true(rfb_encodings(&rfb, ALL));
		assert_true(rfb_request(&rfb, false));
		await_parked(&stage, 1);
		demand = stage_demand(&stage);
		assert_int_equal(demand.clients, 1);
		assert_int_equal(demand.waiting, 0);
		/* What changes now it gets when it reads again, all of it. */
		stage_paint(&stage, 0, 0, 64, 64);
		assert_true(rfb_update(&rfb));
		await_parked(&stage, 0);
		assert_true(rfb_converge(&rfb, stage.frame, 5));
		rfb_close(&rfb);
		stage_close(&stage);
	}
	rmdir(folder);
	g_free(folder);
	g_free(path);
	g_free(spec);
}

static bool has_dropped(const struct vnc_counts *counts, unsigned int n)
{
	return counts->stalled == n && counts->clients == 0;
}

/* Parked clients would keep the old frame. */
static void test_vnc_drops_the_parked_when_the_mode_changes(void **state)
{
	struct frame *old;
	struct stage stage;
	int fds[4];

	(void)state;
	stage_open(&stage, &(struct vnc_options){.stall_ms = 4000}, 1920, 1080);
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
		fds[i] = join_stalled(&stage, rfb_dial_tcp(stage.port));
	assert_true(stage_wait(&stage, stage_has_clients, 4));
	await_parked(&stage, 4);
	old = frame_acquire(stage.frame);
	stage_resize(&stage, 800, 600);
	assert_true(stage_wait(&stage, has_dropped, 4));
	assert_int_equal(g_atomic_int_get(&old->references), 1);
	frame_release(old);
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
		close(fds[i]);
	stage_close(&stage);
}

static bool has_flooded(const struct vnc_counts *counts, unsigned int n)
{
	return counts->flooded == n;
}

/* Another list of encodings and everything again, all the time. */
static void *flood(void *data)
{
	struct rfb rfb = {.fd = *(int *)data, .width = 640, .height = 480};
	char waste[65536];

	for (uint32_t i = 0;; i++) {
		uint8_t list[] = {2,    0,    0,    2,
				  0,    0,    0,    (uint8_t)(i % 2 ? 7 : 16),
				  0xff, 0xff, 0xff, (uint8_t)(i % 10)};

		if (!rfb_send(rfb.fd, list, sizeof(list)) || !rfb_request(&rfb, false))
			return NULL;
		while (recv(rfb.fd, waste, sizeof(waste), MSG_DONTWAIT) > 0)
			;
	}
}

static void test_vnc_cost_lets_a_quarter_of_a_core_pass(void **state)
{
	struct vnc_cost cost;
	int64_t now = 5;
	bool over = false;

	(void)state;
	vnc_cost_init(&cost, 25, now);
	assert_false(vnc_cost_add(&cost, 999999, now));
	assert_true(vnc_cost_add(&cost, 2, now));
	/* For an hour, in small pieces. */
	vnc_cost_init(&cost, 25, now);
	for (int i = 0; i < 3600 * 100; i++)
		assert_false(vnc_cost_add(&cost, 2500, now += 10000));
	for (int i = 0; i < 3; i++)
		assert_false(vnc_cost_add(&cost, 0, now += 1));
	/* Half a core for four seconds. */
	for (int i = 0; i < 400; i++)
		over = vnc_cost_add(&cost, 5000, now += 10000);
	assert_true(over);
	/* And all is forgotten at rest. */
	assert_false(vnc_cost_add(&cost, 0, now += 8000000));
	assert_int_equal(cost.spent, 0);
}

static void test_vnc_drops_who_floods(void **state)
{
	struct stage stage;
	struct rfb rfb, healthy;
	pthread_t threads[2];
	int fds[2];

	(void)state;
	stage_open(&stage, &(struct vnc_options){.flood_percent = 2}, 640, 480);
	join(&stage, &healthy, ALL);
	for (size_t i = 0; i < 2; i++) {
		join(&stage, &rfb, ALL);
		fds[i] = rfb.fd;
		free(rfb.pixels);
		pthread_create(&threads[i], NULL, flood, &fds[i]);
	}
	for (uint32_t i = 0; i < 50; i++) {
		stage_paint(&stage, i * 9, i * 7, 64, 64);
		assert_true(rfb_converge(&healthy, stage.frame, 5));
	}
	assert_true(stage_wait(&stage, has_flooded, 2));
	for (size_t i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		close(fds[i]);
	}
	stage_paint(&stage, 0, 0, 640, 480);
	assert_true(rfb_converge(&healthy, stage.frame, 5));
	rfb_close(&healthy);
	stage_close(&stage);
}

/* One byte now and then, from a socket that holds next to nothing. */
static gint trickling; /* atomic */

static void *trickle(void *data)
{
	int fd = *(int *)data;
	char byte;

	while (g_atomic_int_get(&trickling) && recv(fd, &byte, 1, 0) == 1)
		g_usleep(20000);
	return NULL;
}

/*
 * Sixty clients that stall, trickle, say half of a message, or have left without a word; and modes
 * that change. Nobody else gets an update less for it.
 */
static void test_vnc_resizes_past_bad_company(void **state)
{
	struct frame *frames[60];
	struct rfb healthy[3];
	pthread_t threads[15];
	unsigned int alive = 0;
	struct stage stage;
	int fds[60];

	(void)state;
	stage_open(&stage, &(struct vnc_options){.max_clients = 80}, 1280, 720);
	g_atomic_int_set(&trickling, 1);
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
		fds[i] = rfb_dial_tcp(stage.port);
		if (i % 4 < 2)
			join_stalled(&stage, fds[i]);
		else
			assert_true(rfb_greet(fds[i], 8, NULL));
		if (i % 4 == 1)
			pthread_create(&threads[i / 4], NULL, trickle, &fds[i]);
		else if (i % 4 == 2)
			assert_true(rfb_send(fds[i], "\3\0", 2));
		else if (i % 4 == 3)
			shutdown(fds[i], SHUT_WR);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(healthy); i++)
		join(&stage, &healthy[i], ALL);
	for (uint32_t i = 0; i < G_N_ELEMENTS(frames); i++) {
		stage_resize(&stage, 600 + i * 7 % 301, 400 + i * 11 % 203);
		frames[i] = frame_acquire(stage.frame);
		for (size_t j = 0; j < G_N_ELEMENTS(healthy); j++)
			assert_true(rfb_converge(&healthy[j], stage.frame, 5));
	}
	for (size_t j = 0; j < G_N_ELEMENTS(healthy); j++)
		assert_int_equal(healthy[j].resizes, G_N_ELEMENTS(frames));
	/* Of the old frames few are left, whoever holds them. */
	for (size_t i = 0; i < G_N_ELEMENTS(frames); i++) {
		alive += g_atomic_int_get(&frames[i]->references) > 1;
		frame_release(frames[i]);
	}
	assert_in_range(alive, 1, 8);
	g_atomic_int_set(&trickling, 0);
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
		shutdown(fds[i], SHUT_RDWR);
	for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
		close(fds[i]);
	for (size_t j = 0; j < G_N_ELEMENTS(healthy); j++)
		rfb_close(&healthy[j]);
	stage_close(&stage);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vnc_drops_who_takes_nothing),
		cmocka_unit_test(test_vnc_parks_and_goes_on),
		cmocka_unit_test(test_vnc_drops_the_parked_when_the_mode_changes),
		cmocka_unit_test(test_vnc_cost_lets_a_quarter_of_a_core_pass),
		cmocka_unit_test(test_vnc_drops_who_floods),
		cmocka_unit_test(test_vnc_resizes_past_bad_company),
		cmocka_unit_test(test_vnc_resizes_past_a_stalled_client),
		cmocka_unit_test(test_vnc_closes_with_stalled_clients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

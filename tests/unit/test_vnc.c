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

/* One of many clients at a time, in a thread of its own. */
struct watcher {
	struct stage *stage;
	gint *done, *parked;
	bool same;
};

static void *watch(void *data)
{
	struct watcher *watcher = data;
	struct rfb rfb;
	bool open = rfb_open(&rfb, rfb_dial_tcp(watcher->stage->port), 8) &&
		    rfb_encodings(&rfb, RFB_DESKTOP_SIZE);

	while (open && !g_atomic_int_get(watcher->done))
		open = rfb_request(&rfb, true) && rfb_update(&rfb);
	g_atomic_int_inc(watcher->parked);
	while (open && g_atomic_int_get(watcher->done) < 2)
		g_usleep(1000);
	watcher->same = open && rfb_converge(&rfb, watcher->stage->frame, 5);
	rfb_close(&rfb);
	return NULL;
}

static void test_vnc_converges_for_sixty_four_clients_at_once(void **state)
{
	struct watcher watchers[64];
	pthread_t threads[64];
	struct stage stage;
	gint done = 0, parked = 0;

	(void)state;
	stage_open(&stage, NULL, 320, 240);
	for (size_t i = 0; i < 64; i++) {
		watchers[i] = (struct watcher){&stage, &done, &parked, false};
		pthread_create(&threads[i], NULL, watch, &watchers[i]);
	}
	assert_true(stage_wait(&stage, stage_has_clients, 64));
	for (uint32_t i = 0; i < 60; i++) {
		if (i % 20 == 19)
			stage_resize(&stage, 300 + i, 200 + i);
		stage_paint(&stage, i * 31 % 250, i * 17 % 180, 64, 64);
		g_usleep(5000);
	}
	/* Each gets an answer to the request that it made last, and stops. */
	g_atomic_int_set(&done, 1);
	while (g_atomic_int_get(&parked) < 64) {
		stage_paint(&stage, 0, 0, 5, 5);
		g_usleep(5000);
	}
	g_atomic_int_set(&done, 2);
	for (size_t i = 0; i < 64; i++) {
		pthread_join(threads[i], NULL);
		assert_true(watchers[i].same);
	}
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

/* The one client of the stage, as `planecast status` tells of it; frees the last. */
static JsonObject *describe_client(struct stage *stage, JsonNode **root)
{
	JsonBuilder *json = json_builder_new();
	JsonArray *clients;

	g_clear_pointer(root, json_node_unref);
	json_builder_begin_object(json);
	pthread_mutex_lock(&stage->main);
	stage->sink->ops->describe(stage->sink, json);
	pthread_mutex_unlock(&stage->main);
	json_builder_end_object(json);
	*root = json_builder_get_root(json);
	g_object_unref(json);
	clients = json_object_get_array_member(json_node_get_object(*root), "clients");
	assert_int_equal(json_array_get_length(clients), 1);
	return json_array_get_object_element(clients, 0);
}

static void test_vnc_describes_its_clients(void **state)
{
	JsonNode *root = NULL;
	struct stage stage;
	JsonObject *client;
	gint64 updates;
	struct rfb rfb;

	(void)state;
	stage_open(&stage, NULL, 320, 240);
	join(&stage, &rfb, ALL);
	assert_true(rfb_converge(&rfb, stage.frame, 3));
	/* The update is counted a moment after the client has it. */
	do {
		client = describe_client(&stage, &root);
		updates = json_object_get_int_member(client, "updates");
	} while (updates < rfb.updates);
	assert_int_equal(updates, rfb.updates);
	assert_true(json_object_get_int_member(client, "bytes_sent") >= 320 * 240 * 4);
	assert_true(json_object_get_int_member(client, "bytes_sent") < 320 * 240 * 4 * 3);
	assert_string_equal(json_object_get_string_member(client, "encoding"), "raw");
	assert_true(json_object_get_null_member(client, "quality"));
	assert_int_equal(json_object_get_int_member(client, "pending_cells"), 0);
	assert_int_equal(json_object_get_int_member(client, "lag_ms"), 0);

	/* It has not asked again: what changes now waits, and grows older. */
	stage_paint(&stage, 0, 0, 100, 32);
	do
		client = describe_client(&stage, &root);
	while (!json_object_get_int_member(client, "lag_ms"));
	assert_int_equal(json_object_get_int_member(client, "pending_cells"), 2);
	json_node_unref(root);
	rfb_close(&rfb);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vnc_shows_exact_pixels_to_each_version),
		cmocka_unit_test(test_vnc_sends_what_changes),
		cmocka_unit_test(test_vnc_converges_for_ten_clients),
		cmocka_unit_test(test_vnc_converges_for_sixty_four_clients_at_once),
		cmocka_unit_test(test_vnc_follows_each_mode),
		cmocka_unit_test(test_vnc_sends_the_newest_of_many_modes),
		cmocka_unit_test(test_vnc_lets_go_of_who_cannot_follow),
		cmocka_unit_test(test_vnc_holds_newcomers_until_a_pass),
		cmocka_unit_test(test_vnc_counts_demand),
		cmocka_unit_test(test_vnc_answers_what_was_asked_for),
		cmocka_unit_test(test_vnc_translates_pixel_formats),
		cmocka_unit_test(test_vnc_gives_a_palette_to_who_wants_one),
		cmocka_unit_test(test_vnc_describes_its_clients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

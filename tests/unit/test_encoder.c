/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One encoding for all clients of equal settings, and for nobody else. */
#include "encoder.h"

#include "rfb.h"
#include "stage.h"
#include "unit.h"
#include "viewer.h"

#define WIDTH  1030u
#define HEIGHT 300u

static const struct vnc_format x8r8g8b8 = {32, 24, false, true, 255, 255, 255, 16, 8, 0};

/* Two pieces, one of them not a whole tile. */
static const struct detile_rect two[] = {
	{0, 0, TIGHT_WIDTH, TIGHT_HEIGHT},
	{TIGHT_WIDTH + 64, TIGHT_HEIGHT + 32, 128, 64},
};

struct pair {
	struct encoder *encoder;
	struct frame *frame;
	struct encoder_group *group[2];
};

static void open_pair(struct pair *pair, int other_quality)
{
	struct tight_settings settings = {.format = x8r8g8b8, .level = 1};

	assert_int_equal(encoder_create(3, false, &pair->encoder), 0);
	pair->frame = frame_create(WIDTH, HEIGHT);
	pair->group[0] = encoder_join(pair->encoder, &settings, pair->frame);
	settings.quality = other_quality;
	pair->group[1] = encoder_join(pair->encoder, &settings, pair->frame);
}

static void close_pair(struct pair *pair)
{
	struct encoder_counts counts;

	encoder_leave(pair->group[0]);
	encoder_leave(pair->group[1]);
	encoder_count(pair->encoder, &counts);
	assert_int_equal(counts.groups, 0);
	frame_release(pair->frame);
	encoder_destroy(pair->encoder);
}

static uint64_t encoded(struct pair *pair)
{
	struct encoder_counts counts;

	encoder_count(pair->encoder, &counts);
	return counts.encoded;
}

static void take(struct pair *pair, unsigned int who, const struct detile_rect *rects,
		 unsigned int count)
{
	struct encoder_piece *pieces[4];

	encoder_take(pair->group[who], pair->frame, rects, count, pieces);
	for (unsigned int i = 0; i < count; i++) {
		assert_true(pieces[i]->bytes->len > 12);
		encoder_release(pieces[i]);
	}
}

static void wake(struct pair *pair, uint64_t generation, uint32_t x, uint32_t y)
{
	struct damage damage;

	assert_int_equal(damage_init(&damage, WIDTH, HEIGHT), 0);
	damage_add(&damage, &(struct detile_rect){x, y, 1, 1});
	encoder_wake(pair->encoder, generation, &damage);
	damage_finish(&damage);
}

static void test_equal_clients_share_until_something_changes(void **state)
{
	struct pair pair;

	(void)state;
	open_pair(&pair, 0);
	assert_ptr_equal(pair.group[0], pair.group[1]);
	take(&pair, 0, two, 2);
	assert_int_equal(encoded(&pair), 2);
	take(&pair, 1, two, 2);
	take(&pair, 0, two, 1);
	assert_int_equal(encoded(&pair), 2);
	wake(&pair, pair.frame->generation, 5, 5);
	take(&pair, 1, two, 2);
	assert_int_equal(encoded(&pair), 3);
	wake(&pair, pair.frame->generation + 1, 5, 5); /* of another frame */
	take(&pair, 0, two, 2);
	assert_int_equal(encoded(&pair), 3);
	close_pair(&pair);
}

static void test_other_settings_are_encoded_apart(void **state)
{
	struct pair pair;

	(void)state;
	open_pair(&pair, 50);
	assert_ptr_not_equal(pair.group[0], pair.group[1]);
	take(&pair, 0, two, 2);
	take(&pair, 1, two, 2);
	assert_int_equal(encoded(&pair), 4);
	close_pair(&pair);
}

/* However many shapes are asked for, a tile keeps a bounded number. */
static void test_old_shapes_are_forgotten(void **state)
{
	struct pair pair;

	(void)state;
	open_pair(&pair, 0);
	for (uint32_t i = 0; i < 10; i++) {
		const struct detile_rect rect = {i, 0, 9, 9};

		take(&pair, 0, &rect, 1);
	}
	assert_int_equal(encoded(&pair), 10);
	for (uint32_t i = 10 - ENCODER_KEPT; i < 10; i++) {
		const struct detile_rect rect = {i, 0, 9, 9};

		take(&pair, 1, &rect, 1);
	}
	assert_int_equal(encoded(&pair), 10);
	take(&pair, 1, &(struct detile_rect){0, 0, 9, 9}, 1);
	assert_int_equal(encoded(&pair), 11);
	close_pair(&pair);
}

static void test_a_picture_of_ones_own_is_not_shared(void **state)
{
	struct encoder_piece *pieces[2];
	struct pair pair;

	(void)state;
	open_pair(&pair, 0);
	encoder_take_alone(pair.group[0], pair.frame, two, 2, pieces);
	encoder_release(pieces[0]);
	encoder_release(pieces[1]);
	take(&pair, 0, two, 2);
	assert_int_equal(encoded(&pair), 4);
	close_pair(&pair);
}

/* Viewers that do at random what viewers can do, while the picture changes all the time. */
struct guest {
	struct stage *stage;
	gint *done;
	uint32_t seed, turns;
	bool same;
	const char *reason;
};

static uint32_t next(struct guest *guest)
{
	guest->seed = guest->seed * 1664525u + 1013904223u;
	return guest->seed >> 8;
}

static bool choose(struct guest *guest, struct viewer *viewer, bool lossless)
{
	static const struct viewer_format formats[] = {
		{32, 24, false, {255, 255, 255}, {16, 8, 0}},
		{32, 24, true, {255, 255, 255}, {0, 8, 16}},
		{16, 16, false, {31, 63, 31}, {11, 5, 0}},
		{16, 16, true, {31, 63, 31}, {11, 5, 0}},
		{8, 8, false, {7, 7, 3}, {0, 3, 6}},
	};
	int32_t encodings[] = {next(guest) % 4 ? VIEWER_TIGHT : VIEWER_ZRLE, VIEWER_DESKTOP_SIZE,
			       VIEWER_CURSOR, VIEWER_COMPRESS_LEVEL_0 + (int32_t)(next(guest) % 3),
			       VIEWER_JPEG_QUALITY_0 + (int32_t)(next(guest) % 10)};
	bool quality = !lossless && next(guest) % 2;

	return viewer_set_format(viewer, &formats[next(guest) % G_N_ELEMENTS(formats)]) &&
	       viewer_set_encodings(viewer, encodings, quality ? 5 : 4) &&
	       viewer_request(viewer, false);
}

static bool update(struct viewer *viewer)
{
	int message;

	do {
		message = viewer_message(viewer);
	} while (message > 0);
	return message == VIEWER_UPDATE;
}

static bool shows(const struct viewer *viewer, const struct frame *frame)
{
	if (viewer->width != frame->width || viewer->height != frame->height)
		return false;
	for (uint32_t y = 0; y < frame->height; y++)
		for (uint32_t x = 0; x < frame->width; x++)
			if (viewer->pixels[y * viewer->width + x] !=
			    viewer_pixel(&viewer->format,
					 frame->pixels[y * (frame->stride / 4) + x]))
				return false;
	return true;
}

static bool visit(struct guest *guest, struct viewer *viewer)
{
	if (!viewer_open(viewer, rfb_dial_tcp(guest->stage->port), true))
		return false;
	if (!choose(guest, viewer, false))
		return false;
	for (uint32_t i = next(guest) % 12; i && !g_atomic_int_get(guest->done); i--) {
		if (!update(viewer))
			return false;
		if (next(guest) % 5 ? !viewer_request(viewer, !viewer->resized)
				    : !choose(guest, viewer, false))
			return false;
	}
	return true;
}

/* Frames are not resized any more, and nothing is painted. */
static bool converge(struct guest *guest, struct viewer *viewer)
{
	if (!viewer_open(viewer, rfb_dial_tcp(guest->stage->port), true) ||
	    !choose(guest, viewer, true))
		return false;
	for (int i = 0; i < 8; i++) {
		if (!update(viewer))
			return false;
		if (shows(viewer, guest->stage->frame))
			return true;
		if (!viewer_request(viewer, false))
			return false;
	}
	viewer->reason = "other pixels";
	return false;
}

static void *watch(void *data)
{
	struct guest *guest = data;
	struct viewer viewer = {0};

	guest->same = true;
	while (guest->same && !g_atomic_int_get(guest->done)) {
		guest->same = visit(guest, &viewer);
		guest->reason = viewer.reason;
		viewer_close(&viewer);
		guest->turns++;
	}
	if (!guest->same)
		return NULL;
	while (g_atomic_int_get(guest->done) < 2)
		g_usleep(1000);
	guest->same = converge(guest, &viewer);
	guest->reason = viewer.reason;
	viewer_close(&viewer);
	return NULL;
}

static void test_viewers_come_and_go_and_change_their_minds(void **state)
{
	struct guest guests[6];
	pthread_t threads[6];
	struct stage stage;
	gint done = 0;

	(void)state;
	stage_open(&stage, NULL, 700, 300);
	for (uint32_t i = 0; i < 6; i++) {
		guests[i] = (struct guest){.stage = &stage, .done = &done, .seed = i * 77 + 1};
		pthread_create(&threads[i], NULL, watch, &guests[i]);
	}
	for (uint32_t i = 0; i < 300; i++) {
		if (i % 40 == 39)
			stage_resize(&stage, 600 + i, 200 + i % 90);
		stage_paint(&stage, i * 31 % 600, i * 17 % 200, 200, 90);
		g_usleep(5000);
	}
	g_atomic_int_set(&done, 1);
	/* Those who wait for a change get one. */
	for (uint32_t i = 0; i < 6; i++) {
		stage_paint(&stage, 0, 0, 5, 5);
		g_usleep(50000);
	}
	g_atomic_int_set(&done, 2);
	for (uint32_t i = 0; i < 6; i++) {
		pthread_join(threads[i], NULL);
		if (!guests[i].same)
			fail_msg("viewer %u after %u visits: %s", i, guests[i].turns,
				 guests[i].reason ? guests[i].reason : "?");
	}
	assert_true(stage_wait(&stage, stage_has_clients, 0));
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_clients_share_until_something_changes),
		cmocka_unit_test(test_other_settings_are_encoded_apart),
		cmocka_unit_test(test_old_shapes_are_forgotten),
		cmocka_unit_test(test_a_picture_of_ones_own_is_not_shared),
		cmocka_unit_test(test_viewers_come_and_go_and_change_their_minds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

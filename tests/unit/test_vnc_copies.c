/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Viewers that are told what has moved: after each update they have every pixel, whatever scrolled,
 * moved and changed since the last one, however late they ask, and whatever they asked for before.
 */
#include <string.h>
#include <sys/socket.h>

#include "rfb.h"
#include "stage.h"
#include "unit.h"
#include "viewer.h"
#include "wire.h"

#define WIDTH  700u
#define HEIGHT 500u
#define STEPS  120u

struct model {
	struct stage stage;
	struct viewer viewer;
	uint32_t seed;
	gint done; /* atomic */
};

static uint32_t dice(struct model *model)
{
	model->seed = model->seed * 1664525u + 1013904223u;
	return model->seed >> 8;
}

static void open_model(struct model *model, const struct vnc_options *options,
		       const int32_t *encodings, unsigned int count)
{
	*model = (struct model){.seed = 1};
	stage_open(&model->stage, options, WIDTH, HEIGHT);
	model->stage.motion = motion_create();
	assert_true(viewer_open(&model->viewer, rfb_dial_tcp(model->stage.port), true));
	assert_true(viewer_set_encodings(&model->viewer, encodings, count));
	assert_true(viewer_request(&model->viewer, false));
}

static void close_model(struct model *model)
{
	viewer_close(&model->viewer);
	stage_close(&model->stage);
}

static void update(struct model *model)
{
	int message;

	do {
		message = viewer_message(&model->viewer);
	} while (message > 0);
	if (message < 0)
		fail_msg("%s", model->viewer.reason);
}

/* Other pixels than the frame's, in the viewer's format. */
static unsigned int count_wrong(const struct model *model)
{
	const struct frame *frame = model->stage.frame;
	const struct viewer *viewer = &model->viewer;
	uint32_t colours = viewer_pixel(&viewer->format, 0xffffff);
	unsigned int wrong = 0;

	assert_int_equal(viewer->width, frame->width);
	assert_int_equal(viewer->height, frame->height);
	for (uint32_t y = 0; y < frame->height; y++)
		for (uint32_t x = 0; x < frame->width; x++)
			wrong += (viewer->pixels[y * frame->width + x] & colours) !=
				 viewer_pixel(&viewer->format,
					      frame->pixels[y * (frame->stride / 4) + x]);
	return wrong;
}

/* The whole of the news is in one update. A new size comes alone, then all pixels. */
static void catch_up(struct model *model)
{
	update(model);
	if (model->viewer.resized) {
		assert_true(viewer_request(&model->viewer, false));
		update(model);
	}
	assert_int_equal(count_wrong(model), 0);
}

/* It asks, and has everything, so that its thread sleeps: what moves next is copied. */
static void wait_for_news(struct model *model)
{
	assert_true(viewer_request(&model->viewer, true));
	for (int i = 0; i < RFB_PATIENCE_MS && !stage_demand(&model->stage).waiting; i++)
		g_usleep(1000);
	assert_true(stage_demand(&model->stage).waiting);
}

/* One change of the picture: mostly what moves. */
static void change(struct model *model)
{
	struct stage *stage = &model->stage;
	struct detile_rect rect = {dice(model) % 300, dice(model) % 200, 200 + dice(model) % 300,
				   150 + dice(model) % 250};
	int32_t by = (int32_t)(dice(model) % 41) - 20;

	switch (dice(model) % 8) {
	case 0:
		stage_paint(stage, rect.x, rect.y, dice(model) % 200 + 1, dice(model) % 100 + 1);
		break;
	case 1:
	case 2:
		stage_move(stage, &rect, by, (int32_t)(dice(model) % 60) - 30, true);
		break;
	case 3:
		stage_move(stage, &rect, by, 0, false);
		break;
	case 4:
		stage_move(stage, &(struct detile_rect){0, 0, WIDTH, HEIGHT}, 0, by, true);
		break;
	default:
		stage_move(stage, &rect, 0, by, true);
	}
}

static void play(struct model *model, bool sizes)
{
	catch_up(model);
	for (unsigned int i = 0; i < STEPS; i++) {
		/* It may ask before and be answered at once, or come late to several changes. */
		uint32_t changes = dice(model) % 4 ? 1 : dice(model) % 8 + 1;

		for (uint32_t j = 0; j < changes; j++)
			change(model);
		if (sizes && !(dice(model) % 10))
			stage_resize(&model->stage, WIDTH + dice(model) % 60, HEIGHT);
		if (!(dice(model) % 10))
			assert_true(viewer_request(&model->viewer, false));
		else
			assert_true(viewer_request(&model->viewer, true));
		catch_up(model);
	}
}

static void test_pictures_are_exact_after_each_update(void **state)
{
	static const int32_t encodings[] = {VIEWER_TIGHT, VIEWER_COPY_RECT, VIEWER_DESKTOP_SIZE,
					    VIEWER_CURSOR};
	struct model model;

	(void)state;
	open_model(&model, NULL, encodings, 4);
	play(&model, true);
	assert_in_range(model.viewer.counts.copied, STEPS / 2, STEPS * 8);
	close_model(&model);
}

/* By libvncserver's encoders, and with fewer colours. */
static void test_copies_go_with_other_encodings(void **state)
{
	static const int32_t preferred[] = {VIEWER_RAW, VIEWER_ZRLE};
	static const struct viewer_format format = {16, 16, true, {31, 63, 31}, {11, 5, 0}};

	(void)state;
	for (unsigned int i = 0; i < G_N_ELEMENTS(preferred); i++) {
		const int32_t encodings[] = {VIEWER_COPY_RECT, preferred[i], VIEWER_CURSOR,
					     VIEWER_DESKTOP_SIZE};
		struct model model;

		open_model(&model, NULL, encodings, 4);
		catch_up(&model);
		assert_true(viewer_set_format(&model.viewer, &format));
		assert_true(viewer_request(&model.viewer, false));
		play(&model, false);
		assert_in_range(model.viewer.counts.copied, STEPS / 2, STEPS * 8);
		close_model(&model);
	}
}

/* The shift is repeated by the viewer; of the pixels only what is new is sent. */
static void test_a_scroll_costs_what_is_new(void **state)
{
	static const int32_t encodings[] = {VIEWER_TIGHT, VIEWER_COPY_RECT, VIEWER_CURSOR};
	const struct detile_rect window = {50, 40, 600, 400};
	struct model model;
	uint64_t before;

	(void)state;
	open_model(&model, NULL, encodings, 3);
	catch_up(&model);
	stage_move(&model.stage, &window, 0, -16, true);
	assert_true(viewer_request(&model.viewer, true));
	catch_up(&model); /* from then on the picture before is known */
	before = model.viewer.counts.pixels;
	wait_for_news(&model);
	stage_move(&model.stage, &window, 0, -16, true);
	catch_up(&model);
	assert_int_equal(model.viewer.counts.copied, 1);
	/* 384 rows were copied, 16 are new, and at the edges cells have pixels that did not move.
	 */
	assert_in_range(model.viewer.counts.pixels - before, 600 * 400, 600 * 400 + 200 * 448);
	close_model(&model);
}

static void check_no_copies(const struct vnc_options *options, const int32_t *encodings,
			    unsigned int count)
{
	struct model model;

	open_model(&model, options, encodings, count);
	play(&model, false);
	assert_int_equal(model.viewer.counts.copied, 0);
	assert_false(stage_demand(&model.stage).moves);
	close_model(&model);
}

static void test_who_does_not_know_copies_gets_none(void **state)
{
	static const int32_t encodings[] = {VIEWER_TIGHT, VIEWER_CURSOR};

	(void)state;
	check_no_copies(NULL, encodings, 2);
}

static void test_copies_can_be_forbidden(void **state)
{
	static const int32_t encodings[] = {VIEWER_TIGHT, VIEWER_COPY_RECT, VIEWER_CURSOR};
	const struct vnc_options options = {.no_copies = true};

	(void)state;
	check_no_copies(&options, encodings, 3);
}

static void test_copies_are_wished_for(void **state)
{
	static const int32_t encodings[] = {VIEWER_TIGHT, VIEWER_COPY_RECT, VIEWER_CURSOR};
	struct model model;

	(void)state;
	open_model(&model, NULL, encodings, 3);
	catch_up(&model);
	assert_true(stage_demand(&model.stage).moves);
	close_model(&model);
}

/* The pointer is part of such a viewer's picture: what it covers must not be copied. */
static void test_a_drawn_pointer_is_not_copied(void **state)
{
	static const int32_t encodings[] = {VIEWER_TIGHT, VIEWER_COPY_RECT};
	static uint32_t white[32 * 32];
	struct pointer *shape;
	struct model model;

	(void)state;
	memset(white, 0xff, sizeof(white));
	shape = pointer_create(32, 32, 0, 0, white, 32 * 4);
	open_model(&model, NULL, encodings, 2);
	catch_up(&model);
	stage_point(&model.stage, shape, 300, 200);
	for (unsigned int i = 0; i < 20; i++) {
		stage_move(&model.stage, &(struct detile_rect){50, 40, 600, 400}, 0, -16, true);
		assert_true(viewer_request(&model.viewer, true));
		update(&model);
		/* Under the pointer alone; the shape's own white may be the frame's. */
		assert_in_range(count_wrong(&model), 1, 32 * 32);
		assert_int_equal(model.viewer.counts.copied, 0);
	}
	/* It goes, and what was under it comes with the next update. */
	stage_point(&model.stage, NULL, 0, 0);
	stage_move(&model.stage, &(struct detile_rect){50, 40, 600, 400}, 0, -16, true);
	assert_true(viewer_request(&model.viewer, true));
	catch_up(&model);
	pointer_release(shape);
	close_model(&model);
}

/* The main thread, for a while: somebody waits for the last change after it is done. */
static void *paint(void *data)
{
	struct model *model = data;

	for (unsigned int i = 0; i < 40; i++) {
		change(model);
		g_usleep(dice(model) % 4000);
	}
	g_atomic_int_set(&model->done, 1);
	stage_paint(&model->stage, 0, 0, 5, 5);
	return NULL;
}

/* Pixels that were read while they moved are not copied as if they were those before. */
static void test_what_moves_while_it_is_sent_is_right(void **state)
{
	static const int32_t encodings[] = {VIEWER_TIGHT, VIEWER_COPY_RECT, VIEWER_CURSOR};
	struct model model;

	(void)state;
	open_model(&model, NULL, encodings, 3);
	catch_up(&model);
	for (unsigned int i = 0; i < 12; i++) {
		pthread_t painter;

		g_atomic_int_set(&model.done, 0);
		assert_int_equal(pthread_create(&painter, NULL, paint, &model), 0);
		do {
			assert_true(viewer_request(&model.viewer, true));
			update(&model);
		} while (!g_atomic_int_get(&model.done));
		pthread_join(painter, NULL);
		stage_paint(&model.stage, 0, 0, 5, 5);
		assert_true(viewer_request(&model.viewer, true));
		catch_up(&model);
	}
	assert_in_range(model.viewer.counts.copied, 12, 4000);
	close_model(&model);
}

/* It is written some time before it is told of. */
static void *scroll(void *data)
{
	struct model *model = data;

	stage_move(&model->stage, &(struct detile_rect){0, 0, WIDTH, HEIGHT}, 0, -16, true);
	return NULL;
}

/* A viewer may get pixels of the next picture: what moves from there is not to be had from it. */
static void test_pixels_that_came_too_early_are_not_copied(void **state)
{
	static const int32_t encodings[] = {VIEWER_TIGHT, VIEWER_COPY_RECT, VIEWER_CURSOR};
	struct model model;

	(void)state;
	open_model(&model, NULL, encodings, 3);
	catch_up(&model);
	for (unsigned int i = 0; i < 8; i++) {
		pthread_t painter;

		stage_paint(&model.stage, 100, 200, 5, 5);
		model.stage.lag_us = i ? 50000 : 0;
		assert_int_equal(pthread_create(&painter, NULL, scroll, &model), 0);
		g_usleep(i ? 20000 : 0);
		assert_true(viewer_request(&model.viewer, true));
		update(&model);
		pthread_join(painter, NULL);
		model.stage.lag_us = 0;
		stage_paint(&model.stage, 0, 0, 5, 5);
		assert_true(viewer_request(&model.viewer, true));
		catch_up(&model);
	}
	close_model(&model);
}

/* Who asks for all of a part has lost it, and what moved from there is not to be had from it. */
static void test_a_lost_part_is_not_copied(void **state)
{
	static const int32_t encodings[] = {VIEWER_TIGHT, VIEWER_COPY_RECT, VIEWER_CURSOR};
	const struct detile_rect lower = {0, HEIGHT / 2, WIDTH, HEIGHT / 2};
	uint8_t requests[20] = {3, 0};
	struct model model;

	(void)state;
	open_model(&model, NULL, encodings, 3);
	catch_up(&model);
	for (unsigned int i = 0; i < 2; i++) {
		wait_for_news(&model);
		stage_move(&model.stage, &lower, 0, -100, true);
		catch_up(&model);
	}
	assert_int_equal(model.viewer.counts.copied, 1);
	stage_move(&model.stage, &lower, 0, -100, true); /* nobody has asked */
	memset(model.viewer.pixels + WIDTH * lower.y, 0, WIDTH * lower.height * 4);
	wire_put_u16(requests + 4, lower.y);
	wire_put_u16(requests + 6, lower.width);
	wire_put_u16(requests + 8, lower.height);
	/* ... and for the news of everything with it: both are heard at once. */
	memcpy(requests + 10, (uint8_t[]){3, 1}, 2);
	wire_put_u16(requests + 16, WIDTH);
	wire_put_u16(requests + 18, HEIGHT);
	assert_int_equal(send(model.viewer.fd, requests, sizeof(requests), 0), sizeof(requests));
	catch_up(&model);
	close_model(&model);
}

/* What was lossy is lossy where it went to, and everything is exact once it rests. */
static void test_lossy_pixels_move_along(void **state)
{
	static const int32_t encodings[] = {VIEWER_TIGHT, VIEWER_COPY_RECT, VIEWER_CURSOR,
					    VIEWER_JPEG_QUALITY_0 + 3};
	struct model model;
	unsigned int wrong;

	(void)state;
	open_model(&model, NULL, encodings, 3);
	catch_up(&model);
	assert_true(viewer_set_encodings(&model.viewer, encodings, 4));
	/* The lower half is lossy, and goes up. */
	stage_paint(&model.stage, 0, HEIGHT / 2, WIDTH, HEIGHT / 2);
	assert_true(viewer_request(&model.viewer, true));
	update(&model);
	wait_for_news(&model);
	stage_move(&model.stage, &(struct detile_rect){0, HEIGHT / 2, WIDTH, HEIGHT / 2}, 0, -231,
		   true);
	update(&model);
	assert_in_range(model.viewer.counts.copied, 1, 4);
	wrong = count_wrong(&model);
	assert_true(wrong);
	/* Repairs come without another change. */
	while (wrong) {
		assert_true(viewer_request(&model.viewer, true));
		update(&model);
		wrong = count_wrong(&model);
	}
	close_model(&model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pictures_are_exact_after_each_update),
		cmocka_unit_test(test_copies_go_with_other_encodings),
		cmocka_unit_test(test_a_scroll_costs_what_is_new),
		cmocka_unit_test(test_who_does_not_know_copies_gets_none),
		cmocka_unit_test(test_copies_can_be_forbidden),
		cmocka_unit_test(test_copies_are_wished_for),
		cmocka_unit_test(test_a_drawn_pointer_is_not_copied),
		cmocka_unit_test(test_what_moves_while_it_is_sent_is_right),
		cmocka_unit_test(test_pixels_that_came_too_early_are_not_copied),
		cmocka_unit_test(test_a_lost_part_is_not_copied),
		cmocka_unit_test(test_lossy_pixels_move_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

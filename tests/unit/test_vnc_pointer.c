/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's pointer, as VNC clients of all kinds see it. */
#include "vnc.h"

#include <pixman.h>
#include <stdlib.h>
#include <string.h>

#include "rfb.h"
#include "stage.h"
#include "unit.h"

#define WIDTH  13u
#define HEIGHT 7u

/* Any alpha, every pixel another one. */
static struct pointer *make_shape(uint32_t width, uint32_t height, uint32_t seed)
{
	uint32_t *pixels = calloc((size_t)width * height, 4);
	struct pointer *shape;

	for (uint32_t i = 0; i < width * height; i++) {
		uint32_t alpha = (i * 37 + seed) % 256;

		pixels[i] = alpha << 24 | (alpha * (i % 3) / 2) << 16 | (alpha * (i % 5) / 4) << 8 |
			    (alpha * (i % 7) / 6);
	}
	shape = pointer_create(width, height, 3, 2, pixels, width * 4);
	free(pixels);
	assert_non_null(shape);
	return shape;
}

static struct frame *copy_frame(const struct frame *frame)
{
	struct frame *copy = frame_create(frame->width, frame->height);

	assert_non_null(copy);
	memcpy(copy->pixels, frame->pixels, frame->stride * frame->height);
	return copy;
}

/* What a viewer has to see: the frame, and by pixman's arithmetic the pointer over it. */
static struct frame *expected(const struct frame *frame, struct pointer *shape, int32_t x,
			      int32_t y)
{
	struct frame *copy = copy_frame(frame);
	pixman_image_t *below = pixman_image_create_bits_no_clear(PIXMAN_x8r8g8b8, (int)copy->width,
								  (int)copy->height, copy->pixels,
								  (int)copy->stride);
	pixman_image_t *above = pixman_image_create_bits_no_clear(
		PIXMAN_a8r8g8b8, (int)shape->width, (int)shape->height, shape->pixels,
		(int)shape->width * 4);

	pixman_image_composite32(PIXMAN_OP_OVER, above, NULL, below, 0, 0, 0, 0, x, y,
				 (int)shape->width, (int)shape->height);
	pixman_image_unref(below);
	pixman_image_unref(above);
	return copy;
}

static void join(struct stage *stage, struct rfb *rfb, unsigned int encodings)
{
	assert_true(rfb_open(rfb, rfb_dial_tcp(stage->port), 8));
	assert_true(rfb_encodings(rfb, encodings));
}

static void update(struct rfb *rfb)
{
	assert_true(rfb_request(rfb, true));
	assert_true(rfb_update(rfb));
}

static void test_pointer_is_drawn_for_who_draws_none(void **state)
{
	static const int32_t places[][2] = {{50, 40},  {51, 40}, {-5, -3}, {193, 97}, {199, 99},
					    {-12, 50}, {60, -6}, {-13, 0}, {200, 0},  {100, 60}};
	struct pointer *shape = make_shape(WIDTH, HEIGHT, 0);
	struct frame *wanted, *untouched;
	struct stage stage;
	struct rfb rfb;

	(void)state;
	stage_open(&stage, NULL, 200, 100);
	join(&stage, &rfb, RFB_DESKTOP_SIZE);
	assert_true(rfb_converge(&rfb, stage.frame, 3));
	untouched = copy_frame(stage.frame);
	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		stage_point(&stage, shape, places[i][0], places[i][1]);
		wanted = expected(stage.frame, shape, places[i][0], places[i][1]);
		assert_true(rfb_converge(&rfb, wanted, 3));
		frame_release(wanted);
	}
	/* What changes under it and beside it. */
	stage_paint(&stage, 90, 50, 40, 30);
	wanted = expected(stage.frame, shape, 100, 60);
	assert_true(rfb_converge(&rfb, wanted, 3));
	frame_release(wanted);
	/* Another mode, a newcomer, and no pointer any more. */
	stage_resize(&stage, 150, 80);
	wanted = expected(stage.frame, shape, 100, 60);
	assert_true(rfb_converge(&rfb, wanted, 4));
	rfb_close(&rfb);
	join(&stage, &rfb, RFB_DESKTOP_SIZE);
	assert_true(rfb_converge(&rfb, wanted, 3));
	frame_release(wanted);
	stage_point(&stage, NULL, 0, 0);
	assert_true(rfb_converge(&rfb, stage.frame, 3));
	frame_release(untouched);
	rfb_close(&rfb);
	stage_close(&stage);
	assert_int_equal(shape->references, 1);
	pointer_release(shape);
}

static void test_pointer_is_never_in_the_shared_frame(void **state)
{
	struct pointer *shape = make_shape(WIDTH, HEIGHT, 9);
	struct frame *before, *with_pointer;
	struct rfb plain, drawing;
	struct stage stage;

	(void)state;
	stage_open(&stage, NULL, 200, 100);
	before = copy_frame(stage.frame);
	stage_point(&stage, shape, 20, 20);
	join(&stage, &plain, 0);
	join(&stage, &drawing, RFB_CURSOR);
	with_pointer = expected(before, shape, 20, 20);
	assert_true(rfb_converge(&plain, with_pointer, 3));
	assert_true(rfb_converge(&drawing, before, 3));
	assert_memory_equal(stage.frame->pixels, before->pixels, before->stride * before->height);
	frame_release(before);
	frame_release(with_pointer);
	rfb_close(&plain);
	rfb_close(&drawing);
	stage_close(&stage);
	pointer_release(shape);
}

static bool bit(const uint8_t *bits, uint32_t x, uint32_t y)
{
	return bits[y * ((WIDTH + 7) / 8) + x / 8] >> (7 - x % 8) & 1;
}

static void expect_masked(const struct rfb *rfb, const struct pointer *shape)
{
	const uint8_t *mask = rfb->cursor + WIDTH * HEIGHT * 4;

	assert_int_equal(rfb->cursor_encoding, -239);
	for (uint32_t i = 0; i < WIDTH * HEIGHT; i++) {
		uint32_t pixel = shape->pixels[i], alpha = pixel >> 24;

		assert_int_equal(bit(mask, i % WIDTH, i / WIDTH), alpha >= 128);
		for (unsigned int j = 0; alpha && j < 3; j++)
			assert_int_equal(
				rfb->cursor[i * 4 + j],
				MIN(255, ((pixel >> 8 * j & 255) * 255 + alpha / 2) / alpha));
	}
}

static void expect_alpha(const struct rfb *rfb, const struct pointer *shape)
{
	assert_int_equal(rfb->cursor_encoding, -314);
	assert_memory_equal(rfb->cursor, ((uint8_t[]){0, 0, 0, 0}), 4);
	for (uint32_t i = 0; i < WIDTH * HEIGHT; i++) {
		const uint8_t *wire = rfb->cursor + 4 + i * 4;

		assert_int_equal(shape->pixels[i],
				 (uint32_t)wire[3] << 24 | wire[0] << 16 | wire[1] << 8 | wire[2]);
	}
}

static void expect_two_colours(const struct rfb *rfb, const struct pointer *shape)
{
	const uint8_t *mask = rfb->cursor + 6 + HEIGHT * 2;

	assert_int_equal(rfb->cursor_encoding, -240);
	assert_memory_equal(rfb->cursor, ((uint8_t[]){255, 255, 255, 0, 0, 0}), 6);
	for (uint32_t i = 0; i < WIDTH * HEIGHT; i++)
		assert_int_equal(bit(mask, i % WIDTH, i / WIDTH), shape->pixels[i] >> 24 >= 128);
}

static void test_pointer_is_told_in_the_best_way_that_is_known(void **state)
{
	static const struct {
		unsigned int encodings;
		void (*expect)(const struct rfb *rfb, const struct pointer *shape);
	} cases[] = {
		{RFB_X_CURSOR, expect_two_colours},
		{RFB_X_CURSOR | RFB_CURSOR, expect_masked},
		{RFB_X_CURSOR | RFB_CURSOR | RFB_ALPHA_CURSOR, expect_alpha},
		{RFB_ALPHA_CURSOR, expect_alpha},
	};
	struct pointer *shape = make_shape(WIDTH, HEIGHT, 100);
	struct stage stage;

	(void)state;
	stage_open(&stage, NULL, 64, 48);
	stage_point(&stage, shape, 1, 1);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct rfb rfb;

		join(&stage, &rfb, cases[i].encodings);
		assert_true(rfb_converge(&rfb, stage.frame, 3));
		assert_int_equal(rfb.cursors, 1);
		assert_int_equal(rfb.cursor_width, WIDTH);
		assert_int_equal(rfb.cursor_height, HEIGHT);
		assert_int_equal(rfb.hot_x, 3);
		assert_int_equal(rfb.hot_y, 2);
		cases[i].expect(&rfb, shape);
		/* It goes; a move alone is no news. */
		stage_point(&stage, shape, 2, 2);
		stage_point(&stage, NULL, 0, 0);
		update(&rfb);
		assert_int_equal(rfb.cursors, 2);
		assert_int_equal(rfb.cursor_width, 0);
		stage_point(&stage, shape, 1, 1);
		update(&rfb);
		assert_int_equal(rfb.cursors, 3);
		assert_int_equal(rfb.cursor_width, WIDTH);
		rfb_close(&rfb);
	}
	stage_close(&stage);
	pointer_release(shape);
}

static void test_pointer_is_told_where_it_is(void **state)
{
	static const int32_t places[][4] = {
		{10, 20, 13, 22}, {-3, -2, 0, 0}, {-100, 5, 0, 7}, {500, 500, 63, 47}};
	struct pointer *shape = make_shape(WIDTH, HEIGHT, 0);
	struct stage stage;
	struct rfb rfb;

	(void)state;
	stage_open(&stage, NULL, 64, 48);
	join(&stage, &rfb, RFB_CURSOR | RFB_POSITION);
	assert_true(rfb_converge(&rfb, stage.frame, 3));
	assert_int_equal(rfb.positions, 0);
	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		stage_point(&stage, shape, places[i][0], places[i][1]);
		update(&rfb);
		assert_int_equal(rfb.positions, i + 1);
		assert_int_equal(rfb.point_x, places[i][2]);
		assert_int_equal(rfb.point_y, places[i][3]);
	}
	assert_true(rfb_shows(&rfb, stage.frame));
	assert_int_equal(rfb.cursors, 2); /* none, and this one */
	rfb_close(&rfb);
	stage_close(&stage);
	pointer_release(shape);
}

/* Larger than libvncserver's buffer: its own way of sending it ends the connection. */
static void test_pointer_may_be_as_large_as_planes_are(void **state)
{
	struct pointer *shape = make_shape(512, 512, 0);
	struct frame *wanted;
	struct stage stage;
	struct rfb rfb;

	(void)state;
	stage_open(&stage, NULL, 64, 48);
	stage_point(&stage, shape, -200, -300);
	join(&stage, &rfb, RFB_CURSOR);
	assert_true(rfb_converge(&rfb, stage.frame, 3));
	assert_int_equal(rfb.cursor_width, 512);
	/* It changes its mind in the middle: then the pointer is in the picture. */
	assert_true(rfb_encodings(&rfb, 0));
	wanted = expected(stage.frame, shape, -200, -300);
	assert_true(rfb_converge(&rfb, wanted, 3));
	frame_release(wanted);
	assert_true(rfb_encodings(&rfb, RFB_ALPHA_CURSOR));
	assert_true(rfb_converge(&rfb, stage.frame, 3));
	assert_int_equal(rfb.cursor_encoding, -314);
	rfb_close(&rfb);
	stage_close(&stage);
	pointer_release(shape);
}

/* A pointer that other threads move, change and hide while clients of all kinds come and go. */
static void test_pointer_survives_storms(void **state)
{
	struct pointer *shapes[3] = {NULL, make_shape(WIDTH, HEIGHT, 1), make_shape(64, 64, 2)};
	struct frame *wanted;
	struct stage stage;
	struct rfb rfb[4];

	(void)state;
	stage_open(&stage, NULL, 320, 200);
	for (unsigned int i = 0; i < 4; i++)
		join(&stage, &rfb[i], RFB_DESKTOP_SIZE | (i ? RFB_POSITION | 2u << i : 0));
	for (int turn = 0; turn < 400; turn++) {
		stage_point(&stage, shapes[turn % 3], turn * 7 % 340 - 10, turn * 3 % 220 - 10);
		if (turn % 5 == 0)
			stage_paint(&stage, (uint32_t)turn % 300, 20, 30, 150);
		if (turn % 50 == 0)
			stage_resize(&stage, 300 + (uint32_t)turn / 10, 200);
		/* Whoever has something to get takes it now and then. */
		if (turn % 5 == 0)
			update(&rfb[turn / 5 % 4]);
	}
	stage_point(&stage, shapes[2], 33, 44);
	wanted = expected(stage.frame, shapes[2], 33, 44);
	assert_true(rfb_converge(&rfb[0], wanted, 10));
	for (unsigned int i = 1; i < 4; i++)
		assert_true(rfb_converge(&rfb[i], stage.frame, 10));
	for (unsigned int i = 0; i < 4; i++)
		rfb_close(&rfb[i]);
	frame_release(wanted);
	stage_close(&stage);
	for (unsigned int i = 1; i < 3; i++) {
		assert_int_equal(shapes[i]->references, 1);
		pointer_release(shapes[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pointer_is_drawn_for_who_draws_none),
		cmocka_unit_test(test_pointer_is_never_in_the_shared_frame),
		cmocka_unit_test(test_pointer_is_told_in_the_best_way_that_is_known),
		cmocka_unit_test(test_pointer_is_told_where_it_is),
		cmocka_unit_test(test_pointer_may_be_as_large_as_planes_are),
		cmocka_unit_test(test_pointer_survives_storms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

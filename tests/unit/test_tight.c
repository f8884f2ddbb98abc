/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tight rectangles, read by a viewer that was written from the specification alone. */
#include "tight.h"

#include <stdlib.h>

#include "unit.h"
#include "viewer.h"

#define WIDTH  1100u
#define HEIGHT 300u

static const struct vnc_format formats[] = {
	{32, 24, false, true, 255, 255, 255, 16, 8, 0},
	{32, 24, true, true, 255, 255, 255, 16, 8, 0},
	{32, 24, false, true, 255, 255, 255, 0, 8, 16},
	{32, 24, true, true, 255, 255, 255, 8, 16, 24},
	{32, 30, false, true, 1023, 1023, 1023, 20, 10, 0},
	{32, 32, true, true, 255, 255, 255, 16, 8, 0},
	{16, 16, false, true, 31, 63, 31, 11, 5, 0},
	{16, 16, true, true, 31, 63, 31, 11, 5, 0},
	{16, 15, true, true, 31, 31, 31, 0, 5, 10},
	{8, 8, false, true, 7, 7, 3, 0, 3, 6},
	{8, 6, true, true, 3, 3, 3, 4, 2, 0},
};

/* How many colours there are in a picture. */
enum look {
	LOOK_SOLID,
	LOOK_TWO,
	LOOK_TWELVE,
	LOOK_ALL_OF_A_PALETTE,
	LOOK_ONE_TOO_MANY,
	LOOK_NOISE,
	LOOK_MIXED,
	LOOKS,
};

static uint32_t scatter(uint32_t n)
{
	n = (n ^ n >> 16) * 0x45d9f3bu;
	n = (n ^ n >> 16) * 0x45d9f3bu;
	return n ^ n >> 16;
}

static uint32_t pixel_of(enum look look, uint32_t x, uint32_t y)
{
	static const uint32_t colours[] = {1, 2, 12, 256, 257, UINT32_MAX};
	uint32_t random = scatter(y * WIDTH + x);

	if (look == LOOK_MIXED)
		look = (enum look)(scatter(y / 40 * WIDTH + x / 90) % LOOK_MIXED);
	return scatter(random % colours[look]);
}

/* The X byte is not zero, and means nothing. */
static struct frame *paint(enum look look)
{
	struct frame *frame = frame_create(WIDTH, HEIGHT);

	assert_non_null(frame);
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++)
			frame->pixels[y * (frame->stride / 4) + x] = pixel_of(look, x, y);
	return frame;
}

static struct viewer_format format_of(const struct vnc_format *format)
{
	return (struct viewer_format){
		.bits = format->bits,
		.depth = format->depth,
		.big_endian = format->big_endian,
		.max = {format->red_max, format->green_max, format->blue_max},
		.shift = {format->red_shift, format->green_shift, format->blue_shift},
	};
}

static void show(struct viewer *viewer, struct tight *tight, const struct tight_settings *settings,
		 const struct frame *frame, const struct detile_rect *piece)
{
	GByteArray *bytes = g_byte_array_new();
	uint8_t head[4] = {VIEWER_UPDATE};
	uint32_t lossy = 0;
	unsigned int rects = tight_encode(tight, settings, frame, piece, bytes, &lossy);

	assert_in_range(rects, 1, TIGHT_RECTS);
	head[3] = (uint8_t)rects;
	g_byte_array_prepend(bytes, head, sizeof(head));
	assert_true(viewer_feed(viewer, bytes->data, bytes->len));
	if (viewer_message(viewer) != VIEWER_UPDATE)
		fail_msg("%s", viewer->reason);
	assert_int_equal(lossy != 0, viewer->counts.jpegs != 0);
	g_byte_array_unref(bytes);
}

static void check(const struct viewer *viewer, const struct frame *frame,
		  const struct detile_rect *rect)
{
	for (uint32_t y = rect->y; y < rect->y + rect->height; y++)
		for (uint32_t x = rect->x; x < rect->x + rect->width; x++)
			assert_int_equal(viewer->pixels[y * WIDTH + x],
					 viewer_pixel(&viewer->format,
						      frame->pixels[y * (frame->stride / 4) + x]));
}

static struct detile_rect random_piece(uint32_t seed)
{
	struct detile_rect piece = {
		.width = 1 + scatter(seed) % (seed % 3 ? 70 : TIGHT_WIDTH),
		.height = 1 + scatter(seed + 1) % (seed % 2 ? 40 : TIGHT_HEIGHT),
	};

	piece.x = scatter(seed + 2) % (WIDTH - piece.width + 1);
	piece.y = scatter(seed + 3) % (HEIGHT - piece.height + 1);
	return piece;
}

static void test_lossless_pieces_are_exact_in_every_format(void **state)
{
	struct tight *tight = tight_create();

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
		for (unsigned int look = 0; look < LOOKS; look++) {
			struct viewer_format format = format_of(&formats[i]);
			struct frame *frame = paint((enum look)look);
			struct tight_settings settings = {.format = formats[i],
							  .level = (int)(look % 7),
							  .gradient = look != LOOK_NOISE};
			struct viewer viewer;

			viewer_open_fed(&viewer, WIDTH, HEIGHT, &format);
			for (uint32_t turn = 0; turn < 12; turn++) {
				struct detile_rect piece = random_piece(turn * 1000 + look);

				if (!turn)
					piece = (struct detile_rect){WIDTH - TIGHT_WIDTH, 1,
								     TIGHT_WIDTH, TIGHT_HEIGHT};
				show(&viewer, tight, &settings, frame, &piece);
				check(&viewer, frame, &piece);
			}
			assert_int_equal(viewer.counts.jpegs, 0);
			viewer_close(&viewer);
			frame_release(frame);
		}
	tight_destroy(tight);
}

/* Every width and height up to where compression, bits and cells begin. */
static void test_small_pieces_are_exact(void **state)
{
	struct tight *tight = tight_create();

	(void)state;
	for (unsigned int look = 0; look < LOOKS; look++) {
		struct frame *frame = paint((enum look)look);
		struct tight_settings settings = {
			.format = formats[0], .level = 1, .gradient = look % 2};
		struct viewer viewer;

		viewer_open_fed(&viewer, WIDTH, HEIGHT, &viewer_x8r8g8b8);
		for (uint32_t n = 0; n < 18 * 4; n++) {
			struct detile_rect piece = {n, n, 1 + n % 18, 1 + n / 18};

			show(&viewer, tight, &settings, frame, &piece);
			check(&viewer, frame, &piece);
		}
		viewer_close(&viewer);
		frame_release(frame);
	}
	tight_destroy(tight);
}

static struct viewer_counts count_kinds(enum look look, int quality)
{
	const struct detile_rect piece = {0, 0, TIGHT_WIDTH, TIGHT_HEIGHT};
	struct tight_settings settings = {.format = formats[0], .level = 1, .quality = quality};
	struct tight *tight = tight_create();
	struct frame *frame = paint(look);
	struct viewer viewer;
	struct viewer_counts counts;

	viewer_open_fed(&viewer, WIDTH, HEIGHT, &viewer_x8r8g8b8);
	show(&viewer, tight, &settings, frame, &piece);
	counts = viewer.counts;
	viewer_close(&viewer);
	frame_release(frame);
	tight_destroy(tight);
	return counts;
}

static void test_few_colours_stay_lossless_beside_jpeg(void **state)
{
	struct viewer_counts counts;

	(void)state;
	for (int quality = 0; quality <= 80; quality += 80) {
		counts = count_kinds(LOOK_SOLID, quality);
		assert_int_equal(counts.fills, 1);
		assert_int_equal(counts.rectangles, 1);
		counts = count_kinds(LOOK_TWO, quality);
		assert_int_equal(counts.palettes, 1);
		assert_int_equal(counts.rectangles, 1);
		counts = count_kinds(LOOK_TWELVE, quality);
		assert_int_equal(counts.palettes, 1);
		assert_int_equal(counts.rectangles, 1);
	}
	counts = count_kinds(LOOK_NOISE, 0);
	assert_int_equal(counts.full, 1);
	counts = count_kinds(LOOK_NOISE, 80);
	assert_int_equal(counts.jpegs, 1);
	counts = count_kinds(LOOK_MIXED, 80);
	assert_true(counts.jpegs && counts.palettes && counts.fills);
	assert_true(counts.jpeg_pixels < (uint64_t)TIGHT_WIDTH * TIGHT_HEIGHT);
}

/* Where a picture is smooth, what differs from its slope is shorter than the pixels. */
static void test_gradients_are_shorter(void **state)
{
	const struct detile_rect piece = {0, 0, TIGHT_WIDTH, TIGHT_HEIGHT};
	struct frame *frame = frame_create(WIDTH, HEIGHT);
	struct tight *tight = tight_create();
	uint64_t bytes[2];

	(void)state;
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++)
			frame->pixels[y * (frame->stride / 4) + x] =
				(x / 3 % 256) << 16 | (y * 2 % 256) << 8 |
				((x + y + scatter(y * WIDTH + x) % 4) / 5 % 256);
	for (unsigned int gradient = 0; gradient < 2; gradient++) {
		struct tight_settings settings = {
			.format = formats[0], .level = 1, .gradient = gradient};
		struct viewer viewer;

		viewer_open_fed(&viewer, WIDTH, HEIGHT, &viewer_x8r8g8b8);
		show(&viewer, tight, &settings, frame, &piece);
		check(&viewer, frame, &piece);
		assert_int_equal(viewer.counts.gradients, gradient);
		bytes[gradient] = viewer.counts.bytes;
		viewer_close(&viewer);
	}
	assert_true(bytes[1] < bytes[0]);
	tight_destroy(tight);
	frame_release(frame);
}

/* A smooth picture, in every subsampling. */
static void test_jpeg_is_close(void **state)
{
	const struct detile_rect piece = {64, 32, 511, 127};
	struct frame *frame = frame_create(WIDTH, HEIGHT);
	struct tight *tight = tight_create();

	(void)state;
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++)
			frame->pixels[y * (frame->stride / 4) + x] = (x / 5) << 16 | (y / 2) << 8 |
								     (255 - x / 5);
	for (int subsampling = 0; subsampling < 6; subsampling++) {
		struct tight_settings settings = {.format = formats[0],
						  .level = 1,
						  .quality = 90,
						  .subsampling = subsampling};
		struct viewer viewer;
		uint64_t error = 0;

		viewer_open_fed(&viewer, WIDTH, HEIGHT, &viewer_x8r8g8b8);
		show(&viewer, tight, &settings, frame, &piece);
		assert_true(viewer.counts.jpegs);
		for (uint32_t y = piece.y; y < piece.y + piece.height; y++)
			for (uint32_t x = piece.x; x < piece.x + piece.width; x++) {
				uint32_t is = viewer.pixels[y * WIDTH + x];
				uint32_t was = frame->pixels[y * (frame->stride / 4) + x];

				error += (uint32_t)abs((int)(is >> 8 & 255) -
						       (int)(was >> 8 & 255));
			}
		/* Grey has another green. */
		if (subsampling != 3)
			assert_in_range(error / (piece.width * piece.height), 0, 3);
		viewer_close(&viewer);
	}
	tight_destroy(tight);
	frame_release(frame);
}

static void test_settings_follow_the_client(void **state)
{
	struct vnc_encodings encodings = {.compress_level = -1,
					  .quality_level = -1,
					  .fine_quality_level = -1,
					  .subsampling = -1};
	struct tight_settings a, b;

	(void)state;
	tight_settings_init(&a, &formats[0], &encodings);
	assert_int_equal(a.quality, 0);
	assert_true(a.gradient);
	encodings.tight_png = true; /* noVNC */
	tight_settings_init(&b, &formats[0], &encodings);
	assert_false(b.gradient);
	assert_false(tight_settings_equal(&a, &b));
	encodings.tight_png = false;
	encodings.quality_level = 6;
	encodings.compress_level = 9;
	tight_settings_init(&b, &formats[0], &encodings);
	assert_int_equal(b.quality, 79);
	assert_int_equal(b.subsampling, 0);
	assert_int_equal(b.level, 6);
	assert_false(tight_settings_equal(&a, &b));
	encodings.fine_quality_level = 33;
	encodings.subsampling = 2;
	tight_settings_init(&b, &formats[6], &encodings);
	assert_int_equal(b.quality, 33);
	assert_int_equal(b.subsampling, 2);
	tight_settings_init(&a, &formats[6], &encodings);
	assert_true(tight_settings_equal(&a, &b));
	tight_settings_init(&b, &formats[7], &encodings);
	assert_false(tight_settings_equal(&a, &b));
	tight_settings_init(&b, &formats[9], &encodings);
	assert_int_equal(b.quality, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lossless_pieces_are_exact_in_every_format),
		cmocka_unit_test(test_small_pieces_are_exact),
		cmocka_unit_test(test_few_colours_stay_lossless_beside_jpeg),
		cmocka_unit_test(test_gradients_are_shorter),
		cmocka_unit_test(test_jpeg_is_close),
		cmocka_unit_test(test_settings_follow_the_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

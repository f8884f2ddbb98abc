/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JPEG while a picture moves, as good as the link allows; every pixel at rest. */
#include "vnc_quality.h"

#include "rfb.h"
#include "stage.h"
#include "unit.h"
#include "viewer.h"
#include "vnc_link.h"
#include "vnc_lossy.h"

#define SECOND 1000000

/* Cells at the right and lower edge are cut off: 17 x 10 of them, in 3 x 3 tiles. */
#define WIDTH  1030u
#define HEIGHT 300u

static size_t resting(struct vnc_lossy *lossy, int64_t now, uint64_t pixels)
{
	struct damage damage;
	size_t cells;

	assert_int_equal(damage_init(&damage, WIDTH, HEIGHT), 0);
	vnc_lossy_collect(lossy, now, pixels, &damage);
	cells = damage_count(&damage);
	damage_finish(&damage);
	return cells;
}

static void test_cells_rest_after_two_seconds(void **state)
{
	struct vnc_lossy lossy = {0};

	(void)state;
	vnc_lossy_renew(&lossy, WIDTH, HEIGHT);
	assert_true(vnc_lossy_due(&lossy) == VNC_LOSSY_NEVER);
	vnc_lossy_add(&lossy, &(struct detile_rect){0, 0, WIDTH, 64}, SECOND);
	assert_int_equal(lossy.count, 17 * 2);
	assert_true(vnc_lossy_due(&lossy) == 3 * SECOND);
	/* One of them moves on, and is no part of what rests. */
	vnc_lossy_add(&lossy, &(struct detile_rect){70, 40, 1, 1}, 2 * SECOND);
	assert_int_equal(resting(&lossy, 3 * SECOND - 1, UINT64_MAX), 0);
	assert_int_equal(resting(&lossy, 3 * SECOND, UINT64_MAX), 17 * 2 - 1);
	assert_int_equal(resting(&lossy, 4 * SECOND, UINT64_MAX), 17 * 2);
	vnc_lossy_remove(&lossy, &(struct detile_rect){0, 0, WIDTH, 32});
	assert_int_equal(lossy.count, 17);
	assert_int_equal(resting(&lossy, 3 * SECOND, UINT64_MAX), 16);
	vnc_lossy_remove(&lossy, &(struct detile_rect){0, 0, 64, HEIGHT});
	vnc_lossy_remove(&lossy, &(struct detile_rect){128, 0, WIDTH - 128, HEIGHT});
	assert_int_equal(lossy.count, 1);
	/* What is due was guessed too early, and is known after a look. */
	assert_int_equal(resting(&lossy, 3 * SECOND, UINT64_MAX), 0);
	assert_true(vnc_lossy_due(&lossy) == 4 * SECOND);
	vnc_lossy_renew(&lossy, 10, 10);
	assert_true(vnc_lossy_due(&lossy) == VNC_LOSSY_NEVER);
	vnc_lossy_finish(&lossy);
}

static void test_only_whole_cells_become_exact(void **state)
{
	struct vnc_lossy lossy = {0};

	(void)state;
	vnc_lossy_renew(&lossy, WIDTH, HEIGHT);
	vnc_lossy_add(&lossy, &(struct detile_rect){0, 0, WIDTH, HEIGHT}, 0);
	assert_int_equal(lossy.count, 17 * 10);
	vnc_lossy_remove(&lossy, &(struct detile_rect){1, 0, 126, 64});
	assert_int_equal(lossy.count, 17 * 10);
	vnc_lossy_remove(&lossy, &(struct detile_rect){1, 31, 127, 34});
	assert_int_equal(lossy.count, 17 * 10 - 1);
	vnc_lossy_remove(&lossy, &(struct detile_rect){1024, 288, 6, 12}); /* the corner */
	assert_int_equal(lossy.count, 17 * 10 - 2);
	vnc_lossy_finish(&lossy);
}

/* So much at once: whole tiles, from the top. */
static void test_what_rests_is_taken_by_tiles(void **state)
{
	struct vnc_lossy lossy = {0};

	(void)state;
	vnc_lossy_renew(&lossy, WIDTH, HEIGHT);
	vnc_lossy_add(&lossy, &(struct detile_rect){0, 0, WIDTH, HEIGHT}, 0);
	assert_int_equal(resting(&lossy, 9 * SECOND, 1), 8 * 4);
	assert_int_equal(resting(&lossy, 9 * SECOND, TIGHT_WIDTH * TIGHT_HEIGHT + 1), 2 * 8 * 4);
	assert_int_equal(resting(&lossy, 9 * SECOND, UINT64_MAX), 17 * 10);
	vnc_lossy_finish(&lossy);
}

static void test_a_slow_link_gets_less_quality(void **state)
{
	struct vnc_quality quality = {0};
	int64_t now = SECOND;

	(void)state;
	assert_int_equal(vnc_quality_step(&quality, now), 0);
	vnc_quality_note(&quality, 500000, 110000, now);
	assert_int_equal(vnc_quality_step(&quality, now), 0);
	vnc_quality_note(&quality, 500000, 110000, now);
	assert_int_equal(vnc_quality_step(&quality, now), 1);
	for (int i = 0; i < 50; i++)
		vnc_quality_note(&quality, 500000, 110000, now);
	assert_int_equal(vnc_quality_step(&quality, now), TIGHT_STEPS - 1);
	/* Neither slow nor quick, and what is small: it stays. */
	for (int i = 0; i < 50; i++, now += SECOND / 10) {
		vnc_quality_note(&quality, 200000, 50000, now);
		vnc_quality_note(&quality, 2000, 10000, now);
		assert_int_equal(vnc_quality_step(&quality, now), TIGHT_STEPS - 1);
	}
	/* Quick for long: back, a step in half a second. */
	for (int i = 0; i <= 10; i++, now += SECOND / 10)
		vnc_quality_note(&quality, 50000, 20000, now);
	assert_int_equal(vnc_quality_step(&quality, now), TIGHT_STEPS - 3);
	/* Rest. */
	now += 2 * SECOND;
	assert_int_equal(vnc_quality_step(&quality, now), 0);
}

static void test_how_long_a_link_carries(void **state)
{
	(void)state;
	/* By its rate, but what was taken was taken in the gap. */
	assert_int_equal(vnc_link_carry_us(500000, 400000, 0, 5000000), 100000);
	assert_int_equal(vnc_link_carry_us(500000, 40000, 0, 5000000), 40000);
	assert_int_equal(vnc_link_carry_us(500000, 40000, 0, 0), 0);
	/* By what is queued, whatever the rate. */
	assert_int_equal(vnc_link_carry_us(500000, 40000, 250000, 5000000000), 80000);
	assert_true(vnc_link_carry_us(500000, 40000, 500000, 0) > SECOND);
	assert_true(vnc_link_carry_us(500000, 40000, 900000, 0) > SECOND);
}

static void test_steps_stay_within_what_the_client_allows(void **state)
{
	struct vnc_format format = {32, 24, false, true, 255, 255, 255, 16, 8, 0};
	struct vnc_encodings encodings = {.compress_level = -1,
					  .quality_level = 8,
					  .fine_quality_level = -1,
					  .subsampling = -1};
	struct tight_settings settings;
	int last = 101;

	(void)state;
	for (unsigned int step = 0; step < TIGHT_STEPS; step++) {
		tight_settings_init(&settings, &format, &encodings);
		tight_settings_lower(&settings, step);
		assert_true(settings.quality < last && settings.quality >= 15);
		last = settings.quality;
		assert_int_equal(settings.subsampling, step ? step == 1 ? 2 : 1 : 0);
	}
	encodings.subsampling = 0;
	encodings.fine_quality_level = 10;
	tight_settings_init(&settings, &format, &encodings);
	tight_settings_lower(&settings, TIGHT_STEPS - 1);
	assert_int_equal(settings.quality, 10);
	assert_int_equal(settings.subsampling, 0);
	encodings.quality_level = encodings.fine_quality_level = -1;
	tight_settings_init(&settings, &format, &encodings);
	tight_settings_lower(&settings, 1);
	assert_int_equal(settings.quality, 0);
}

/* With a viewer. */

static void open_viewer(struct viewer *viewer, struct stage *stage, int32_t encoding)
{
	const int32_t encodings[] = {encoding, VIEWER_DESKTOP_SIZE, VIEWER_JPEG_QUALITY_0 + 2};

	assert_true(viewer_open(viewer, rfb_dial_tcp(stage->port), true));
	assert_true(viewer_set_encodings(viewer, encodings, 3));
	assert_true(viewer_request(viewer, false));
}

static void update(struct viewer *viewer)
{
	if (viewer_message(viewer) != VIEWER_UPDATE)
		fail_msg("%s", viewer->reason);
}

static bool is_exact(const struct viewer *viewer, const struct frame *frame, uint32_t top)
{
	for (uint32_t y = top; y < frame->height; y++)
		for (uint32_t x = 0; x < frame->width; x++)
			if (viewer->pixels[y * viewer->width + x] !=
			    (frame->pixels[y * (frame->stride / 4) + x] & 0xffffff))
				return false;
	return true;
}

static void test_a_picture_at_rest_becomes_exact_once(void **state)
{
	struct viewer viewer;
	struct stage stage;
	unsigned int jpegs;

	(void)state;
	stage_open(&stage, NULL, WIDTH, HEIGHT);
	open_viewer(&viewer, &stage, VIEWER_TIGHT);
	update(&viewer);
	jpegs = viewer.counts.jpegs;
	assert_true(jpegs);
	assert_false(is_exact(&viewer, stage.frame, 0));
	for (int i = 0; i < 20 && !is_exact(&viewer, stage.frame, 0); i++) {
		assert_true(viewer_request(&viewer, true));
		update(&viewer);
	}
	assert_true(is_exact(&viewer, stage.frame, 0));
	assert_int_equal(viewer.counts.jpegs, jpegs);
	/* The next update is for the next change, and only that: nothing is repaired twice. */
	assert_true(viewer_request(&viewer, true));
	viewer.counts.pixels = 0;
	stage_paint(&stage, 0, 0, 64, 32);
	update(&viewer);
	assert_int_equal(viewer.counts.pixels, 64 * 32);
	viewer_close(&viewer);
	stage_close(&stage);
}

/* What moves does not keep the rest from being repaired. */
static void test_the_rest_becomes_exact_beside_what_moves(void **state)
{
	struct viewer viewer;
	struct stage stage;

	(void)state;
	stage_open(&stage, NULL, WIDTH, HEIGHT);
	open_viewer(&viewer, &stage, VIEWER_TIGHT);
	update(&viewer);
	for (int i = 0; i < 400 && !is_exact(&viewer, stage.frame, 32); i++) {
		assert_true(viewer_request(&viewer, true));
		stage_paint(&stage, 0, 0, 128, 32);
		update(&viewer);
		g_usleep(20000);
	}
	assert_true(is_exact(&viewer, stage.frame, 32));
	viewer_close(&viewer);
	stage_close(&stage);
}

/* A viewer that changes to another encoding gets its repair by that. */
static void test_a_repair_by_another_encoding(void **state)
{
	const int32_t zrle[] = {VIEWER_ZRLE, VIEWER_DESKTOP_SIZE};
	struct viewer viewer;
	struct stage stage;

	(void)state;
	stage_open(&stage, NULL, WIDTH, HEIGHT);
	open_viewer(&viewer, &stage, VIEWER_TIGHT);
	update(&viewer);
	assert_true(viewer_set_encodings(&viewer, zrle, 2));
	for (int i = 0; i < 20 && !is_exact(&viewer, stage.frame, 0); i++) {
		assert_true(viewer_request(&viewer, true));
		update(&viewer);
	}
	assert_true(is_exact(&viewer, stage.frame, 0));
	assert_true(viewer.counts.zrle);
	viewer_close(&viewer);
	stage_close(&stage);
}

static void test_a_lossless_sink_sends_no_jpeg(void **state)
{
	const struct vnc_options options = {.lossless = true};
	struct viewer viewer;
	struct stage stage;

	(void)state;
	stage_open(&stage, &options, WIDTH, HEIGHT);
	open_viewer(&viewer, &stage, VIEWER_TIGHT);
	update(&viewer);
	assert_int_equal(viewer.counts.jpegs, 0);
	assert_true(is_exact(&viewer, stage.frame, 0));
	viewer_close(&viewer);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cells_rest_after_two_seconds),
		cmocka_unit_test(test_only_whole_cells_become_exact),
		cmocka_unit_test(test_what_rests_is_taken_by_tiles),
		cmocka_unit_test(test_a_slow_link_gets_less_quality),
		cmocka_unit_test(test_how_long_a_link_carries),
		cmocka_unit_test(test_steps_stay_within_what_the_client_allows),
		cmocka_unit_test(test_a_picture_at_rest_becomes_exact_once),
		cmocka_unit_test(test_the_rest_becomes_exact_beside_what_moves),
		cmocka_unit_test(test_a_repair_by_another_encoding),
		cmocka_unit_test(test_a_lossless_sink_sends_no_jpeg),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kmod/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void draw(const struct pattern *pattern, uint64_t frame, uint32_t *out)
{
	for (uint32_t y = 0; y < pattern->height; y++)
		pattern_row(pattern, frame, y, 0, pattern->width, out + (size_t)y * pattern->width);
}

static uint32_t *picture(const struct pattern *pattern, uint64_t frame)
{
	uint32_t *out = malloc((size_t)pattern->width * pattern->height * sizeof(*out));

	assert_non_null(out);
	draw(pattern, frame, out);
	return out;
}

static size_t differing(const struct pattern *pattern, const uint32_t *a, const uint32_t *b)
{
	size_t count = 0;

	for (size_t i = 0; i < (size_t)pattern->width * pattern->height; i++)
		count += a[i] != b[i];
	return count;
}

static void test_names_lead_to_kinds_and_back(void **state)
{
	(void)state;
	for (int kind = 0; kind < PATTERN_KINDS; kind++)
		assert_int_equal(pattern_kind_from_name(pattern_name((enum pattern_kind)kind)),
				 kind);
	assert_null(pattern_name(PATTERN_KINDS));
	assert_null(pattern_name((enum pattern_kind) - 1));
	assert_int_equal(pattern_kind_from_name("desk"), -1);
	assert_int_equal(pattern_kind_from_name(""), -1);
}

/* The formula of kmod/pattern.c, said once more pixel by pixel. */
static uint32_t bars_pixel(uint32_t width, uint32_t height, uint32_t seed, uint32_t frame,
			   uint32_t x, uint32_t y)
{
	static const uint32_t bars[8] = {0xc0c0c0, 0xc0c000, 0x00c0c0, 0x00c000,
					 0xc000c0, 0xc00000, 0x0000c0, 0x101010};

	if (y < 8 && x < 256)
		return frame >> (31 - x / 8) & 1 ? 0xffffff : 0;
	if (y < height - height / 3)
		return bars[x * 8 / width];
	if (y < height - height / 4)
		return bars[7 - x * 8 / width];
	return (x + (4 * frame + seed) % width) % width * 256 / width * 0x010101;
}

static void test_bars_follow_their_formula(void **state)
{
	static const struct pattern cases[] = {
		{PATTERN_BARS, 0, 640, 480},       {PATTERN_BARS, 7, 333, 97},
		{PATTERN_BARS, 0xfffffff0, 5, 40}, {PATTERN_BARS, 1, 1, 1},
		{PATTERN_BARS, 3, 16384, 12},
	};
	static const uint64_t frames[] = {0, 1, 12345, 0xfffffffe, 0x1a5a5a5a5};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct pattern *p = &cases[i];

		for (size_t f = 0; f < sizeof(frames) / sizeof(frames[0]); f++) {
			uint32_t *out = picture(p, frames[f]);

			for (uint32_t y = 0; y < p->height; y++)
				for (uint32_t x = 0; x < p->width; x++)
					if (out[(size_t)y * p->width + x] !=
					    bars_pixel(p->width, p->height, p->seed,
						       (uint32_t)frames[f], x, y))
						fail_msg("%ux%u frame %lu: pixel %u,%u", p->width,
							 p->height, (unsigned long)frames[f], x, y);
			free(out);
		}
	}
}

static void test_a_piece_of_a_row_equals_the_row(void **state)
{
	static const uint32_t sizes[][2] = {{1, 1}, {3, 2}, {97, 61}, {320, 200}, {1283, 723}};

	(void)state;
	srand(1);
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
		for (int kind = 0; kind < PATTERN_KINDS; kind++) {
			struct pattern p = {(enum pattern_kind)kind, 5, sizes[s][0], sizes[s][1]};
			uint32_t *whole = picture(&p, 431);

			for (int i = 0; i < 400; i++) {
				uint32_t y = (uint32_t)rand() % p.height;
				uint32_t x = (uint32_t)rand() % p.width;
				uint32_t n = (uint32_t)rand() % (p.width - x) + 1;
				uint32_t *piece = malloc(n * sizeof(*piece));

				assert_non_null(piece);
				pattern_row(&p, 431, y, x, n, piece);
				assert_memory_equal(piece, whole + (size_t)y * p.width + x,
						    n * sizeof(*piece));
				free(piece);
			}
			for (size_t i = 0; i < (size_t)p.width * p.height; i++)
				if (whole[i] >> 24)
					fail_msg("%s: X byte at %zu", pattern_name(p.kind), i);
			free(whole);
		}
}

/* Blanks what the damage covers in both pictures; what is left must be the same. */
static void check_damage(const struct pattern *p, uint64_t frame, const uint32_t *before,
			 const uint32_t *after, uint8_t *covered)
{
	struct pattern_rect rects[PATTERN_MAX_RECTS];
	unsigned int count = pattern_damage(p, frame, rects);

	assert_true(count <= PATTERN_MAX_RECTS);
	memset(covered, 0, (size_t)p->width * p->height);
	for (unsigned int i = 0; i < count; i++) {
		const struct pattern_rect *r = &rects[i];

		assert_true(r->width && r->height);
		assert_true(r->x < p->width && r->width <= p->width - r->x);
		assert_true(r->y < p->height && r->height <= p->height - r->y);
		for (uint32_t y = r->y; y < r->y + r->height; y++)
			memset(covered + (size_t)y * p->width + r->x, 1, r->width);
	}
	for (size_t i = 0; i < (size_t)p->width * p->height; i++)
		if (!covered[i] && before[i] != after[i])
			fail_msg("%s %ux%u seed %u frame %lu: %zu,%zu changed unannounced",
				 pattern_name(p->kind), p->width, p->height, p->seed,
				 (unsigned long)frame, i % p->width, i / p->width);
}

static void check_run(const struct pattern *p, uint64_t first, unsigned int count)
{
	uint8_t *covered = malloc((size_t)p->width * p->height);
	uint32_t *before = picture(p, first), *after = picture(p, first);

	assert_non_null(covered);
	for (uint64_t frame = first + 1; frame < first + count; frame++) {
		uint32_t *swap = before;

		before = after;
		after = swap;
		draw(p, frame, after);
		check_damage(p, frame, before, after, covered);
	}
	free(covered);
	free(before);
	free(after);
}

static void test_damage_covers_every_change(void **state)
{
	static const struct {
		uint32_t width, height;
		unsigned int frames;
	} sizes[] = {
		{1, 1, 20},    {2, 1, 20},     {1, 2, 20},       {7, 5, 40},
		{64, 48, 100}, {97, 333, 100}, {320, 200, 2100}, {1920, 1080, 8},
	};
	/* Where the clock turns over, and where 32 bits end. */
	static const uint64_t firsts[] = {0, 1690, 99999995, 0xfffffffa};

	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
		for (int kind = 0; kind < PATTERN_KINDS; kind++)
			for (size_t f = 0; f < sizeof(firsts) / sizeof(firsts[0]); f++) {
				struct pattern p = {(enum pattern_kind)kind, (uint32_t)(s + f),
						    sizes[s].width, sizes[s].height};
				bool whole = kind == PATTERN_VIDEO || kind == PATTERN_NOISE ||
					     kind == PATTERN_FILM;

				check_run(&p, firsts[f], f || whole ? 12 : sizes[s].frames);
			}
}

static void test_desktop_damage_is_small(void **state)
{
	struct pattern p = {PATTERN_DESKTOP, 0, 1920, 1080};

	(void)state;
	for (uint64_t frame = 1; frame < 1200; frame++) {
		struct pattern_rect rects[PATTERN_MAX_RECTS];
		unsigned int count = pattern_damage(&p, frame, rects);
		uint64_t area = 0;

		assert_in_range(count, 1, PATTERN_MAX_RECTS);
		for (unsigned int i = 0; i < count; i++)
			area += (uint64_t)rects[i].width * rects[i].height;
		assert_true(area < 1920 * 1080 / 50);
	}
}

static void test_frame_0_is_wholly_damaged(void **state)
{
	(void)state;
	for (int kind = 0; kind < PATTERN_KINDS; kind++) {
		struct pattern p = {(enum pattern_kind)kind, 0, 33, 44};
		struct pattern_rect rects[PATTERN_MAX_RECTS];

		assert_int_equal(pattern_damage(&p, 0, rects), 1);
		assert_int_equal(rects[0].x, 0);
		assert_int_equal(rects[0].y, 0);
		assert_int_equal(rects[0].width, 33);
		assert_int_equal(rects[0].height, 44);
	}
}

static void test_stills_say_that_nothing_changes(void **state)
{
	struct pattern_rect rects[PATTERN_MAX_RECTS];

	(void)state;
	assert_int_equal(pattern_damage(&(struct pattern){PATTERN_STATIC, 1, 640, 480}, 9, rects),
			 0);
	assert_int_equal(pattern_damage(&(struct pattern){PATTERN_OFF, 1, 640, 480}, 9, rects), 0);
}

static void test_video_changes_every_pixel(void **state)
{
	struct pattern p = {PATTERN_VIDEO, 3, 640, 360};
	uint32_t *before = picture(&p, 41), *after = picture(&p, 42);

	(void)state;
	assert_int_equal(differing(&p, before, after), 640 * 360);
	free(before);
	free(after);
}

static void test_noise_changes_nearly_every_pixel(void **state)
{
	struct pattern p = {PATTERN_NOISE, 3, 640, 360};
	uint32_t *before = picture(&p, 41), *after = picture(&p, 42);
	uint32_t *late = picture(&p, 41 + (1ull << 32));

	(void)state;
	assert_true(differing(&p, before, after) > 640 * 360 - 16);
	assert_true(differing(&p, before, late) > 640 * 360 - 16);
	free(before);
	free(after);
	free(late);
}

static uint32_t stamped(const struct pattern *p, const uint32_t *out)
{
	uint32_t number = 0;

	for (unsigned int bit = 0; bit < 32; bit++)
		number = number << 1 | (out[4 * p->width + bit * 8 + 4] == 0xffffff);
	return number;
}

static void test_work_is_stamped_with_its_frame(void **state)
{
	static const uint64_t frames[] = {0, 1, 77, 65536, 0xfffffffe, 0x1a5a5a5a5};

	(void)state;
	for (int kind = PATTERN_TYPING; kind <= PATTERN_FILM; kind++)
		for (size_t f = 0; f < sizeof(frames) / sizeof(frames[0]); f++) {
			struct pattern p = {(enum pattern_kind)kind, 1, 640, 480};
			uint32_t *out = picture(&p, frames[f]);

			assert_int_equal(stamped(&p, out), (uint32_t)frames[f]);
			free(out);
		}
}

static void test_typing_adds_a_character_a_frame(void **state)
{
	struct pattern p = {PATTERN_TYPING, 0, 1920, 1080};
	struct pattern_rect rects[PATTERN_MAX_RECTS];
	uint32_t *before = picture(&p, 0), *after;

	(void)state;
	for (uint64_t frame = 1; frame < 4; frame++) {
		size_t below = 16 * 1920;

		assert_int_equal(pattern_damage(&p, frame, rects), 3);
		after = picture(&p, frame);
		for (size_t y = 16; y < 1080; y++)
			for (size_t x = 0; x < 1920; x++)
				if (before[y * 1920 + x] != after[y * 1920 + x])
					assert_true(y < 32 && x < 8 * (frame + 1));
		/* The cursor at least has moved. */
		assert_memory_not_equal(before + below, after + below, 8 * (frame + 1) * 4);
		free(before);
		before = after;
	}
	free(before);
}

static void test_scroll_moves_up_a_line_a_frame(void **state)
{
	struct pattern p = {PATTERN_SCROLL, 3, 640, 16 + 20 * 16};
	uint32_t *before = picture(&p, 41), *after = picture(&p, 42);

	(void)state;
	assert_memory_equal(before + 32 * 640, after + 16 * 640, 19 * 16 * 640 * sizeof(*after));
	assert_true(differing(&p, before, after) > 640 * 16);
	free(before);
	free(after);
}

static void test_a_movie_is_a_video_before_the_card(void **state)
{
	struct pattern movie = {PATTERN_MOVIE, 3, 642, 483}, card = movie, video = movie;
	uint32_t *a = picture(&movie, 9), *b, *c;

	(void)state;
	card.kind = PATTERN_STATIC;
	video = (struct pattern){PATTERN_VIDEO, 3, 321, 241};
	b = picture(&card, 9);
	c = picture(&video, 9);
	for (uint32_t y = 8; y < 483; y++)
		for (uint32_t x = 0; x < 642; x++) {
			bool inside = x >= 160 && x < 481 && y >= 120 && y < 361;
			uint32_t want = inside ? c[(y - 120) * 321 + x - 160] : b[y * 642 + x];

			assert_int_equal(a[y * 642 + x], want);
		}
	free(a);
	free(b);
	free(c);
}

static void test_a_film_is_a_textured_video(void **state)
{
	struct pattern film = {PATTERN_FILM, 3, 640, 360}, video = {PATTERN_VIDEO, 3, 640, 360};
	uint32_t *a = picture(&film, 9), *b = picture(&video, 9);

	(void)state;
	for (size_t i = 0; i < 640 * 360; i++)
		if (i >= 8 * 640 || i % 640 >= 256) {
			uint32_t texture = ((i % 640 + 3 * 9) ^ (i / 640 + 2 * 9)) & 30;

			assert_int_equal(a[i], b[i] ^ texture * 0x010101);
		}
	free(a);
	free(b);
}

static void test_the_seed_changes_the_picture(void **state)
{
	(void)state;
	for (int kind = PATTERN_DESKTOP; kind < PATTERN_KINDS; kind++) {
		struct pattern one = {(enum pattern_kind)kind, 1, 320, 200}, two = one;
		uint32_t *a = picture(&one, 5), *b, *again = picture(&one, 5);

		two.seed = 2;
		b = picture(&two, 5);
		assert_int_equal(differing(&one, a, again), 0);
		assert_int_not_equal(differing(&one, a, b), 0);
		free(a);
		free(b);
		free(again);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_lead_to_kinds_and_back),
		cmocka_unit_test(test_bars_follow_their_formula),
		cmocka_unit_test(test_a_piece_of_a_row_equals_the_row),
		cmocka_unit_test(test_damage_covers_every_change),
		cmocka_unit_test(test_desktop_damage_is_small),
		cmocka_unit_test(test_frame_0_is_wholly_damaged),
		cmocka_unit_test(test_stills_say_that_nothing_changes),
		cmocka_unit_test(test_video_changes_every_pixel),
		cmocka_unit_test(test_noise_changes_nearly_every_pixel),
		cmocka_unit_test(test_work_is_stamped_with_its_frame),
		cmocka_unit_test(test_typing_adds_a_character_a_frame),
		cmocka_unit_test(test_scroll_moves_up_a_line_a_frame),
		cmocka_unit_test(test_a_movie_is_a_video_before_the_card),
		cmocka_unit_test(test_a_film_is_a_textured_video),
		cmocka_unit_test(test_the_seed_changes_the_picture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has moved is found, in pictures of text and of windows; and whatever is found is right: who
 * copies as told, and takes the pixels of what else has changed, has the picture.
 */
#include "motion.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "motion_search.h"
#include "unit.h"

#define WIDTH  900u
#define HEIGHT 700u

struct scene {
	struct frame *before, *after;
	uint32_t seed;
};

static uint32_t dice(struct scene *scene)
{
	scene->seed = scene->seed * 1664525u + 1013904223u;
	return scene->seed >> 8;
}

static uint32_t *at(const struct frame *frame, uint32_t x, uint32_t y)
{
	return frame->pixels + y * (frame->stride / 4) + x;
}

/* Something like text: words of two colours, and lines and gaps that are alike. */
static void write_text(struct scene *scene, struct frame *frame, const struct detile_rect *rect)
{
	for (uint32_t y = rect->y; y < rect->y + rect->height; y++) {
		uint32_t line = y / 16, ink = y % 16 > 2 && y % 16 < 14 && dice(scene) % 9;

		for (uint32_t x = rect->x; x < rect->x + rect->width; x++) {
			uint32_t word = (x / 8 + line * 37) * 2654435761u + scene->seed;

			*at(frame, x, y) = ink && (word >> 28) && (word >> x % 8 & 1) ? 0x202020
										      : 0xffffff;
		}
	}
}

static void write_noise(struct scene *scene, struct frame *frame, const struct detile_rect *rect)
{
	for (uint32_t y = rect->y; y < rect->y + rect->height; y++)
		for (uint32_t x = rect->x; x < rect->x + rect->width; x++)
			*at(frame, x, y) = dice(scene);
}

static void copy_frame(struct frame *to, const struct frame *from)
{
	memcpy(to->pixels, from->pixels, from->stride * from->height);
}

static void move_rect(struct frame *frame, const struct detile_rect *to, int32_t dx, int32_t dy)
{
	for (uint32_t i = 0; i < to->height; i++) {
		uint32_t y = to->y + (dy > 0 ? to->height - 1 - i : i);

		memmove(at(frame, to->x, y),
			at(frame, (uint32_t)((int32_t)to->x - dx), (uint32_t)((int32_t)y - dy)),
			to->width * sizeof(uint32_t));
	}
}

static struct scene open_scene(uint32_t seed)
{
	struct scene scene = {frame_create(WIDTH, HEIGHT), frame_create(WIDTH, HEIGHT), seed};

	write_text(&scene, scene.before, &(struct detile_rect){0, 0, WIDTH, HEIGHT});
	copy_frame(scene.after, scene.before);
	return scene;
}

static void close_scene(struct scene *scene)
{
	frame_release(scene->before);
	frame_release(scene->after);
}

/* The cells that differ. */
static struct damage compare(const struct scene *scene)
{
	struct damage changed;

	assert_int_equal(damage_init(&changed, WIDTH, HEIGHT), 0);
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++)
			if ((*at(scene->before, x, y) ^ *at(scene->after, x, y)) & 0xffffff)
				damage_add(&changed, &(struct detile_rect){x, y, 1, 1});
	return changed;
}

/* A viewer's picture after the moves, and the pixels of all else that has changed. */
static void check_moves(struct scene *scene, const struct damage *changed,
			const struct moves *moves)
{
	struct frame *viewer = frame_create(WIDTH, HEIGHT);

	copy_frame(viewer, scene->before);
	for (unsigned int i = 0; i < moves->count; i++) {
		const struct move *move = &moves->move[i];
		const struct detile_rect from = move_from(move);

		assert_in_range(move->to.width, 1, WIDTH);
		assert_in_range(move->to.height, 1, HEIGHT);
		assert_in_range(move->to.x + move->to.width, 1, WIDTH);
		assert_in_range(move->to.y + move->to.height, 1, HEIGHT);
		assert_in_range(from.x + from.width, 1, WIDTH);
		assert_in_range(from.y + from.height, 1, HEIGHT);
		move_rect(viewer, &move->to, move->dx, move->dy);
		for (uint32_t y = move->to.y; y < move->to.y + move->to.height; y++)
			for (uint32_t x = move->to.x; x < move->to.x + move->to.width; x++)
				assert_int_equal(*at(viewer, x, y) & 0xffffff,
						 *at(scene->after, x, y) & 0xffffff);
	}
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++) {
			uint64_t word = changed->cells.words[y / 32 * changed->cells.stride];

			if (!(word >> x / 64 & 1))
				assert_int_equal(*at(viewer, x, y) & 0xffffff,
						 *at(scene->after, x, y) & 0xffffff);
		}
	frame_release(viewer);
}

static struct moves search(struct scene *scene, struct motion_shift *shift)
{
	struct damage changed = compare(scene);
	struct moves moves = {.count = 0};

	motion_search(scene->before, scene->after, &changed, shift, &moves);
	check_moves(scene, &changed, &moves);
	damage_finish(&changed);
	return moves;
}

/* Of a rectangle, in a share of its pixels: all but what is new at one side, or a few rows. */
static bool is_most_of(const struct moves *moves, const struct detile_rect *rect)
{
	uint64_t pixels = 0;

	for (unsigned int i = 0; i < moves->count; i++)
		pixels += (uint64_t)moves->move[i].to.width * moves->move[i].to.height;
	return pixels * 10 >= (uint64_t)rect->width * rect->height * 8;
}

static void test_scrolled_text_is_found(void **state)
{
	static const struct detile_rect windows[] = {
		{0, 0, WIDTH, HEIGHT}, {0, 16, WIDTH, 500}, {77, 45, 411, 600}, {331, 5, 500, 213}};
	static const int32_t rows[] = {-16, 16, -3, 1, -48, 100, -7, 64};

	(void)state;
	for (unsigned int i = 0; i < G_N_ELEMENTS(windows); i++)
		for (unsigned int j = 0; j < G_N_ELEMENTS(rows); j++) {
			struct scene scene = open_scene(i * 100 + j + 1);
			struct detile_rect to = windows[i], fresh = windows[i];
			uint32_t by = (uint32_t)abs(rows[j]);
			struct motion_shift shift = {0, 0};
			struct moves moves;

			to.height -= by;
			fresh.height = by;
			if (rows[j] > 0)
				to.y += by;
			else
				fresh.y += to.height;
			move_rect(scene.after, &to, 0, rows[j]);
			write_text(&scene, scene.after, &fresh);
			moves = search(&scene, &shift);
			assert_true(is_most_of(&moves, &to));
			assert_int_equal(shift.dx, 0);
			assert_int_equal(shift.dy, rows[j]);
			close_scene(&scene);
		}
}

static void test_moved_windows_are_found(void **state)
{
	static const struct motion_shift shifts[] = {{5, 3},  {-40, 17}, {120, -90},
						     {-1, 0}, {33, 0},   {-7, -2}};

	(void)state;
	for (unsigned int i = 0; i < G_N_ELEMENTS(shifts); i++) {
		struct scene scene = open_scene(i + 1);
		struct detile_rect window = {200, 200, 333, 222}, to = window;
		struct motion_shift shift = {0, 0};
		struct moves moves;

		to.x = (uint32_t)((int32_t)to.x + shifts[i].dx);
		to.y = (uint32_t)((int32_t)to.y + shifts[i].dy);
		write_noise(&scene, scene.before, &window);
		copy_frame(scene.after, scene.before);
		move_rect(scene.after, &to, shifts[i].dx, shifts[i].dy);
		/* The desktop behind it. */
		for (uint32_t y = window.y; y < window.y + window.height; y++)
			for (uint32_t x = window.x; x < window.x + window.width; x++)
				if (x < to.x || x >= to.x + to.width || y < to.y ||
				    y >= to.y + to.height)
					*at(scene.after, x, y) = 0x336699;
		moves = search(&scene, &shift);
		assert_true(is_most_of(&moves, &to));
		assert_int_equal(shift.dx, shifts[i].dx);
		assert_int_equal(shift.dy, shifts[i].dy);
		close_scene(&scene);
	}
}

static void test_two_windows_scroll_at_once(void **state)
{
	struct scene scene = open_scene(3);
	struct detile_rect left = {0, 0, 300, 684}, right = {500, 0, 300, 684};
	struct motion_shift shift = {0, 0};
	struct moves moves;

	(void)state;
	move_rect(scene.after, &left, 0, -16);
	move_rect(scene.after, &right, 0, -16);
	write_noise(&scene, scene.after, &(struct detile_rect){350, 0, 100, 700});
	moves = search(&scene, &shift);
	assert_int_equal(moves.count, 2);
	close_scene(&scene);
}

/* A strip that is new cuts a scroll in two: one half may lie where the other comes from. */
static void test_what_was_copied_over_is_not_copied(void **state)
{
	(void)state;
	for (uint32_t y = 60; y < 640; y += 20)
		for (int32_t by = -64; by <= 64; by += 128) {
			struct scene scene = open_scene(y);
			struct detile_rect to = {0, by > 0 ? 64 : 0, WIDTH, HEIGHT - 64};
			struct motion_shift shift = {0, 0};
			struct moves moves;

			move_rect(scene.after, &to, 0, by);
			write_noise(&scene, scene.after, &(struct detile_rect){0, y, WIDTH, 20});
			moves = search(&scene, &shift);
			assert_true(moves.count);
			close_scene(&scene);
		}
}

static void test_what_only_changes_has_not_moved(void **state)
{
	struct scene scene = open_scene(9);
	struct motion_shift shift = {0, -16};
	struct moves moves;

	(void)state;
	write_noise(&scene, scene.after, &(struct detile_rect){0, 0, WIDTH, HEIGHT});
	moves = search(&scene, &shift);
	assert_int_equal(moves.count, 0);
	close_scene(&scene);
}

/* A few cells, and what has no pattern. */
static void test_small_and_plain_changes_are_not_looked_at(void **state)
{
	struct scene scene = open_scene(11);
	struct motion_shift shift = {0, 0};
	struct moves moves;

	(void)state;
	move_rect(scene.after, &(struct detile_rect){0, 32, 128, 64}, 0, 16);
	moves = search(&scene, &shift);
	assert_int_equal(moves.count, 0);
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++)
			*at(scene.after, x, y) = 0x808080;
	moves = search(&scene, &shift);
	assert_int_equal(moves.count, 0);
	close_scene(&scene);
}

/* The fourth byte of a pixel means nothing. */
static void test_bytes_without_meaning_do_not_differ(void **state)
{
	struct scene scene = open_scene(21);
	struct motion_shift shift = {0, 0};
	struct detile_rect to = {0, 0, WIDTH, HEIGHT - 16};
	struct moves moves;

	(void)state;
	move_rect(scene.after, &to, 0, -16);
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++)
			*at(scene.after, x, y) ^= dice(&scene) << 24;
	moves = search(&scene, &shift);
	assert_true(is_most_of(&moves, &to));
	close_scene(&scene);
}

/* Moves, noise and text at random: whatever is found is right. */
static void test_what_is_found_is_right(void **state)
{
	struct scene scene = open_scene(4711);
	struct motion_shift shift = {0, 0};
	unsigned int found = 0;

	(void)state;
	for (unsigned int i = 0; i < 150; i++) {
		for (uint32_t j = dice(&scene) % 3 + 1; j; j--) {
			struct detile_rect rect = {dice(&scene) % 600, dice(&scene) % 500,
						   dice(&scene) % 300 + 1, dice(&scene) % 200 + 1};

			switch (dice(&scene) % 4) {
			case 0:
				write_noise(&scene, scene.after, &rect);
				break;
			case 1:
				write_text(&scene, scene.after, &rect);
				break;
			default:
				move_rect(
					scene.after, &rect, (int32_t)(dice(&scene) % (rect.x + 1)),
					-(int32_t)(dice(&scene) % (HEIGHT - rect.y - rect.height)));
			}
		}
		found += search(&scene, &shift).count;
		copy_frame(scene.before, scene.after);
	}
	assert_in_range(found, 10, 600);
	close_scene(&scene);
}

/* What is kept follows the frame; a film makes the search rare, a scroll brings it back. */
static void test_a_scroll_after_a_film_is_found(void **state)
{
	struct scene scene = open_scene(5);
	struct motion *motion = motion_create();
	struct detile_rect all = {0, 0, WIDTH, HEIGHT}, to = {0, 0, WIDTH, HEIGHT - 16};
	unsigned int found = 0;

	(void)state;
	for (unsigned int i = 0; i < 80; i++) {
		bool film = i < 40;
		struct moves moves;
		struct damage changed;

		if (film)
			write_noise(&scene, scene.after, &all);
		else
			move_rect(scene.after, &to, 0, -16);
		write_noise(&scene, scene.after, &(struct detile_rect){0, HEIGHT - 16, WIDTH, 16});
		changed = compare(&scene);
		motion_find(motion, scene.after, &changed, &moves);
		check_moves(&scene, &changed, &moves);
		motion_keep(motion, scene.after, &changed);
		if (film)
			assert_int_equal(moves.count, 0);
		else
			found += moves.count > 0;
		/* Once it is found, each time. */
		if (i >= 60)
			assert_true(moves.count);
		damage_finish(&changed);
		copy_frame(scene.before, scene.after);
	}
	assert_in_range(found, 24, 40);
	motion_destroy(motion);
	close_scene(&scene);
}

/* Another frame of the same size is another picture. */
static void test_another_frame_is_not_compared(void **state)
{
	struct scene scene = open_scene(6);
	struct motion *motion = motion_create();
	struct moves moves = {.count = 7};
	struct damage changed;

	(void)state;
	move_rect(scene.after, &(struct detile_rect){0, 0, WIDTH, HEIGHT - 16}, 0, -16);
	changed = compare(&scene);
	motion_find(motion, scene.before, &changed, &moves);
	assert_int_equal(moves.count, 0);
	motion_keep(motion, scene.before, &changed);
	motion_find(motion, scene.after, &changed, &moves);
	assert_int_equal(moves.count, 0);
	damage_finish(&changed);
	motion_destroy(motion);
	close_scene(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scrolled_text_is_found),
		cmocka_unit_test(test_moved_windows_are_found),
		cmocka_unit_test(test_two_windows_scroll_at_once),
		cmocka_unit_test(test_what_was_copied_over_is_not_copied),
		cmocka_unit_test(test_what_only_changes_has_not_moved),
		cmocka_unit_test(test_small_and_plain_changes_are_not_looked_at),
		cmocka_unit_test(test_bytes_without_meaning_do_not_differ),
		cmocka_unit_test(test_what_is_found_is_right),
		cmocka_unit_test(test_a_scroll_after_a_film_is_found),
		cmocka_unit_test(test_another_frame_is_not_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source.h"

#include <drm_fourcc.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "detile/layout.h"
#include "kmod/pattern.h"
#include "sim_cursor.h"
#include "unit.h"

/* Frames come 1000 times a second in these tests: more polls than this mean that none comes. */
#define MAX_LOOKS 20000

static struct source *open_sim(const char *options)
{
	struct source *source = NULL;
	GError *error = NULL;

	if (source_sim_open(options, &source, &error))
		fail_msg("%s: %s", options, error->message);
	return source;
}

static struct plane acquire(struct source *source)
{
	struct plane plane;
	GError *error = NULL;

	if (source->ops->acquire(source, PLANE_PRIMARY, &plane, &error))
		fail_msg("%s", error->message);
	if (plane_validate(&plane, &error))
		fail_msg("%s", error->message);
	return plane;
}

/* The plane as linear rows of its format, without gaps; by detile's oracle, pixel by pixel. */
static uint8_t *linear_of(const struct plane *plane)
{
	struct detile_surface surface;
	uint8_t *out, *at;

	plane_surface(plane, &surface);
	at = out = malloc((size_t)plane->width * plane->height * surface.cpp);
	assert_non_null(out);
	for (uint32_t y = 0; y < plane->height; y++)
		for (uint32_t x = 0; x < plane->width; x++, at += surface.cpp)
			memcpy(at,
			       plane->data + detile_offset(surface.layout, surface.swizzle,
							   surface.cpp, surface.stride, x, y),
			       surface.cpp);
	return out;
}

static uint32_t *predict(const struct pattern *pattern, uint64_t frame)
{
	uint32_t *out = malloc((size_t)pattern->width * pattern->height * 4);

	assert_non_null(out);
	for (uint32_t y = 0; y < pattern->height; y++)
		pattern_row(pattern, frame, y, 0, pattern->width, out + (size_t)y * pattern->width);
	return out;
}

static void test_every_layout_and_transport_shows_the_predicted_pixels(void **state)
{
	static const char *const layouts[] = {"linear", "x", "y", "yf", "4"};
	static const uint64_t modifiers[] = {DRM_FORMAT_MOD_LINEAR, I915_FORMAT_MOD_X_TILED,
					     I915_FORMAT_MOD_Y_TILED, I915_FORMAT_MOD_Yf_TILED,
					     I915_FORMAT_MOD_4_TILED};
	static const char *const transports[] = {"region", "dmabuf"};
	static const uint32_t sizes[][2] = {{1, 1}, {130, 33}, {333, 217}, {640, 480}};

	(void)state;
	for (size_t i = 0; i < 4 * 5 * 2; i++) {
		const uint32_t *size = sizes[i / 10];
		struct pattern pattern = {PATTERN_STATIC, 7, size[0], size[1]};
		char *options = g_strdup_printf(
			"mode=%ux%u,layout=%s,transport=%s,pattern=static,seed=7,frame=5", size[0],
			size[1], layouts[i % 5], transports[i / 5 % 2]);
		struct source *source = open_sim(options);
		struct plane plane = acquire(source);
		uint32_t *expected = predict(&pattern, 5);
		uint8_t *pixels = linear_of(&plane);

		assert_int_equal(plane.modifier, modifiers[i % 5]);
		assert_int_equal(plane.fourcc, DRM_FORMAT_XRGB8888);
		assert_memory_equal(pixels, expected, (size_t)size[0] * size[1] * 4);
		source->ops->release(source, &plane);
		source->ops->close(source);
		free(expected);
		free(pixels);
		g_free(options);
	}
}

static void test_every_pattern_shows_its_frame(void **state)
{
	(void)state;
	for (int kind = 0; kind < PATTERN_KINDS; kind++) {
		struct pattern pattern = {(enum pattern_kind)kind, 3, 320, 200};
		char *options = g_strdup_printf("mode=320x200,layout=y,frame=123456789012,seed=3,"
						"fps=60,pattern=%s",
						pattern_name((enum pattern_kind)kind));
		struct source *source = open_sim(options);
		struct plane plane = acquire(source);
		uint32_t *expected = predict(&pattern, 123456789012);
		uint8_t *pixels = linear_of(&plane);

		assert_memory_equal(pixels, expected, 320 * 200 * 4);
		source->ops->release(source, &plane);
		source->ops->close(source);
		free(expected);
		free(pixels);
		g_free(options);
	}
}

/* The formats' bits, written down here once more: drm_fourcc.h, [31:0] x:R:G:B and so on. */
static uint32_t packed(uint32_t fourcc, uint32_t rgb)
{
	uint32_t r = rgb >> 16 & 255, g = rgb >> 8 & 255, b = rgb & 255;

	switch (fourcc) {
	case DRM_FORMAT_ARGB8888:
		return 255u << 24 | rgb;
	case DRM_FORMAT_XBGR8888:
		return b << 16 | g << 8 | r;
	case DRM_FORMAT_ABGR8888:
		return 255u << 24 | b << 16 | g << 8 | r;
	case DRM_FORMAT_RGB565:
		return r >> 3 << 11 | g >> 2 << 5 | b >> 3;
	default:
		return rgb;
	}
}

static void test_formats_hold_the_same_colours(void **state)
{
	static const struct {
		const char *name;
		uint32_t fourcc, cpp, mask;
	} cases[] = {
		{"XR24", DRM_FORMAT_XRGB8888, 4, 0xffffff},
		{"AR24", DRM_FORMAT_ARGB8888, 4, 0xffffffff},
		{"XB24", DRM_FORMAT_XBGR8888, 4, 0xffffff},
		{"AB24", DRM_FORMAT_ABGR8888, 4, 0xffffffff},
		{"RG16", DRM_FORMAT_RGB565, 2, 0xffff},
	};
	static const char *const layouts[] = {"linear", "x", "y", "4"};
	struct pattern pattern = {PATTERN_DESKTOP, 0, 301, 99};
	uint32_t *expected = predict(&pattern, 40);

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases) * 4; i++) {
		uint32_t cpp = cases[i / 4].cpp, fourcc = cases[i / 4].fourcc;
		char *options = g_strdup_printf("mode=301x99,frame=40,format=%s,layout=%s",
						cases[i / 4].name, layouts[i % 4]);
		struct source *source = open_sim(options);
		struct plane plane = acquire(source);
		uint8_t *pixels = linear_of(&plane);

		assert_int_equal(plane.fourcc, fourcc);
		for (size_t p = 0; p < 301 * 99; p++) {
			uint32_t value = 0;

			memcpy(&value, pixels + p * cpp, cpp);
			if ((value & cases[i / 4].mask) != packed(fourcc, expected[p]))
				fail_msg("%s: pixel %zu is %08x, not %08x", options, p, value,
					 packed(fourcc, expected[p]));
		}
		source->ops->release(source, &plane);
		source->ops->close(source);
		free(pixels);
		g_free(options);
	}
	free(expected);
}

static void test_ten_bits_a_channel_keep_the_upper_eight(void **state)
{
	struct pattern pattern = {PATTERN_NOISE, 0, 64, 64};
	struct source *source = open_sim("mode=64x64,frame=1,pattern=noise,format=XR30");
	struct plane plane = acquire(source);
	uint32_t *expected = predict(&pattern, 1);

	(void)state;
	for (uint32_t i = 0; i < 64 * 64; i++) {
		uint32_t value;

		memcpy(&value, plane.data + i / 64 * plane.stride + i % 64 * 4, 4);
		assert_int_equal((value >> 22 & 255) << 16 | (value >> 12 & 255) << 8 |
					 (value >> 2 & 255),
				 expected[i]);
	}
	source->ops->release(source, &plane);
	source->ops->close(source);
	free(expected);
}

/* A reader's copy of the plane, kept up to date by what hint() tells alone. */
struct mirror {
	const struct plane *plane;
	uint32_t *pixels;
};

static void copy_rect(const struct detile_rect *rect, void *data)
{
	struct mirror *mirror = data;
	uint8_t *now = linear_of(mirror->plane);

	for (uint32_t y = rect->y; y < rect->y + rect->height; y++) {
		size_t at = (size_t)y * mirror->plane->width + rect->x;

		memcpy(mirror->pixels + at, now + at * 4, rect->width * 4);
	}
	free(now);
}

static void wait_for(struct source *source)
{
	struct pollfd poll_fd = {.fd = source->ops->event_fd(source), .events = POLLIN};

	assert_true(poll_fd.fd >= 0);
	assert_int_equal(poll(&poll_fd, 1, 10000), 1);
}

static void follow(const char *options, unsigned int looks)
{
	struct source *source = open_sim(options);
	struct mirror mirror = {.pixels = calloc(256 * 192, 4)};
	struct damage damage;
	unsigned int changes = 0;

	assert_non_null(mirror.pixels);
	assert_int_equal(damage_init(&damage, 256, 192), 0);
	for (unsigned int look = 0; look < looks; look++) {
		struct plane plane;
		uint8_t *now;

		if (look)
			wait_for(source);
		plane = acquire(source);
		mirror.plane = &plane;
		damage_clear(&damage);
		assert_int_equal(source->ops->hint(source, &damage), 0);
		changes += !damage_is_empty(&damage);
		damage_each(&damage, copy_rect, &mirror);
		now = linear_of(&plane);
		assert_memory_equal(mirror.pixels, now, 256 * 192 * 4);
		free(now);
		source->ops->release(source, &plane);
	}
	assert_true(changes > looks / 2);
	damage_finish(&damage);
	free(mirror.pixels);
	source->ops->close(source);
}

static void test_a_reader_may_trust_the_hints(void **state)
{
	(void)state;
	follow("mode=256x192,fps=1000,pattern=desktop,damage=rects", 60);
	follow("mode=256x192,fps=1000,pattern=clock,damage=rects,layout=4", 60);
	follow("mode=256x192,fps=1000,pattern=bars,damage=rects,layout=x,transport=dmabuf", 60);
	follow("mode=256x192,fps=1000,pattern=bars,damage=flag,layout=yf", 30);
	follow("mode=256x192,fps=1000,pattern=video,damage=rects,layout=y", 30);
}

/* The stamp of bars tells which frame was drawn: all of it must be that frame. */
static void test_a_plane_is_one_whole_frame(void **state)
{
	struct source *source = open_sim("mode=320x200,fps=1000,pattern=bars,layout=y");
	struct pattern pattern = {PATTERN_BARS, 0, 320, 200};
	uint32_t last = 0;

	(void)state;
	for (int look = 0; look < 30; look++) {
		struct plane plane = acquire(source);
		uint32_t *pixels = (uint32_t *)(void *)linear_of(&plane), *expected, frame = 0;

		for (uint32_t bit = 0; bit < 32; bit++)
			frame = frame << 1 | (pixels[bit * 8] != 0);
		assert_true(frame >= last);
		last = frame;
		expected = predict(&pattern, frame);
		assert_memory_equal(pixels, expected, 320 * 200 * 4);
		free(expected);
		free(pixels);
		source->ops->release(source, &plane);
		wait_for(source);
		assert_int_equal(source->ops->hint(source, &(struct damage){0}), 0);
	}
	assert_true(last > 0);
	source->ops->close(source);
}

static void test_the_first_hint_is_everything_and_a_still_then_says_nothing(void **state)
{
	struct source *source = open_sim("mode=640x480,pattern=static,fps=60");
	struct pollfd event = {.fd = source->ops->event_fd(source), .events = POLLIN};
	struct plane plane = acquire(source);
	struct damage damage;

	(void)state;
	assert_int_equal(damage_init(&damage, 640, 480), 0);
	assert_int_equal(source->ops->hint(source, &damage), 0);
	assert_int_equal(damage_count(&damage), 10 * 15);
	damage_clear(&damage);
	source->ops->release(source, &plane);
	plane = acquire(source);
	assert_int_equal(source->ops->hint(source, &damage), 0);
	assert_true(damage_is_empty(&damage));
	assert_int_equal(poll(&event, 1, 0), 0);
	source->ops->release(source, &plane);

	/* Memory that was given back is news when it comes again. */
	source->ops->rest(source);
	plane = acquire(source);
	assert_int_equal(source->ops->hint(source, &damage), 0);
	assert_int_equal(damage_count(&damage), 10 * 15);
	source->ops->release(source, &plane);
	damage_finish(&damage);
	source->ops->close(source);
}

/* One letter and a small window: a few cells, or all of them where only the flag is told. */
static size_t cells_of_a_small_change(const char *options)
{
	struct source *source = open_sim(options);
	struct plane plane = acquire(source);
	struct damage damage;
	size_t count;

	assert_int_equal(damage_init(&damage, 1280, 720), 0);
	assert_int_equal(source->ops->hint(source, &damage), 0);
	source->ops->release(source, &plane);
	damage_clear(&damage);
	wait_for(source);
	assert_int_equal(source->ops->hint(source, &damage), 0);
	count = damage_count(&damage);
	damage_finish(&damage);
	source->ops->close(source);
	return count;
}

static void test_rectangles_tell_less_than_the_flag(void **state)
{
	(void)state;
	assert_in_range(cells_of_a_small_change("mode=1280x720,fps=5,damage=rects"), 1, 60);
	assert_int_equal(cells_of_a_small_change("mode=1280x720,fps=5,damage=flag"), 20 * 23);
}

static void test_damage_none_leaves_it_to_the_reader(void **state)
{
	struct source *source = open_sim("mode=64x64,damage=none");
	struct damage damage;

	(void)state;
	assert_int_equal(damage_init(&damage, 64, 64), 0);
	assert_int_equal(source->ops->hint(source, &damage), -ENOTSUP);
	assert_true(damage_is_empty(&damage));
	assert_int_equal(source->ops->event_fd(source), -1);
	damage_finish(&damage);
	source->ops->close(source);
}

static void test_a_held_plane_does_not_move(void **state)
{
	struct source *source = open_sim("mode=128x96,fps=1000,pattern=noise");
	struct plane first = acquire(source), second;
	uint8_t *before = linear_of(&first), *after;
	struct damage damage;

	(void)state;
	assert_int_equal(damage_init(&damage, 128, 96), 0);
	wait_for(source);
	assert_int_equal(source->ops->hint(source, &damage), 0);
	second = acquire(source);
	after = linear_of(&second);
	assert_ptr_equal(first.data, second.data);
	assert_memory_equal(before, after, 128 * 96 * 4);
	source->ops->rest(source); /* must not take it away either */
	free(after);
	after = linear_of(&first);
	assert_memory_equal(before, after, 128 * 96 * 4);
	source->ops->release(source, &first);
	source->ops->release(source, &second);
	wait_for(source); /* what came meanwhile is still news */
	free(before);
	free(after);
	damage_finish(&damage);
	source->ops->close(source);
}

static void test_modes_take_turns_and_off_is_one(void **state)
{
	struct source *source = open_sim(
		"modes=64x64+off+200x100,period=0.01,pattern=static,layout=x");
	uint64_t generation = 0;
	bool small = false, large = false, off = false, stale = false;
	struct damage damage;

	(void)state;
	assert_int_equal(damage_init(&damage, 64, 64), 0);
	for (int look = 0; look < MAX_LOOKS && !(small && large && off && stale); look++) {
		struct plane plane;
		GError *error = NULL;
		int ret = source->ops->acquire(source, PLANE_PRIMARY, &plane, &error);

		if (ret) {
			assert_int_equal(ret, -ENODATA);
			assert_string_equal(error->message, "the plane is off (no mode is set)");
			g_error_free(error);
			off = true;
		} else {
			assert_true(plane.generation >= generation);
			generation = plane.generation;
			small |= plane.width == 64 && plane.height == 64;
			large |= plane.width == 200 && plane.height == 100;
			assert_int_equal(plane_validate(&plane, NULL), 0);
		}
		wait_for(source);
		if (!ret) {
			stale |= !source->ops->same(source, PLANE_PRIMARY, &plane);
			source->ops->release(source, &plane);
		}
		/* Another mode, or none, is damage wherever the reader looks. */
		damage_clear(&damage);
		assert_int_equal(source->ops->hint(source, &damage), 0);
		assert_false(damage_is_empty(&damage));
	}
	assert_true(small && large && off && stale);
	damage_finish(&damage);
	source->ops->close(source);
}

static void test_mode_off_is_no_data(void **state)
{
	struct source *source = open_sim("mode=off,cursor=on");
	struct plane plane;
	GError *error = NULL;

	(void)state;
	assert_int_equal(source->ops->acquire(source, PLANE_PRIMARY, &plane, &error), -ENODATA);
	assert_non_null(error);
	g_clear_error(&error);
	assert_int_equal(source->ops->acquire(source, PLANE_CURSOR, &plane, NULL), -ENODATA);
	source->ops->close(source);
}

static void test_the_cursor_is_where_the_frame_puts_it(void **state)
{
	static uint32_t expected[SIM_CURSOR_SIZE * SIM_CURSOR_SIZE];
	struct source *source = open_sim("mode=800x600,frame=77,cursor=on,seed=4");
	struct plane plane;
	int32_t x, y;

	(void)state;
	assert_int_equal(source->ops->acquire(source, PLANE_CURSOR, &plane, NULL), 0);
	assert_int_equal(plane_validate(&plane, NULL), 0);
	sim_cursor_place(800, 600, 4, 77, &x, &y);
	sim_cursor_draw(expected);
	assert_int_equal(plane.x, x);
	assert_int_equal(plane.y, y);
	assert_int_equal(plane.hot_x, SIM_CURSOR_HOT);
	assert_int_equal(plane.hot_y, SIM_CURSOR_HOT);
	assert_int_equal(plane.width, 64);
	assert_int_equal(plane.fourcc, DRM_FORMAT_ARGB8888);
	assert_memory_equal(plane.data, expected, sizeof(expected));
	/* Opaque ink at the tip, nothing outside, and premultiplied everywhere. */
	assert_int_equal(expected[SIM_CURSOR_HOT * 64 + SIM_CURSOR_HOT] >> 24, 255);
	assert_int_equal(expected[63], 0);
	for (size_t i = 0; i < G_N_ELEMENTS(expected); i++)
		for (int shift = 0; shift < 24; shift += 8)
			assert_true((expected[i] >> shift & 255) <= expected[i] >> 24);
	assert_true(source->ops->same(source, PLANE_CURSOR, &plane));
	source->ops->release(source, &plane);
	source->ops->close(source);
}

static void test_the_cursor_wanders_to_the_edges_with_its_tip_inside(void **state)
{
	static const uint32_t modes[][2] = {{1920, 1080}, {333, 222}, {1, 1}, {16384, 16384}};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
		int32_t width = (int32_t)modes[i][0], height = (int32_t)modes[i][1];
		int32_t min_x = INT32_MAX, max_x = INT32_MIN, x, y;

		for (uint64_t frame = 0; frame < 2000; frame++) {
			sim_cursor_place(modes[i][0], modes[i][1], 3, frame, &x, &y);
			assert_in_range(x + SIM_CURSOR_HOT, 0, width - 1);
			assert_in_range(y + SIM_CURSOR_HOT, 0, height - 1);
			min_x = x < min_x ? x : min_x;
			max_x = x > max_x ? x : max_x;
		}
		assert_true(min_x < 0 && max_x > width - (int32_t)SIM_CURSOR_SIZE);
	}
}

static void test_without_a_cursor_there_is_no_cursor_plane(void **state)
{
	struct source *source = open_sim(NULL);
	struct plane plane;
	GError *error = NULL;

	(void)state;
	assert_int_equal(source->ops->acquire(source, PLANE_CURSOR, &plane, &error), -ENODATA);
	assert_string_equal(error->message, "no cursor plane (use cursor=on)");
	g_error_free(error);
	source->ops->close(source);
}

static void test_a_moving_cursor_is_an_event_on_a_still(void **state)
{
	struct source *source = open_sim("mode=64x64,pattern=static,cursor=on,fps=1000");
	struct damage damage;

	(void)state;
	assert_int_equal(damage_init(&damage, 64, 64), 0);
	assert_int_equal(source->ops->hint(source, &damage), 0);
	damage_clear(&damage);
	for (int i = 0; i < 3; i++) {
		wait_for(source);
		assert_int_equal(source->ops->hint(source, &damage), 0);
		assert_true(damage_is_empty(&damage));
	}
	damage_finish(&damage);
	source->ops->close(source);
}

/* A dma-buf's reader cannot write: the plane is mapped read-only, as a real one is. */
static void test_dmabuf_planes_are_read_only(void **state)
{
	struct source *source = open_sim("mode=64x64,transport=dmabuf,frame=0");
	struct plane plane = acquire(source);
	char line[256], *want = g_strdup_printf("%lx-", (unsigned long)plane.data);
	FILE *maps = fopen("/proc/self/maps", "r");
	bool found = false;

	(void)state;
	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps))
		if (g_str_has_prefix(line, want)) {
			found = true;
			assert_non_null(strstr(line, " r--s "));
		}
	assert_true(found);
	fclose(maps);
	g_free(want);
	source->ops->release(source, &plane);
	source->ops->close(source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_layout_and_transport_shows_the_predicted_pixels),
		cmocka_unit_test(test_every_pattern_shows_its_frame),
		cmocka_unit_test(test_formats_hold_the_same_colours),
		cmocka_unit_test(test_ten_bits_a_channel_keep_the_upper_eight),
		cmocka_unit_test(test_a_reader_may_trust_the_hints),
		cmocka_unit_test(test_a_plane_is_one_whole_frame),
		cmocka_unit_test(test_the_first_hint_is_everything_and_a_still_then_says_nothing),
		cmocka_unit_test(test_rectangles_tell_less_than_the_flag),
		cmocka_unit_test(test_damage_none_leaves_it_to_the_reader),
		cmocka_unit_test(test_a_held_plane_does_not_move),
		cmocka_unit_test(test_modes_take_turns_and_off_is_one),
		cmocka_unit_test(test_mode_off_is_no_data),
		cmocka_unit_test(test_the_cursor_is_where_the_frame_puts_it),
		cmocka_unit_test(test_the_cursor_wanders_to_the_edges_with_its_tip_inside),
		cmocka_unit_test(test_without_a_cursor_there_is_no_cursor_plane),
		cmocka_unit_test(test_a_moving_cursor_is_an_event_on_a_still),
		cmocka_unit_test(test_dmabuf_planes_are_read_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

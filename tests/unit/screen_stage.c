/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "screen_stage.h"

#include <drm_fourcc.h>
#include <errno.h>
#include <stdlib.h>

#include "log.h"
#include "member.h"
#include "unit.h"

static int fake_acquire(struct source *base, enum plane_type type, struct plane *plane,
			GError **error)
{
	struct fake_source *source = (struct fake_source *)base;

	if (type == PLANE_CURSOR) {
		*plane = source->cursor;
		if (plane->width)
			return 0;
		return source->cursor_ret ? source->cursor_ret : -ENODATA;
	}
	assert_int_equal(type, PLANE_PRIMARY);
	if (source->acquire_ret)
		return fail(error, EXIT_FAILED, -source->acquire_ret, "switched off by the test");
	*plane = source->plane;
	return 0;
}

static bool fake_same(struct source *base, enum plane_type type, const struct plane *plane)
{
	struct fake_source *source = (struct fake_source *)base;

	(void)type;
	(void)plane;
	if (!source->changes)
		return true;
	source->changes--;
	return false;
}

static void fake_release(struct source *base, struct plane *plane)
{
	(void)base;
	plane->data = NULL;
}

static int fake_event_fd(struct source *base)
{
	(void)base;
	return -1;
}

static int fake_hint(struct source *base, struct damage *damage)
{
	(void)damage;
	return ((struct fake_source *)base)->hint_ret;
}

static void fake_rest(struct source *base)
{
	((struct fake_source *)base)->rests++;
}

static int fake_set_mode(struct source *base, uint32_t width, uint32_t height)
{
	struct fake_source *source = (struct fake_source *)base;

	source->wished_width = width;
	source->wished_height = height;
	return source->set_mode_ret;
}

static void fake_source_describe(struct source *base, JsonBuilder *json)
{
	(void)base;
	member_string(json, "damage", "fake");
}

static void fake_source_close(struct source *base)
{
	((struct fake_source *)base)->closes++;
}

static const struct source_ops fake_source_ops = {
	.name = "fake",
	.acquire = fake_acquire,
	.same = fake_same,
	.release = fake_release,
	.event_fd = fake_event_fd,
	.hint = fake_hint,
	.rest = fake_rest,
	.set_mode = fake_set_mode,
	.describe = fake_source_describe,
	.close = fake_source_close,
};

static int fake_resize(struct sink *base, struct frame *frame)
{
	struct fake_sink *sink = (struct fake_sink *)base;

	frame_release(sink->frame);
	sink->frame = frame_acquire(frame);
	sink->resizes++;
	return 0;
}

static void fake_wake(struct sink *base, const struct damage *damage, const struct moves *moves)
{
	struct fake_sink *sink = (struct fake_sink *)base;

	(void)moves;
	assert_int_equal(damage->width, sink->frame->width);
	assert_int_equal(damage->height, sink->frame->height);
	assert_false(damage_is_empty(damage));
	sink->damaged = damage_count(damage);
	sink->wakes++;
}

static void fake_pointer(struct sink *base, struct pointer *shape, int32_t x, int32_t y)
{
	struct fake_sink *sink = (struct fake_sink *)base;

	sink->points++;
	pointer_release(sink->shape);
	sink->shape = pointer_acquire(shape);
	sink->x = x;
	sink->y = y;
}

static void fake_captured(struct sink *base)
{
	((struct fake_sink *)base)->captures++;
}

static void fake_demand(struct sink *base, struct sink_demand *demand)
{
	struct fake_sink *sink = (struct fake_sink *)base;

	*demand = sink->demand;
	sink->demand.fresh = 0;
}

static void fake_answer(struct sink *base, int ret)
{
	struct fake_sink *sink = (struct fake_sink *)base;

	sink->answers++;
	sink->answer = ret;
	sink->demand.wish_width = 0;
}

static void fake_sink_describe(struct sink *base, JsonBuilder *json)
{
	(void)base;
	member_array(json, "clients");
	json_builder_end_array(json);
}

static void fake_sink_close(struct sink *base)
{
	struct fake_sink *sink = (struct fake_sink *)base;

	pointer_release(sink->shape);
	frame_release(sink->frame);
	sink->closes++;
}

static const struct sink_ops fake_sink_ops = {
	.name = "fake",
	.resize = fake_resize,
	.wake = fake_wake,
	.pointer = fake_pointer,
	.captured = fake_captured,
	.demand = fake_demand,
	.answer = fake_answer,
	.describe = fake_sink_describe,
	.close = fake_sink_close,
};

void stage_set_mode(struct fake_source *source, uint32_t width, uint32_t height, uint32_t pixel)
{
	source->pixels = realloc(source->pixels, (size_t)width * height * 4);
	assert_non_null(source->pixels);
	for (size_t i = 0; i < (size_t)width * height; i++)
		source->pixels[i] = pixel;
	source->plane = (struct plane){
		.fourcc = DRM_FORMAT_XRGB8888,
		.modifier = DRM_FORMAT_MOD_LINEAR,
		.width = width,
		.height = height,
		.stride = width * 4,
		.data = (const uint8_t *)source->pixels,
		.size = (size_t)width * height * 4,
		.generation = source->plane.generation + 1,
	};
}

void stage_set_cursor(struct fake_source *source, uint32_t pixel, int32_t x, int32_t y,
		      uint64_t contents)
{
	for (size_t i = 0; i < 4; i++)
		source->cursor_pixels[i] = pixel;
	source->cursor = (struct plane){
		.fourcc = DRM_FORMAT_ARGB8888,
		.modifier = DRM_FORMAT_MOD_LINEAR,
		.width = 2,
		.height = 2,
		.stride = 8,
		.data = (const uint8_t *)source->cursor_pixels,
		.size = sizeof(source->cursor_pixels),
		.x = x,
		.y = y,
		.hot_x = 1,
		.generation = 1,
		.contents = contents,
	};
}

int stage_setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->source.base.ops = &fake_source_ops;
	fixture->source.hint_ret = -ENOTSUP;
	fixture->sink.base.ops = &fake_sink_ops;
	stage_set_mode(&fixture->source, 100, 50, 0x112233);
	*state = fixture;
	return 0;
}

int stage_teardown(void **state)
{
	struct fixture *fixture = *state;

	screen_destroy(fixture->screen);
	assert_int_equal(fixture->source.closes, 1);
	assert_int_equal(fixture->sink.closes, 1);
	free(fixture->source.pixels);
	free(fixture);
	return 0;
}

void stage_start(struct fixture *fixture)
{
	struct screen_options options = {.max_fps = 200};

	assert_int_equal(screen_create(&fixture->source.base, &options, &fixture->screen), 0);
	fixture->sink.frame = frame_acquire(screen_frame(fixture->screen));
	screen_add_sink(fixture->screen, &fixture->sink.base);
}

void run_until_captured(struct fixture *fixture, unsigned int captures)
{
	for (int i = 0; i < 100000 && fixture->sink.captures < captures; i++)
		g_main_context_iteration(NULL, TRUE);
	assert_true(fixture->sink.captures >= captures);
}

void stage_join(struct fixture *fixture)
{
	fixture->sink.demand = (struct sink_demand){.clients = 1, .waiting = 1, .fresh = 1};
	sink_poke(&fixture->sink.base);
}

void expect_frame(const struct frame *frame, uint32_t width, uint32_t height, uint32_t pixel)
{
	assert_int_equal(frame->width, width);
	assert_int_equal(frame->height, height);
	for (uint32_t y = 0; y < height; y++)
		for (uint32_t x = 0; x < width; x++)
			assert_int_equal(frame->pixels[y * frame->stride / 4 + x] & 0xffffff,
					 pixel);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A screen between two doubles: a device under the test's control, and a sink that keeps count.
 */
#pragma once

#include <stdint.h>

#include "frame.h"
#include "pointer.h"
#include "screen.h"
#include "sink.h"
#include "source.h"

struct fake_source {
	struct source base;
	struct plane plane;
	uint32_t *pixels;
	int acquire_ret;
	int hint_ret;
	struct plane cursor; /* width 0: none, which is said by: */
	int cursor_ret;      /* 0: -ENODATA */
	uint32_t cursor_pixels[4];
	unsigned int changes; /* so many times the plane is another one after the pass */
	unsigned int rests, closes;
	int set_mode_ret;
	uint32_t wished_width, wished_height;
};

struct fake_sink {
	struct sink base;
	struct frame *frame;
	struct sink_demand demand;
	unsigned int resizes, wakes, captures, closes, answers;
	size_t damaged;      /* cells, by the last wake */
	int answer;          /* the last */
	unsigned int points; /* how often it was told of the pointer, and what last */
	struct pointer *shape;
	int32_t x, y;
};

struct fixture {
	struct fake_source source;
	struct fake_sink sink;
	struct screen *screen;
};

/* For cmocka: *state is a struct fixture whose device shows 100x50 pixels of 0x112233. */
int stage_setup(void **state);
int stage_teardown(void **state);

void stage_set_mode(struct fake_source *source, uint32_t width, uint32_t height, uint32_t pixel);

/* A pointer of 2x2 pixels; contents as in struct plane. */
void stage_set_cursor(struct fake_source *source, uint32_t pixel, int32_t x, int32_t y,
		      uint64_t contents);

void stage_start(struct fixture *fixture); /* makes the screen */
void stage_join(struct fixture *fixture);  /* a client comes */

/* Turns the loop until the sink has heard of so many finished captures. */
void run_until_captured(struct fixture *fixture, unsigned int captures);

void expect_frame(const struct frame *frame, uint32_t width, uint32_t height, uint32_t pixel);

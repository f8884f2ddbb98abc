/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim:cycle=N: a device that flips between frames which are drawn once. */
#include "source.h"

#include <string.h>
#include <unistd.h>

#include "kmod/pattern.h"
#include "unit.h"

#define WIDTH     320u /* rows without gaps */
#define HEIGHT    97u
#define CYCLE     3u
#define MAX_LOOKS 20000

static bool shows(const struct plane *plane, uint64_t frame)
{
	struct pattern pattern = {PATTERN_BARS, 0, WIDTH, HEIGHT};
	uint32_t row[WIDTH];

	for (uint32_t y = 0; y < HEIGHT; y++) {
		pattern_row(&pattern, frame, y, 0, WIDTH, row);
		if (memcmp(plane->data + (size_t)y * plane->stride, row, sizeof(row)))
			return false;
	}
	return true;
}

static void test_a_cycle_shows_each_frame_from_memory_of_its_own(void **state)
{
	const uint8_t *data[CYCLE] = {NULL};
	struct source *source = NULL;
	unsigned int seen = 0, looks = 0;

	(void)state;
	assert_int_equal(
		source_sim_open("mode=320x97,pattern=bars,fps=1000,cycle=3", &source, NULL), 0);
	while (seen != (1u << CYCLE) - 1 && looks++ < MAX_LOOKS) {
		struct plane plane;
		uint64_t frame = 0;

		assert_int_equal(source->ops->acquire(source, PLANE_PRIMARY, &plane, NULL), 0);
		while (frame < CYCLE && !shows(&plane, frame))
			frame++;
		assert_in_range(frame, 0, CYCLE - 1);
		assert_true(!data[frame] || data[frame] == plane.data);
		for (uint64_t other = 0; other < CYCLE; other++)
			assert_true(other == frame || data[other] != plane.data);
		data[frame] = plane.data;
		seen |= 1u << frame;
		source->ops->release(source, &plane);
		usleep(700);
	}
	assert_int_equal(seen, (1u << CYCLE) - 1);
	source->ops->close(source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_cycle_shows_each_frame_from_memory_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "frame.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unit.h"

static void test_a_frame_is_black_and_aligned(void **state)
{
	static const uint32_t sizes[][2] = {{1, 1},   {15, 3},      {16, 1},
					    {17, 40}, {1920, 1080}, {16384, 2}};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct frame *frame = frame_create(sizes[i][0], sizes[i][1]);

		assert_non_null(frame);
		assert_int_equal(frame->width, sizes[i][0]);
		assert_int_equal(frame->height, sizes[i][1]);
		assert_int_equal((uintptr_t)frame->pixels % 64, 0);
		assert_int_equal(frame->stride % 64, 0);
		assert_in_range(frame->stride, frame->width * 4, frame->width * 4 + 63);
		for (size_t p = 0; p < frame->stride / 4 * frame->height; p++)
			if (frame->pixels[p])
				fail_msg("pixel %zu is %08x", p, frame->pixels[p]);
		frame_release(frame);
	}
}

static void test_a_large_frame_begins_a_huge_page(void **state)
{
	struct frame *frame = frame_create(1920, 1080);

	(void)state;
	assert_int_equal((uintptr_t)frame->pixels % (2 << 20), 0);
	frame_release(frame);
}

static void test_every_frame_has_its_own_generation(void **state)
{
	struct frame *a = frame_create(4, 4), *b = frame_create(4, 4);
	uint64_t old = a->generation;

	(void)state;
	assert_int_not_equal(a->generation, b->generation);
	frame_release(a);
	a = frame_create(4, 4);
	assert_int_not_equal(a->generation, old);
	assert_int_not_equal(a->generation, b->generation);
	frame_release(a);
	frame_release(b);
}

static void test_a_frame_lives_until_its_last_reader(void **state)
{
	struct frame *frame = frame_create(8, 8);

	(void)state;
	assert_ptr_equal(frame_acquire(frame), frame);
	frame_release(frame);
	frame->pixels[63] = 0x123456; /* a sanitizer would speak up here */
	assert_int_equal(frame->references, 1);
	frame_release(frame);
	frame_release(NULL);
}

/* How many bytes of a frame's whole pages are in memory. */
static size_t resident(const struct frame *frame)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), count = frame->stride * frame->height / page;
	unsigned char *pages = calloc(count, 1);
	size_t found = 0;

	assert_int_equal(mincore(frame->pixels, count * page, pages), 0);
	for (size_t i = 0; i < count; i++)
		found += pages[i] & 1;
	free(pages);
	return found * page;
}

static void test_a_frame_at_rest_has_no_memory(void **state)
{
	static const uint32_t sizes[][2] = {{1920, 1080}, {100, 50}, {1, 1}};
	unsigned int before, count;
	size_t bytes_before, bytes;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct frame *frame;
		size_t pixels;

		frame_held(&before, &bytes_before);
		frame = frame_create(sizes[i][0], sizes[i][1]);
		pixels = frame->stride / 4 * frame->height;
		assert_int_equal(resident(frame), 0);
		for (size_t p = 0; p < pixels; p++)
			frame->pixels[p] = 0x123456;
		frame_held(&count, &bytes);
		assert_int_equal(count, before + 1);
		assert_int_equal(bytes - bytes_before, pixels * 4);
		for (int times = 0; times < 2; times++)
			frame_rest(frame);
		assert_int_equal(resident(frame), 0);
		frame_held(&count, &bytes);
		assert_int_equal(count, before);
		assert_int_equal(bytes, bytes_before);
		for (size_t p = 0; p < pixels; p++)
			assert_int_equal(frame->pixels[p], 0);
		for (int times = 0; times < 2; times++)
			frame_wake(frame);
		frame_held(&count, &bytes);
		assert_int_equal(count, before + 1);
		frame_rest(frame);
		frame_release(frame);
		frame_held(&count, &bytes);
		assert_int_equal(count, before);
		assert_int_equal(bytes, bytes_before);
	}
}

static void *use(void *data)
{
	for (int i = 0; i < 100000; i++)
		frame_release(frame_acquire(data));
	return NULL;
}

static void test_references_are_counted_across_threads(void **state)
{
	struct frame *frame = frame_create(8, 8);
	pthread_t threads[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use, frame), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(frame->references, 1);
	frame_release(frame);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_frame_is_black_and_aligned),
		cmocka_unit_test(test_a_large_frame_begins_a_huge_page),
		cmocka_unit_test(test_every_frame_has_its_own_generation),
		cmocka_unit_test(test_a_frame_lives_until_its_last_reader),
		cmocka_unit_test(test_a_frame_at_rest_has_no_memory),
		cmocka_unit_test(test_references_are_counted_across_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

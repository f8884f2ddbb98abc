/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bands.h"

#include <errno.h>
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "detile/cpu.h"

#define WIDTH  1000u
#define HEIGHT 777u
#define STRIDE 4096u /* both a tiled surface's and an image's */
#define ROWS   800u  /* whole tiles */
#define WORDS  (1u * 25u)

static void test_bands_refuse_absurd_numbers_of_threads(void **state)
{
	struct bands *bands;

	(void)state;
	assert_int_equal(bands_create(0, &bands), -EINVAL);
	assert_int_equal(bands_create(65, &bands), -EINVAL);
	bands_destroy(NULL);
}

static void count_one(void *data, unsigned int n)
{
	g_atomic_int_inc((gint *)data + n);
}

static void test_bands_do_each_piece_once(void **state)
{
	(void)state;
	for (unsigned int threads = 1; threads <= 5; threads++) {
		struct bands *bands;

		assert_int_equal(bands_create(threads, &bands), 0);
		for (unsigned int count = 0; count < 200; count++) {
			gint seen[200] = {0};

			bands_each(bands, count, count_one, seen);
			for (unsigned int n = 0; n < 200; n++)
				assert_int_equal(seen[n], n < count);
		}
		bands_destroy(bands);
	}
}

static uint8_t *random_bytes(size_t size, uint32_t seed)
{
	uint8_t *bytes = aligned_alloc(64, size);
	GRand *random = g_rand_new_with_seed(seed);

	assert_non_null(bytes);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)g_rand_int(random);
	g_rand_free(random);
	return bytes;
}

/* Whatever the rectangle and the number of threads, the result is that of one. */
static void test_bands_equal_one_thread(void **state)
{
	static const struct detile_rect rects[] = {
		{0, 0, WIDTH, HEIGHT},   {0, 0, UINT32_MAX, UINT32_MAX},
		{13, 37, 700, 500},      {64, 32, 640, 320},
		{0, 31, WIDTH, 700},     {990, 770, 50, 50},
		{0, HEIGHT, WIDTH, 100}, {5, 5, 0, 0},
		{0, 100, WIDTH, 66},
	};
	uint8_t *source = random_bytes((size_t)STRIDE * ROWS, 1);
	uint8_t *one = random_bytes((size_t)STRIDE * ROWS, 2);
	uint8_t *many = random_bytes((size_t)STRIDE * ROWS, 2);
	struct detile_surface surface = {source,   (size_t)STRIDE * ROWS, WIDTH, HEIGHT, STRIDE, 4,
					 DETILE_Y, DETILE_SWIZZLE_NONE,   false};
	struct detile_image to_one = {one, STRIDE}, to_many = {many, STRIDE};
	struct detile table;

	(void)state;
	detile_init(&table, detile_cpu_flags());
	assert_int_equal(detile_check(&surface), 0);
	for (size_t i = 0; i < 8 * G_N_ELEMENTS(rects); i++) {
		const struct detile_rect *rect = &rects[i / 8];
		uint64_t words[WORDS] = {0}, expected[WORDS] = {0};
		struct detile_cells cells = {words, 1}, cells_expected = {expected, 1};
		struct bands *bands;

		assert_int_equal(bands_create((unsigned int)(i / 2 % 4 + 1), &bands), 0);
		/* A pixel of three cells is wrong in both. */
		memset(one + 40 * STRIDE + 1000, 7, 4);
		memset(many + 40 * STRIDE + 1000, 7, 4);
		memset(one + 400 * STRIDE + 2000, 8, 4);
		memset(many + 400 * STRIDE + 2000, 8, 4);
		memset(one + 776 * STRIDE + 3996, 9, 4);
		memset(many + 776 * STRIDE + 3996, 9, 4);
		if (i % 2) {
			detile_copy(&table, &surface, rect, &to_one, DETILE_NORMAL);
			bands_copy(bands, &table, &surface, rect, &to_many, DETILE_NORMAL);
		} else {
			uint32_t changed = detile_compare(&table, &surface, rect, &to_one,
							  0x00ffffff, &cells_expected);

			assert_int_equal(bands_compare(bands, &table, &surface, rect, &to_many,
						       0x00ffffff, &cells),
					 changed);
		}
		assert_memory_equal(words, expected, sizeof(words));
		assert_memory_equal(one, many, (size_t)STRIDE * ROWS);
		bands_destroy(bands);
	}
	free(source);
	free(one);
	free(many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bands_refuse_absurd_numbers_of_threads),
		cmocka_unit_test(test_bands_do_each_piece_once),
		cmocka_unit_test(test_bands_equal_one_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Few commands that draw all that changed, and nothing twice. */
#include "spice_rects.h"

#include "damage.h"
#include "unit.h"

static const struct {
	uint32_t width, height;
} sizes[] = {{64, 32},     {800, 600},   {1024, 768}, {1366, 768},
	     {1920, 1080}, {7680, 4320}, {16384, 33}, {65, 16384}};

static void keep(const struct detile_rect *rect, void *data)
{
	g_array_append_val((GArray *)data, *rect);
}

static GArray *rects_of(const struct damage *damage)
{
	GArray *rects = g_array_new(FALSE, FALSE, sizeof(struct detile_rect));

	damage_each(damage, keep, rects);
	return rects;
}

static void assert_joined(const struct damage *damage)
{
	GArray *before = rects_of(damage), *after = rects_of(damage);
	struct damage covered;
	size_t cells = 0;

	spice_rects_join(after, damage->height);
	assert_true(after->len <= SPICE_RECTS_MOST);
	if (before->len <= SPICE_RECTS_MOST)
		assert_int_equal(after->len, before->len);
	assert_int_equal(damage_init(&covered, damage->width, damage->height), 0);
	for (guint i = 0; i < after->len; i++) {
		const struct detile_rect *rect = &g_array_index(after, struct detile_rect, i);

		assert_true(rect->x + rect->width <= damage->width);
		assert_true(rect->y + rect->height <= damage->height);
		damage_add(&covered, rect);
		cells += (size_t)((rect->width + DETILE_CELL_WIDTH - 1) / DETILE_CELL_WIDTH) *
			 ((rect->height + DETILE_CELL_HEIGHT - 1) / DETILE_CELL_HEIGHT);
	}
	assert_int_equal(damage_count(&covered), cells); /* nothing twice */
	damage_merge(&covered, damage);
	assert_int_equal(damage_count(&covered), cells); /* nothing is missing */
	damage_finish(&covered);
	g_array_unref(before);
	g_array_unref(after);
}

static void add_cell(struct damage *damage, uint32_t column, uint32_t row)
{
	damage_add(damage, &(struct detile_rect){column * DETILE_CELL_WIDTH,
						 row * DETILE_CELL_HEIGHT, 1, 1});
}

static void test_a_chess_board(void **state)
{
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		struct damage damage;

		assert_int_equal(damage_init(&damage, sizes[i].width, sizes[i].height), 0);
		for (uint32_t row = 0; row < damage.rows; row++)
			for (uint32_t column = row % 2; column < damage.columns; column += 2)
				add_cell(&damage, column, row);
		assert_joined(&damage);
		damage_finish(&damage);
	}
}

static void test_random_changes(void **state)
{
	GRand *chance = g_rand_new_with_seed(8);

	(void)state;
	for (int round = 0; round < 200; round++) {
		size_t size = (size_t)g_rand_int_range(chance, 0, G_N_ELEMENTS(sizes));
		struct damage damage;

		assert_int_equal(damage_init(&damage, sizes[size].width, sizes[size].height), 0);
		for (int count = g_rand_int_range(chance, 0, 300); count; count--)
			add_cell(&damage, g_rand_int(chance) % damage.columns,
				 g_rand_int(chance) % damage.rows);
		assert_joined(&damage);
		damage_finish(&damage);
	}
	g_rand_free(chance);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_chess_board),
		cmocka_unit_test(test_random_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "damage.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define MAX_CELLS (300 * 20)

static const uint32_t sizes[][2] = {
	{1, 1},     {63, 31},   {64, 32},    {65, 33},   {640, 480},   {1920, 1080},
	{4096, 64}, {4097, 65}, {4160, 100}, {8192, 32}, {16384, 600},
};

/* The same in the plainest form: a byte a cell. */
struct model {
	uint32_t width, height, columns, rows;
	uint8_t cells[MAX_CELLS];
};

static void begin(struct model *model, struct damage *damage, const uint32_t size[2])
{
	memset(model, 0, sizeof(*model));
	model->width = size[0];
	model->height = size[1];
	model->columns = (size[0] + 63) / 64;
	model->rows = (size[1] + 31) / 32;
	assert_true(model->columns * model->rows <= MAX_CELLS);
	assert_int_equal(damage_init(damage, size[0], size[1]), 0);
}

/* A cell is damaged if one of its pixels is. */
static void model_add(struct model *model, const struct detile_rect *rect)
{
	uint64_t x2 = (uint64_t)rect->x + rect->width, y2 = (uint64_t)rect->y + rect->height;

	for (uint32_t row = 0; row < model->rows; row++)
		for (uint32_t column = 0; column < model->columns; column++) {
			uint64_t x = column * 64, y = row * 32;
			uint64_t end_x = x + 64 < model->width ? x + 64 : model->width;
			uint64_t end_y = y + 32 < model->height ? y + 32 : model->height;

			if (rect->x < end_x && x2 > x && rect->y < end_y && y2 > y &&
			    x2 > rect->x && y2 > rect->y)
				model->cells[row * model->columns + column] = 1;
		}
}

static size_t model_count(const struct model *model)
{
	size_t count = 0;

	for (uint32_t i = 0; i < model->columns * model->rows; i++)
		count += model->cells[i];
	return count;
}

/* What damage_each() told, laid over the model: every cell at most once, whole cells only. */
struct cover {
	struct model *model;
	uint8_t seen[MAX_CELLS];
	uint32_t last_y;
	size_t calls;
};

static void cover_rect(const struct detile_rect *rect, void *data)
{
	struct cover *cover = data;
	struct model *model = cover->model;
	uint32_t x2 = rect->x + rect->width, y2 = rect->y + rect->height;

	assert_true(rect->width && rect->height);
	assert_int_equal(rect->x % 64, 0);
	assert_int_equal(rect->y % 32, 0);
	assert_true(x2 % 64 == 0 || x2 == model->width);
	assert_true(y2 % 32 == 0 || y2 == model->height);
	assert_true(x2 <= model->width && y2 <= model->height);
	assert_true(rect->y >= cover->last_y);
	cover->last_y = rect->y;
	cover->calls++;
	for (uint32_t y = rect->y / 32; y * 32 < y2; y++)
		for (uint32_t x = rect->x / 64; x * 64 < x2; x++) {
			assert_int_equal(cover->seen[y * model->columns + x], 0);
			cover->seen[y * model->columns + x] = 1;
		}
}

static void check(const struct damage *damage, struct model *model)
{
	struct cover cover = {.model = model};
	size_t count = damage_each(damage, cover_rect, &cover);

	assert_int_equal(count, cover.calls);
	assert_memory_equal(cover.seen, model->cells, sizeof(cover.seen));
	assert_int_equal(damage_count(damage), model_count(model));
	assert_int_equal(damage_is_empty(damage), model_count(model) == 0);
}

/* Anywhere, also outside and with numbers that overflow when added. */
static struct detile_rect random_rect(const struct model *model)
{
	struct detile_rect rect;

	rect.x = (uint32_t)rand() % (model->width + 9);
	rect.y = (uint32_t)rand() % (model->height + 9);
	rect.width = (uint32_t)rand() % (model->width + 2);
	rect.height = (uint32_t)rand() % (model->height + 2);
	switch (rand() % 8) {
	case 0:
		rect.width = rand() % 3;
		break;
	case 1:
		rect.height = rand() % 3;
		break;
	case 2:
		rect.width = UINT32_MAX - (uint32_t)rand() % 3;
		break;
	case 3:
		rect.height = UINT32_MAX - (uint32_t)rand() % 3;
		break;
	case 4:
		rect.x = UINT32_MAX - (uint32_t)rand() % 70;
		break;
	default:
		rect.width %= 200;
		rect.height %= 100;
		break;
	}
	return rect;
}

static void test_rectangles_become_the_cells_they_touch(void **state)
{
	(void)state;
	srand(2);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (int round = 0; round < 60; round++) {
			static struct model model;
			struct damage damage;

			begin(&model, &damage, sizes[i]);
			check(&damage, &model);
			for (int n = 0; n < round % 7 + 1; n++) {
				struct detile_rect rect = random_rect(&model);

				damage_add(&damage, &rect);
				model_add(&model, &rect);
				check(&damage, &model);
			}
			damage_clear(&damage);
			assert_true(damage_is_empty(&damage));
			damage_finish(&damage);
		}
}

static void test_all_is_one_rectangle(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		static struct model model;
		struct cover cover = {.model = &model};
		struct damage damage;

		begin(&model, &damage, sizes[i]);
		damage_add_all(&damage);
		assert_int_equal(damage_each(&damage, cover_rect, &cover), 1);
		assert_int_equal(damage_count(&damage), model.columns * model.rows);
		damage_finish(&damage);
	}
}

static void test_merging_is_the_union(void **state)
{
	(void)state;
	srand(3);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		static struct model both, other;
		struct damage a, b;

		begin(&both, &a, sizes[i]);
		begin(&other, &b, sizes[i]);
		for (int n = 0; n < 20; n++) {
			struct detile_rect rect = random_rect(&both);

			damage_add(n % 2 ? &a : &b, &rect);
			model_add(&both, &rect);
			if (n % 2 == 0)
				model_add(&other, &rect);
		}
		damage_merge(&a, &b);
		check(&a, &both);
		check(&b, &other);
		damage_finish(&a);
		damage_finish(&b);
	}
}

/* Cells that detile/ sets one by one, without any rectangle. */
static void test_scattered_cells_come_back(void **state)
{
	(void)state;
	srand(4);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (int round = 0; round < 20; round++) {
			static struct model model;
			struct damage damage;

			begin(&model, &damage, sizes[i]);
			for (uint32_t row = 0; row < model.rows; row++)
				for (uint32_t column = 0; column < model.columns; column++) {
					if (rand() % 20 < round)
						continue;
					model.cells[row * model.columns + column] = 1;
					damage.cells.words[row * damage.cells.stride +
							   column / 64] |= 1ull << column % 64;
				}
			check(&damage, &model);
			damage_finish(&damage);
		}
}

static void test_equal_rows_are_joined(void **state)
{
	static struct model model;
	struct cover cover = {.model = &model};
	struct damage damage;

	(void)state;
	begin(&model, &damage, (const uint32_t[2]){640, 480});
	damage_add(&damage, &(struct detile_rect){64, 32, 64, 320});
	damage_add(&damage, &(struct detile_rect){320, 32, 128, 320});
	assert_int_equal(damage_each(&damage, cover_rect, &cover), 2);
	damage_finish(&damage);
}

static void test_a_finished_damage_can_be_finished_again(void **state)
{
	struct damage damage = {0};

	(void)state;
	damage_finish(&damage);
	assert_int_equal(damage_init(&damage, 100, 100), 0);
	damage_finish(&damage);
	damage_finish(&damage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rectangles_become_the_cells_they_touch),
		cmocka_unit_test(test_all_is_one_rectangle),
		cmocka_unit_test(test_merging_is_the_union),
		cmocka_unit_test(test_scattered_cells_come_back),
		cmocka_unit_test(test_equal_rows_are_joined),
		cmocka_unit_test(test_a_finished_damage_can_be_finished_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One encoding for all clients of equal settings, and for nobody else. */
#include "encoder.h"

#include "unit.h"

#define WIDTH  1030u
#define HEIGHT 300u

static const struct vnc_format x8r8g8b8 = {32, 24, false, true, 255, 255, 255, 16, 8, 0};

/* Two pieces, one of them not a whole tile. */
static const struct detile_rect two[] = {
	{0, 0, TIGHT_WIDTH, TIGHT_HEIGHT},
	{TIGHT_WIDTH + 64, TIGHT_HEIGHT + 32, 128, 64},
};

struct pair {
	struct encoder *encoder;
	struct frame *frame;
	struct encoder_group *group[2];
};

static void open_pair(struct pair *pair, int other_quality)
{
	struct tight_settings settings = {.format = x8r8g8b8, .level = 1};

	assert_int_equal(encoder_create(3, false, &pair->encoder), 0);
	pair->frame = frame_create(WIDTH, HEIGHT);
	pair->group[0] = encoder_join(pair->encoder, &settings, pair->frame);
	settings.quality = other_quality;
	pair->group[1] = encoder_join(pair->encoder, &settings, pair->frame);
}

static void close_pair(struct pair *pair)
{
	struct encoder_counts counts;

	encoder_leave(pair->group[0]);
	encoder_leave(pair->group[1]);
	encoder_count(pair->encoder, &counts);
	assert_int_equal(counts.groups, 0);
	assert_int_equal(counts.pieces, 0);
	assert_int_equal(counts.bytes, 0);
	frame_release(pair->frame);
	encoder_destroy(pair->encoder);
}

static uint64_t encoded(struct pair *pair)
{
	struct encoder_counts counts;

	encoder_count(pair->encoder, &counts);
	return counts.encoded;
}

static void take(struct pair *pair, unsigned int who, const struct detile_rect *rects,
		 unsigned int count)
{
	struct encoder_piece *pieces[4];

	encoder_take(pair->group[who], pair->frame, rects, count, pieces);
	for (unsigned int i = 0; i < count; i++) {
		assert_true(pieces[i]->bytes->len > 12);
		encoder_release(pieces[i]);
	}
}

static void wake(struct pair *pair, uint64_t generation, uint32_t x, uint32_t y)
{
	struct damage damage;

	assert_int_equal(damage_init(&damage, WIDTH, HEIGHT), 0);
	damage_add(&damage, &(struct detile_rect){x, y, 1, 1});
	encoder_wake(pair->encoder, generation, &damage);
	damage_finish(&damage);
}

static void test_equal_clients_share_until_something_changes(void **state)
{
	struct pair pair;

	(void)state;
	open_pair(&pair, 0);
	assert_ptr_equal(pair.group[0], pair.group[1]);
	take(&pair, 0, two, 2);
	assert_int_equal(encoded(&pair), 2);
	take(&pair, 1, two, 2);
	take(&pair, 0, two, 1);
	assert_int_equal(encoded(&pair), 2);
	wake(&pair, pair.frame->generation, 5, 5);
	take(&pair, 1, two, 2);
	assert_int_equal(encoded(&pair), 3);
	wake(&pair, pair.frame->generation + 1, 5, 5); /* of another frame */
	take(&pair, 0, two, 2);
	assert_int_equal(encoded(&pair), 3);
	close_pair(&pair);
}

static void test_other_settings_are_encoded_apart(void **state)
{
	struct pair pair;

	(void)state;
	open_pair(&pair, 50);
	assert_ptr_not_equal(pair.group[0], pair.group[1]);
	take(&pair, 0, two, 2);
	take(&pair, 1, two, 2);
	assert_int_equal(encoded(&pair), 4);
	close_pair(&pair);
}

/* However many shapes are asked for, a tile keeps a bounded number. */
static void test_old_shapes_are_forgotten(void **state)
{
	struct pair pair;

	(void)state;
	open_pair(&pair, 0);
	for (uint32_t i = 0; i < 10; i++) {
		const struct detile_rect rect = {i, 0, 9, 9};

		take(&pair, 0, &rect, 1);
	}
	assert_int_equal(encoded(&pair), 10);
	for (uint32_t i = 10 - ENCODER_KEPT; i < 10; i++) {
		const struct detile_rect rect = {i, 0, 9, 9};

		take(&pair, 1, &rect, 1);
	}
	assert_int_equal(encoded(&pair), 10);
	take(&pair, 1, &(struct detile_rect){0, 0, 9, 9}, 1);
	assert_int_equal(encoded(&pair), 11);
	close_pair(&pair);
}

static void test_a_picture_of_ones_own_is_not_shared(void **state)
{
	struct encoder_piece *pieces[2];
	struct pair pair;

	(void)state;
	open_pair(&pair, 0);
	encoder_take_alone(pair.group[0], pair.frame, two, 2, pieces);
	encoder_release(pieces[0]);
	encoder_release(pieces[1]);
	take(&pair, 0, two, 2);
	assert_int_equal(encoded(&pair), 4);
	close_pair(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_clients_share_until_something_changes),
		cmocka_unit_test(test_other_settings_are_encoded_apart),
		cmocka_unit_test(test_old_shapes_are_forgotten),
		cmocka_unit_test(test_a_picture_of_ones_own_is_not_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

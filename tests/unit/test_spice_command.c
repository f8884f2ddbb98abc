/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What spice-server is handed: QXL commands that own all that they point at. */
#include "spice_command.h"

#include <glib.h>
#include <string.h>

#include "unit.h"

#define WIDTH  100u
#define HEIGHT 50u

static struct frame *numbered_frame(void)
{
	struct frame *frame = frame_create(WIDTH, HEIGHT);

	assert_non_null(frame);
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++)
			frame->pixels[y * frame->stride / 4 + x] = y << 8 | x;
	return frame;
}

static const void *at(QXLPHYSICAL address)
{
	return (const void *)(uintptr_t)address;
}

static void test_a_drawable_owns_the_pixels_of_its_rectangle(void **state)
{
	static const struct detile_rect rects[] = {
		{0, 0, WIDTH, HEIGHT}, {64, 32, 36, 18}, {99, 49, 1, 1}, {3, 0, 1, HEIGHT}};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rects); i++) {
		struct frame *frame = numbered_frame();
		struct spice_command *command = spice_command_draw(frame, &rects[i]);
		const QXLDrawable *drawable;
		const QXLImage *image;
		const uint8_t *pixels;

		assert_non_null(command);
		frame_release(frame); /* it is not looked at again */
		assert_int_equal(command->ext.cmd.type, QXL_CMD_DRAW);
		drawable = at(command->ext.cmd.data);
		assert_int_equal(drawable->type, QXL_DRAW_COPY);
		assert_int_equal(drawable->bbox.left, rects[i].x);
		assert_int_equal(drawable->bbox.top, rects[i].y);
		assert_int_equal(drawable->bbox.right - drawable->bbox.left, rects[i].width);
		assert_int_equal(drawable->bbox.bottom - drawable->bbox.top, rects[i].height);
		image = at(drawable->u.copy.src_bitmap);
		assert_int_equal(image->bitmap.x, rects[i].width);
		assert_int_equal(image->bitmap.y, rects[i].height);
		pixels = at(image->bitmap.data);
		for (uint32_t y = 0; y < rects[i].height; y++)
			for (uint32_t x = 0; x < rects[i].width; x++) {
				uint32_t pixel;

				memcpy(&pixel, pixels + y * image->bitmap.stride + x * 4, 4);
				assert_int_equal(pixel, (y + rects[i].y) << 8 | (x + rects[i].x));
			}
		spice_command_free(command);
	}
}

static void test_a_command_is_found_by_what_comes_back(void **state)
{
	struct frame *frame = numbered_frame();
	const struct detile_rect all = {0, 0, WIDTH, HEIGHT};
	struct spice_command *commands[] = {spice_command_draw(frame, &all),
					    spice_command_cursor(NULL, 0, 0)};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		QXLReleaseInfoExt release = {
			.info = (QXLReleaseInfo *)(uintptr_t)commands[i]->ext.cmd.data};

		assert_ptr_equal(spice_command_of(release), commands[i]);
		spice_command_free(commands[i]);
	}
	frame_release(frame);
}

static void test_no_two_images_have_one_number(void **state)
{
	struct frame *frame = numbered_frame();
	const struct detile_rect all = {0, 0, WIDTH, HEIGHT};
	struct spice_command *a = spice_command_draw(frame, &all);
	struct spice_command *b = spice_command_draw(frame, &all);
	const QXLDrawable *one = at(a->ext.cmd.data), *other = at(b->ext.cmd.data);
	const QXLImage *first = at(one->u.copy.src_bitmap), *second = at(other->u.copy.src_bitmap);

	(void)state;
	assert_true(first->descriptor.id != second->descriptor.id);
	spice_command_free(a);
	spice_command_free(b);
	frame_release(frame);
}

static void test_a_pointer_is_placed_by_its_hot_spot_with_straight_alpha(void **state)
{
	static const struct {
		uint32_t premultiplied, straight;
	} cases[] = {
		{0xff102030, 0xff102030}, {0x80402000, 0x80804000}, {0x00000000, 0x00000000},
		{0x00ffffff, 0x00000000}, /* more than can be: no light without alpha */
		{0x10ffffff, 0x10ffffff}, /* the same, clamped */
	};
	uint32_t pixels[G_N_ELEMENTS(cases)];
	struct spice_command *command;
	const QXLCursorCmd *set;
	const QXLCursor *shape;
	struct pointer *pointer;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		pixels[i] = cases[i].premultiplied;
	pointer = pointer_create(G_N_ELEMENTS(cases), 1, 2, 0, pixels, sizeof(pixels));
	assert_non_null(pointer);
	command = spice_command_cursor(pointer, 40, -7);
	set = at(command->ext.cmd.data);
	assert_int_equal(command->ext.cmd.type, QXL_CMD_CURSOR);
	assert_int_equal(set->type, QXL_CURSOR_SET);
	assert_int_equal(set->u.set.position.x, 42);
	assert_int_equal(set->u.set.position.y, -7);
	shape = at(set->u.set.shape);
	assert_int_equal(shape->header.width, G_N_ELEMENTS(cases));
	assert_int_equal(shape->header.hot_spot_x, 2);
	assert_int_equal(shape->chunk.data_size, sizeof(pixels));
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		uint32_t pixel;

		memcpy(&pixel, shape->chunk.data + i * 4, 4);
		assert_int_equal(pixel, cases[i].straight);
	}
	spice_command_free(command);
	pointer_release(pointer);
}

static void test_a_pointer_far_outside_stays_within_16_bits(void **state)
{
	const uint32_t pixel = 0xffffffff;
	struct pointer *pointer = pointer_create(1, 1, 0, 0, &pixel, 4);
	struct spice_command *command = spice_command_move(pointer, INT32_MAX, INT32_MIN);
	const QXLCursorCmd *move = at(command->ext.cmd.data);

	(void)state;
	assert_int_equal(move->type, QXL_CURSOR_MOVE);
	assert_int_equal(move->u.position.x, INT16_MAX);
	assert_int_equal(move->u.position.y, INT16_MIN);
	spice_command_free(command);
	pointer_release(pointer);
}

static void test_no_pointer_is_hidden(void **state)
{
	struct spice_command *command = spice_command_cursor(NULL, 5, 5);

	(void)state;
	assert_int_equal(((const QXLCursorCmd *)at(command->ext.cmd.data))->type, QXL_CURSOR_HIDE);
	spice_command_free(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_drawable_owns_the_pixels_of_its_rectangle),
		cmocka_unit_test(test_a_command_is_found_by_what_comes_back),
		cmocka_unit_test(test_no_two_images_have_one_number),
		cmocka_unit_test(test_a_pointer_is_placed_by_its_hot_spot_with_straight_alpha),
		cmocka_unit_test(test_a_pointer_far_outside_stays_within_16_bits),
		cmocka_unit_test(test_no_pointer_is_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "input.h"

#include <glib.h>
#include <linux/input-event-codes.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

/* A sink that writes down what it is told, one word an event. */
struct notes {
	struct input_sink sink;
	GString *text;
	struct input *input;
	gint active; /* atomic */
};

static GString *text_of(struct input_sink *sink)
{
	return ((struct notes *)sink)->text;
}

static void note_key(struct input_sink *sink, uint16_t code, bool down)
{
	g_string_append_printf(text_of(sink), "%c%u ", down ? '+' : '-', code);
}

static void note_position(struct input_sink *sink, uint16_t x, uint16_t y, int32_t dx, int32_t dy)
{
	g_string_append_printf(text_of(sink), "@%u,%u", x, y);
	if (dx || dy)
		g_string_append_printf(text_of(sink), "(%d,%d)", dx, dy);
	g_string_append_c(text_of(sink), ' ');
}

static void note_motion(struct input_sink *sink, int32_t dx, int32_t dy)
{
	g_string_append_printf(text_of(sink), "~%d,%d ", dx, dy);
}

static void note_button(struct input_sink *sink, enum input_button button, bool down)
{
	g_string_append_printf(text_of(sink), "%cB%u ", down ? '+' : '-', button);
}

static void note_wheel(struct input_sink *sink, int32_t dx, int32_t dy)
{
	g_string_append_printf(text_of(sink), "W%d,%d ", dx, dy);
}

static void note_sync(struct input_sink *sink)
{
	g_string_append(text_of(sink), "; ");
}

static void note_close(struct input_sink *sink)
{
	g_string_append(text_of(sink), "closed");
}

static const struct input_sink_ops note_ops = {
	.name = "notes",
	.key = note_key,
	.position = note_position,
	.motion = note_motion,
	.button = note_button,
	.wheel = note_wheel,
	.sync = note_sync,
	.close = note_close,
};

/* 'a' and 'A' are one key; so it stays even if the map changes. */
static uint16_t code_of(uint32_t keysym, void *data)
{
	if (keysym == 'm')
		return *(uint16_t *)data;
	return keysym == 'a' || keysym == 'A' ? KEY_A : 0;
}

static uint16_t mapped = KEY_M;

static void on_active(void *data)
{
	g_atomic_int_inc(&((struct notes *)data)->active);
}

static int set_up(void **state)
{
	struct notes *notes = g_new0(struct notes, 1);

	notes->sink.ops = &note_ops;
	notes->text = g_string_new(NULL);
	notes->input = input_create(&notes->sink, code_of, &mapped);
	input_on_activity(notes->input, on_active, notes);
	mapped = KEY_M;
	*state = notes;
	return 0;
}

static int tear_down(void **state)
{
	struct notes *notes = *state;

	g_string_truncate(notes->text, 0);
	input_destroy(notes->input);
	assert_string_equal(notes->text->str, "closed");
	g_string_free(notes->text, TRUE);
	g_free(notes);
	return 0;
}

static void assert_told(struct notes *notes, const char *text)
{
	assert_string_equal(notes->text->str, text);
	g_string_truncate(notes->text, 0);
}

static void test_input_passes_keys_and_repeats_on(void **state)
{
	struct notes *notes = *state;
	struct input_seat *seat = input_seat_create(notes->input);

	input_seat_key(seat, KEY_A, true);
	input_seat_key(seat, KEY_A, true);
	input_seat_key(seat, KEY_A, false);
	assert_told(notes, "+30 ; +30 ; -30 ; ");
	assert_int_equal(notes->active, 3);
	input_seat_scancode(seat, 0xe048, true);
	input_seat_scancode(seat, 0xc8, false);
	assert_told(notes, "+103 ; -103 ; ");
	input_seat_destroy(seat);
	assert_told(notes, "");
}

static void test_input_ignores_keys_that_are_none_or_up(void **state)
{
	struct notes *notes = *state;
	struct input_seat *seat = input_seat_create(notes->input);

	input_seat_key(seat, 0, true);
	input_seat_key(seat, KEY_MAX + 1, true);
	input_seat_key(seat, UINT16_MAX, true);
	input_seat_key(seat, KEY_B, false);
	input_seat_keysym(seat, 0xffff0000, true);
	input_seat_scancode(seat, 0x55, true);
	assert_told(notes, "");
	assert_int_equal(notes->active, 0);
	input_seat_destroy(seat);
}

static void test_input_releases_all_when_a_viewer_leaves(void **state)
{
	struct notes *notes = *state;
	struct input_seat *seat = input_seat_create(notes->input);

	input_seat_key(seat, KEY_LEFTCTRL, true);
	input_seat_keysym(seat, 'a', true);
	input_seat_pointer(seat, 0, 0, 100, 100, INPUT_LEFT | INPUT_EXTRA);
	assert_told(notes, "+29 ; +30 ; @0,0 +B1 +B16 ; ");
	input_seat_destroy(seat);
	assert_told(notes, "-29 -30 -B1 -B16 ; ");
}

static void test_input_holds_a_key_while_any_seat_does(void **state)
{
	struct notes *notes = *state;
	struct input_seat *one = input_seat_create(notes->input);
	struct input_seat *two = input_seat_create(notes->input);

	input_seat_key(one, KEY_LEFTSHIFT, true);
	input_seat_key(two, KEY_LEFTSHIFT, true);
	input_seat_motion(one, 0, 0, INPUT_RIGHT);
	input_seat_motion(two, 0, 0, INPUT_RIGHT);
	assert_told(notes, "+42 ; +42 ; +B4 ; ");
	input_seat_destroy(one);
	assert_told(notes, "");
	input_seat_key(two, KEY_LEFTSHIFT, false);
	input_seat_motion(two, 0, 0, 0);
	assert_told(notes, "-42 ; -B4 ; ");
	input_seat_destroy(two);
}

static void test_input_releases_a_keysym_as_it_went_down(void **state)
{
	struct notes *notes = *state;
	struct input_seat *seat = input_seat_create(notes->input);

	input_seat_keysym(seat, 'm', true);
	mapped = KEY_N;
	input_seat_keysym(seat, 'm', false);
	input_seat_keysym(seat, 'm', true);
	assert_told(notes, "+50 ; -50 ; +49 ; ");
	input_seat_destroy(seat);
	assert_told(notes, "-49 ; ");
}

static void test_input_scales_positions_to_the_edges(void **state)
{
	struct notes *notes = *state;
	struct input_seat *seat = input_seat_create(notes->input);

	input_seat_pointer(seat, 0, 0, 1920, 1080, 0);
	input_seat_pointer(seat, 1919, 1079, 1920, 1080, 0);
	input_seat_pointer(seat, 65535, 65535, 1920, 1080, 0);
	input_seat_pointer(seat, 960, 540, 1920, 1080, 0);
	input_seat_pointer(seat, 5, 5, 1, 1, 0);
	input_seat_pointer(seat, 5, 5, 1, 0, 0);
	assert_told(notes, "@0,0 ; @32767,32767(1919,1079) ; @16392,16399(-959,-539) ; @0,0 ; ");
	input_seat_destroy(seat);
}

/* Every pixel has a position that leads back to it, as a guest computes it. */
static void test_input_positions_tell_every_pixel(void **state)
{
	static const uint32_t widths[] = {2, 640, 1366, 1920, 3840, 7680, 16384};
	struct notes *notes = *state;
	struct input_seat *seat = input_seat_create(notes->input);

	for (size_t i = 0; i < sizeof(widths) / sizeof(*widths); i++) {
		for (uint32_t x = 0; x < widths[i]; x++) {
			unsigned int told, back;

			input_seat_motion(seat, 1, 0, 0);
			g_string_truncate(notes->text, 0);
			input_seat_pointer(seat, x, 0, widths[i], 2, 0);
			assert_int_equal(sscanf(notes->text->str, "@%u", &told), 1);
			back = (told * (widths[i] - 1) + INPUT_POSITION_MAX / 2) /
			       INPUT_POSITION_MAX;
			assert_int_equal(back, x);
		}
	}
	input_seat_destroy(seat);
}

static void test_input_passes_motion_and_wheel_on(void **state)
{
	struct notes *notes = *state;
	struct input_seat *seat = input_seat_create(notes->input);

	input_seat_motion(seat, -3, 4, INPUT_MIDDLE);
	input_seat_wheel(seat, 0, -1);
	input_seat_wheel(seat, 0, 0);
	input_seat_motion(seat, 0, 0, INPUT_MIDDLE);
	input_seat_motion(seat, 0, 0, 0xffffffe0);
	assert_told(notes, "~-3,4 +B2 ; W0,-1 ; -B2 ; ");
	input_seat_destroy(seat);
}

static void on_leds(unsigned int leds, void *data)
{
	*(unsigned int *)data = leds + 100;
}

static void test_input_tells_the_lights_when_they_change(void **state)
{
	struct notes *notes = *state;
	unsigned int one = 0, two = 0;

	input_watch_leds(notes->input, on_leds, &one);
	input_watch_leds(notes->input, on_leds, &two);
	input_set_leds(notes->input, 0);
	assert_int_equal(one, 0);
	input_set_leds(notes->input, INPUT_CAPS_LOCK);
	assert_int_equal(one, 104);
	assert_int_equal(two, 104);
	input_unwatch_leds(notes->input, &one);
	input_set_leds(notes->input, INPUT_NUM_LOCK);
	assert_int_equal(one, 104);
	assert_int_equal(two, 102);
	assert_int_equal(input_leds(notes->input), INPUT_NUM_LOCK);
	input_unwatch_leds(notes->input, &two);
}

static void test_input_without_a_hub_is_view_only(void **state)
{
	struct input_seat *seat = input_seat_create(NULL);

	(void)state;
	assert_null(seat);
	input_seat_key(seat, KEY_A, true);
	input_seat_keysym(seat, 'a', true);
	input_seat_scancode(seat, 1, true);
	input_seat_pointer(seat, 1, 1, 2, 2, INPUT_LEFT);
	input_seat_motion(seat, 1, 1, INPUT_LEFT);
	input_seat_wheel(seat, 1, 1);
	input_seat_release(seat);
	input_seat_destroy(seat);
	input_destroy(NULL);
}

static gpointer work(gpointer data)
{
	for (int i = 0; i < 500; i++) {
		struct input_seat *seat = input_seat_create(data);

		for (uint16_t code = 1; code < 50; code++)
			input_seat_key(seat, code, true);
		input_seat_pointer(seat, (uint32_t)i, 3, 1000, 1000, INPUT_LEFT);
		input_seat_destroy(seat);
	}
	return NULL;
}

static void test_input_leaves_no_key_stuck_whatever_threads_do(void **state)
{
	struct notes *notes = *state;
	bool down[64] = {false};
	GThread *threads[4];

	for (int i = 0; i < 4; i++)
		threads[i] = g_thread_new("seat", work, notes->input);
	for (int i = 0; i < 4; i++)
		g_thread_join(threads[i]);
	/* Word by word, by hand: each look of a sanitizer's strstr() is at all that follows. */
	for (const char *at = notes->text->str, *word = at; *at; word = *at++ == ' ' ? at : word)
		if (at == word && (*at == '+' || *at == '-') && at[1] != 'B')
			down[atoi(at + 1)] = *at == '+';
	for (int i = 0; i < 64; i++)
		assert_false(down[i]);
	assert_true(notes->text->len > 1000);
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_input_passes_keys_and_repeats_on),
		test(test_input_ignores_keys_that_are_none_or_up),
		test(test_input_releases_all_when_a_viewer_leaves),
		test(test_input_holds_a_key_while_any_seat_does),
		test(test_input_releases_a_keysym_as_it_went_down),
		test(test_input_scales_positions_to_the_edges),
		test(test_input_positions_tell_every_pixel),
		test(test_input_passes_motion_and_wheel_on),
		test(test_input_tells_the_lights_when_they_change),
		cmocka_unit_test(test_input_without_a_hub_is_view_only),
		test(test_input_leaves_no_key_stuck_whatever_threads_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

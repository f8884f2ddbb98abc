/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What VNC clients type and point at, as it arrives where input goes. */
#include "vnc_input.h"

#include <glib.h>
#include <linux/input-event-codes.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>

#include "password.h"
#include "rfb.h"
#include "stage.h"
#include "unit.h"

#define BEGINNING 65536 /* bytes of an update that has begun */

/* Where input goes: it notes everything. */
struct notes {
	struct input_sink sink;
	pthread_mutex_t lock;
	GString *text;
};

static void G_GNUC_PRINTF(2, 3) note(struct input_sink *sink, const char *format, ...)
{
	struct notes *notes = (struct notes *)sink;
	va_list args;

	va_start(args, format);
	pthread_mutex_lock(&notes->lock);
	g_string_append_vprintf(notes->text, format, args);
	pthread_mutex_unlock(&notes->lock);
	va_end(args);
}

static void on_key(struct input_sink *sink, uint16_t code, bool down)
{
	note(sink, "%c%u ", down ? '+' : '-', code);
}

static void on_position(struct input_sink *sink, uint16_t x, uint16_t y, int32_t dx, int32_t dy)
{
	(void)dx;
	(void)dy;
	note(sink, "@%u,%u ", x, y);
}

static void on_motion(struct input_sink *sink, int32_t dx, int32_t dy)
{
	note(sink, "~%d,%d ", dx, dy);
}

static void on_button(struct input_sink *sink, enum input_button button, bool down)
{
	note(sink, "%cB%u ", down ? '+' : '-', button);
}

static void on_wheel(struct input_sink *sink, int32_t dx, int32_t dy)
{
	note(sink, "W%d,%d ", dx, dy);
}

static void on_sync(struct input_sink *sink)
{
	note(sink, "; ");
}

static void on_close(struct input_sink *sink)
{
	note(sink, "closed");
}

static const struct input_sink_ops ops = {
	.name = "notes",
	.key = on_key,
	.position = on_position,
	.motion = on_motion,
	.button = on_button,
	.wheel = on_wheel,
	.sync = on_sync,
	.close = on_close,
};

static uint16_t code_of(uint32_t keysym, void *data)
{
	(void)data;
	return keysym == 'a' ? KEY_A : 0;
}

static struct input *open_notes(struct notes *notes)
{
	*notes = (struct notes){.sink.ops = &ops, .text = g_string_new(NULL)};
	pthread_mutex_init(&notes->lock, NULL);
	return input_create(&notes->sink, code_of, NULL);
}

static void close_notes(struct notes *notes, struct input *input)
{
	input_destroy(input);
	assert_true(g_str_has_suffix(notes->text->str, "closed"));
	pthread_mutex_destroy(&notes->lock);
	g_string_free(notes->text, TRUE);
}

/* Waits until exactly this has arrived since the last call. */
static void expect(struct notes *notes, const char *text)
{
	bool same = false;

	for (int i = 0; i < RFB_PATIENCE_MS && !same; i++) {
		pthread_mutex_lock(&notes->lock);
		same = g_str_equal(notes->text->str, text);
		pthread_mutex_unlock(&notes->lock);
		if (!same)
			g_usleep(1000);
	}
	pthread_mutex_lock(&notes->lock);
	assert_string_equal(notes->text->str, text);
	g_string_truncate(notes->text, 0);
	pthread_mutex_unlock(&notes->lock);
}

static void say_key(struct rfb *rfb, char keysym, bool down)
{
	const uint8_t message[8] = {4, down, 0, 0, 0, 0, 0, (uint8_t)keysym};

	assert_true(rfb_send(rfb->fd, message, sizeof(message)));
}

static void say_scancode(struct rfb *rfb, char keysym, uint8_t scancode, bool down)
{
	const uint8_t message[12] = {255, 0, 0, down, 0, 0, 0, (uint8_t)keysym, 0, 0, 0, scancode};

	assert_true(rfb_send(rfb->fd, message, sizeof(message)));
}

static void say_buttons(struct rfb *rfb, uint8_t buttons, uint8_t more, uint8_t x, uint8_t y)
{
	const uint8_t message[7] = {5, buttons, 0, x, 0, y, more};

	assert_true(rfb_send(rfb->fd, message, sizeof(message)));
}

static void say_pointer(struct rfb *rfb, uint8_t buttons, uint8_t x, uint8_t y)
{
	const uint8_t message[6] = {5, buttons, 0, x, 0, y};

	assert_true(rfb_send(rfb->fd, message, sizeof(message)));
}

static void test_input_scrolls_once_for_each_press(void **state)
{
	struct vnc_input mouse = {0};
	struct notes notes;
	struct input *input = open_notes(&notes);

	(void)state;
	mouse.seat = input_seat_create(input);
	vnc_input_pointer(&mouse, 8, 0, 0, 2, 2);
	expect(&notes, "@0,0 ; W0,-1 ; ");
	vnc_input_pointer(&mouse, 8, 0, 0, 2, 2);
	expect(&notes, "");
	vnc_input_pointer(&mouse, 0, 0, 0, 2, 2);
	vnc_input_pointer(&mouse, 16 + 32, 1, 1, 2, 2);
	expect(&notes, "@32767,32767 ; W-1,1 ; ");
	vnc_input_pointer(&mouse, 64, 1, 1, 2, 2);
	expect(&notes, "W1,0 ; ");
	vnc_input_pointer(&mouse, 511, 1, 1, 2, 2);
	expect(&notes, "+B1 +B2 +B4 +B8 +B16 ; W-1,0 ; ");
	input_seat_destroy(mouse.seat);
	expect(&notes, "-B1 -B2 -B4 -B8 -B16 ; ");
	close_notes(&notes, input);
}

static void test_input_of_a_client_arrives(void **state)
{
	struct vnc_options options = {0};
	struct stage stage;
	struct notes notes;
	struct rfb rfb;

	(void)state;
	options.input = open_notes(&notes);
	stage_open(&stage, &options, 101, 101);
	assert_true(rfb_open(&rfb, rfb_dial_tcp(stage.port), 8));
	say_key(&rfb, 'a', true);
	expect(&notes, "+30 ; ");
	say_key(&rfb, 'a', false);
	say_key(&rfb, 'x', true); /* on no keyboard */
	say_scancode(&rfb, 'x', 0x9d, true);
	expect(&notes, "-30 ; +97 ; ");
	say_scancode(&rfb, 'a', 0, true);
	expect(&notes, "+30 ; ");
	say_pointer(&rfb, 1, 100, 50);
	expect(&notes, "@32767,16384 +B1 ; ");
	say_pointer(&rfb, 0, 200, 50);
	expect(&notes, "-B1 ; ");
	/* It leaves: nothing stays down. */
	rfb_close(&rfb);
	expect(&notes, "-30 -97 ; ");
	stage_close(&stage);
	close_notes(&notes, options.input);
}

/* Bytes that wait to be read: some, within the patience. */
static bool has_begun(int fd)
{
	int waiting = 0;

	for (int i = 0; i < RFB_PATIENCE_MS && waiting < BEGINNING; i++) {
		assert_int_equal(ioctl(fd, FIONREAD, &waiting), 0);
		g_usleep(1000);
	}
	return waiting >= BEGINNING;
}

/* More of a picture than sockets hold is stuck on its way, and what is typed passes by. */
static void test_input_is_not_queued_behind_video(void **state)
{
	struct vnc_options options = {0};
	struct stage stage;
	struct notes notes;
	struct rfb rfb;

	(void)state;
	options.input = open_notes(&notes);
	stage_open(&stage, &options, 4000, 3000);
	assert_true(rfb_open(&rfb, rfb_dial_tcp(stage.port), 8));
	assert_true(rfb_request(&rfb, false));
	assert_true(has_begun(rfb.fd));
	say_key(&rfb, 'a', true);
	expect(&notes, "+30 ; ");
	say_key(&rfb, 'a', false);
	expect(&notes, "-30 ; ");
	/* It was stuck indeed: no other update could have begun. */
	assert_int_equal(stage_demand(&stage).waiting, 0);
	assert_true(rfb_update(&rfb));
	assert_true(rfb_shows(&rfb, stage.frame));
	rfb_close(&rfb);
	stage_close(&stage);
	close_notes(&notes, options.input);
}

static void test_input_offers_extended_keys_to_who_may_type(void **state)
{
	(void)state;
	for (int typing = 0; typing < 2; typing++) {
		struct vnc_options options = {0};
		struct stage stage;
		struct notes notes;
		struct rfb rfb;

		options.input = typing ? open_notes(&notes) : NULL;
		stage_open(&stage, &options, 64, 48);
		assert_true(rfb_open(&rfb, rfb_dial_tcp(stage.port), 8));
		assert_true(rfb_encodings(&rfb, RFB_EXTENDED_KEYS));
		assert_true(rfb_converge(&rfb, stage.frame, 2));
		assert_int_equal(rfb.key_offers, typing);
		/* Who only watches may say it all the same. */
		say_scancode(&rfb, 'a', 0x9d, true);
		if (typing)
			expect(&notes, "+97 ; ");
		stage_paint(&stage, 0, 0, 10, 10);
		assert_true(rfb_converge(&rfb, stage.frame, 2));
		assert_int_equal(rfb.key_offers, typing);
		rfb_close(&rfb);
		stage_close(&stage);
		if (typing)
			close_notes(&notes, options.input);
	}
}

static void test_input_goes_back_and_forward(void **state)
{
	struct vnc_options options = {0};
	struct stage stage;
	struct notes notes;
	struct rfb rfb;

	(void)state;
	options.input = open_notes(&notes);
	stage_open(&stage, &options, 101, 101);
	assert_true(rfb_open(&rfb, rfb_dial_tcp(stage.port), 8));
	/* Of eight buttons, the last one goes back. */
	say_pointer(&rfb, 0x80, 0, 0);
	expect(&notes, "@0,0 +B8 ; ");
	say_pointer(&rfb, 0, 0, 0);
	expect(&notes, "-B8 ; ");
	assert_true(rfb_encodings(&rfb, RFB_EXTENDED_MOUSE));
	assert_true(rfb_converge(&rfb, stage.frame, 2));
	assert_int_equal(rfb.mouse_offers, 1);
	/* The bit says now that there is another byte. */
	say_buttons(&rfb, 0x81, 0xfe, 0, 0);
	expect(&notes, "+B1 +B16 ; ");
	say_buttons(&rfb, 0x80, 0x03, 0, 0);
	expect(&notes, "-B1 +B8 ; ");
	say_pointer(&rfb, 0x02, 0, 0);
	expect(&notes, "+B2 -B8 -B16 ; ");
	rfb_close(&rfb);
	expect(&notes, "-B2 ; ");
	stage_close(&stage);
	close_notes(&notes, options.input);
}

static void await_lights(struct rfb *rfb, struct stage *stage, uint8_t leds)
{
	for (int i = 0; rfb->leds != leds && i < RFB_PATIENCE_MS; i++) {
		assert_true(rfb_request(rfb, true));
		stage_paint(stage, 0, 0, 1, 1);
		assert_true(rfb_update(rfb));
	}
	assert_int_equal(rfb->leds, leds);
}

static void test_lights_are_told_once_they_are_known(void **state)
{
	struct vnc_options options = {0};
	struct stage stage;
	struct notes notes;
	struct rfb first, second, plain;

	(void)state;
	options.input = open_notes(&notes);
	stage_open(&stage, &options, 64, 48);
	assert_true(rfb_open(&first, rfb_dial_tcp(stage.port), 8));
	assert_true(rfb_open(&plain, rfb_dial_tcp(stage.port), 8));
	assert_true(rfb_encodings(&first, RFB_LEDS));
	assert_true(rfb_encodings(&plain, RFB_NAME));
	assert_true(rfb_converge(&first, stage.frame, 2));
	assert_true(rfb_converge(&plain, stage.frame, 2));
	assert_int_equal(first.lights, 0);
	/* News of them alone answers a request. */
	assert_true(rfb_request(&first, true));
	input_set_leds(options.input, INPUT_CAPS_LOCK | INPUT_NUM_LOCK);
	assert_true(rfb_update(&first));
	assert_int_equal(first.lights, 1);
	assert_int_equal(first.leds, 6);
	/* A newcomer is told. */
	assert_true(rfb_open(&second, rfb_dial_tcp(stage.port), 8));
	assert_true(rfb_encodings(&second, RFB_LEDS));
	await_lights(&second, &stage, 6);
	input_set_leds(options.input, 0);
	input_set_leds(options.input, INPUT_SCROLL_LOCK);
	await_lights(&first, &stage, 1);
	await_lights(&second, &stage, 1);
	assert_true(rfb_converge(&plain, stage.frame, 3));
	assert_int_equal(plain.lights, 0);
	rfb_close(&first);
	rfb_close(&second);
	rfb_close(&plain);
	stage_close(&stage);
	close_notes(&notes, options.input);
}

/* With the first list of encodings that has it, in UTF-8. */
static void test_name_is_told_once(void **state)
{
	char name[121] = "";
	struct vnc_options options = {.name = name};
	struct stage stage;
	struct rfb rfb;

	(void)state;
	for (size_t i = 0; i < 60; i++)
		strcat(name, "\xc3\xa4");
	stage_open(&stage, &options, 64, 48);
	assert_true(rfb_open(&rfb, rfb_dial_tcp(stage.port), 8));
	for (int i = 0; i < 3; i++) {
		assert_true(rfb_encodings(&rfb, RFB_NAME | RFB_LEDS | RFB_EXTENDED_MOUSE));
		stage_paint(&stage, 0, 0, 1, 1);
		assert_true(rfb_converge(&rfb, stage.frame, 2));
	}
	assert_int_equal(rfb.names, 1);
	assert_string_equal(rfb.name, name);
	/* Who cannot type has no use for the rest. */
	assert_int_equal(rfb.mouse_offers, 0);
	assert_int_equal(rfb.lights, 0);
	rfb_close(&rfb);
	stage_close(&stage);
}

static void test_input_is_not_for_the_password_that_only_watches(void **state)
{
	const struct passwords passwords = {
		.full = "full", .view = "watch", .has_full = TRUE, .has_view = TRUE};
	struct vnc_options options = {.passwords = &passwords};
	struct rfb full, watching;
	struct stage stage;
	struct notes notes;
	int fd;

	(void)state;
	options.input = open_notes(&notes);
	stage_open(&stage, &options, 64, 48);
	fd = rfb_dial_tcp(stage.port);
	assert_true(rfb_greet_with(fd, passwords.view));
	assert_true(rfb_init(&watching, fd));
	assert_true(rfb_encodings(&watching, RFB_EXTENDED_KEYS));
	say_key(&watching, 'a', true);
	say_scancode(&watching, 'a', 0x9d, true);
	say_pointer(&watching, 1, 5, 5);
	/* An answer to a later message: what came before it was obeyed. */
	assert_true(rfb_converge(&watching, stage.frame, 2));
	assert_int_equal(watching.key_offers, 0);
	expect(&notes, "");
	fd = rfb_dial_tcp(stage.port);
	assert_true(rfb_greet_with(fd, passwords.full));
	assert_true(rfb_init(&full, fd));
	say_key(&full, 'a', true);
	expect(&notes, "+30 ; ");
	rfb_close(&watching);
	rfb_close(&full);
	stage_close(&stage);
	close_notes(&notes, options.input);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_input_scrolls_once_for_each_press),
		cmocka_unit_test(test_input_of_a_client_arrives),
		cmocka_unit_test(test_input_is_not_queued_behind_video),
		cmocka_unit_test(test_input_offers_extended_keys_to_who_may_type),
		cmocka_unit_test(test_input_goes_back_and_forward),
		cmocka_unit_test(test_lights_are_told_once_they_are_known),
		cmocka_unit_test(test_name_is_told_once),
		cmocka_unit_test(test_input_is_not_for_the_password_that_only_watches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

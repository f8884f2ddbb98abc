/* SPDX-License-Identifier: GPL-2.0-or-later */
/* With a double of uinput.c, which is a kernel that remembers what it was told. */
#include "input_uinput.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "log.h"
#include "uinput.h"
#include "unit.h"

#define DROPS 1000

struct uinput {
	enum uinput_kind kind;
	bool taken;
	bool down[KEY_CNT];
	GString *text;
	GQueue *lights; /* of struct input_event */
	int fd;
};

static struct uinput *devices[3]; /* by kind */
static int creations_until_failure;

int uinput_create(enum uinput_kind kind, const char *name, struct uinput **device, GError **error)
{
	assert_string_equal(name, "vm1");
	if (!creations_until_failure--)
		return fail(error, EXIT_REFUSED, EACCES, "no permission");
	devices[kind] = g_new0(struct uinput, 1);
	devices[kind]->kind = kind;
	devices[kind]->text = g_string_new(NULL);
	devices[kind]->lights = g_queue_new();
	devices[kind]->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	*device = devices[kind];
	return 0;
}

void uinput_destroy(struct uinput *device)
{
	if (!device)
		return;
	devices[device->kind] = NULL;
	g_string_free(device->text, TRUE);
	g_queue_free_full(device->lights, g_free);
	close(device->fd);
	g_free(device);
}

const char *uinput_node(const struct uinput *device)
{
	return device->kind == UINPUT_KEYBOARD ? "keyboard" : "pointer";
}

bool uinput_taken(struct uinput *device)
{
	return device->taken;
}

void uinput_write(struct uinput *device, const struct input_event *events, size_t count)
{
	assert_int_equal(events[count - 1].type, EV_SYN);
	for (size_t i = 0; i < count; i++) {
		const struct input_event *event = &events[i];

		if (event->type == EV_KEY)
			device->down[event->code] = event->value;
		if (event->type == EV_SYN)
			g_string_append(device->text, "; ");
		else
			g_string_append_printf(device->text, "%u/%u=%d ", event->type, event->code,
					       event->value);
	}
}

int uinput_descriptor(const struct uinput *device)
{
	return device->fd;
}

bool uinput_read(struct uinput *device, struct input_event *event)
{
	struct input_event *light = g_queue_pop_head(device->lights);
	uint64_t unused;

	if (!light) {
		assert_int_equal(read(device->fd, &unused, sizeof(unused)), sizeof(unused));
		return false;
	}
	*event = *light;
	g_free(light);
	return true;
}

static void light(uint16_t type, uint16_t code, int32_t value)
{
	struct input_event event = {.type = type, .code = code, .value = value};
	uint64_t one = 1;

	g_queue_push_tail(devices[UINPUT_KEYBOARD]->lights, g_memdup2(&event, sizeof(event)));
	assert_int_equal(write(devices[UINPUT_KEYBOARD]->fd, &one, sizeof(one)), sizeof(one));
}

static void dispatch_all(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static uint16_t code_of(uint32_t keysym, void *data)
{
	(void)data;
	return (uint16_t)keysym;
}

static struct input *start(bool relative, bool taken)
{
	struct input_sink *sink;

	creations_until_failure = -1;
	assert_int_equal(input_uinput_create("vm1", relative, &sink, NULL), 0);
	for (size_t i = 0; i < G_N_ELEMENTS(devices); i++)
		if (devices[i])
			devices[i]->taken = taken;
	return input_create(sink, code_of, NULL);
}

static void assert_told(enum uinput_kind kind, const char *text)
{
	assert_string_equal(devices[kind]->text->str, text);
	g_string_truncate(devices[kind]->text, 0);
}

static void test_uinput_types_and_repeats(void **state)
{
	struct input *input = start(false, true);
	struct input_seat *seat = input_seat_create(input);

	(void)state;
	input_seat_key(seat, KEY_A, true);
	input_seat_key(seat, KEY_A, true);
	input_seat_key(seat, KEY_A, false);
	assert_told(UINPUT_KEYBOARD, "1/30=1 ; 1/30=2 ; 1/30=0 ; ");
	/* No key of a keyboard's. */
	input_seat_key(seat, BTN_LEFT, true);
	input_seat_key(seat, KEY_MAX, true);
	assert_told(UINPUT_KEYBOARD, "");
	input_seat_destroy(seat);
	input_destroy(input);
	assert_null(devices[UINPUT_KEYBOARD]);
	assert_null(devices[UINPUT_TABLET]);
}

static void test_uinput_types_nothing_to_the_host(void **state)
{
	struct input *input = start(false, false);
	struct input_seat *seat = input_seat_create(input);

	(void)state;
	input_seat_key(seat, KEY_SYSRQ, true);
	input_seat_key(seat, KEY_SYSRQ, false);
	input_seat_pointer(seat, 3, 3, 640, 480, INPUT_LEFT);
	input_seat_wheel(seat, 0, 1);
	input_seat_release(seat);
	assert_told(UINPUT_KEYBOARD, "");
	assert_told(UINPUT_TABLET, "");
	input_seat_destroy(seat);
	input_destroy(input);
}

/* Who had the node has let go of it while a key was down. */
static void test_uinput_releases_what_is_down_whoever_listens(void **state)
{
	struct input *input = start(false, true);
	struct input_seat *seat = input_seat_create(input);

	(void)state;
	input_seat_key(seat, KEY_LEFTCTRL, true);
	input_seat_key(seat, KEY_RIGHTCTRL, true);
	devices[UINPUT_KEYBOARD]->taken = false;
	g_string_truncate(devices[UINPUT_KEYBOARD]->text, 0);
	input_seat_key(seat, KEY_RIGHTCTRL, true);
	input_seat_key(seat, KEY_B, true);
	input_seat_destroy(seat);
	assert_told(UINPUT_KEYBOARD, "1/29=0 ; 1/97=0 ; ");
	input_destroy(input);
}

static void test_uinput_points_before_it_clicks(void **state)
{
	struct input *input = start(false, true);
	struct input_seat *seat = input_seat_create(input);

	(void)state;
	input_seat_pointer(seat, 639, 0, 640, 480, 0);
	assert_told(UINPUT_TABLET, "3/0=32767 3/1=0 ; ");
	input_seat_pointer(seat, 0, 479, 640, 480, INPUT_LEFT | INPUT_EXTRA);
	assert_told(UINPUT_TABLET, "3/0=0 3/1=32767 ; 1/272=1 ; 1/276=1 ; ");
	input_seat_pointer(seat, 0, 479, 640, 480, 0);
	assert_told(UINPUT_TABLET, "1/272=0 ; 1/276=0 ; ");
	input_seat_wheel(seat, 1, -2);
	assert_told(UINPUT_TABLET, "2/8=1 ; 2/8=1 ; 2/6=1 ; ");
	input_seat_wheel(seat, INT32_MIN, 0);
	assert_int_equal(devices[UINPUT_TABLET]->text->len, 8 * strlen("2/6=-1 ; "));
	/* A tablet knows no distances. */
	g_string_truncate(devices[UINPUT_TABLET]->text, 0);
	input_seat_motion(seat, 5, 5, 0);
	assert_told(UINPUT_TABLET, "");
	input_seat_destroy(seat);
	input_destroy(input);
}

static void test_uinput_mouse_gets_distances(void **state)
{
	struct input *input = start(true, true);
	struct input_seat *seat = input_seat_create(input);

	(void)state;
	input_seat_motion(seat, 5, -6, 0);
	assert_told(UINPUT_MOUSE, "2/0=5 2/1=-6 ; ");
	input_seat_motion(seat, INT32_MAX, INT32_MIN, 0);
	input_seat_motion(seat, INT32_MAX, INT32_MIN, INPUT_RIGHT);
	assert_non_null(strstr(devices[UINPUT_MOUSE]->text->str, "2/0=65536 2/1=-65536 ; 1/273=1"));
	input_seat_destroy(seat);
	input_destroy(input);
}

/* However slow this runs: no more positions than pauses went by, and the last one always comes. */
static void test_uinput_makes_a_flood_one(void **state)
{
	struct input *input = start(false, true);
	struct input_seat *seat = input_seat_create(input);
	gint64 begun = g_get_monotonic_time(), pauses;
	unsigned int told = 0;

	(void)state;
	for (uint32_t i = 0; i < 20000; i++)
		input_seat_pointer(seat, i % 640, 7, 640, 480, 0);
	pauses = (g_get_monotonic_time() - begun) / INPUT_UINPUT_PAUSE;
	for (const char *at = devices[UINPUT_TABLET]->text->str; (at = strchr(at, ';')); at++)
		told++;
	assert_in_range(told, 1, pauses + 1);
	input_seat_pointer(seat, 639, 479, 640, 480, 0);
	while (!strstr(devices[UINPUT_TABLET]->text->str, "3/0=32767 3/1=32767 ; "))
		g_main_context_iteration(NULL, TRUE);
	input_seat_destroy(seat);
	input_destroy(input);
}

static void test_uinput_brings_lights_of_the_taker(void **state)
{
	struct input *input = start(false, false);

	(void)state;
	light(EV_LED, LED_CAPSL, 1);
	dispatch_all();
	assert_int_equal(input_leds(input), 0);
	devices[UINPUT_KEYBOARD]->taken = true;
	light(EV_LED, LED_NUML, 1);
	light(EV_LED, LED_MUTE, 1);
	light(EV_SYN, SYN_REPORT, 0);
	dispatch_all();
	assert_int_equal(input_leds(input), INPUT_CAPS_LOCK | INPUT_NUM_LOCK);
	light(EV_LED, LED_CAPSL, 0);
	light(EV_LED, LED_SCROLLL, 1);
	dispatch_all();
	assert_int_equal(input_leds(input), INPUT_SCROLL_LOCK | INPUT_NUM_LOCK);
	input_destroy(input);
}

static void act(struct input_seat *seat, GRand *rand)
{
	guint what = g_rand_int_range(rand, 0, 8);

	if (what < 5)
		input_seat_key(seat, (uint16_t)g_rand_int_range(rand, 1, 200), what < 4);
	else if (what < 7)
		input_seat_pointer(seat, g_rand_int(rand) % 640, 3, 640, 480,
				   g_rand_int(rand) % (1u << INPUT_BUTTONS));
	else
		devices[g_rand_boolean(rand) ? UINPUT_KEYBOARD : UINPUT_TABLET]->taken ^= true;
}

static void test_uinput_has_no_key_down_after_many_drops(void **state)
{
	struct input *input = start(false, true);
	struct input_seat *seats[4] = {NULL};
	GRand *rand = g_rand_new_with_seed(4711);
	unsigned int drops = 0, held = 0;

	(void)state;
	while (drops < DROPS) {
		struct input_seat **seat = &seats[g_rand_int_range(rand, 0, 4)];

		if (!*seat)
			*seat = input_seat_create(input);
		for (int i = g_rand_int_range(rand, 0, 9); i > 0; i--)
			act(*seat, rand);
		if (g_rand_boolean(rand))
			continue;
		g_clear_pointer(seat, input_seat_destroy);
		drops++;
		held += memchr(devices[UINPUT_KEYBOARD]->down, true, KEY_CNT) != NULL;
	}
	/* Keys were down in between, so the end means something. */
	assert_int_not_equal(held, 0);
	for (size_t i = 0; i < G_N_ELEMENTS(seats); i++)
		input_seat_destroy(seats[i]);
	assert_null(memchr(devices[UINPUT_KEYBOARD]->down, true, KEY_CNT));
	assert_null(memchr(devices[UINPUT_TABLET]->down, true, KEY_CNT));
	g_rand_free(rand);
	input_destroy(input);
}

static void test_uinput_fails_whole(void **state)
{
	struct input_sink *sink = NULL;
	GError *error = NULL;

	(void)state;
	for (int first = 0; first < 2; first++) {
		creations_until_failure = first;
		assert_int_equal(input_uinput_create("vm1", false, &sink, &error), -EACCES);
		assert_int_equal(error->code, EXIT_REFUSED);
		g_clear_error(&error);
		assert_null(sink);
		assert_null(devices[UINPUT_KEYBOARD]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uinput_types_and_repeats),
		cmocka_unit_test(test_uinput_types_nothing_to_the_host),
		cmocka_unit_test(test_uinput_releases_what_is_down_whoever_listens),
		cmocka_unit_test(test_uinput_points_before_it_clicks),
		cmocka_unit_test(test_uinput_mouse_gets_distances),
		cmocka_unit_test(test_uinput_makes_a_flood_one),
		cmocka_unit_test(test_uinput_brings_lights_of_the_taker),
		cmocka_unit_test(test_uinput_has_no_key_down_after_many_drops),
		cmocka_unit_test(test_uinput_fails_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

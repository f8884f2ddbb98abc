/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "input_qmp.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <linux/input-event-codes.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "qmp.h"
#include "unit.h"

#define PATIENCE (60 * G_TIME_SPAN_SECOND)
#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n"
#define ANSWER   "{\"return\": {}}\r\n"
#define TABLET   "{\"return\": [{\"name\": \"t\", \"current\": true, \"absolute\": true}]}\r\n"
#define MOUSE    "{\"return\": [{\"name\": \"m\", \"current\": true, \"absolute\": false}]}\r\n"
#define MICE     "{\"execute\":\"query-mice\"}"

/* A monitor in the hands of the test, and the input that goes to it. */
struct monitor {
	char *folder, *path;
	int listener, fd;
	GString *said; /* by planecast, not yet read by the test */
	struct input *input;
};

static uint16_t code_of(uint32_t keysym, void *data)
{
	(void)data;
	return keysym == 'a' ? KEY_A : 0;
}

static void listen_again(struct monitor *monitor)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	g_strlcpy(address.sun_path, monitor->path, sizeof(address.sun_path));
	monitor->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_true(monitor->listener >= 0);
	assert_int_equal(bind(monitor->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(monitor->listener, 4), 0);
}

static int set_up(void **state)
{
	struct monitor *monitor = g_new0(struct monitor, 1);

	monitor->folder = g_dir_make_tmp("planecast-qmp.XXXXXX", NULL);
	assert_non_null(monitor->folder);
	monitor->path = g_build_filename(monitor->folder, "qmp", NULL);
	monitor->said = g_string_new(NULL);
	monitor->fd = -1;
	listen_again(monitor);
	monitor->input = input_create(input_qmp_create(monitor->path), code_of, NULL);
	*state = monitor;
	return 0;
}

static void hang_up(struct monitor *monitor)
{
	if (monitor->fd >= 0)
		close(monitor->fd);
	monitor->fd = -1;
	g_string_truncate(monitor->said, 0);
}

static int tear_down(void **state)
{
	struct monitor *monitor = *state;

	input_destroy(monitor->input);
	hang_up(monitor);
	close(monitor->listener);
	g_unlink(monitor->path);
	g_rmdir(monitor->folder);
	g_string_free(monitor->said, TRUE);
	g_free(monitor->folder);
	g_free(monitor->path);
	g_free(monitor);
	return 0;
}

/* Lets planecast do what it can now, and takes what it says. */
static void turn(struct monitor *monitor)
{
	char bytes[65536];
	ssize_t got;

	while (g_main_context_iteration(NULL, FALSE))
		;
	if (monitor->fd < 0)
		return;
	while ((got = recv(monitor->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		g_string_append_len(monitor->said, bytes, got);
}

static void wait_a_little(gint64 end)
{
	assert_true(g_get_monotonic_time() < end);
	g_usleep(1000);
}

/* The next command, for g_free(). */
static char *hear(struct monitor *monitor)
{
	gint64 end = g_get_monotonic_time() + PATIENCE;
	char *line_end, *line;

	while (turn(monitor), !(line_end = strchr(monitor->said->str, '\n')))
		wait_a_little(end);
	line = g_strndup(monitor->said->str, (gsize)(line_end - monitor->said->str));
	g_string_erase(monitor->said, 0, line_end + 1 - monitor->said->str);
	return line;
}

static void say(struct monitor *monitor, const char *text)
{
	assert_int_equal(send(monitor->fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	turn(monitor);
}

static void assert_hears(struct monitor *monitor, const char *expected)
{
	char *line = hear(monitor);

	assert_string_equal(line, expected);
	g_free(line);
}

static void answer_phone(struct monitor *monitor)
{
	gint64 end = g_get_monotonic_time() + PATIENCE;

	while (turn(monitor), (monitor->fd = accept(monitor->listener, NULL, NULL)) < 0)
		wait_a_little(end);
}

static void greet(struct monitor *monitor, const char *mice)
{
	answer_phone(monitor);
	say(monitor, GREETING);
	assert_hears(monitor, "{\"execute\":\"qmp_capabilities\"}");
	assert_hears(monitor, MICE);
	say(monitor, ANSWER);
	say(monitor, mice);
}

/* The next command that is not about mice; those are answered. */
static char *hear_events(struct monitor *monitor)
{
	for (;;) {
		char *line = hear(monitor);

		if (strcmp(line, MICE) != 0)
			return line;
		say(monitor, TABLET);
		g_free(line);
	}
}

static void assert_events(struct monitor *monitor, const char *events)
{
	char *line = hear_events(monitor);
	char *expected = g_strdup_printf("{\"execute\":\"input-send-event\",\"arguments\":"
					 "{\"events\":[%s]}}",
					 events);

	assert_string_equal(line, expected);
	say(monitor, ANSWER);
	g_free(expected);
	g_free(line);
}

#define KEY(down, code)                                          \
	"{\"type\":\"key\",\"data\":{\"down\":" down ",\"key\":" \
	"{\"type\":\"number\",\"data\":" code "}}}"
#define BUTTON(down, name) "{\"type\":\"btn\",\"data\":{\"down\":" down ",\"button\":\"" name "\"}}"
#define AXIS(type, axis, value) \
	"{\"type\":\"" type "\",\"data\":{\"axis\":\"" axis "\",\"value\":" value "}}"
#define CLICK(name) BUTTON("true", name) "," BUTTON("false", name)

static void test_qmp_types_keys_by_scancode(void **state)
{
	struct monitor *monitor = *state;
	struct input_seat *seat = input_seat_create(monitor->input);

	greet(monitor, TABLET);
	input_seat_keysym(seat, 'a', true);
	input_seat_keysym(seat, 'a', false);
	input_seat_key(seat, KEY_UP, true);
	input_seat_key(seat, KEY_MICMUTE, true); /* no scancode of set 1 */
	assert_events(monitor, KEY("true", "30") "," KEY("false", "30") "," KEY("true", "200"));
	input_seat_destroy(seat);
	assert_events(monitor, KEY("false", "200"));
}

static void test_qmp_points_and_turns_the_wheel(void **state)
{
	struct monitor *monitor = *state;
	struct input_seat *seat = input_seat_create(monitor->input);

	greet(monitor, TABLET);
	input_seat_pointer(seat, 1919, 0, 1920, 1080, INPUT_RIGHT);
	input_seat_pointer(seat, 1919, 0, 1920, 1080, 0);
	input_seat_wheel(seat, 0, -2);
	input_seat_wheel(seat, 1, 1);
	input_seat_wheel(seat, -1, 0);
	assert_events(monitor,
		      AXIS("abs", "x", "32767") "," AXIS("abs", "y", "0") "," CLICK("right"));
	assert_events(monitor,
		      CLICK("wheel-up") "," CLICK("wheel-up") "," CLICK("wheel-down") "," CLICK(
			      "wheel-right") "," CLICK("wheel-left"));
	input_seat_destroy(seat);
}

static void test_qmp_moves_a_mouse_by_distances(void **state)
{
	struct monitor *monitor = *state;
	struct input_seat *seat = input_seat_create(monitor->input);

	greet(monitor, MOUSE);
	input_seat_pointer(seat, 10, 10, 640, 480, 0);
	input_seat_pointer(seat, 15, 8, 640, 480, INPUT_LEFT);
	input_seat_pointer(seat, 15, 9, 640, 480, INPUT_LEFT);
	assert_events(monitor, AXIS("rel", "x", "5") "," AXIS("rel", "y", "-2") "," BUTTON(
				       "true", "left") "," AXIS("rel", "y", "1"));
	input_seat_destroy(seat);
}

/* As many commands as it has not answered, and no more; then one position for all. */
static void test_qmp_spares_a_slow_monitor(void **state)
{
	struct monitor *monitor = *state;
	struct input_seat *seat = input_seat_create(monitor->input);
	char *line;

	greet(monitor, TABLET);
	for (unsigned int i = 0; i < 10000; i++) {
		input_seat_pointer(seat, i % 1000, 7, 1000, 1000, 0);
		turn(monitor);
	}
	for (unsigned int i = 0; i < 4; i++) {
		line = hear(monitor);
		g_free(line);
	}
	assert_string_equal(monitor->said->str, "");
	for (unsigned int i = 0; i < 4; i++)
		say(monitor, ANSWER);
	assert_events(monitor, AXIS("abs", "x", "32767") "," AXIS("abs", "y", "230"));
	assert_string_equal(monitor->said->str, "");
	input_seat_destroy(seat);
}

/* Keeps book of what the guest has down. */
static void follow(JsonObject *command, int *down)
{
	JsonObject *arguments = json_object_get_object_member(command, "arguments");
	JsonArray *events = json_object_get_array_member(arguments, "events");

	for (guint i = 0; i < json_array_get_length(events); i++) {
		JsonObject *event = json_array_get_object_element(events, i);
		JsonObject *data = json_object_get_object_member(event, "data");
		const char *type = json_object_get_string_member(event, "type");
		bool is_down;

		if (strcmp(type, "key") != 0)
			continue;
		is_down = json_object_get_boolean_member(data, "down");
		data = json_object_get_object_member(data, "key");
		down[json_object_get_int_member(data, "data")] = is_down;
	}
}

/* Answers all that is asked, until nothing more comes. */
static unsigned int catch_up(struct monitor *monitor, int *down)
{
	unsigned int commands = 0;
	char *end;

	while (turn(monitor), (end = strchr(monitor->said->str, '\n'))) {
		JsonObject *command;

		*end = '\0';
		command = qmp_parse(monitor->said->str);
		assert_non_null(command);
		if (strstr(monitor->said->str, "query-mice")) {
			say(monitor, TABLET);
		} else {
			follow(command, down);
			say(monitor, ANSWER);
		}
		json_object_unref(command);
		end = strchr(monitor->said->str, '\0');
		g_string_erase(monitor->said, 0, end + 1 - monitor->said->str);
		commands++;
	}
	return commands;
}

static void test_qmp_keeps_little_for_a_stuck_monitor_and_no_key_down(void **state)
{
	struct monitor *monitor = *state;
	struct input_seat *seat = input_seat_create(monitor->input);
	int down[256] = {0};
	unsigned int commands;

	greet(monitor, TABLET);
	for (unsigned int i = 0; i < 100000; i++)
		input_seat_key(seat, (uint16_t)(KEY_1 + i % 40), i / 40 % 2 == 0);
	input_seat_destroy(seat);
	commands = catch_up(monitor, down);
	assert_in_range(commands, 1, (INPUT_QMP_QUEUE + 40) / 16);
	for (unsigned int code = 0; code < G_N_ELEMENTS(down); code++)
		assert_int_equal(down[code], 0);
}

static void test_qmp_has_no_key_down_after_1000_viewers(void **state)
{
	struct monitor *monitor = *state;
	struct input_seat *seats[4] = {NULL};
	GRand *random = g_rand_new_with_seed(8);
	int down[256] = {0};
	unsigned int pressed = 0;

	greet(monitor, TABLET);
	for (unsigned int left = 0; left < 1000;) {
		struct input_seat **seat = &seats[g_rand_int_range(random, 0, 4)];

		if (!*seat) {
			*seat = input_seat_create(monitor->input);
		} else if (g_rand_int_range(random, 0, 8)) {
			input_seat_key(*seat, (uint16_t)g_rand_int_range(random, 1, 120),
				       g_rand_boolean(random));
			pressed++;
		} else {
			input_seat_destroy(*seat);
			*seat = NULL;
			left++;
		}
		if (!g_rand_int_range(random, 0, 50))
			catch_up(monitor, down);
	}
	for (unsigned int i = 0; i < G_N_ELEMENTS(seats); i++)
		input_seat_destroy(seats[i]);
	catch_up(monitor, down);
	assert_in_range(pressed, 1000, 1000000);
	for (unsigned int code = 0; code < G_N_ELEMENTS(down); code++)
		assert_int_equal(down[code], 0);
	g_rand_free(random);
}

static void test_qmp_comes_back_and_releases_what_was_down(void **state)
{
	struct monitor *monitor = *state;
	struct input_seat *seat = input_seat_create(monitor->input);

	greet(monitor, TABLET);
	input_seat_key(seat, KEY_LEFTSHIFT, true);
	assert_events(monitor, KEY("true", "42"));
	hang_up(monitor);
	close(monitor->listener);
	g_unlink(monitor->path);
	turn(monitor);
	input_seat_key(seat, KEY_LEFTSHIFT, false); /* nobody hears that */
	listen_again(monitor);
	greet(monitor, TABLET);
	assert_events(monitor, KEY("false", "42"));
	input_seat_key(seat, KEY_B, true);
	assert_events(monitor, KEY("true", "48"));
	input_seat_destroy(seat);
	assert_events(monitor, KEY("false", "48"));
}

static void test_qmp_releases_at_the_end(void **state)
{
	struct monitor *monitor = *state;
	struct input_seat *seat = input_seat_create(monitor->input);
	char *line;

	greet(monitor, TABLET);
	input_seat_key(seat, KEY_A, true);
	input_seat_destroy(seat);
	input_destroy(monitor->input);
	monitor->input = NULL;
	line = hear(monitor);
	assert_non_null(strstr(line, KEY("true", "30") "," KEY("false", "30")));
	g_free(line);
}

static void test_qmp_says_nothing_to_who_has_not_greeted(void **state)
{
	struct monitor *monitor = *state;
	struct input_seat *seat = input_seat_create(monitor->input);

	answer_phone(monitor);
	input_seat_key(seat, KEY_A, true);
	say(monitor, ANSWER TABLET);
	input_seat_key(seat, KEY_B, true);
	turn(monitor);
	assert_string_equal(monitor->said->str, "");
	input_seat_destroy(seat);
}

static void assert_hung_up(struct monitor *monitor, const char *what)
{
	gint64 end = g_get_monotonic_time() + PATIENCE;
	char byte;
	ssize_t got;

	while ((got = recv(monitor->fd, &byte, 1, MSG_DONTWAIT)) > 0 ||
	       (got < 0 && errno == EAGAIN)) {
		turn(monitor);
		if (g_get_monotonic_time() >= end)
			fail_msg("still connected after %.40s", what);
	}
	hang_up(monitor);
}

static void test_qmp_hangs_up_on_what_is_no_monitor(void **state)
{
	struct monitor *monitor = *state;
	char *deep = g_strnfill(40000, '[');
	char *nested = g_strconcat("{\"return\":", deep, "\n", NULL);
	char *endless = g_strnfill(QMP_LINE_LIMIT + 4096, ' ');
	const char *const lines[] = {
		"SSH-2.0-x\r\n",
		"[]\n",
		"{\n",
		"\n",
		"\xff\xfe\n",
		nested,
		"{} {}\n",
		"{\"a\":[1]}[]\n",
		"{\"a\":1} {\"b\":2}\n",
		"1 {}\n",
		"\"a\"{}\n",
		"{\"a\":'}{'}\n",
		"{\"a\":1/*}{*/}\n",
		"{}#\n",
		"a={}\n",
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(lines); i++) {
		answer_phone(monitor);
		say(monitor, lines[i]);
		assert_hung_up(monitor, lines[i]);
		/* The pauses grow; who proves to be one begins anew. */
		greet(monitor, TABLET);
		hang_up(monitor);
	}
	answer_phone(monitor);
	for (char *at = endless; *at; at += MIN(strlen(at), 4096)) {
		send(monitor->fd, at, MIN(strlen(at), 4096), MSG_NOSIGNAL);
		turn(monitor);
	}
	assert_hung_up(monitor, "a line without an end");
	g_free(endless);
	g_free(nested);
	g_free(deep);
}

/* Answers of the right words in the wrong places. */
static void test_qmp_survives_random_answers(void **state)
{
	static const char *const words[] = {"{",
					    "}",
					    "[",
					    "]",
					    ":",
					    ",",
					    "\"return\"",
					    "\"error\"",
					    "\"QMP\"",
					    "\"current\"",
					    "\"absolute\"",
					    "true",
					    "null",
					    "0",
					    "-1e999",
					    "\"\\u0000\"",
					    "{}",
					    "[{}]",
					    "{\"return\":[{\"current\":",
					    "}]}",
					    "\n",
					    "{\"return\":",
					    "{\"error\":"};
	struct monitor *monitor = *state;
	struct input_seat *seat = input_seat_create(monitor->input);
	GRand *random = g_rand_new_with_seed(9);
	unsigned int said = 0;

	greet(monitor, TABLET);
	for (unsigned int round = 0; round < 20000; round++) {
		GString *line = g_string_new("{\"return\":");
		JsonObject *object;

		for (gint32 n = g_rand_int_range(random, 1, 8); n > 0; n--)
			g_string_append(line,
					words[g_rand_int_range(random, 0, G_N_ELEMENTS(words))]);
		g_string_append(line, "}\n");
		object = qmp_parse(line->str);
		if (object && !strchr(line->str, '\n')[1]) {
			say(monitor, line->str);
			said++;
			input_seat_key(seat, KEY_A, round % 2);
		}
		g_clear_pointer(&object, json_object_unref);
		g_string_free(line, TRUE);
		g_string_truncate(monitor->said, 0);
	}
	assert_in_range(said, 100, 20000);
	hang_up(monitor);
	greet(monitor, TABLET);
	input_seat_destroy(seat);
	g_rand_free(random);
}

static void test_qmp_is_found_among_arguments(void **state)
{
	static const struct {
		const char *arguments[8], *path;
	} cases[] = {
		{{"qemu", "-qmp", "unix:/run/q,server=on,wait=off"}, "/run/q"},
		{{"qemu", "--qmp", "unix:/run/a,,b,server,nowait"}, "/run/a,b"},
		{{"qemu", "-qmp-pretty", "unix:q"}, "q"},
		{{"qemu", "-qmp", "tcp:localhost:4444,server"}, NULL},
		{{"qemu", "-monitor", "unix:/run/q,server"}, NULL},
		{{"qemu", "-chardev", "socket,id=m,path=/run/m,server=on", "-mon",
		  "chardev=m,mode=control"},
		 "/run/m"},
		{{"qemu", "-mon", "m,mode=control", "-chardev", "socket,path=/run/m,id=m"},
		 "/run/m"},
		{{"qemu", "-chardev", "socket,id=m,path=/run/m", "-mon", "chardev=m"}, NULL},
		{{"qemu", "-chardev", "socket,id=charmonitor,fd=29,server=on,wait=off", "-mon",
		  "chardev=charmonitor,id=monitor,mode=control"},
		 NULL},
		{{"qemu", "-qmp"}, NULL},
		{{NULL}, NULL},
	};

	(void)state;
	for (unsigned int i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *path = input_qmp_from_arguments(cases[i].arguments);

		if (g_strcmp0(path, cases[i].path) != 0)
			fail_msg("case %u: %s", i, path);
		g_free(path);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_qmp_types_keys_by_scancode),
		TEST(test_qmp_points_and_turns_the_wheel),
		TEST(test_qmp_moves_a_mouse_by_distances),
		TEST(test_qmp_spares_a_slow_monitor),
		TEST(test_qmp_keeps_little_for_a_stuck_monitor_and_no_key_down),
		TEST(test_qmp_has_no_key_down_after_1000_viewers),
		TEST(test_qmp_comes_back_and_releases_what_was_down),
		TEST(test_qmp_releases_at_the_end),
		TEST(test_qmp_says_nothing_to_who_has_not_greeted),
		TEST(test_qmp_hangs_up_on_what_is_no_monitor),
		TEST(test_qmp_survives_random_answers),
		cmocka_unit_test(test_qmp_is_found_among_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

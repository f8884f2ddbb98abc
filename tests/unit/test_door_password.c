/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "door.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hall.h"
#include "log.h"
#include "rfb.h"
#include "unit.h"

static const struct passwords passwords = {
	.full = "full", .view = "watch", .has_full = TRUE, .has_view = TRUE};
static const struct door_options asking = {.passwords = &passwords};

/* Once the door has let in so many: whether the last one is to watch. */
static bool lets_in_to_watch(struct hall *hall, unsigned int welcomed)
{
	hall_lets_in(hall, welcomed);
	assert_string_equal(hall->last.security, "password");
	return hall->last.view_only;
}

/* Up to the result. Empty words: it was let in. */
static void knock(int fd, int minor, const char *password, char words[128])
{
	uint8_t head[14], challenge[PASSWORD_CHALLENGE], answer[PASSWORD_CHALLENGE], key[8] = "";
	char version[13];
	uint32_t number;

	g_snprintf(version, sizeof(version), "RFB 003.%03d\n", minor);
	assert_true(rfb_receive(fd, head, 12) && rfb_send(fd, version, 12));
	words[0] = 0;
	if (minor == 3) {
		assert_true(rfb_receive(fd, &number, 4));
		assert_int_equal(GUINT32_FROM_BE(number), 2);
	} else {
		assert_true(rfb_receive(fd, head, 1));
		if (!head[0])
			goto refused;
		assert_true(rfb_receive(fd, head + 1, 1));
		assert_memory_equal(head, "\x01\x02", 2); /* nothing but VNC authentication */
		assert_true(rfb_send(fd, "\x02", 1));
	}
	memcpy(key, password, MIN(strlen(password), sizeof(key)));
	assert_true(rfb_receive(fd, challenge, sizeof(challenge)));
	assert_int_equal(password_answer(key, challenge, answer), 0);
	assert_true(rfb_send(fd, answer, sizeof(answer)) && rfb_receive(fd, &number, 4));
	if (!number) {
		assert_true(rfb_send(fd, "\x01", 1));
		return;
	}
	if (minor < 8) {
		strcpy(words, "no words");
		return;
	}
refused:
	assert_true(rfb_receive(fd, &number, 4));
	number = GUINT32_FROM_BE(number);
	assert_true(number < 128 && rfb_receive(fd, words, number));
	words[number] = 0;
}

static void test_door_lets_in_who_knows_a_password(void **state)
{
	static const int minors[] = {3, 7, 8};
	struct hall hall;
	char words[128];
	unsigned int welcomed = 0;

	(void)state;
	hall_open(&hall, &asking);
	for (size_t i = 0; i < G_N_ELEMENTS(minors); i++) {
		for (int watch = 0; watch < 2; watch++) {
			int fd = rfb_dial_tcp(hall.port);

			knock(fd, minors[i], watch ? "watch" : "full", words);
			assert_string_equal(words, "");
			assert_int_equal(lets_in_to_watch(&hall, ++welcomed), watch);
			close(fd);
		}
	}
	hall_close(&hall);
}

static void test_door_makes_who_guesses_wait(void **state)
{
	struct hall hall;
	char words[128];
	int fd;

	(void)state;
	hall_open(&hall, &asking);
	/* Proof wipes the slate: guesses never add up to a wait. */
	for (unsigned int i = 0; i < 4; i++) {
		for (int j = 0; j < 2; j++) {
			fd = rfb_dial_tcp(hall.port);
			knock(fd, j ? 8 : 7, "guess", words);
			assert_string_equal(words, j ? "wrong password" : "no words");
			assert_true(rfb_is_closed(fd));
			close(fd);
		}
		fd = rfb_dial_tcp(hall.port);
		knock(fd, 8, "full", words);
		assert_string_equal(words, "");
		close(fd);
	}
	/* One guess after the other: from now on some are not even looked at. */
	for (int i = 0; i < 20 && !strstr(words, "too many"); i++) {
		fd = rfb_dial_tcp(hall.port);
		knock(fd, 8, "guess", words);
		close(fd);
	}
	assert_string_equal(words, "too many wrong passwords from this address, try again later");
	hall_close(&hall);
}

/* A newcomer that is looked at only once cannot try many passwords on many connections. */
static void test_door_counts_guesses_over_all_connections(void **state)
{
	struct hall hall;
	int fds[20], refused = 0;
	uint8_t head[14 + PASSWORD_CHALLENGE];

	(void)state;
	hall_open(&hall, &asking);
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
		fds[i] = rfb_dial_tcp(hall.port);
		assert_true(rfb_send(fds[i], "RFB 003.008\n\x02", 13));
		assert_true(rfb_receive(fds[i], head, sizeof(head)));
	}
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
		uint8_t answer[PASSWORD_CHALLENGE] = {0};
		uint32_t result[2];
		char words[128] = "";

		assert_true(rfb_send(fds[i], answer, sizeof(answer)));
		assert_true(rfb_receive(fds[i], result, sizeof(result)));
		assert_true(rfb_receive(fds[i], words, GUINT32_FROM_BE(result[1])));
		refused += strstr(words, "too many") != NULL;
		close(fds[i]);
	}
	assert_true(refused >= 10);
	hall_close(&hall);
}

/* A stream behind a pump comes in by the same door, asked for the same password. */
static ssize_t pass_read(void *stream, void *bytes, size_t size)
{
	return recv(*(int *)stream, bytes, size, 0);
}

static int pass_write(void *stream, const void *bytes, size_t length)
{
	return rfb_send(*(int *)stream, bytes, length) ? 0 : -1;
}

static void pass_end(void *stream)
{
	(void)stream;
}

static void pass_close(void *stream)
{
	close(*(int *)stream);
}

static int adopt(struct hall *hall, int *stream, bool local)
{
	static const struct pump_ops ops = {pass_read, pass_write, pass_end, pass_close};
	struct door_stranger stranger = {.peer = "pumped", .host = "pumped", .local = local};
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	*stream = pair[1];
	assert_int_equal(pump_create(&ops, stream, pair[1], &stranger.pump, &stranger.fd), 0);
	door_adopt(hall->door, &stranger);
	return pair[0];
}

static void test_door_adopts_streams(void **state)
{
	struct hall hall;
	char words[128];
	int fd, streams[3];

	(void)state;
	hall_open(&hall, &asking);
	fd = adopt(&hall, &streams[0], false);
	knock(fd, 8, "watch", words);
	assert_string_equal(words, "");
	assert_true(lets_in_to_watch(&hall, 1));
	assert_int_equal(hall.last.wire, streams[0]);
	hall_see_off(&hall); /* joins its pump */
	assert_true(rfb_is_closed(fd));
	close(fd);
	fd = adopt(&hall, &streams[1], false);
	knock(fd, 8, "guess", words);
	assert_string_equal(words, "wrong password");
	assert_true(rfb_is_closed(fd));
	close(fd);
	/* Closed with one under way. */
	fd = adopt(&hall, &streams[2], false);
	hall_close(&hall);
	assert_true(rfb_is_closed(fd));
	close(fd);
}

static void test_door_is_open_to_a_network_only_if_it_asks(void **state)
{
	struct door_options options = {.name = "test"};
	GError *error = NULL;
	struct door *door;
	struct hall hall;
	char refusal[128];
	int fd, stream;

	(void)state;
	assert_int_equal(door_create(&options, &door, NULL), 0);
	assert_true(door_listen(door, "0.0.0.0:auto", &error) < 0);
	assert_int_equal(error->code, EXIT_USAGE);
	assert_non_null(strstr(error->message, "give --password-file"));
	g_clear_error(&error);
	door_destroy(door);
	options.insecure = true;
	assert_int_equal(door_create(&options, &door, NULL), 0);
	assert_int_equal(door_listen(door, "0.0.0.0:auto", &error), 0);
	door_destroy(door);
	options.insecure = false;
	options.passwords = &passwords;
	assert_int_equal(door_create(&options, &door, NULL), 0);
	assert_int_equal(door_listen(door, "0.0.0.0:auto", &error), 0);
	door_destroy(door);
	/* The same for who was brought from far away. */
	options.passwords = NULL;
	hall_open(&hall, &options);
	fd = adopt(&hall, &stream, false);
	assert_false(rfb_greet(fd, 8, refusal));
	assert_string_equal(refusal, "no security type is possible here");
	close(fd);
	hall_close(&hall);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_door_lets_in_who_knows_a_password),
		cmocka_unit_test(test_door_makes_who_guesses_wait),
		cmocka_unit_test(test_door_counts_guesses_over_all_connections),
		cmocka_unit_test(test_door_adopts_streams),
		cmocka_unit_test(test_door_is_open_to_a_network_only_if_it_asks),
	};

	alarm(240);
	return cmocka_run_group_tests_name("door_password", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "door.h"

#include <glib/gstdio.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hall.h"
#include "log.h"
#include "rfb.h"
#include "tls_line.h"
#include "unit.h"

/* "correct horse battery staple" and "watch". */
static const char file[] =
	"alice:$6$rounds=1000$planecast$f43JWBVVL6KqNQb7aUtj5Fs3QVEC3IXIAmQ1YiV7NIPQOts"
	"Odw6rTVE3F.mjvFcQszBvjLp/hGgScdhOOJKVr1\n"
	"bob:$2b$04$abcdefghijklmnopqrstuuKwII2SibDLOYnhfdl0HlZn/IUfqih52:view-only\n";
#define STAPLE "correct horse battery staple"
#define WRONG  "wrong name or password"

static const struct passwords passwords = {.full = "full", .has_full = TRUE};
static struct certificate *certificate;
static struct users *users;

/* Where checks are held up, and what was seen of them. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	bool held;
	char names[16][8]; /* under way */
	unsigned int now, most, most_of_one;
} desk = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};

enum password_verdict __real_users_check(struct users *list, const char *name,
					 const char *password);
enum password_verdict __wrap_users_check(struct users *list, const char *name,
					 const char *password);

enum password_verdict __wrap_users_check(struct users *list, const char *name, const char *password)
{
	unsigned int same = 0, place = 0;

	pthread_mutex_lock(&desk.lock);
	while (*desk.names[place])
		place++;
	g_strlcpy(desk.names[place], name, sizeof(desk.names[place]));
	for (size_t i = 0; i < G_N_ELEMENTS(desk.names); i++)
		same += !strcmp(desk.names[i], desk.names[place]);
	desk.now++;
	desk.most = MAX(desk.most, desk.now);
	desk.most_of_one = MAX(desk.most_of_one, same);
	pthread_cond_broadcast(&desk.moved);
	while (desk.held)
		pthread_cond_wait(&desk.moved, &desk.lock);
	*desk.names[place] = 0;
	desk.now--;
	pthread_mutex_unlock(&desk.lock);
	return __real_users_check(list, name, password);
}

static void hold(bool held)
{
	pthread_mutex_lock(&desk.lock);
	desk.held = held;
	if (held)
		desk.most = desk.most_of_one = 0;
	pthread_cond_broadcast(&desk.moved);
	pthread_mutex_unlock(&desk.lock);
}

static void await_checks(unsigned int count)
{
	pthread_mutex_lock(&desk.lock);
	while (desk.now < count)
		pthread_cond_wait(&desk.moved, &desk.lock);
	pthread_mutex_unlock(&desk.lock);
}

/* The lengths and what they say; whatever is wrong with them. */
static GByteArray *credentials(const char *name, const char *password)
{
	GByteArray *bytes = g_byte_array_new();
	uint32_t lengths[2] = {GUINT32_TO_BE(strlen(name)), GUINT32_TO_BE(strlen(password))};

	g_byte_array_append(bytes, (const guint8 *)lengths, sizeof(lengths));
	g_byte_array_append(bytes, (const guint8 *)name, (guint)strlen(name));
	g_byte_array_append(bytes, (const guint8 *)password, (guint)strlen(password));
	return bytes;
}

static void send_credentials(struct tls_line *line, const char *name, const char *password)
{
	GByteArray *bytes = credentials(name, password);

	assert_true(tls_line_send(line, bytes->data, bytes->len));
	g_byte_array_unref(bytes);
}

static void dial(struct hall *hall, struct tls_line *line)
{
	uint32_t types[TLS_LINE_TYPES];
	int fd = rfb_dial_tcp(hall->port);

	assert_in_range(tls_line_knock(fd, "RFB 003.008\n", types), 1, TLS_LINE_TYPES);
	assert_int_equal(types[0], 262);
	assert_true(tls_line_choose(fd, 262));
	assert_true(tls_line_open(line, fd, "NORMAL"));
}

/* What the server says to them: nothing if it lets them in. */
static void read_words(struct tls_line *line, char words[128])
{
	uint32_t result, length;

	words[0] = 0;
	assert_true(tls_line_receive(line, &result, 4));
	if (!result)
		return;
	assert_true(tls_line_receive(line, &length, 4));
	length = GUINT32_FROM_BE(length);
	assert_true(length < 128 && tls_line_receive(line, words, length));
	words[length] = 0;
}

static void knock(struct hall *hall, const char *name, const char *password, char words[128])
{
	struct tls_line line;

	dial(hall, &line);
	send_credentials(&line, name, password);
	read_words(&line, words);
	tls_line_close(&line);
}

static void test_users_come_in_by_tls(void **state)
{
	const struct door_options options = {.users = users, .certificate = certificate};
	static const struct {
		const char *name, *password;
		bool view_only;
	} cases[] = {{"alice", STAPLE, false}, {"bob", "watch", true}};
	struct hall hall;

	(void)state;
	hall_open(&hall, &options);
	for (unsigned int i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct tls_line line;
		char words[128];

		dial(&hall, &line);
		send_credentials(&line, cases[i].name, cases[i].password);
		/* What comes after the proof waits for who speaks next. */
		assert_true(tls_line_send(&line, "\x01up", 3));
		read_words(&line, words);
		assert_string_equal(words, "");
		hall_lets_in(&hall, i + 1);
		assert_string_equal(hall.last.security, "tls plain");
		assert_string_equal(hall.last.user, cases[i].name);
		assert_int_equal(hall.last.view_only, cases[i].view_only);
		assert_true(rfb_receive(hall.last.fd, words, 2));
		assert_memory_equal(words, "up", 2);
		tls_line_close(&line);
	}
	hall_close(&hall);
}

static void test_strangers_and_wrong_passwords_are_told_the_same(void **state)
{
	const struct door_options options = {.users = users, .certificate = certificate};
	static const char *const cases[][2] = {
		{"alice", "watch"}, {"mallory", STAPLE}, {"Alice", STAPLE}, {"bob", ""},
		{"bob", STAPLE},    {"bob:x", "watch"},  {"root", ""},
	};
	char words[128];
	struct hall hall;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		hall_open(&hall, &options);
		knock(&hall, cases[i][0], cases[i][1], words);
		assert_string_equal(words, WRONG);
		assert_int_equal(hall.welcomed, 0);
		hall_close(&hall);
	}
}

static void test_who_guesses_users_has_to_wait(void **state)
{
	const struct door_options options = {.users = users, .certificate = certificate};
	char words[128];
	struct hall hall;
	int refusals = 0;

	(void)state;
	hall_open(&hall, &options);
	for (int i = 0; i < 30 && refusals < 2; i++) {
		uint32_t types[TLS_LINE_TYPES], length;
		int fd = rfb_dial_tcp(hall.port);

		if (!tls_line_knock(fd, "RFB 003.008\n", types)) {
			assert_true(rfb_receive(fd, &length, 4));
			length = GUINT32_FROM_BE(length);
			assert_true(length < sizeof(words) && rfb_receive(fd, words, length));
			words[length] = 0;
			assert_non_null(strstr(words, "too many wrong passwords"));
			refusals++;
		} else {
			struct tls_line line;

			assert_true(tls_line_choose(fd, 262));
			assert_true(tls_line_open(&line, fd, "NORMAL"));
			send_credentials(&line, i % 2 ? "alice" : "mallory", "guess");
			read_words(&line, words);
			tls_line_close(&line);
			continue;
		}
		close(fd);
	}
	assert_int_equal(refusals, 2);
	hall_close(&hall);
}

/* Many connections get no more tries than one: they are checked one after the other. */
static void test_who_guesses_on_many_connections_gets_no_more_tries(void **state)
{
	const struct door_options options = {.users = users, .certificate = certificate};
	struct tls_line lines[16];
	int wrong = 0, waits = 0;
	struct hall hall;

	(void)state;
	hall_open(&hall, &options);
	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
		dial(&hall, &lines[i]);
	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
		send_credentials(&lines[i], "alice", "guess");
	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
		char words[128];

		read_words(&lines[i], words);
		wrong += !strcmp(words, WRONG);
		waits += strstr(words, "too many wrong passwords") != NULL;
		tls_line_close(&lines[i]);
	}
	assert_int_equal(wrong + waits, G_N_ELEMENTS(lines));
	assert_true(wrong >= 4 && waits >= 8);
	hall_close(&hall);
}

static void test_names_and_passwords_have_limits(void **state)
{
	const struct door_options options = {.users = users, .certificate = certificate};
	static const struct {
		const char bytes[16];
		size_t length;
		const char *words;
	} cases[] = {
		{"\0\0\0\0\0\0\0\x05", 8, "there is no user without a name"},
		{"\0\0\x01\0\0\0\0\x05", 8, "the name or the password is too long"},
		{"\0\0\0\x05\0\0\x02\0", 8, "the name or the password is too long"},
		{"\xff\xff\xff\xff\xff\xff\xff\xff", 8, "the name or the password is too long"},
		{"\xff\xff\xff\xfb\0\0\0\x0a", 8, "the name or the password is too long"},
		{"\0\0\0\x03\0\0\0\x03"
		 "bobx\0y",
		 14, "the name or the password is not text"},
		{"\0\0\0\x04\0\0\0\x01"
		 "bob\0x",
		 13, "the name or the password is not text"},
	};
	struct tls_line line;
	struct hall hall;
	char words[128];

	(void)state;
	hall_open(&hall, &options);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		dial(&hall, &line);
		assert_true(tls_line_send(&line, cases[i].bytes, cases[i].length));
		read_words(&line, words);
		assert_string_equal(words, cases[i].words);
		tls_line_close(&line);
	}
	/* Who leaves half-way, or while he is checked. */
	for (size_t i = 0; i < 3; i++) {
		GByteArray *bytes = credentials("alice", STAPLE);

		dial(&hall, &line);
		assert_true(tls_line_send(&line, bytes->data, i ? bytes->len : 20));
		tls_line_close(&line);
		g_byte_array_unref(bytes);
	}
	knock(&hall, "alice", STAPLE, words);
	assert_string_equal(words, "");
	hall_close(&hall);
}

/* Nothing asks for a name in the clear. */
static void test_names_are_for_tls_alone(void **state)
{
	struct door_options options = {.users = users, .certificate = certificate};
	uint32_t types[TLS_LINE_TYPES];
	GError *error = NULL;
	struct hall hall;
	struct door *door;
	char words[128];
	uint8_t head[15];
	int fd;

	(void)state;
	hall_open(&hall, &options);
	fd = rfb_dial_tcp(hall.port);
	assert_int_equal(tls_line_knock(fd, "RFB 003.008\n", types), 1);
	assert_false(tls_line_choose(fd, 256));
	assert_true(rfb_is_closed(fd));
	close(fd);
	fd = rfb_dial_tcp(hall.port);
	assert_true(rfb_send(fd, "RFB 003.008\n\x01", 13));
	assert_true(rfb_receive(fd, head, 14));
	assert_memory_equal(head + 12, "\x01\x13", 2);
	close(fd);
	hall_close(&hall);
	/* Next to passwords. */
	options.passwords = &passwords;
	hall_open(&hall, &options);
	fd = rfb_dial_tcp(hall.port);
	assert_int_equal(tls_line_knock(fd, "RFB 003.008\n", types), 2);
	assert_int_equal(types[0], 262);
	assert_int_equal(types[1], 261);
	close(fd);
	fd = rfb_dial_tcp(hall.port);
	assert_true(rfb_receive(fd, head, 12) && rfb_send(fd, "RFB 003.008\n", 12));
	assert_true(rfb_receive(fd, head, 3));
	assert_memory_equal(head, "\x02\x13\x02", 3);
	close(fd);
	hall_close(&hall);
	/* Without TLS they let nobody in, so that a network is not listened to. */
	options = (struct door_options){.name = "test", .users = users};
	hall_open(&hall, &options);
	fd = rfb_dial_tcp(hall.port);
	assert_false(rfb_greet(fd, 8, words));
	assert_string_equal(words, "no security type is possible here");
	close(fd);
	hall_close(&hall);
	assert_int_equal(door_create(&options, &door, NULL), 0);
	assert_true(door_listen(door, "0.0.0.0:auto", &error) < 0);
	assert_int_equal(error->code, EXIT_USAGE);
	g_clear_error(&error);
	door_destroy(door);
	options.certificate = certificate;
	assert_int_equal(door_create(&options, &door, NULL), 0);
	assert_int_equal(door_listen(door, "0.0.0.0:auto", &error), 0);
	door_destroy(door);
}

static int bring(struct hall *hall, const char *host, bool encrypted)
{
	struct door_stranger stranger = {.peer = host, .host = host, .encrypted = encrypted};
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	stranger.fd = pair[1];
	door_adopt(hall->door, &stranger);
	return pair[0];
}

/* A stream that somebody else has encrypted: Plain itself, without TLS of its own (and, as it has
 * none, without a word that it begins). */
static void test_users_come_in_by_streams_that_are_encrypted(void **state)
{
	const struct door_options options = {.users = users, .certificate = certificate};
	struct hall hall;

	(void)state;
	hall_open(&hall, &options);
	for (int encrypted = 0; encrypted < 2; encrypted++) {
		int fd = bring(&hall, "brought", encrypted);
		GByteArray *bytes = credentials("bob", "watch");
		uint32_t types[TLS_LINE_TYPES], wire = GUINT32_TO_BE(256);

		assert_int_equal(tls_line_knock(fd, "RFB 003.008\n", types), 1 + encrypted);
		assert_int_equal(types[encrypted], encrypted ? 256 : 262);
		if (encrypted) {
			assert_true(rfb_send(fd, &wire, 4));
			assert_true(rfb_send(fd, bytes->data, bytes->len));
			assert_true(rfb_send(fd, "\x01", 1));
			assert_true(rfb_receive(fd, &wire, 4));
			assert_int_equal(wire, 0);
			hall_lets_in(&hall, 1);
			assert_true(hall.last.view_only);
			assert_string_equal(hall.last.security, "tls plain");
		}
		g_byte_array_unref(bytes);
		close(fd);
	}
	hall_close(&hall);
}

/* The door has time for others while a password is checked. */
static void test_a_slow_check_holds_up_nobody(void **state)
{
	const struct door_options options = {
		.passwords = &passwords, .users = users, .certificate = certificate};
	struct tls_line line;
	struct hall hall;
	char words[128];

	(void)state;
	hall_open(&hall, &options);
	hold(true);
	dial(&hall, &line);
	send_credentials(&line, "alice", STAPLE);
	await_checks(1);
	for (unsigned int i = 0; i < 8; i++) {
		int fd = rfb_dial_tcp(hall.port);

		assert_true(rfb_greet_with(fd, (const uint8_t *)"full\0\0\0\0"));
		hall_lets_in(&hall, i + 1);
		close(fd);
	}
	hold(false);
	read_words(&line, words);
	assert_string_equal(words, "");
	tls_line_close(&line);
	hall_close(&hall);
}

/* Who is pushed out while he is checked. */
static void test_a_slow_check_may_be_for_nobody(void **state)
{
	const struct door_options options = {
		.users = users, .certificate = certificate, .handshakes = 1};
	struct tls_line line, newcomer;
	struct hall hall;
	char words[128];

	(void)state;
	hold(true);
	hall_open(&hall, &options);
	dial(&hall, &line);
	send_credentials(&line, "alice", STAPLE);
	await_checks(1);
	dial(&hall, &newcomer);
	assert_false(tls_line_receive(&line, words, 1));
	tls_line_close(&line);
	hold(false);
	send_credentials(&newcomer, "bob", "watch");
	read_words(&newcomer, words);
	assert_string_equal(words, "");
	assert_true(tls_line_send(&newcomer, "\x01", 1));
	hall_lets_in(&hall, 1);
	assert_true(hall.last.view_only);
	tls_line_close(&newcomer);
	hall_close(&hall);
}

/* Two at a time, and of one host one. */
static void test_checks_are_few_at_a_time(void **state)
{
	static const char *const hosts[] = {"a", "a", "a", "b", "b", "a", "c", "c"};
	const struct door_options options = {.users = users, .certificate = certificate};
	int fds[G_N_ELEMENTS(hosts)];
	struct hall hall;

	(void)state;
	hall_open(&hall, &options);
	hold(true);
	for (size_t i = 0; i < G_N_ELEMENTS(hosts); i++) {
		uint32_t types[TLS_LINE_TYPES];
		GByteArray *bytes = credentials(hosts[i], "guess");

		fds[i] = bring(&hall, hosts[i], true);
		tls_line_knock(fds[i], "RFB 003.008\n", types);
		assert_true(rfb_send(fds[i], "\0\0\x01\0", 4));
		assert_true(rfb_send(fds[i], bytes->data, bytes->len));
		g_byte_array_unref(bytes);
	}
	await_checks(2);
	hold(false);
	for (size_t i = 0; i < G_N_ELEMENTS(hosts); i++) {
		uint32_t result;

		assert_true(rfb_receive(fds[i], &result, 4));
		assert_int_equal(GUINT32_FROM_BE(result), 1);
		close(fds[i]);
	}
	hall_close(&hall);
	assert_int_equal(desk.most, 2);
	assert_int_equal(desk.most_of_one, 1);
}

static int open_house(void **state)
{
	char *folder = g_dir_make_tmp("door-users-XXXXXX", NULL);
	char *path = g_build_filename(folder, "users", NULL);

	*state = folder;
	if (certificate_open_own(folder, &certificate, NULL) ||
	    !g_file_set_contents_full(path, file, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL) ||
	    users_load(path, &users, NULL))
		return -1;
	g_unlink(path);
	g_free(path);
	return 0;
}

static int close_house(void **state)
{
	char *folder = *state, *path = g_build_filename(folder, "key.pem", NULL);

	g_unlink(path);
	g_unlink(certificate_name(certificate));
	g_rmdir(folder);
	certificate_close(certificate);
	users_free(users);
	g_free(path);
	g_free(folder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_users_come_in_by_tls),
		cmocka_unit_test(test_strangers_and_wrong_passwords_are_told_the_same),
		cmocka_unit_test(test_who_guesses_users_has_to_wait),
		cmocka_unit_test(test_who_guesses_on_many_connections_gets_no_more_tries),
		cmocka_unit_test(test_names_and_passwords_have_limits),
		cmocka_unit_test(test_names_are_for_tls_alone),
		cmocka_unit_test(test_users_come_in_by_streams_that_are_encrypted),
		cmocka_unit_test(test_a_slow_check_holds_up_nobody),
		cmocka_unit_test(test_a_slow_check_may_be_for_nobody),
		cmocka_unit_test(test_checks_are_few_at_a_time),
	};

	alarm(240);
	return cmocka_run_group_tests_name("door_users", tests, open_house, close_house);
}

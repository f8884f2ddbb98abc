/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "door.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hall.h"
#include "rfb.h"
#include "tls_line.h"
#include "unit.h"

#define NORMAL "NORMAL"

static const struct passwords passwords = {.full = "full", .has_full = TRUE};
static struct certificate *certificate;

/* Up to the list of VeNCrypt's types, of which there is one. */
static uint32_t knock(int fd, const char *version)
{
	uint32_t types[TLS_LINE_TYPES];

	assert_int_equal(tls_line_knock(fd, version, types), 1);
	return types[0];
}

static uint32_t prove(struct tls_line *line, const char *password)
{
	uint8_t challenge[PASSWORD_CHALLENGE], answer[PASSWORD_CHALLENGE], key[8] = "";
	uint32_t result = 0;

	memcpy(key, password, MIN(strlen(password), sizeof(key)));
	assert_true(tls_line_receive(line, challenge, sizeof(challenge)));
	assert_int_equal(password_answer(key, challenge, answer), 0);
	assert_true(tls_line_send(line, answer, sizeof(answer)) &&
		    tls_line_receive(line, &result, 4));
	return GUINT32_FROM_BE(result);
}

static void test_tls_carries_a_guest(void **state)
{
	static const char *const priorities[] = {NORMAL, "NORMAL:-VERS-ALL:+VERS-TLS1.2"};
	const struct door_options options = {.passwords = &passwords, .certificate = certificate};
	struct hall hall;

	(void)state;
	hall_open(&hall, &options);
	for (unsigned int i = 0; i < G_N_ELEMENTS(priorities); i++) {
		char words[8];
		struct tls_line line;
		int fd = rfb_dial_tcp(hall.port);

		assert_int_equal(knock(fd, "RFB 003.008\n"), 261);
		assert_true(tls_line_choose(fd, 261));
		assert_true(tls_line_open(&line, fd, priorities[i]));
		assert_int_equal(prove(&line, "full"), 0);
		assert_true(tls_line_send(&line, "\x01up", 3));
		hall_lets_in(&hall, i + 1);
		assert_string_equal(hall.last.security, "tls password");
		assert_true(hall.last.wire >= 0);
		assert_true(rfb_receive(hall.last.fd, words, 2));
		assert_memory_equal(words, "up", 2);
		assert_true(rfb_send(hall.last.fd, "down", 4));
		assert_true(tls_line_receive(&line, words, 4));
		assert_memory_equal(words, "down", 4);
		hall_see_off(&hall);
		assert_false(tls_line_receive(&line, words, 1));
		tls_line_close(&line);
	}
	hall_close(&hall);
}

/* None has a result behind TLS even where the version has none. */
static void test_tls_without_a_password_where_none_is_needed(void **state)
{
	const struct door_options options = {.certificate = certificate};
	struct tls_line line;
	struct hall hall;
	uint32_t result = 0;
	int fd;

	(void)state;
	hall_open(&hall, &options);
	fd = rfb_dial_tcp(hall.port);
	assert_int_equal(knock(fd, "RFB 003.007\n"), 260);
	assert_true(tls_line_choose(fd, 260));
	assert_true(tls_line_open(&line, fd, NORMAL));
	assert_true(tls_line_receive(&line, &result, 4));
	assert_int_equal(result, 0);
	assert_true(tls_line_send(&line, "\x01", 1));
	hall_lets_in(&hall, 1);
	assert_string_equal(hall.last.security, "tls");
	tls_line_close(&line);
	hall_close(&hall);
}

static void test_tls_tells_who_is_wrong(void **state)
{
	const struct door_options options = {.passwords = &passwords, .certificate = certificate};
	struct tls_line line;
	struct hall hall;
	uint32_t length;
	char words[128] = "";
	int fd;

	(void)state;
	hall_open(&hall, &options);
	fd = rfb_dial_tcp(hall.port);
	knock(fd, "RFB 003.008\n");
	assert_true(tls_line_choose(fd, 261));
	assert_true(tls_line_open(&line, fd, NORMAL));
	assert_int_equal(prove(&line, "guess"), 1);
	assert_true(tls_line_receive(&line, &length, 4));
	length = GUINT32_FROM_BE(length);
	assert_true(length < sizeof(words) && tls_line_receive(&line, words, length));
	assert_string_equal(words, "wrong password");
	assert_false(tls_line_receive(&line, words, 1));
	tls_line_close(&line);
	hall_close(&hall);
}

static void test_tls_turns_away_what_it_does_not_offer(void **state)
{
	static const uint32_t others[] = {0, 256, 258, 259, 260, 262, 0xffffffff};
	const struct door_options options = {.passwords = &passwords, .certificate = certificate};
	uint8_t head[14];
	struct tls_line line;
	struct hall hall;
	int fd;

	(void)state;
	hall_open(&hall, &options);
	for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
		fd = rfb_dial_tcp(hall.port);
		knock(fd, "RFB 003.008\n");
		assert_false(tls_line_choose(fd, others[i]));
		assert_true(rfb_is_closed(fd));
		close(fd);
	}
	fd = rfb_dial_tcp(hall.port);
	assert_true(rfb_send(fd, "RFB 003.008\n\x13\x00\x01", 15));
	assert_true(rfb_receive(fd, head, 12) && rfb_receive(fd, head, 3));
	assert_true(rfb_receive(fd, head, 3));
	assert_memory_equal(head, "\0\x02\xff", 3);
	assert_true(rfb_is_closed(fd));
	close(fd);
	/* Too old. */
	fd = rfb_dial_tcp(hall.port);
	knock(fd, "RFB 003.008\n");
	assert_true(tls_line_choose(fd, 261));
	assert_false(tls_line_open(&line, fd, "NORMAL:-VERS-ALL:+VERS-TLS1.1:%COMPAT"));
	tls_line_close(&line);
	/* No TLS at all. */
	fd = rfb_dial_tcp(hall.port);
	knock(fd, "RFB 003.008\n");
	assert_true(tls_line_choose(fd, 261));
	assert_true(rfb_send(fd, "GET / HTTP/1.0\r\n\r\n", 18));
	assert_true(rfb_is_closed(fd));
	close(fd);
	hall_close(&hall);
}

/* Many that begin with TLS and fall silent do not keep others from it, nor the door from closing.
 */
static void test_tls_waits_for_nobody(void **state)
{
	const struct door_options options = {
		.passwords = &passwords, .certificate = certificate, .handshake_ms = 600000};
	struct tls_line line;
	struct hall hall;
	int fds[64], fd;

	(void)state;
	hall_open(&hall, &options);
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
		fds[i] = rfb_dial_tcp(hall.port);
		knock(fds[i], "RFB 003.008\n");
		assert_true(tls_line_choose(fds[i], 261));
		assert_true(rfb_send(fds[i], "\x16\x03\x01", 3));
	}
	fd = rfb_dial_tcp(hall.port);
	knock(fd, "RFB 003.008\n");
	assert_true(tls_line_choose(fd, 261));
	assert_true(tls_line_open(&line, fd, NORMAL));
	assert_int_equal(prove(&line, "full"), 0);
	assert_true(tls_line_send(&line, "\x01", 1));
	hall_lets_in(&hall, 1);
	hall_close(&hall);
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
		assert_true(rfb_is_closed(fds[i]));
		close(fds[i]);
	}
	tls_line_close(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tls_carries_a_guest),
		cmocka_unit_test(test_tls_without_a_password_where_none_is_needed),
		cmocka_unit_test(test_tls_tells_who_is_wrong),
		cmocka_unit_test(test_tls_turns_away_what_it_does_not_offer),
		cmocka_unit_test(test_tls_waits_for_nobody),
	};
	char *folder = g_dir_make_tmp("door-tls-XXXXXX", NULL), *path;
	int failed;

	alarm(240);
	if (certificate_open_own(folder, &certificate, NULL))
		return 1;
	failed = cmocka_run_group_tests_name("door_tls", tests, NULL, NULL);
	path = g_build_filename(folder, "key.pem", NULL);
	g_unlink(path);
	g_unlink(certificate_name(certificate));
	g_rmdir(folder);
	certificate_close(certificate);
	g_free(path);
	g_free(folder);
	return failed;
}

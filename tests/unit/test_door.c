/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "door.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "door_listener.h"
#include "log.h"
#include "rfb.h"
#include "stage.h"
#include "unit.h"

/* A door and whom it let in. */
struct hall {
	struct door *door;
	char *folder, *path; /* of its unix socket */
	uint16_t port;
	pthread_mutex_t lock;
	GPtrArray *tickets;
	int last;            /* descriptor */
	unsigned int guests; /* so many have been handed over */
	const char *full;
};

static void welcome(const struct door_guest *guest, void *data)
{
	struct hall *hall = data;

	pthread_mutex_lock(&hall->lock);
	g_ptr_array_add(hall->tickets, guest->ticket);
	if (hall->last >= 0)
		close(hall->last);
	hall->last = guest->fd;
	hall->guests++;
	pthread_mutex_unlock(&hall->lock);
}

static const char *full(void *data)
{
	return ((struct hall *)data)->full;
}

static void hall_open(struct hall *hall, struct door_options options)
{
	GError *error = NULL;
	char *address;

	*hall = (struct hall){.last = -1, .tickets = g_ptr_array_new()};
	pthread_mutex_init(&hall->lock, NULL);
	options.name = "test";
	options.full = full;
	options.welcome = welcome;
	options.data = hall;
	assert_int_equal(door_create(&options, &hall->door, &error), 0);
	hall->folder = g_dir_make_tmp("door-XXXXXX", NULL);
	hall->path = g_build_filename(hall->folder, "socket", NULL);
	hall->port = stage_free_port();
	address = g_strdup_printf("127.0.0.1:%u", hall->port);
	if (door_listen(hall->door, address, &error))
		fail_msg("%s", error->message);
	g_free(address);
	address = g_strdup_printf("unix:%s", hall->path);
	if (door_listen(hall->door, address, &error))
		fail_msg("%s", error->message);
	g_free(address);
}

static void hall_close(struct hall *hall)
{
	door_close(hall->door);
	for (guint i = 0; i < hall->tickets->len; i++)
		door_leave(hall->tickets->pdata[i]);
	door_destroy(hall->door);
	g_ptr_array_unref(hall->tickets);
	if (hall->last >= 0)
		close(hall->last);
	assert_int_equal(rmdir(hall->folder), 0); /* the socket is gone already */
	g_free(hall->path);
	g_free(hall->folder);
	pthread_mutex_destroy(&hall->lock);
}

static struct door_counts counts_of(struct hall *hall)
{
	struct door_counts counts;

	door_count(hall->door, &counts);
	return counts;
}

static unsigned int guests_of(struct hall *hall)
{
	unsigned int guests;

	pthread_mutex_lock(&hall->lock);
	guests = hall->guests;
	pthread_mutex_unlock(&hall->lock);
	return guests;
}

/* Waits until as many have been turned away or let in, and these are here: they count before. */
static void wait_settled(struct hall *hall, unsigned int welcomed, unsigned int refused,
			 unsigned int failed)
{
	struct door_counts counts;

	for (int i = 0; i < RFB_PATIENCE_MS; i++) {
		counts = counts_of(hall);
		if (counts.welcomed >= welcomed && counts.refused >= refused &&
		    counts.failed >= failed && guests_of(hall) >= welcomed)
			break;
		g_usleep(1000);
	}
	assert_int_equal(counts.welcomed, welcomed);
	assert_int_equal(counts.refused, refused);
	assert_int_equal(counts.failed, failed);
	assert_int_equal(guests_of(hall), welcomed);
}

static void test_door_speaks_each_version(void **state)
{
	static const struct {
		const char *version;
		uint8_t answer[5];
		size_t length; /* of the answer; 0: it hangs up */
	} cases[] = {
		{"RFB 003.003\n", {0, 0, 0, 1}, 4}, {"RFB 003.005\n", {0, 0, 0, 1}, 4},
		{"RFB 003.007\n", {1, 1}, 2},       {"RFB 003.008\n", {1, 1}, 2},
		{"RFB 003.014\n", {1, 1}, 2},       {"RFB 003.889\n", {1, 1}, 2},
		{"RFB 004.001\n", {1, 1}, 2},       {"RFB 005.000\n", {1, 1}, 2},
		{"RFB 002.002\n", {0}, 0},          {"RFB 003.00x\n", {0}, 0},
		{"RFB 003 008\n", {0}, 0},          {"RFB 003.0080", {0}, 0},
		{"GET / HTTP/1", {0}, 0},           {"\x16\x03\x01\0\0\0\0\0\0\0\0\0", {0}, 0},
	};
	struct hall hall;
	unsigned int failed = 0;

	(void)state;
	hall_open(&hall, (struct door_options){0});
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		uint8_t answer[12];
		int fd = rfb_dial_tcp(hall.port);

		assert_true(rfb_receive(fd, answer, 12));
		assert_memory_equal(answer, "RFB 003.008\n", 12);
		assert_true(rfb_send(fd, cases[i].version, 12));
		if (cases[i].length) {
			assert_true(rfb_receive(fd, answer, cases[i].length));
			assert_memory_equal(answer, cases[i].answer, cases[i].length);
		} else {
			assert_true(rfb_is_closed(fd));
		}
		close(fd);
		wait_settled(&hall, 0, 0, ++failed);
	}
	hall_close(&hall);
}

/* However the bytes arrive, the door takes its own and leaves the rest. */
static void test_door_reads_exactly_its_own(void **state)
{
	static const char words[] = "RFB 003.008\n\x01\x01the first message";
	struct hall hall;

	(void)state;
	hall_open(&hall, (struct door_options){0});
	for (unsigned int i = 1; i <= 2; i++) {
		int fd = i == 1 ? rfb_dial_tcp(hall.port) : rfb_dial_unix(hall.path);
		size_t piece = i == 1 ? sizeof(words) - 1 : 1;
		char rest[64] = "";

		for (size_t sent = 0; sent < sizeof(words) - 1; sent += piece)
			assert_true(rfb_send(fd, words + sent, piece));
		wait_settled(&hall, i, 0, 0);
		assert_int_equal(recv(hall.last, rest, sizeof(rest), MSG_DONTWAIT), 17);
		assert_string_equal(rest, "the first message");
		assert_int_equal(fcntl(hall.last, F_GETFD), FD_CLOEXEC);
		close(fd);
	}
	hall_close(&hall);
}

static void test_door_refuses_a_type_it_did_not_offer(void **state)
{
	static const char words[] = "RFB 003.008\n\x02";
	static const uint8_t answer[] = {1, 1, 0, 0, 0, 1, 0, 0, 0, 34};
	uint8_t got[12 + sizeof(answer) + 34];
	struct hall hall;
	int fd;

	(void)state;
	hall_open(&hall, (struct door_options){0});
	fd = rfb_dial_tcp(hall.port);
	assert_true(rfb_send(fd, words, 13));
	assert_true(rfb_receive(fd, got, sizeof(got)));
	assert_memory_equal(got + 12, answer, sizeof(answer));
	assert_memory_equal(got + 12 + sizeof(answer), "this security type was not offered", 34);
	close(fd);
	wait_settled(&hall, 0, 1, 0);
	hall_close(&hall);
}

static void refuse_all(struct hall *hall, const char *words)
{
	static const int minors[] = {3, 7, 8};

	for (size_t i = 0; i < G_N_ELEMENTS(minors); i++) {
		int fd = rfb_dial_tcp(hall->port);
		char refusal[128];

		assert_false(rfb_greet(fd, minors[i], refusal));
		assert_string_equal(refusal, words);
		assert_true(rfb_is_closed(fd));
		close(fd);
	}
}

static void test_door_refuses_in_rfb_words(void **state)
{
	struct hall hall;
	int fd;

	(void)state;
	hall_open(&hall, (struct door_options){.max_clients = 2});
	hall.full = "no more of anything";
	refuse_all(&hall, "no more of anything");
	hall.full = NULL;
	for (unsigned int i = 1; i <= 2; i++) {
		fd = rfb_dial_tcp(hall.port);
		assert_true(rfb_greet(fd, 8, NULL));
		wait_settled(&hall, i, 3, 0);
		close(fd);
	}
	refuse_all(&hall, "too many clients (the limit is 2)");
	/* A place that is given back is a place. */
	door_leave(g_ptr_array_steal_index(hall.tickets, 0));
	fd = rfb_dial_tcp(hall.port);
	assert_true(rfb_greet(fd, 8, NULL));
	wait_settled(&hall, 3, 6, 0);
	assert_int_equal(counts_of(&hall).guests, 2);
	close(fd);
	hall_close(&hall);
}

static void test_door_limits_each_address(void **state)
{
	char refusal[128];
	struct hall hall;
	int fd;

	(void)state;
	hall_open(&hall, (struct door_options){.per_address = 1});
	fd = rfb_dial_tcp(hall.port);
	assert_true(rfb_greet(fd, 8, NULL));
	wait_settled(&hall, 1, 0, 0);
	close(fd);
	refuse_all(&hall, "too many clients from this address");
	fd = rfb_dial_unix(hall.path);
	assert_true(rfb_greet(fd, 8, NULL));
	wait_settled(&hall, 2, 3, 0);
	close(fd);
	fd = rfb_dial_unix(hall.path);
	assert_false(rfb_greet(fd, 3, refusal));
	assert_string_equal(refusal, "too many clients from this address");
	close(fd);
	hall_close(&hall);
}

static void test_door_gives_a_handshake_its_time_and_no_more(void **state)
{
	struct hall hall;
	uint8_t byte;
	int fd;

	(void)state;
	hall_open(&hall, (struct door_options){.handshake_ms = 100});
	fd = rfb_dial_tcp(hall.port);
	assert_true(rfb_is_closed(fd)); /* silent */
	close(fd);
	wait_settled(&hall, 0, 0, 1);
	/* A trickle is no reason for more time. */
	fd = rfb_dial_tcp(hall.port);
	for (byte = 'R'; rfb_send(fd, &byte, 1); byte = '?')
		g_usleep(10000);
	close(fd);
	wait_settled(&hall, 0, 0, 2);
	hall_close(&hall);
}

static void test_door_notices_who_leaves(void **state)
{
	struct hall hall;
	int fd;

	(void)state;
	hall_open(&hall, (struct door_options){0});
	fd = rfb_dial_tcp(hall.port);
	close(fd);
	wait_settled(&hall, 0, 0, 1);
	fd = rfb_dial_tcp(hall.port); /* half-open: it will never say more */
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_true(rfb_is_closed(fd));
	close(fd);
	wait_settled(&hall, 0, 0, 2);
	hall_close(&hall);
}

/* Silent peers fill the hall, and yet everybody who talks comes in at once. */
static void test_door_is_not_filled_by_silence(void **state)
{
	struct hall hall;
	int silent[20], fd;

	(void)state;
	hall_open(&hall, (struct door_options){.handshakes = 4});
	for (unsigned int i = 0; i < 20; i++)
		silent[i] = rfb_dial_tcp(hall.port);
	for (int j = 0; counts_of(&hall).accepted < 20 && j < RFB_PATIENCE_MS; j++)
		g_usleep(1000);
	assert_int_equal(counts_of(&hall).accepted, 20);
	wait_settled(&hall, 0, 0, 16);
	for (unsigned int i = 1; i <= 5; i++) {
		fd = rfb_dial_unix(hall.path);
		assert_true(rfb_greet(fd, 8, NULL));
		for (int j = 0; counts_of(&hall).welcomed < i && j < RFB_PATIENCE_MS; j++)
			g_usleep(1000);
		assert_int_equal(counts_of(&hall).welcomed, i);
		close(fd);
	}
	/* Pushed out: all but the last 4, and one more for the first who talked. */
	wait_settled(&hall, 5, 0, 17);
	assert_int_equal(counts_of(&hall).underway, 3);
	for (unsigned int i = 0; i < 20; i++)
		close(silent[i]);
	wait_settled(&hall, 5, 0, 20);
	hall_close(&hall);
}

static void expect_refusal(struct hall *hall, const char *spec, int code, const char *words)
{
	GError *error = NULL;
	unsigned int before = counts_of(hall).listeners;

	assert_true(door_listen(hall->door, spec, &error) < 0);
	assert_int_equal(error->code, code);
	if (!strstr(error->message, words) || !g_str_has_prefix(error->message, spec) ||
	    strchr(error->message, '\n'))
		fail_msg("%s: \"%s\" is not in \"%s\"", spec, words, error->message);
	g_error_free(error);
	assert_int_equal(counts_of(hall).listeners, before);
}

static void test_door_refuses_bad_listeners_with_one_line(void **state)
{
	struct hall hall;
	char *spec, *file;
	int fd;

	(void)state;
	hall_open(&hall, (struct door_options){0});
	expect_refusal(&hall, "0.0.0.0:auto", EXIT_USAGE, "open to the network");
	expect_refusal(&hall, "1", EXIT_USAGE, "a port or a display?");
	expect_refusal(&hall, "no-such-host.invalid:5900", EXIT_USAGE, "cannot resolve");
	expect_refusal(&hall, "fd:999999", EXIT_USAGE, "not a listening socket");
	expect_refusal(&hall, "fd:1", EXIT_USAGE, "not a listening socket");
	expect_refusal(&hall, "192.0.2.1:auto", EXIT_FAILED, "no such address");
	expect_refusal(&hall, "unix:/nowhere/at/all", EXIT_USAGE, "the folder is missing");
	spec = g_strdup_printf("127.0.0.1:%u", hall.port);
	expect_refusal(&hall, spec, EXIT_REFUSED, "in use");
	g_free(spec);
	spec = g_strdup_printf("unix:%s", hall.path);
	expect_refusal(&hall, spec, EXIT_REFUSED, "in use");
	g_free(spec);
	file = g_build_filename(hall.folder, "file", NULL);
	assert_true(g_file_set_contents(file, "precious", -1, NULL));
	spec = g_strdup_printf("unix:%s", file);
	expect_refusal(&hall, spec, EXIT_REFUSED, "is no socket");
	assert_int_equal(unlink(file), 0);
	g_free(spec);
	g_free(file);
	/* After all this the door still works. */
	fd = rfb_dial_unix(hall.path);
	assert_true(rfb_greet(fd, 8, NULL));
	close(fd);
	hall_close(&hall);
}

static void test_door_keeps_socket_files_in_order(void **state)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	struct hall hall;
	struct stat st;
	char *spec, *path;
	int fd;

	(void)state;
	hall_open(&hall, (struct door_options){0});
	assert_int_equal(stat(hall.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* A socket that nobody listens on is replaced. */
	path = g_build_filename(hall.folder, "stale", NULL);
	g_strlcpy(name.sun_path, path, sizeof(name.sun_path));
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	close(fd);
	spec = g_strdup_printf("unix:%s", path);
	assert_int_equal(door_listen(hall.door, spec, NULL), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	fd = rfb_dial_unix(path);
	assert_true(rfb_greet(fd, 8, NULL));
	close(fd);
	/* Somebody puts a file of his own there: it stays. */
	assert_int_equal(unlink(path), 0);
	assert_true(g_file_set_contents(path, "not ours", -1, NULL));
	door_close(hall.door);
	assert_int_equal(stat(hall.path, &st), -1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(unlink(path), 0);
	g_free(spec);
	g_free(path);
	hall_close(&hall);
}

static void test_door_takes_inherited_sockets(void **state)
{
	struct sockaddr_in name = {.sin_family = AF_INET};
	socklen_t length = sizeof(name);
	struct hall hall;
	char spec[32];
	int fd, open_wide;

	(void)state;
	hall_open(&hall, (struct door_options){0});
	fd = socket(AF_INET, SOCK_STREAM, 0);
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	g_snprintf(spec, sizeof(spec), "fd:%d", fd);
	expect_refusal(&hall, spec, EXIT_USAGE, "not a listening socket");
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &length), 0);
	assert_int_equal(door_listen(hall.door, spec, NULL), 0);
	close(fd);
	fd = rfb_dial_tcp(ntohs(name.sin_port));
	assert_true(rfb_greet(fd, 8, NULL));
	wait_settled(&hall, 1, 0, 0);
	close(fd);
	/* One that is open to the network is refused as if we had opened it. */
	open_wide = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(listen(open_wide, 5), 0);
	g_snprintf(spec, sizeof(spec), "fd:%d", open_wide);
	expect_refusal(&hall, spec, EXIT_USAGE, "open to the network");
	close(open_wide);
	hall_close(&hall);
}

/* The line that scripts read the port from. */
static void test_door_prints_the_port_it_got(void **state)
{
	struct hall hall;
	char line[256] = "";
	unsigned int port = 0;
	int pipes[2], saved, fd;

	(void)state;
	hall_open(&hall, (struct door_options){0});
	assert_int_equal(pipe(pipes), 0);
	saved = dup(STDERR_FILENO);
	dup2(pipes[1], STDERR_FILENO);
	assert_int_equal(door_listen(hall.door, "127.0.0.1:auto", NULL), 0);
	dup2(saved, STDERR_FILENO);
	assert_true(read(pipes[0], line, sizeof(line) - 1) > 0);
	assert_int_equal(sscanf(line, "planecast: test: listening on 127.0.0.1:%u", &port), 1);
	fd = rfb_dial_tcp((uint16_t)port);
	assert_true(rfb_greet(fd, 8, NULL));
	wait_settled(&hall, 1, 0, 0);
	close(fd);
	close(saved);
	close(pipes[0]);
	close(pipes[1]);
	hall_close(&hall);
}

static void test_door_listens_on_ipv6_and_names(void **state)
{
	struct hall hall;
	GError *error = NULL;

	(void)state;
	hall_open(&hall, (struct door_options){0});
	if (door_listen(hall.door, "[::1]:auto", &error)) {
		print_message("SKIP: %s\n", error->message);
		g_error_free(error);
	} else {
		assert_int_equal(counts_of(&hall).listeners, 3);
	}
	assert_int_equal(door_listen(hall.door, "localhost:auto", NULL), 0);
	expect_refusal(&hall, "[::]:auto", EXIT_USAGE, "open to the network");
	hall_close(&hall);
}

static unsigned int count_files(const char *folder)
{
	GDir *dir = g_dir_open(folder, 0, NULL);
	unsigned int count = 0;

	while (g_dir_read_name(dir))
		count++;
	g_dir_close(dir);
	return count;
}

/* Those alone that are to be open to others; and only until somebody opens them. */
static void test_listeners_are_claimed_once(void **state)
{
	char *folder = g_dir_make_tmp("door-XXXXXX", NULL);
	char *ours = g_strdup_printf("unix:%s/ours", folder);
	char *theirs = g_strdup_printf("unix:%s/theirs,mode=0660", folder);
	char *port = g_strdup("127.0.0.1:auto");
	char *specs[] = {port, ours, theirs, NULL};
	char *path = g_strdup_printf("%s/theirs", folder);
	GPtrArray *listeners = g_ptr_array_new_with_free_func(listener_free);
	struct stat made;

	(void)state;
	assert_int_equal(listeners_claim(NULL, NULL), 0);
	for (int taken = 0; taken < 2; taken++) {
		unsigned int before = count_files("/proc/self/fd");

		assert_int_equal(listeners_claim(specs, NULL), 0);
		assert_int_equal(count_files("/proc/self/fd"), before + 1);
		assert_int_equal(count_files(folder), 1);
		assert_int_equal(stat(path, &made), 0);
		assert_int_equal(made.st_mode & 0777, 0660);
		if (taken) {
			assert_int_equal(listener_open(theirs, listeners, NULL), 0);
			assert_int_equal(listener_open(port, listeners, NULL), 0);
			assert_int_equal(listeners->len, 2);
		}
		listeners_drop_claims();
		assert_int_equal(stat(path, &made), taken ? 0 : -1);
	}
	g_ptr_array_unref(listeners);
	assert_int_equal(rmdir(folder), 0);
	g_free(folder);
	g_free(path);
	for (size_t i = 0; specs[i]; i++)
		g_free(specs[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_door_speaks_each_version),
		cmocka_unit_test(test_door_reads_exactly_its_own),
		cmocka_unit_test(test_door_refuses_a_type_it_did_not_offer),
		cmocka_unit_test(test_door_refuses_in_rfb_words),
		cmocka_unit_test(test_door_limits_each_address),
		cmocka_unit_test(test_door_gives_a_handshake_its_time_and_no_more),
		cmocka_unit_test(test_door_notices_who_leaves),
		cmocka_unit_test(test_door_is_not_filled_by_silence),
		cmocka_unit_test(test_door_refuses_bad_listeners_with_one_line),
		cmocka_unit_test(test_door_keeps_socket_files_in_order),
		cmocka_unit_test(test_listeners_are_claimed_once),
		cmocka_unit_test(test_door_takes_inherited_sockets),
		cmocka_unit_test(test_door_listens_on_ipv6_and_names),
		cmocka_unit_test(test_door_prints_the_port_it_got),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

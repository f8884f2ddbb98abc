/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"
#include "unit.h"

/* More than a unix socket takes while nobody reads. */
#define LONG_ANSWER (8u << 20)

#define PATIENCE_US (20 * G_USEC_PER_SEC)

struct fixture {
	char *folder, *path, *address;
	struct control *control;
	unsigned int answers;
	gsize length; /* of an answer */
};

static char *answer(void *data)
{
	struct fixture *fixture = data;

	fixture->answers++;
	return g_strnfill(fixture->length, 'a');
}

static int setup(void **state)
{
	struct fixture *fixture = g_new0(struct fixture, 1);

	fixture->folder = g_dir_make_tmp("planecast-test.XXXXXX", NULL);
	fixture->path = g_build_filename(fixture->folder, "s", NULL);
	fixture->address = g_strconcat("unix:", fixture->path, NULL);
	fixture->length = 100;
	assert_int_equal(control_create(fixture->address, answer, fixture, &fixture->control, NULL),
			 0);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	control_destroy(fixture->control);
	assert_int_equal(access(fixture->path, F_OK), -1);
	assert_int_equal(rmdir(fixture->folder), 0);
	g_free(fixture->address);
	g_free(fixture->path);
	g_free(fixture->folder);
	g_free(fixture);
	return 0;
}

static int dial(struct fixture *fixture)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unsigned int before = fixture->answers;

	g_strlcpy(name.sun_path, fixture->path, sizeof(name.sun_path));
	assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	while (fixture->answers == before)
		g_main_context_iteration(NULL, TRUE);
	return fd;
}

/* Reads to the end while the server's loop turns; how many bytes there were. Closes it. */
static gsize drain(int fd)
{
	gint64 end = g_get_monotonic_time() + PATIENCE_US;
	static char buffer[65536];
	gsize sum = 0;
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer)))) {
		if (n > 0)
			sum += (gsize)n;
		else
			assert_int_equal(errno, EAGAIN);
		g_main_context_iteration(NULL, FALSE);
		assert_true(g_get_monotonic_time() < end);
	}
	close(fd);
	return sum;
}

static void test_control_answers_who_connects(void **state)
{
	struct fixture *fixture = *state;
	struct stat made;

	assert_int_equal(stat(fixture->path, &made), 0);
	assert_int_equal(made.st_mode & 0777, 0600);
	for (unsigned int i = 0; i < 20; i++)
		assert_int_equal(drain(dial(fixture)), 100);
	assert_int_equal(fixture->answers, 20);
}

static void test_control_gives_a_long_answer_in_pieces(void **state)
{
	struct fixture *fixture = *state;

	fixture->length = LONG_ANSWER;
	assert_int_equal(drain(dial(fixture)), LONG_ANSWER);
}

static void test_control_outlives_who_leaves_in_the_middle(void **state)
{
	struct fixture *fixture = *state;

	fixture->length = LONG_ANSWER;
	for (unsigned int i = 0; i < 20; i++)
		close(dial(fixture));
	assert_int_equal(drain(dial(fixture)), LONG_ANSWER);
}

static void test_control_lets_the_oldest_go_for_a_newcomer(void **state)
{
	struct fixture *fixture = *state;
	int fds[CONTROL_CONNECTIONS + 1];

	fixture->length = LONG_ANSWER;
	for (unsigned int i = 0; i <= CONTROL_CONNECTIONS; i++)
		fds[i] = dial(fixture);
	assert_true(drain(fds[0]) < LONG_ANSWER);
	for (unsigned int i = 1; i <= CONTROL_CONNECTIONS; i++)
		assert_int_equal(drain(fds[i]), LONG_ANSWER);
}

static gboolean set_flag(gpointer flag)
{
	*(bool *)flag = true;
	return G_SOURCE_REMOVE;
}

static void test_control_drops_who_does_not_read(void **state)
{
	struct fixture *fixture = *state;
	bool over = false;
	int fd;

	fixture->length = LONG_ANSWER;
	fd = dial(fixture);
	g_timeout_add(CONTROL_PATIENCE_MS + 100, set_flag, &over);
	while (!over)
		g_main_context_iteration(NULL, TRUE);
	assert_true(drain(fd) < LONG_ANSWER);
}

static gboolean close_all(gpointer data)
{
	GArray *fds = data;

	for (guint i = 0; i < fds->len; i++)
		close(g_array_index(fds, int, i));
	g_array_set_size(fds, 0);
	return G_SOURCE_REMOVE;
}

/* The socket stays readable all the while, and the loop has to sleep nevertheless. */
static void test_control_rests_while_there_are_no_descriptors(void **state)
{
	struct fixture *fixture = *state;
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	GArray *fds = g_array_new(FALSE, FALSE, sizeof(int));
	struct rlimit before, few;
	unsigned int turns = 0;
	int fd, filler;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	g_strlcpy(name.sun_path, fixture->path, sizeof(name.sun_path));
	assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	while ((filler = dup(fd)) >= 0)
		g_array_append_val(fds, filler);
	g_timeout_add(1000, close_all, fds);
	while (!fixture->answers) {
		turns += fds->len > 0;
		g_main_context_iteration(NULL, TRUE);
	}
	assert_in_range(turns, 2, 50);
	assert_int_equal(drain(fd), 100);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	g_array_unref(fds);
}

static void test_control_is_for_this_machine_alone(void **state)
{
	static const char *const addresses[] = {"127.0.0.1:5999", ":1", "nonsense", "fd:0"};
	struct control *control = NULL;
	GError *error = NULL;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(addresses); i++) {
		assert_true(control_create(addresses[i], answer, NULL, &control, &error) < 0);
		assert_int_equal(error->code, EXIT_USAGE);
		assert_null(control);
		g_clear_error(&error);
	}
}

static void test_control_is_where_the_device_says(void **state)
{
	static const struct {
		const char *runtime, *device;
		unsigned int number;
		const char *address;
	} cases[] = {
		{NULL, "sim", 0, "unix:/run/planecast/sim.sock"},
		{"", "sim", 0, "unix:/run/planecast/sim.sock"},
		{"relative", "sim", 2, "unix:/run/planecast/sim.2.sock"},
		{"/run/user/1", "sim:a=b,c", 0, "unix:/run/user/1/planecast/sim-a-b-c.sock"},
		{"/run/user/1", "../../etc", 0, "unix:/run/user/1/planecast/..-..-etc.sock"},
		{"/r", "pci:0000:00:02.1", 1, "unix:/r/planecast/pci-0000-00-02.1.1.sock"},
	};
	char *longest, name[200];

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		if (cases[i].runtime)
			g_setenv("XDG_RUNTIME_DIR", cases[i].runtime, TRUE);
		else
			g_unsetenv("XDG_RUNTIME_DIR");
		longest = control_default(cases[i].device, cases[i].number);
		assert_string_equal(longest, cases[i].address);
		g_free(longest);
	}
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	longest = control_default(name, 99);
	assert_true(strlen(longest) < sizeof(((struct sockaddr_un *)0)->sun_path));
	g_free(longest);
}

#define CONTROL_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONTROL_TEST(test_control_answers_who_connects),
		CONTROL_TEST(test_control_gives_a_long_answer_in_pieces),
		CONTROL_TEST(test_control_outlives_who_leaves_in_the_middle),
		CONTROL_TEST(test_control_lets_the_oldest_go_for_a_newcomer),
		CONTROL_TEST(test_control_drops_who_does_not_read),
		CONTROL_TEST(test_control_rests_while_there_are_no_descriptors),
		cmocka_unit_test(test_control_is_for_this_machine_alone),
		cmocka_unit_test(test_control_is_where_the_device_says),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}

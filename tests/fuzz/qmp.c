/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's monitor, which may say anything, on the other end of the input that goes to it. Input:
 * pieces (length, what a viewer does meanwhile, bytes), as the socket gives them.
 */
#include "qmp.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fuzz.h"
#include "input_qmp.h"

#define PIECES 64
#define PATH   "/nowhere/qmp"

static int monitor = -1; /* our end; -1: there is none to connect to */

int __wrap_connect(int fd, const struct sockaddr *name, socklen_t length);
int __real_connect(int fd, const struct sockaddr *name, socklen_t length);

/* The monitor's path leads to a socket pair. */
int __wrap_connect(int fd, const struct sockaddr *name, socklen_t length)
{
	int pair[2];

	if (name->sa_family != AF_UNIX ||
	    strcmp(((const struct sockaddr_un *)name)->sun_path, PATH) != 0)
		return __real_connect(fd, name, length);
	fuzz_expect(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair));
	fuzz_expect(dup2(pair[0], fd) == fd);
	close(pair[0]);
	if (monitor >= 0)
		close(monitor);
	monitor = pair[1];
	return 0;
}

static uint16_t code_of(uint32_t keysym, void *data)
{
	(void)data;
	return (uint16_t)keysym;
}

/* All that can be done now; what it said is thrown away unless the monitor is slow. */
static void turn(bool slow)
{
	char waste[4096];

	while (g_main_context_iteration(NULL, FALSE))
		;
	while (!slow && recv(monitor, waste, sizeof(waste), MSG_DONTWAIT) > 0)
		;
}

static void act(struct input_seat *seat, uint8_t what)
{
	for (int i = 0; i < (what & 0x80 ? 600 : 1); i++) {
		input_seat_key(seat, (uint16_t)(what % 120 + i % 3), what & 1);
		input_seat_pointer(seat, what, (uint32_t)i, 640, 480, what & 31);
		if (what & 2)
			input_seat_wheel(seat, what - 128, i);
		if (what & 4)
			input_seat_motion(seat, what, -what, what & 7);
	}
	if (what & 8)
		input_seat_release(seat);
}

static void parse(const char *line)
{
	JsonObject *object = qmp_parse(line);

	if (object)
		json_object_unref(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz fuzz = {data, size};
	struct input *input = input_create(input_qmp_create(PATH), code_of, NULL);
	struct input_seat *seat = input_seat_create(input);

	for (int i = 0; i < PIECES && fuzz.left; i++) {
		size_t length = (size_t)fuzz_number(&fuzz, 2);
		uint8_t what = (uint8_t)fuzz_number(&fuzz, 1);
		const uint8_t *bytes;

		length = fuzz_take(&fuzz, length, &bytes);
		send(monitor, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
		act(seat, what);
		turn(what & 0x40);
	}
	input_seat_destroy(seat);
	input_destroy(input);
	close(monitor);
	monitor = -1;
	fuzz = (struct fuzz){data, size};
	while (fuzz.left) {
		char *line = fuzz_line(&fuzz);

		parse(line);
		g_free(line);
	}
	return 0;
}

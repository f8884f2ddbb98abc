/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench/watch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DIAL_TRIES   1000
#define DIAL_STEP_US 10000

int64_t bench_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int dial(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		return -1;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

int bench_dial(int port)
{
	for (int i = 0; i < DIAL_TRIES; i++) {
		int fd = dial(port);

		if (fd >= 0)
			return fd;
		usleep(DIAL_STEP_US);
	}
	return -1;
}

uint32_t bench_stamp(const struct viewer *viewer)
{
	uint32_t number = 0;

	for (unsigned int bit = 0; bit < 32; bit++) {
		uint32_t pixel = viewer->pixels[4 * viewer->width + bit * 8 + 4];

		number = number << 1 | ((pixel >> 8 & 255) > 127);
	}
	return number;
}

static uint64_t bytes_taken(const struct viewer *viewer)
{
	return viewer->counts.bytes - (viewer->have - viewer->at);
}

bool bench_take(struct viewer *viewer, bool continuous, uint64_t *bytes)
{
	uint64_t before = bytes_taken(viewer);
	const uint8_t *type = viewer_take(viewer, 1);

	if (!type)
		return false;
	viewer->at--;
	if (*type == VIEWER_UPDATE && !(continuous && viewer->offered_continuous) &&
	    !viewer_request(viewer, true))
		return false;
	if (*type == VIEWER_END_OF_CONTINUOUS && continuous && !viewer_continuous(viewer, true))
		return false;
	if (viewer_message(viewer) < 0)
		return false;
	*bytes = bytes_taken(viewer) - before;
	return true;
}

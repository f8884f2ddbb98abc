/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_link.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define SECOND_US 1000000u

uint64_t vnc_link_queued(int fd)
{
	int queued = 0;

	return ioctl(fd, SIOCOUTQ, &queued) || queued < 0 ? 0 : (uint64_t)queued;
}

bool vnc_link_is_idle(int fd)
{
	return !vnc_link_queued(fd);
}

uint64_t vnc_link_rate(int fd)
{
	struct tcp_info info = {0};
	socklen_t length = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length))
		return 0;
	return info.tcpi_delivery_rate;
}

int64_t vnc_link_carry_us(uint64_t bytes, int64_t gap, uint64_t queued, uint64_t bytes_per_second)
{
	uint64_t us;

	if (queued) {
		/* Of what is queued a part may be older: then it takes longer still. */
		us = (uint64_t)gap * bytes / (bytes > queued ? bytes - queued : 1);
		return us < INT64_MAX ? (int64_t)us : INT64_MAX;
	}
	us = bytes_per_second ? bytes * SECOND_US / bytes_per_second : 0;
	return us < (uint64_t)gap ? (int64_t)us : gap;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vnc_link.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

bool vnc_link_is_idle(int fd)
{
	int queued = 0;

	return ioctl(fd, SIOCOUTQ, &queued) || !queued;
}

uint64_t vnc_link_rate(int fd)
{
	struct tcp_info info = {0};
	socklen_t length = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length))
		return 0;
	return info.tcpi_delivery_rate;
}

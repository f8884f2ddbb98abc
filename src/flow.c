/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* More between two looks is time in which we were halted or had no processor: not the peer's. */
#define MOST_APART_US G_USEC_PER_SEC

static uint64_t bytes_acked(int fd)
{
	struct tcp_info info = {0};
	socklen_t length = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length))
		return 0; /* a unix socket: its queue alone tells */
	return info.tcpi_bytes_acked;
}

gint64 flow_look(struct flow *flow, int fd, gint64 now)
{
	uint64_t acked = bytes_acked(fd);
	int queued = 0;
	bool moves;

	if (ioctl(fd, SIOCOUTQ, &queued))
		queued = 0;
	/* TCP's queue may grow while nothing is taken: there the peer's word alone counts. */
	moves = !queued || !flow->moved || acked != flow->acked ||
		(!acked && queued != flow->queued);
	if (now - flow->looked > MOST_APART_US)
		flow->moved += now - flow->looked - MOST_APART_US;
	flow->looked = now;
	flow->acked = acked;
	flow->queued = queued;
	if (moves)
		flow->moved = now;
	return now - flow->moved;
}

bool flow_is_stalled(struct flow *flow, int fd, gint64 now, gint64 stall_us)
{
	if (flow_look(flow, fd, now) < stall_us)
		return false;
	flow->moved = now;
	return true;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "broker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apart.h"
#include "calls.h"
#include "log.h"
#include "privileges.h"

/* A driver that takes longer to open is taken for hung. */
#define PATIENCE_US (10 * G_USEC_PER_SEC)

/* An owner that closes its descriptor but lives on (unplug) is noticed this soon. */
#define WATCH_S 2

/* The descriptors of a struct vfio, in the order in which they travel. */
#define DESCRIPTORS 6

enum request_kind {
	REQUEST_REACH = 1,
	REQUEST_HOLDS,
	REQUEST_WATCH, /* is answered when the owner has let go */
	REQUEST_REST,  /* from watching; has no answer */
};

/* Requests and replies are messages of a SOCK_SEQPACKET pair: whole, or not at all. */
struct request {
	uint32_t serial;
	uint32_t kind;
};

struct reply {
	uint32_t serial;
	int32_t ret;
	int32_t code;     /* the exit code of a failure */
	uint32_t present; /* which of the descriptors come with it */
	struct owner owner;
	char words[512]; /* the line of a failure */
};

struct broker {
	pid_t pid;
	int fd;
	uint32_t serial;
	uint32_t watch; /* the serial of the last REQUEST_WATCH */
};

static void list_descriptors(struct vfio *vfio, int *list[DESCRIPTORS])
{
	int *all[] = {&vfio->device,      &vfio->group,    &vfio->container,
		      &vfio->kvm.machine, &vfio->kvm.vfio, &vfio->pidfd};

	memcpy(list, all, sizeof(all));
}

/* A message and its control data; fds has room for all descriptors. */
union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(DESCRIPTORS * sizeof(int))];
};

/* The child. */

static ssize_t send_reply(int fd, const struct reply *reply, const int *fds, unsigned int count)
{
	struct iovec part = {(void *)reply, sizeof(*reply)};
	union control control = {0};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t n;

	if (count) {
		struct cmsghdr *header = &control.header;

		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(header), fds, count * sizeof(int));
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
	}
	do
		n = sendmsg(fd, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n;
}

/* The device must be free when the server lets it go: nothing of it stays here. */
static ssize_t hand_over(int fd, struct reply *reply, struct vfio *vfio)
{
	int *list[DESCRIPTORS], fds[DESCRIPTORS];
	unsigned int count = 0;
	ssize_t n;

	list_descriptors(vfio, list);
	for (unsigned int i = 0; i < DESCRIPTORS && !reply->ret; i++) {
		if (*list[i] < 0)
			continue;
		reply->present |= 1u << i;
		fds[count++] = *list[i];
	}
	n = send_reply(fd, reply, fds, count);
	for (unsigned int i = 0; i < count; i++)
		close(fds[i]);
	return n;
}

static ssize_t answer(struct reach *reach, int fd, const struct request *request)
{
	struct reply reply = {.serial = request->serial, .ret = -EINVAL};
	struct vfio vfio = VFIO_CLOSED;
	GError *error = NULL;

	if (request->kind == REQUEST_REACH) {
		reply.ret = reach_device(reach, &vfio, &error);
		reply.owner = vfio.owner;
	} else if (request->kind == REQUEST_HOLDS) {
		reply.ret = reach_holds(reach) ? 0 : -ESRCH;
	}
	if (error) {
		reply.code = error->code;
		g_strlcpy(reply.words, error->message, sizeof(reply.words));
		g_error_free(error);
	}
	return hand_over(fd, &reply, &vfio);
}

/* Until there is a request to read; watched: the serial of the one to watch, 0 if there is none. */
static void watch(struct reach *reach, int fd, uint32_t *watched)
{
	const struct timespec interval = {.tv_sec = WATCH_S};
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	while (*watched && !ppoll(&wait, 1, &interval, NULL)) {
		struct reply reply = {.serial = *watched, .ret = -ESRCH};

		if (reach_holds(reach))
			continue;
		*watched = 0;
		send_reply(fd, &reply, NULL, 0);
	}
}

static void serve(struct reach *reach, int fd)
{
	struct request request;
	uint32_t watched = 0;
	ssize_t n;

	do {
		watch(reach, fd, &watched);
		n = recv(fd, &request, sizeof(request), 0);
		if (n >= 0 && n != (ssize_t)sizeof(request))
			return;
		if (n > 0 && request.kind == REQUEST_WATCH)
			watched = request.serial;
		else if (n > 0 && request.kind == REQUEST_REST)
			watched = 0;
		else if (n > 0)
			n = answer(reach, fd, &request);
	} while (n > 0 || (n < 0 && errno == EINTR));
}

/* Runs in the child, and ends there. */
static void be_child(pid_t parent, int fd, const struct reach *reach)
{
	struct reach own = *reach;
	GError *error = NULL;

	apart_be_alone(fd, "planecast-reach");
	if (privileges_keep_tracing(&error) || calls_restrict(CALLS_BROKER, &error)) {
		log_error("broker: %s", error->message);
		_exit(EXIT_FAILED);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent)
		serve(&own, fd);
	_exit(0);
}

/* The server. */

int broker_start(const struct reach *reach, struct broker **result, GError **error)
{
	struct broker *broker;
	pid_t parent = getpid(), pid;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return fail(error, EXIT_FAILED, errno, "no broker: %s", g_strerror(errno));
	pid = fork();
	if (!pid)
		be_child(parent, ends[1], reach);
	close(ends[1]);
	if (pid < 0) {
		int ret = fail(error, EXIT_FAILED, errno, "no broker: %s", g_strerror(errno));

		close(ends[0]);
		return ret;
	}
	broker = g_new0(struct broker, 1);
	broker->pid = pid;
	broker->fd = ends[0];
	*result = broker;
	return 0;
}

void broker_stop(struct broker *broker)
{
	if (!broker)
		return;
	close(broker->fd);
	while (waitpid(broker->pid, NULL, WNOHANG) < 0 && errno == EINTR)
		;
	g_free(broker);
}

/* One message; its descriptors go to fds, *count of them. -errno; -EPIPE: the broker has ended. */
static int receive(int fd, struct reply *reply, int fds[DESCRIPTORS], unsigned int *count)
{
	struct iovec part = {reply, sizeof(*reply)};
	union control control = {0};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *header;
	ssize_t n;

	*count = 0;
	do
		n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n ? -errno : -EPIPE;
	header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
		*count = (unsigned int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fds, CMSG_DATA(header), *count * sizeof(int));
	}
	return n == (ssize_t)sizeof(*reply) ? 0 : -EPROTO;
}

static void close_all(const int *fds, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		close(fds[i]);
}

/* Those of an older request, which was given up, are dropped. */
static int await(struct broker *broker, struct reply *reply, int fds[DESCRIPTORS],
		 unsigned int *count)
{
	gint64 end = g_get_monotonic_time() + PATIENCE_US;

	for (;;) {
		struct pollfd wait = {.fd = broker->fd, .events = POLLIN};
		gint64 left = (end - g_get_monotonic_time() + 999) / 1000;
		int ready = left > 0 ? poll(&wait, 1, (int)left) : 0, ret;

		if (!ready)
			return -ETIMEDOUT;
		if (ready < 0 && errno == EINTR)
			continue;
		ret = receive(broker->fd, reply, fds, count);
		if (!ret && reply->serial == broker->serial)
			return 0;
		close_all(fds, *count);
		if (ret)
			return ret;
	}
}

static int tell(struct broker *broker, enum request_kind kind)
{
	struct request request = {.serial = ++broker->serial, .kind = kind};

	if (send(broker->fd, &request, sizeof(request), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -EPIPE;
	return 0;
}

static int ask(struct broker *broker, enum request_kind kind, struct reply *reply,
	       int fds[DESCRIPTORS], unsigned int *count)
{
	int ret = tell(broker, kind);

	return ret ? ret : await(broker, reply, fds, count);
}

static int no_answer(int ret, GError **error)
{
	if (ret == -ETIMEDOUT)
		return fail(error, EXIT_FAILED, ETIMEDOUT, "its driver does not answer");
	return fail(error, EXIT_FAILED, -ret,
		    "the broker that can reach it has ended (start planecast again)");
}

int broker_reach(struct broker *broker, struct vfio *vfio, GError **error)
{
	int *list[DESCRIPTORS], fds[DESCRIPTORS];
	unsigned int count, used = 0;
	struct reply reply;
	int ret = ask(broker, REQUEST_REACH, &reply, fds, &count);

	*vfio = VFIO_CLOSED;
	if (ret)
		return no_answer(ret, error);
	list_descriptors(vfio, list);
	for (unsigned int i = 0; i < DESCRIPTORS && used < count; i++)
		if (reply.present & 1u << i)
			*list[i] = fds[used++];
	vfio->owner = reply.owner;
	if (!reply.ret)
		return 0;
	reply.words[sizeof(reply.words) - 1] = '\0';
	return fail(error, reply.code, -reply.ret, "%s", reply.words);
}

bool broker_holds(struct broker *broker)
{
	int fds[DESCRIPTORS];
	unsigned int count;
	struct reply reply;
	int ret = ask(broker, REQUEST_HOLDS, &reply, fds, &count);

	if (ret)
		return false;
	close_all(fds, count);
	return !reply.ret;
}

int broker_watch(struct broker *broker)
{
	if (tell(broker, REQUEST_WATCH))
		return -1;
	broker->watch = broker->serial;
	return broker->fd;
}

bool broker_lost(struct broker *broker)
{
	int fds[DESCRIPTORS];
	unsigned int count;
	struct reply reply;
	int ret = receive(broker->fd, &reply, fds, &count);

	if (ret)
		return ret != -EAGAIN;
	close_all(fds, count);
	return reply.serial == broker->watch;
}

void broker_rest(struct broker *broker)
{
	tell(broker, REQUEST_REST);
}

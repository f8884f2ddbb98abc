/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_helper.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apart.h"
#include "log.h"
#include "pam_ask.h"
#include "users.h"

#define PATIENCE_MS 10000 /* of a module */

/* Messages of a SOCK_SEQPACKET pair: whole, or not at all. The reply is one byte: whether it is. */
struct question {
	char name[USERS_NAME + 1], password[USERS_PASSWORD + 1];
};

struct pam_helper {
	pid_t pid;
	int fd;
	pthread_mutex_t lock; /* one question at a time */
	gboolean lost;        /* with the lock; told so */
};

/* The child, and its children. */

struct task {
	const char *service;
	const struct question *question;
};

static void work(int fd, void *data)
{
	const struct task *task = data;

	if (pam_ask(task->service, task->question->name, task->question->password) &&
	    write(fd, "y", 1) < 0)
		_exit(1);
}

static char judge(const char *service, const struct question *question)
{
	struct task task = {service, question};
	GString *text = NULL;
	char verdict = 0;

	if (apart_run(work, &task, PATIENCE_MS, &text))
		return 0;
	verdict = !strcmp(text->str, "y");
	g_string_free(text, TRUE);
	return verdict;
}

static void serve(const char *service, int fd)
{
	struct question question;
	ssize_t n;

	do {
		n = recv(fd, &question, sizeof(question), 0);
		if (n == (ssize_t)sizeof(question)) {
			char verdict;

			question.name[USERS_NAME] = question.password[USERS_PASSWORD] = 0;
			verdict = judge(service, &question);
			n = send(fd, &verdict, 1, MSG_NOSIGNAL);
		} else if (n >= 0) {
			return;
		}
		explicit_bzero(&question, sizeof(question));
	} while (n > 0 || (n < 0 && errno == EINTR));
}

/* Runs in the child, and ends there. */
static void be_child(pid_t parent, int fd, const char *service)
{
	apart_be_alone(fd, "planecast-pam");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent)
		serve(service, fd);
	_exit(0);
}

/* The server. */

int pam_helper_start(const char *service, struct pam_helper **result, GError **error)
{
	struct pam_helper *helper;
	pid_t parent = getpid(), pid;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return fail(error, EXIT_FAILED, errno, "no helper for PAM: %s", g_strerror(errno));
	pid = fork();
	if (!pid)
		be_child(parent, ends[1], service);
	close(ends[1]);
	if (pid < 0) {
		int ret = fail(error, EXIT_FAILED, errno, "no helper for PAM: %s",
			       g_strerror(errno));

		close(ends[0]);
		return ret;
	}
	helper = g_new0(struct pam_helper, 1);
	helper->pid = pid;
	helper->fd = ends[0];
	pthread_mutex_init(&helper->lock, NULL);
	*result = helper;
	return 0;
}

void pam_helper_stop(struct pam_helper *helper)
{
	if (!helper)
		return;
	close(helper->fd);
	while (waitpid(helper->pid, NULL, WNOHANG) < 0 && errno == EINTR)
		;
	pthread_mutex_destroy(&helper->lock);
	g_free(helper);
}

static ssize_t ask(int fd, const struct question *question, char *verdict)
{
	ssize_t n = send(fd, question, sizeof(*question), MSG_NOSIGNAL);

	while (n > 0 || (n < 0 && errno == EINTR)) {
		n = recv(fd, verdict, 1, 0);
		if (n > 0)
			break;
	}
	return n;
}

enum password_verdict pam_helper_check(void *data, const char *name, const char *password)
{
	struct pam_helper *helper = data;
	struct question question = {0};
	char verdict = 0;
	ssize_t n;

	g_strlcpy(question.name, name, sizeof(question.name));
	g_strlcpy(question.password, password, sizeof(question.password));
	pthread_mutex_lock(&helper->lock);
	n = ask(helper->fd, &question, &verdict);
	if (n <= 0 && !helper->lost) {
		log_error(
			"pam: the helper has ended, nobody gets in by it (start planecast again)");
		helper->lost = TRUE;
	}
	pthread_mutex_unlock(&helper->lock);
	explicit_bzero(&question, sizeof(question));
	return n > 0 && verdict ? PASSWORD_FULL : PASSWORD_WRONG;
}

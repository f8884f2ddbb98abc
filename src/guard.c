/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>

static __thread sigjmp_buf *volatile landing;

static void on_sigbus(int number)
{
	sigjmp_buf *target = landing;

	if (target) {
		landing = NULL;
		siglongjmp(*target, 1);
	}
	/* Not ours: the fault repeats at return and ends the process with the default action. */
	signal(number, SIG_DFL);
}

void guard_init(void)
{
	struct sigaction action = {.sa_handler = on_sigbus, .sa_flags = SA_NODEFER};

	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, NULL);
}

int guard_run(void (*work)(void *data), void *data)
{
	sigjmp_buf here;

	if (sigsetjmp(here, 0))
		return -EFAULT;
	landing = &here;
	work(data);
	landing = NULL;
	return 0;
}

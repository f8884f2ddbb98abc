/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve_control.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "log.h"

/* Servers of one DEVICE that have a socket by default. */
#define MAX_NUMBERS 100u

static char *answer(void *status)
{
	return status_text(status);
}

void serve_control_prepare(const char *address)
{
	char *folder = address ? NULL : control_folder();

	if (folder && mkdir(folder, 0700) && errno != EEXIST)
		log_debug("control: %s: %s", folder, g_strerror(errno));
	g_free(folder);
}

static void start_default(struct status *status, struct control **control)
{
	GError *error = NULL;
	int ret = -EADDRINUSE;

	for (unsigned int number = 0; ret == -EADDRINUSE && number < MAX_NUMBERS; number++) {
		char *address = control_default(status->device, number);

		g_clear_error(&error);
		ret = control_create(address, answer, status, control, &error);
		g_free(address);
	}
	if (ret)
		log_info("control: none: %s", error->message);
	g_clear_error(&error);
}

int serve_control_start(const char *address, struct status *status, struct control **control,
			GError **error)
{
	*control = NULL;
	if (!address)
		start_default(status, control);
	else if (strcmp(address, "none") != 0)
		return control_create(address, answer, status, control, error);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static gboolean verbose;

G_DEFINE_QUARK(planecast_error_quark, planecast_error)

enum exit_code exit_code_of_file(int errnum)
{
	switch (errnum) {
	case ENOENT:
	case ENOTDIR:
	case EISDIR:
	case ELOOP:
	case ENAMETOOLONG:
	case EFBIG:
		return EXIT_USAGE;
	case EACCES:
	case EPERM:
	case EROFS:
		return EXIT_REFUSED;
	default:
		return EXIT_FAILED;
	}
}

int fail(GError **error, enum exit_code code, int errnum, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (error && !*error)
		*error = g_error_new_valist(PLANECAST_ERROR, code, format, args);
	va_end(args);
	return -errnum;
}

void log_set_verbose(gboolean on)
{
	verbose = on;
}

/* One write() a line, so that lines of several threads and processes never mix. */
static void G_GNUC_PRINTF(2, 0) print(const char *level, const char *format, va_list args)
{
	char *text = g_strdup_vprintf(format, args);
	char *line = g_strdup_printf("planecast: %s%s\n", level, text);
	size_t length = strlen(line), done = 0;

	while (done < length) {
		ssize_t n = write(STDERR_FILENO, line + done, length - done);

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	g_free(line);
	g_free(text);
}

#define DEFINE_LOG(name, level, condition)  \
	void name(const char *format, ...)  \
	{                                   \
		va_list args;               \
                                            \
		if (!(condition))           \
			return;             \
		va_start(args, format);     \
		print(level, format, args); \
		va_end(args);               \
	}

DEFINE_LOG(log_error, "", TRUE)
DEFINE_LOG(log_warning, "warning: ", TRUE)
DEFINE_LOG(log_info, "", TRUE)
DEFINE_LOG(log_debug, "debug: ", verbose)

gboolean log_limit_pass(struct log_limit *limit, unsigned int burst, gint64 interval_us,
			unsigned int *missed)
{
	gint64 now = g_get_monotonic_time();

	*missed = 0;
	if (limit->since == 0 || now - limit->since >= interval_us) {
		*missed = limit->missed;
		limit->since = now;
		limit->count = 0;
		limit->missed = 0;
	}
	if (limit->count < burst) {
		limit->count++;
		return TRUE;
	}
	limit->missed++;
	return FALSE;
}

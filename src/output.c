/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define BUFFER_BYTES ((size_t)256 << 10)
#define MAX_NAMES    100 /* tries for a name that nobody has */

struct output {
	char *shown;     /* as the user wrote it */
	char *place;     /* the regular file to be replaced; NULL if fd is the thing itself */
	char *temporary; /* a name that exists now, to be removed; NULL with O_TMPFILE */
	mode_t mode;     /* of the file that is replaced, 0 if there is none */
	bool partial;    /* temporary is of use even if it never gets to its place */
	bool written;    /* fd has got something */
	int fd;
	bool borrowed; /* fd is standard output */
	int failed;    /* -errno of the first failure */
	size_t filled;
	uint8_t buffer[BUFFER_BYTES];
};

static int fail_write(const struct output *output, int errnum, GError **error)
{
	if (output->partial && output->temporary && output->written)
		return fail(error, EXIT_FAILED, errnum,
			    "cannot write %s: %s (what was written is in %s)", output->shown,
			    g_strerror(errnum), output->temporary);
	return fail(error, EXIT_FAILED, errnum, "cannot write %s: %s", output->shown,
		    g_strerror(errnum));
}

static char *folder_of(const char *place)
{
	return g_path_get_dirname(place);
}

/* A name in the same folder that is not taken, for `use`, which returns -errno. */
static int with_free_name(struct output *output,
			  int (*use)(struct output *output, const char *name))
{
	char *folder = folder_of(output->place);
	int ret = -EEXIST;

	for (int i = 0; i < MAX_NAMES && ret == -EEXIST; i++) {
		char *name = g_strdup_printf("%s/.planecast-%08x", folder, g_random_int());

		ret = use(output, name);
		if (ret)
			g_free(name);
		else
			output->temporary = name;
	}
	g_free(folder);
	return ret;
}

static int create_named(struct output *output, const char *name)
{
	output->fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	return output->fd < 0 ? -errno : 0;
}

static int link_unnamed(struct output *output, const char *name)
{
	char self[64];

	g_snprintf(self, sizeof(self), "/proc/self/fd/%d", output->fd);
	return linkat(AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW) ? -errno : 0;
}

/* Nobody's earlier one is lost. */
static int create_partial(struct output *output)
{
	char *name = g_strconcat(output->place, ".part", NULL);
	int ret = create_named(output, name);

	if (ret)
		g_free(name);
	else
		output->temporary = name;
	return ret;
}

/* A file without a name where the filesystem can do that: it vanishes even if we are killed. */
static int create_unnamed(struct output *output)
{
	char *folder = folder_of(output->place);
	int ret = 0;

	output->fd = open(folder, O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666);
	if (output->fd < 0)
		ret = -errno;
	g_free(folder);
	if (ret == -EOPNOTSUPP || ret == -EISDIR || ret == -EINVAL)
		ret = with_free_name(output, create_named);
	return ret;
}

static int create_temporary(struct output *output)
{
	int ret = output->partial ? create_partial(output) : create_unnamed(output);

	if (!ret && output->mode && fchmod(output->fd, output->mode))
		ret = -errno;
	return ret;
}

static int open_path(struct output *output, const char *path)
{
	struct stat status;

	if (lstat(path, &status)) {
		if (errno != ENOENT)
			return -errno;
		if (!*path || path[strlen(path) - 1] == '/')
			return *path ? -EISDIR : -ENOENT;
		output->place = g_strdup(path);
		return create_temporary(output);
	}
	if (S_ISLNK(status.st_mode) && stat(path, &status))
		return -errno;
	if (!S_ISREG(status.st_mode)) {
		output->fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
		return output->fd < 0 ? -errno : 0;
	}
	/* rename() would replace a file that its owner has protected from writing. */
	if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS))
		return -errno;
	output->mode = status.st_mode & 0777;
	output->place = realpath(path, NULL);
	return output->place ? create_temporary(output) : -errno;
}

static int open_output(const char *path, bool partial, struct output **out, GError **error)
{
	struct output *output = calloc(1, sizeof(*output));
	int ret = 0;

	if (!output)
		return fail(error, EXIT_FAILED, ENOMEM, "no memory");
	output->partial = partial;
	output->fd = -1;
	if (!strcmp(path, "-")) {
		output->shown = g_strdup("standard output");
		output->fd = STDOUT_FILENO;
		output->borrowed = true;
	} else {
		output->shown = g_strdup(path);
		ret = open_path(output, path);
	}
	if (ret) {
		if (partial && ret == -EEXIST)
			fail(error, EXIT_FAILED, EEXIST,
			     "%s.part is there already, being written or cut short (move it away)",
			     output->place);
		else
			fail_write(output, -ret, error);
		output_close(output);
		return ret;
	}
	*out = output;
	return 0;
}

int output_open(const char *path, struct output **output, GError **error)
{
	return open_output(path, false, output, error);
}

int output_open_partial(const char *path, struct output **output, GError **error)
{
	return open_output(path, true, output, error);
}

/* Also to descriptors that do not block. */
static int write_all(struct output *output, const uint8_t *data, size_t size)
{
	while (size) {
		ssize_t written = write(output->fd, data, size);

		if (written >= 0) {
			output->written |= written > 0;
			data += written;
			size -= (size_t)written;
		} else if (errno == EAGAIN) {
			struct pollfd poll_fd = {.fd = output->fd, .events = POLLOUT};

			poll(&poll_fd, 1, -1);
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

int output_flush(struct output *output)
{
	if (!output->failed)
		output->failed = write_all(output, output->buffer, output->filled);
	output->filled = 0;
	return output->failed;
}

int output_write(struct output *output, const void *data, size_t size)
{
	if (size > BUFFER_BYTES - output->filled)
		output_flush(output);
	if (output->failed)
		return output->failed;
	if (size > BUFFER_BYTES) {
		output->failed = write_all(output, data, size);
		return output->failed;
	}
	memcpy(output->buffer + output->filled, data, size);
	output->filled += size;
	return 0;
}

void output_spoil(struct output *output, int ret)
{
	if (!output->failed)
		output->failed = ret;
}

/* The bytes are on the disk before the name is: a crash leaves the old file or the new one. */
static int put_in_place(struct output *output)
{
	int ret;

	if (fsync(output->fd))
		return -errno;
	if (!output->temporary) {
		ret = with_free_name(output, link_unnamed);
		if (ret)
			return ret;
	}
	if (rename(output->temporary, output->place))
		return -errno;
	g_clear_pointer(&output->temporary, g_free);
	return 0;
}

int output_commit(struct output *output, GError **error)
{
	int fd = output->fd, ret = output_flush(output);

	if (!ret && output->place)
		ret = put_in_place(output);
	/* Some filesystems tell only here that there was no room. */
	if (!ret && !output->borrowed) {
		output->fd = -1;
		if (close(fd))
			ret = -errno;
	}
	if (ret) {
		output->failed = ret;
		return fail_write(output, -ret, error);
	}
	return 0;
}

void output_close(struct output *output)
{
	if (!output)
		return;
	if (output->fd >= 0 && !output->borrowed)
		close(output->fd);
	if (output->temporary && !(output->partial && output->written))
		unlink(output->temporary);
	g_free(output->temporary);
	free(output->place);
	g_free(output->shown);
	free(output);
}

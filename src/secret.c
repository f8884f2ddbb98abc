/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define LOOSE (S_IWGRP | S_IRWXO)

static int open_fd(const char *name, const char *number, int *fd, GError **error)
{
	char *end;
	long value = strtol(number, &end, 10);

	if (!g_ascii_isdigit(*number) || *end || value > G_MAXINT)
		return fail(error, EXIT_USAGE, EINVAL, "%s: not a descriptor (write fd:N)", name);
	*fd = fcntl((int)value, F_DUPFD_CLOEXEC, 0);
	return *fd < 0 ? fail(error, EXIT_USAGE, errno, "%s: %s (it has to be open at the start)",
			      name, g_strerror(errno))
		       : 0;
}

static int open_path(const char *name, const char *path, int *fd, GError **error)
{
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (*fd < 0)
		return fail(error, exit_code_of_file(errno), errno, "%s: %s", name,
			    g_strerror(errno));
	return 0;
}

static bool is_descriptor(const char *name)
{
	return g_str_has_prefix(name, "fd:");
}

static const char *credential_of(const char *name)
{
	return g_str_has_prefix(name, "cred:") ? name + strlen("cred:") : NULL;
}

char *secret_path(const char *name)
{
	const char *credential = credential_of(name), *folder = g_getenv("CREDENTIALS_DIRECTORY");

	if (is_descriptor(name) || (credential && !folder))
		return NULL;
	return credential ? g_build_filename(folder, credential, NULL) : g_strdup(name);
}

static int open_credential(const char *name, const char *credential, int *fd, GError **error)
{
	char *path;
	int r;

	if (!g_getenv("CREDENTIALS_DIRECTORY"))
		return fail(error, EXIT_USAGE, ENOENT,
			    "%s: no credentials here (the unit needs LoadCredential=)", name);
	if (!*credential || strchr(credential, '/'))
		return fail(error, EXIT_USAGE, EINVAL, "%s: not a name of a credential", name);
	path = secret_path(name);
	r = open_path(name, path, fd, error);
	g_free(path);
	return r;
}

static int open_name(const char *name, int *fd, GError **error)
{
	const char *credential = credential_of(name);

	if (!*name)
		return fail(error, EXIT_USAGE, EINVAL,
			    "an option has an empty value (give FILE, cred:NAME or fd:N)");
	if (is_descriptor(name))
		return open_fd(name, name + strlen("fd:"), fd, error);
	return credential ? open_credential(name, credential, fd, error)
			  : open_path(name, name, fd, error);
}

static int read_all(const char *name, int fd, char **text, GError **error)
{
	char *bytes = g_malloc0(SECRET_SIZE + 1);
	size_t have = 0;
	ssize_t n;

	do {
		n = read(fd, bytes + have, SECRET_SIZE + 1 - have);
		have += (size_t)MAX(n, 0);
	} while (have <= SECRET_SIZE && (n > 0 || (n < 0 && errno == EINTR)));
	if (n < 0 || have > SECRET_SIZE) {
		int errnum = n < 0 ? errno : EFBIG;

		explicit_bzero(bytes, SECRET_SIZE + 1);
		g_free(bytes);
		return fail(error, exit_code_of_file(errnum), errnum, "%s: %s", name,
			    g_strerror(errnum));
	}
	*text = g_strndup(bytes, have);
	explicit_bzero(bytes, SECRET_SIZE + 1);
	g_free(bytes);
	return 0;
}

int secret_read(const char *name, char **text, GError **error)
{
	struct stat st;
	int fd, r = open_name(name, &fd, error);

	if (r)
		return r;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_mode & LOOSE)
		r = fail(error, EXIT_REFUSED, EPERM,
			 "%s: others may read or change it (chmod 600 it)", name);
	else
		r = read_all(name, fd, text, error);
	close(fd);
	return r;
}

int secret_read_public(const char *name, char **text, GError **error)
{
	int fd, r = open_name(name, &fd, error);

	if (r)
		return r;
	r = read_all(name, fd, text, error);
	close(fd);
	return r;
}

void secret_free(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	g_free(text);
}

gboolean secret_equal(const void *a, const void *b, size_t length)
{
	const volatile unsigned char *one = a, *other = b;
	unsigned char differs = 0;

	for (size_t i = 0; i < length; i++)
		differs |= one[i] ^ other[i];
	return !differs;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web_files.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "web_rules.h"

#define OWN       "/planecast/web" /* of src/web/web.gresource.xml */
#define NOVNC     "/novnc/"
#define PROOF     "core/rfb.js"
#define FILE_SIZE 8388608 /* bytes at most: the largest of noVNC's is 100 times smaller */

struct web_files {
	int root;
};

/* Generated from src/web/ by glib-compile-resources. */
GResource *web_page_get_resource(void);

/* What noVNC and the page consist of; anything else in the folder is not for browsers. */
static const struct {
	const char *end, *type;
} types[] = {
	{".css", "text/css; charset=utf-8"},
	{".html", "text/html; charset=utf-8"},
	{".js", "text/javascript; charset=utf-8"},
	{".json", "application/json"},
	{".mp3", "audio/mpeg"},
	{".oga", "audio/ogg"},
	{".png", "image/png"},
	{".svg", "image/svg+xml"},
	{".ttf", "font/ttf"},
	{".woff", "font/woff"},
	{".woff2", "font/woff2"},
};

static const char *type_of(const char *path)
{
	for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
		if (g_str_has_suffix(path, types[i].end))
			return types[i].type;
	return NULL;
}

/*
 * Opens a plain path part by part, so that no symbolic link is followed on the way and none of its
 * parts leads up. A descriptor or -errno.
 */
static int open_below(int root, const char *path)
{
	char **parts = g_strsplit(path, "/", -1);
	int fd = fcntl(root, F_DUPFD_CLOEXEC, 0), r = fd < 0 ? -errno : 0;

	for (char **part = parts; *part && fd >= 0; part++) {
		int flags = part[1] ? O_PATH | O_DIRECTORY : O_RDONLY | O_NONBLOCK | O_NOCTTY;
		int next = openat(fd, *part, flags | O_NOFOLLOW | O_CLOEXEC);

		r = next < 0 ? -errno : 0;
		close(fd);
		fd = next;
	}
	g_strfreev(parts);
	return r < 0 ? r : fd;
}

static int read_all(int fd, size_t size, GBytes **bytes)
{
	uint8_t *data = g_malloc(MAX(size, 1));
	size_t got = 0;
	ssize_t n = 0;

	while (got < size && (n = read(fd, data + got, size - got)) > 0)
		got += (size_t)n;
	if (n < 0) {
		int r = -errno;

		g_free(data);
		return r;
	}
	*bytes = g_bytes_new_take(data, got);
	return 0;
}

static int read_below(int root, const char *path, GBytes **bytes)
{
	int fd = open_below(root, path), r;
	struct stat stat;

	if (fd < 0)
		return fd == -ELOOP || fd == -ENOTDIR ? -ENOENT : fd;
	if (fstat(fd, &stat))
		r = -errno;
	else if (!S_ISREG(stat.st_mode))
		r = -ENOENT;
	else if (stat.st_size > FILE_SIZE)
		r = -EFBIG;
	else
		r = read_all(fd, (size_t)stat.st_size, bytes);
	close(fd);
	return r;
}

static int read_own(const char *path, GBytes **bytes)
{
	char *name = g_strconcat(OWN, path, NULL);

	*bytes = g_resource_lookup_data(web_page_get_resource(), name, G_RESOURCE_LOOKUP_FLAGS_NONE,
					NULL);
	g_free(name);
	return *bytes ? 0 : -ENOENT;
}

int web_files_get(const struct web_files *files, const char *path, GBytes **bytes,
		  const char **type)
{
	if (!strcmp(path, "/"))
		path = "/index.html";
	*type = type_of(path);
	if (!web_rules_take_path(path) || !*type)
		return -ENOENT;
	if (g_str_has_prefix(path, NOVNC))
		return read_below(files->root, path + strlen(NOVNC), bytes);
	return read_own(path, bytes);
}

int web_files_create(const char *root, struct web_files **result, GError **error)
{
	const char *folder = root ? root : WEB_FILES_NOVNC;
	struct web_files *files = g_new(struct web_files, 1);
	GBytes *bytes = NULL;
	int r;

	files->root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = files->root < 0 ? -errno : read_below(files->root, PROOF, &bytes);
	g_clear_pointer(&bytes, g_bytes_unref);
	if (r < 0) {
		web_files_destroy(files);
		return fail(error, exit_code_of_file(-r), -r,
			    root ? "%s is not noVNC's folder: no %s in it (give the folder with "
				   "vnc.html to --web-root)"
				 : "noVNC is not in %s: no %s (apt-get install novnc, or "
				   "--web-root DIR)",
			    folder, PROOF);
	}
	*result = files;
	return 0;
}

void web_files_destroy(struct web_files *files)
{
	if (!files)
		return;
	if (files->root >= 0)
		close(files->root);
	g_free(files);
}

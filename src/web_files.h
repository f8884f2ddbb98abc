/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files that the web server gives out: planecast's own page, which is part of the program, and
 * noVNC's folder below /novnc/. Nothing outside that folder, no symbolic link, no listing.
 *
 * Any thread, once created.
 */
#ifndef PLANECAST_WEB_FILES_H
#define PLANECAST_WEB_FILES_H

#include <glib.h>

#define WEB_FILES_NOVNC "/usr/share/novnc" /* of Debian's package novnc */

struct web_files;

/* `root` is noVNC's folder, NULL for Debian's. 0 or -errno. */
int web_files_create(const char *root, struct web_files **files, GError **error);
void web_files_destroy(struct web_files *files); /* takes NULL */

/*
 * What is at a path (as in a request, undecoded). 0 with a reference to its bytes and its type (a
 * MIME type, static), -ENOENT, or another -errno.
 */
int web_files_get(const struct web_files *files, const char *path, GBytes **bytes,
		  const char **type);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A certificate that is signed by itself, made once and kept. */
#ifndef PLANECAST_CERTIFICATE_MAKE_H
#define PLANECAST_CERTIFICATE_MAKE_H

#include <glib.h>

/*
 * As certificate_open_own(): the paths of a certificate (0644) and its key (0600), freed by the
 * caller. Servers that start at the same time end up with the same ones. 0 or -errno.
 */
int certificate_make(const char *folder, char **file, char **key, GError **error);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An output: a file that appears whole or not at all, or something that is written as it is (a
 * pipe, a device, standard output). The process must ignore SIGPIPE. One thread.
 */
#ifndef PLANECAST_OUTPUT_H
#define PLANECAST_OUTPUT_H

#include <glib.h>
#include <stddef.h>

struct output;

/*
 * path "-" is standard output. A regular file is written beside its place and put there by
 * output_commit(), with the umask's mode or that of the file it replaces; symbolic links are
 * followed. -errno and one line in error that names the path.
 */
int output_open(const char *path, struct output **output, GError **error);

/*
 * The same for what is of use although it is cut short: a regular file is written as PATH.part,
 * which stays if output_commit() fails or is never called, unless nothing was written. -EEXIST if
 * there is one from another time.
 */
int output_open_partial(const char *path, struct output **output, GError **error);

/* Buffered. After an error all further calls fail with the same. 0 or -errno. */
int output_write(struct output *output, const void *data, size_t size);

/* Hands the buffer to the kernel. 0 or -errno. */
int output_flush(struct output *output);

/* What was to be written cannot be had: output_commit() will fail with this, unless it already did.
 */
void output_spoil(struct output *output, int ret);

/* Writes what is left and puts the file in its place; -errno and one line in error. */
int output_commit(struct output *output, GError **error);

/* Without output_commit() before, nothing is left behind (but a partial file). Takes NULL. */
void output_close(struct output *output);

#endif

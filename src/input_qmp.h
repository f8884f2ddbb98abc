/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Input through QEMU's monitor: QMP's input-send-event (qemu.git qapi/ui.json), sent from the main
 * context. What is typed while there is no monitor is lost, but keys that the guest has down when
 * it goes are released when it is back. A monitor that is slow gets the last position and, of the
 * rest, at most INPUT_QMP_QUEUE events; more are lost, but never the release of a key.
 *
 * A guest whose pointing device is relative gets the distances that the pointer went (query-mice
 * tells, asked again now and then: a guest's driver may change that).
 */
#ifndef PLANECAST_INPUT_QMP_H
#define PLANECAST_INPUT_QMP_H

#include <sys/types.h>

#include "input.h"

#define INPUT_QMP_QUEUE 512u

/* path is that of a unix socket. The connection is made later: nothing fails here. */
struct input_sink *input_qmp_create(const char *path);

/* The monitor's socket that a QEMU was started with, for g_free(); NULL: it has none by path. */
char *input_qmp_find(pid_t pid);

/* As above, from its arguments, which end with NULL. A relative path stays so. */
char *input_qmp_from_arguments(const char *const *arguments);

#endif
